"""The file that tells which process serves, for those who watch over it."""

import os
from pathlib import Path

import attrs

from lsd.server.refusals import StartRefused


@attrs.define(eq=False)
class PidFile:
    """Appears when the daemon serves, always whole, and goes when it ends."""

    _path: Path
    _prepared: Path

    @classmethod
    def prepare(cls, path: Path) -> "PidFile":
        """Writes the file under another name beside it. Raises StartRefused."""
        prepared = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            if path.is_dir():
                raise IsADirectoryError(0, "it is a folder")
            prepared.write_text(f"{os.getpid()}\n")
        except OSError as error:
            raise StartRefused(f"--pid-file {path}: {error.strerror}") from None
        return cls(path, prepared)

    def show(self) -> None:
        """The daemon serves."""
        self._prepared.replace(self._path)

    def remove(self) -> None:
        """The daemon has ended; the file of one that has taken its place stays."""
        self._prepared.unlink(missing_ok=True)
        try:
            is_own = self._path.read_text() == f"{os.getpid()}\n"
        except OSError:
            return
        if is_own:
            self._path.unlink(missing_ok=True)

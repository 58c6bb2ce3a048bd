"""Input files: their bytes, each content once, under the hash of the content.

A folder of plain files, so that anything can look at them. All calls block; they belong in a
thread.
"""

import re
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

import attrs

from lsd.conversation import LsdError

_STORAGE_PATH = re.compile(r"[0-9a-f]{2}/[0-9a-f]{64}\Z")
"""What `put` gives. Nothing else is ever opened: the paths come back from callers."""

_PROBE_NAME = ".lsd-validate"


@attrs.frozen
class ObjectsRefused(LsdError):
    """The folder cannot be used."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return f"object storage at {self.path}: {self.reason}"


@attrs.frozen
class ObjectMissing(LsdError):
    """There are no bytes under this storage path."""

    storage_path: str

    def __str__(self) -> str:
        return f"storage_path: found {self.storage_path!r}; wanted the path of a stored file"


def storage_path_of(data: bytes) -> str:
    """Where `data` lies in every object store that has it."""
    digest = sha256(data).hexdigest()
    return f"{digest[:2]}/{digest}"


@attrs.frozen
class FileObjects:
    """The files below a folder."""

    path: Path

    @classmethod
    def open(cls, path: Path, *, may_create: bool) -> "FileObjects":
        """Proves by a write that the folder can be used. Raises ObjectsRefused."""
        try:
            if may_create:
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
            (path / _PROBE_NAME).write_bytes(b"")
        except OSError as error:
            raise ObjectsRefused(path, error.strerror or str(error)) from None
        return cls(path)

    def put(self, data: bytes) -> str:
        """The storage path of `data`, which is written unless it is there already.

        Raises ObjectsRefused when it cannot be.
        """
        storage_path = storage_path_of(data)
        target = self.path / storage_path
        if target.exists():
            return storage_path
        try:
            target.parent.mkdir(mode=0o700, exist_ok=True)
            # A file appears whole or not at all, also when two requests bring it at once.
            with NamedTemporaryFile(dir=target.parent, delete=False) as file:
                file.write(data)
            Path(file.name).replace(target)
        except OSError as error:
            raise ObjectsRefused(self.path, error.strerror or str(error)) from None
        return storage_path

    def get(self, storage_path: object) -> bytes:
        """The bytes under a storage path. Raises ObjectMissing."""
        if not isinstance(storage_path, str) or not _STORAGE_PATH.match(storage_path):
            raise ObjectMissing(str(storage_path))
        try:
            return (self.path / storage_path).read_bytes()
        except OSError:
            raise ObjectMissing(storage_path) from None

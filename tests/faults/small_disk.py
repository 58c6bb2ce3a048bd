"""A disk with next to no room, which a test can fill and empty again."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest

IN_A_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
"""What is mounted in there is seen by nobody else, and is gone with the process."""

MOUNTED = 'mount -t tmpfs -o size={size} tmpfs "$0" && '

KEPT = "echo mounted && exec sleep infinity"


def skip_without_namespaces(folder: Path) -> None:
    """Skips the test where nobody may mount a disk."""
    if shutil.which("unshare") is None:
        pytest.skip("no namespaces on this system")
    command = (*IN_A_NAMESPACE, MOUNTED.format(size="1m") + "true", str(folder))
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("no right to mount a small disk here")


@attrs.frozen
class SmallDisk:
    """A disk that is there as long as the process that has mounted it; `path` leads to it."""

    path: Path

    def fill(self) -> None:
        """Leaves no room."""
        with self._filler.open("ab", buffering=0) as filler:
            try:
                while filler.write(b"\0" * 4096):
                    pass
            except OSError:
                pass

    def make_room(self) -> None:
        """Takes away what has filled it."""
        self._filler.unlink()

    @property
    def _filler(self) -> Path:
        return self.path / "filler"


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[SmallDisk]:
    """A disk of this size, mounted over a folder where only its keeper sees it."""
    skip_without_namespaces(folder)
    command = (*IN_A_NAMESPACE, MOUNTED.format(size=size) + KEPT, str(folder))
    with subprocess.Popen(command, stdout=subprocess.PIPE) as keeper:
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == b"mounted\n"
        try:
            yield SmallDisk(Path(f"/proc/{keeper.pid}/root{folder}"))
        finally:
            keeper.terminate()

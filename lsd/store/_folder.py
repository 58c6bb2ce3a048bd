"""The folder of the store: its lock against a second server, and what it lies on."""

import contextlib
import ctypes
import fcntl
import os
import sys
from pathlib import Path

import attrs

from lsd.store.errors import StoreInUse, StoreRefused

_LOCK_NAME = "lsd.lock"
_BOOT_MARK = "boot"

_NETWORK_FILE_SYSTEMS = frozenset(
    {"9p", "afs", "ceph", "cifs", "fuse.sshfs", "glusterfs", "lustre", "nfs", "nfs4", "smb3"}
)
"""File systems on which memory maps and locks of several machines do not agree."""


@attrs.define(eq=False)
class FolderLock:
    """Held by the one server of a folder; the kernel lets go of it when the process ends."""

    _file: int

    @classmethod
    def take(cls, folder: Path) -> "FolderLock":
        """Takes the lock. Raises StoreInUse naming the process that has it, or StoreRefused."""
        try:
            file = os.open(folder / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreRefused(str(folder), f"is not writable: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(file, 32).decode(errors="replace").strip() or "unknown"
            os.close(file)
            reason = f"is in use by another server (pid {holder}); wanted a folder of its own"
            raise StoreInUse(str(folder), reason) from error
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        return cls(file=file)

    def release(self) -> None:
        """Lets the next server in."""
        os.close(self._file)


def create_folder(folder: Path) -> None:
    """Creates the folder 0700 where it is missing. Raises StoreRefused."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError as error:
        raise StoreRefused(str(folder), "found a file; wanted a folder") from error
    except OSError as error:
        raise StoreRefused(str(folder), f"cannot be created: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StoreRefused(str(folder), "is not writable")


def network_file_system(folder: Path) -> str | None:
    """The kind of network file system that the folder lies on, if that can be told."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    best, kind = "", ""
    resolved = f"{folder.resolve()}/"
    for line in mounts.splitlines():
        _, place, found, *_ = line.split(" ")
        if resolved.startswith(place.rstrip("/") + "/") and len(place) >= len(best):
            best, kind = place, found
    return kind if kind in _NETWORK_FILE_SYSTEMS else None


def is_marked_open_before_boot(folder: Path) -> bool:
    """Whether the mark says "open", and the machine has gone down since."""
    try:
        marked = (folder / _BOOT_MARK).read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return marked != boot_id()


def mark_open(folder: Path) -> None:
    """Notes that unsynced data may be about, and since which start of the machine."""
    file = os.open(folder / _BOOT_MARK, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, boot_id().encode())
        os.fsync(file)  # a power cut must find the mark, whatever else it loses
    finally:
        os.close(file)
    directory = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def mark_closed(folder: Path) -> None:
    """Notes that everything is on the disk."""
    (folder / _BOOT_MARK).unlink(missing_ok=True)


def boot_id() -> str:
    """A text that changes with every start of the machine; always the same where none is known."""
    if sys.platform == "darwin":
        return _darwin_boot_id()
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return "unknown"


def _darwin_boot_id() -> str:
    size = ctypes.c_size_t(64)
    text = ctypes.create_string_buffer(size.value)
    libc = ctypes.CDLL(None)
    failed = libc.sysctlbyname(b"kern.bootsessionuuid", text, ctypes.byref(size), None, 0)
    return "unknown" if failed else text.value.decode("ascii", errors="replace")

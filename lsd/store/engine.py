"""An ordered, transactional engine: named databases of byte keys in one LMDB environment.

This is the only module that calls LMDB. Everything above it speaks to a `Transaction`. All calls
block; who calls decides about a thread: gets are quick enough for the event loop, writes and scans
are not.
"""

import errno
import mmap
import shutil
import threading  # noqa: TID251 - threads that trio started write and read one environment
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import attrs
import lmdb
import lmdb.verify

from lsd.store._data_file import NotADataFile, missing_bytes
from lsd.store._map_gate import MapGate
from lsd.store.errors import StoreFailed, StoreFull, StoreRefused
from lsd.store.transaction import Database, Transaction

T = TypeVar("T")
Durability = Literal["sync", "lazy", "none"]

_SYNCING: Mapping[Durability, Mapping[str, bool]] = {
    "sync": {},
    # Only the last page, the one that makes a commit count, may be late. Leaving out more syncs
    # (`sync=False`) would let a power cut mix old and new pages: damage instead of loss.
    "lazy": {"metasync": False},
    "none": {"sync": False},
}

_DATABASES_MAX = 64
"""Named databases one environment can hold; an open one costs some bytes, so twice our need."""

_SCANNED_PER_READ = 5_000
"""Keys that a scan reads from one snapshot: some milliseconds, with what is done with them."""

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DISK_FULL_BYTES = 1 << 20
"""With less than this free, a short write (which comes as EIO) means a full disk."""


@attrs.define(eq=False)
class Environment:
    """One LMDB environment, open in this process. Usable from any thread."""

    path: Path
    max_map_size: int
    _lmdb: lmdb.Environment
    _handles: dict[Database, Any] = attrs.field(factory=dict, init=False)
    _writing: threading.Lock = attrs.field(factory=threading.Lock, init=False)
    _gate: MapGate = attrs.field(factory=MapGate, init=False)
    _mine: threading.local = attrs.field(factory=threading.local, init=False)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        map_size: int,
        max_map_size: int,
        max_readers: int,
        durability: Durability,
    ) -> "Environment":
        """The environment in the folder `path`, which is created 0700 when it is missing.

        Raises StoreRefused. An environment must not be open twice in one process.
        """
        _refuse_damage(path)
        _refuse_too_great_a_map(path, max_map_size)
        try:
            opened = lmdb.open(
                str(path),
                map_size=_whole_pages(map_size),
                mode=0o700,
                max_readers=max_readers,
                max_dbs=_DATABASES_MAX,
                max_spare_txns=1,
                **_SYNCING[durability],
            )
            # Slots of readers that died would keep old pages from being used again.
            opened.reader_check()
        except (lmdb.Error, OSError) as error:
            raise StoreRefused(str(path), f"cannot be opened: {error}") from error
        return cls(path=path, max_map_size=_whole_pages(max_map_size), lmdb=opened)

    def open_databases(self, names: tuple[Database, ...]) -> None:
        """Makes the databases usable; creates those that are missing. Raises as `write`."""

        def open_all(inner: "lmdb.Transaction[bytes]") -> dict[Database, Any]:
            return {name: self._lmdb.open_db(name.encode(), txn=inner) for name in names}

        self._handles.update(self._write(open_all))

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """`with environment.read() as transaction:` gives a snapshot.

        Not to be held across an await. Inside another `read` of the same thread it is the same
        snapshot. Raises StoreFailed.
        """
        outer: Transaction | None = getattr(self._mine, "transaction", None)
        if outer is not None:
            yield outer
            return
        inner = self._begin_read()
        try:
            self._mine.transaction = Transaction(lmdb=inner, handles=self._handles)
            yield self._mine.transaction
        except lmdb.Error as error:
            raise self._translated(error) from error
        finally:
            self._mine.transaction = None
            inner.abort()
            self._gate.leave()

    def scan(
        self, database: Database, start: bytes, stop: bytes | None
    ) -> Iterator[tuple[Transaction, list[tuple[bytes, bytes]]]]:
        """All keys of a range with their values, some at a time, each time with a snapshot.

        A snapshot that is held for long keeps old pages in the file, and the map from growing. The
        transaction that comes with some keys is good until the next ones are asked for.
        """
        following: bytes | None = start
        while following is not None:
            with self.read() as transaction:
                entries = transaction.range(database, following, stop, limit=_SCANNED_PER_READ)
                some = list(entries)
                yield transaction, some
            following = some[-1][0] + b"\0" if len(some) == _SCANNED_PER_READ else None

    def write(self, apply: Callable[[Transaction], T]) -> T:
        """Calls `apply` in a write transaction and commits; gives back what `apply` gave.

        Whatever `apply` raises takes all its changes back. It is called again from the start when
        the map had to grow. Waits for other writers, of this process and of others. Not inside a
        `read` of the same thread. Raises StoreFull and StoreFailed.
        """
        done: list[Callable[[], None]] = []

        def apply_all(inner: "lmdb.Transaction[bytes]") -> T:
            transaction = Transaction(lmdb=inner, handles=self._handles)
            result = apply(transaction)
            done[:] = transaction.finish()
            return result

        result = self._write(apply_all)
        for callback in done:
            callback()
        return result

    def sync(self) -> None:
        """Forces everything committed to the disk."""
        self._lmdb.sync(True)

    def copy_into(self, folder: Path) -> int:
        """Copies a snapshot, without free pages, into an empty folder; gives the copy's bytes.

        Raises StoreFull and StoreFailed, and may then leave a part of the copy.
        """
        while True:
            self._gate.enter()
            try:
                self._lmdb.copy(str(folder), compact=True)
            except lmdb.Error as error:
                failure = error
            else:
                return (folder / "data.mdb").stat().st_size
            finally:
                self._gate.leave()
            if not self._is_cured(failure):
                raise self._translated(failure) from failure

    def size_bytes(self) -> int:
        """Bytes of the data file on disk."""
        return (self.path / "data.mdb").stat().st_size

    def close(self) -> None:
        """Waits for running reads and writes, and closes. Later calls raise StoreFailed."""
        with self._writing, self._gate.alone():
            self._lmdb.close()

    def _write(self, act: Callable[["lmdb.Transaction[bytes]"], T]) -> T:
        """Runs `act` in a transaction of LMDB, as often as the map must grow for it."""
        reading = getattr(self._mine, "transaction", None)
        assert reading is None, "the map could not grow: it would wait for this thread's own read"
        with self._writing:
            while True:
                try:
                    with self._lmdb.begin(write=True) as inner:
                        return act(inner)
                except lmdb.MapFullError:
                    self._grow()
                except lmdb.MapResizedError:
                    self._resize(0)
                except lmdb.Error as error:
                    raise self._translated(error) from error

    def _begin_read(self) -> "lmdb.Transaction[bytes]":
        """A new snapshot; the caller is in the gate then, and leaves it in the end."""
        while True:
            self._gate.enter()
            try:
                return self._lmdb.begin()
            except lmdb.Error as error:
                self._gate.leave()
                if not self._is_cured(error):
                    raise self._translated(error) from error

    def _is_cured(self, error: lmdb.Error) -> bool:
        """Whether a read that could not begin may try again."""
        if isinstance(error, lmdb.MapResizedError):  # another process has grown the map
            with self._writing:
                self._resize(0)
            return True
        return isinstance(error, lmdb.ReadersFullError) and self._lmdb.reader_check() > 0

    def _grow(self) -> None:
        """Doubles the map, or raises StoreFull at its bound. Called while `_writing` is held."""
        size = self._lmdb.info()["map_size"]
        if size >= self.max_map_size:
            raise StoreFull(str(self.path), "max_map_size", self.max_map_size)
        self._lmdb.reader_check()
        self._resize(min(2 * size, self.max_map_size))

    def _resize(self, size: int) -> None:
        """Maps the file anew; 0 takes the size that another process has set."""
        with self._gate.alone():
            try:
                self._lmdb.set_mapsize(size)
            except lmdb.Error as error:
                raise self._translated(error) from error

    def _translated(self, error: lmdb.Error) -> StoreFull | StoreFailed:
        code = getattr(error, "code", 0)
        if code in _NO_ROOM or isinstance(error, lmdb.DiskError):
            return StoreFull(str(self.path), "disk", self.max_map_size)
        # The write that fills the disk is cut short, and LMDB calls that an I/O error.
        if code == errno.EIO and shutil.disk_usage(self.path).free < _DISK_FULL_BYTES:
            return StoreFull(str(self.path), "disk", self.max_map_size)
        return StoreFailed(str(self.path), str(error))


def _whole_pages(size: int) -> int:
    """`size` rounded up to what the operating system can map."""
    return -(-size // mmap.PAGESIZE) * mmap.PAGESIZE


def _refuse_damage(path: Path) -> None:
    """Raises StoreRefused if LMDB could not read the data file in `path`, or would die of it."""
    try:
        is_cut_off = missing_bytes(path / "data.mdb") > 0
        # A whole walk through the file, so only when there is reason for doubt.
        problems = lmdb.verify.verify(str(path)) if is_cut_off else []  # type: ignore[no-untyped-call]
    except FileNotFoundError:
        return
    except NotADataFile:
        reason = "data.mdb: found something else; wanted a data file of LMDB"
        raise StoreRefused(str(path), reason) from None
    except (OSError, lmdb.verify.VerifyError) as error:
        raise StoreRefused(str(path), f"data.mdb: {error}") from error
    if problems:
        reason = f"data.mdb: found its end missing ({problems[0]}); wanted the whole file"
        raise StoreRefused(str(path), reason)


def _refuse_too_great_a_map(path: Path, size: int) -> None:
    """Raises StoreRefused if the address space has no room for the map at its greatest."""
    try:
        with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=0):
            pass
    except (OSError, OverflowError, ValueError) as error:
        reason = (
            f"found storage.max_map_size {size}, which does not fit the address space ({error}); "
            "wanted less"
        )
        raise StoreRefused(str(path), reason) from error

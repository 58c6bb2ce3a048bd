"""A transaction: the one interface between the layout and the engine below it.

Gets, puts and ranges over (database, key) are all that the layout asks for, so that it can lie on
another ordered engine one day.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import attrs

if TYPE_CHECKING:
    import lmdb

Database = str
"""The name of one of the ordered maps in an environment; all names are in `layout`."""


class Row(Protocol):
    """A value of a database while it is being changed."""

    def encode(self) -> bytes | None:
        """What is to be stored; None takes the row away."""


class Gathered(Protocol):
    """What many writes of one commit add up to, or have to put."""

    def settle(self, transaction: "Transaction") -> None:
        """Puts it all, or changes rows."""


R = TypeVar("R", bound=Row)
G = TypeVar("G", bound=Gathered)
K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


@attrs.define(eq=False)
class Transaction:
    """A snapshot of all databases and, in a write, the changes on top of it.

    Keys are 1 to 511 bytes. Lives inside `Environment.read` or `Environment.write` only, in the
    thread that opened it.
    """

    _lmdb: "lmdb.Transaction[bytes]"
    _handles: Mapping[Database, Any]
    _cursors: dict[Database, "lmdb.Cursor[bytes]"] = attrs.field(factory=dict, init=False)
    _rows: dict[tuple[Database, bytes], Any] = attrs.field(factory=dict, init=False)
    _gathered: dict[Hashable, Any] = attrs.field(factory=dict, init=False)
    _put_off: dict[Hashable, Any] = attrs.field(factory=dict, init=False)
    _after: list[Callable[[], None]] = attrs.field(factory=list, init=False)

    def get(self, database: Database, key: bytes) -> bytes | None:
        """The value under `key`."""
        if self._put_off:
            self._catch_up()
        return self._lmdb.get(key, None, self._handles[database])

    def put(self, database: Database, key: bytes, value: bytes) -> None:
        """Stores `value` under `key`, in place of what was there."""
        if self._put_off:
            self._catch_up()
        self._lmdb.put(key, value, True, True, False, self._handles[database])

    def put_all(self, database: Database, entries: Iterable[tuple[bytes, bytes]]) -> None:
        """The same for many, which takes a third of the time."""
        if self._put_off:
            self._catch_up()
        self._lmdb.cursor(self._handles[database]).putmulti(entries)

    def add(self, database: Database, key: bytes, value: bytes) -> bool:
        """Stores `value` unless the key is there already; tells whether it did.

        That does not end what is being put off.
        """
        return self._lmdb.put(key, value, True, False, False, self._handles[database])

    def add_all(self, database: Database, entries: Iterable[tuple[bytes, bytes]]) -> bool:
        """The same for many; tells whether it did for all of them."""
        cursor = self._lmdb.cursor(self._handles[database])
        consumed, added = cursor.putmulti(entries, True, False)
        return consumed == added

    def delete(self, database: Database, key: bytes) -> bool:
        """Removes `key`; tells whether it was there.

        The room can be used by the second commit after this one, and by those that follow.
        """
        if self._put_off:
            self._catch_up()
        return self._lmdb.delete(key, db=self._handles[database])

    def range(
        self,
        database: Database,
        start: bytes = b"",
        stop: bytes | None = None,
        *,
        reverse: bool = False,
        limit: int | None = None,
    ) -> Iterator[tuple[bytes, bytes]]:
        """Keys with their values, `start` <= key < `stop`, ascending or descending.

        Do not change the database while going through it.
        """
        if self._put_off:
            self._catch_up()
        with self._lmdb.cursor(self._handles[database]) as cursor:
            step = cursor.prev if reverse else cursor.next
            there = _seek_last(cursor, stop) if reverse else _seek_first(cursor, start)
            taken = 0
            while there and (limit is None or taken < limit):
                key, value = cursor.item()
                if key < start or (stop is not None and key >= stop):
                    return
                yield key, value
                taken += 1
                there = step()

    def seeker(self, database: Database) -> "Seeker":
        """Goes back and forth over the keys; good until something is put."""
        if self._put_off:
            self._catch_up()
        return Seeker(self._lmdb.cursor(self._handles[database]))

    def has(self, database: Database, prefix: bytes) -> bool:
        """Whether a key begins with `prefix`."""
        if self._put_off:
            self._catch_up()
        cursor = self._cursors.get(database)
        if cursor is None:
            cursor = self._cursors[database] = self._lmdb.cursor(self._handles[database])
        return cursor.set_range(prefix) and cursor.key().startswith(prefix)

    def count(self, database: Database) -> int:
        """How many keys the whole database holds; costs the same for any size."""
        if self._put_off:
            self._catch_up()
        return self._lmdb.stat(self._handles[database])["entries"]

    def row(self, database: Database, key: bytes, read: Callable[[bytes | None], R]) -> R:
        """A row that many writes of one commit change, so that it is put once for all of them.

        `read` makes it of what is stored. Until the commit, only this method sees the changes.
        """
        row: R | None = self._rows.get((database, key))
        if row is None:
            row = self._rows[database, key] = read(self.get(database, key))
        return row

    def gathered(self, key: K, make: Callable[[K, T], G], made_with: T) -> G:
        """What is settled once for all writes of a commit; `make` begins it.

        Until the commit, nobody else sees what is in it.
        """
        gathered: G | None = self._gathered.get(key)
        if gathered is None:
            gathered = self._gathered[key] = make(key, made_with)
        return gathered

    def put_off(self, key: K, make: Callable[[K, T], G], made_with: T) -> G:
        """What many writes put together; `make` begins it.

        It is put before anything else is put or asked, at the latest at the commit: to all others
        it is as if it had been put at once.
        """
        gathered: G | None = self._put_off.get(key)
        if gathered is None:
            gathered = self._put_off[key] = make(key, made_with)
        return gathered

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Calls `callback` once this transaction counts; never if it is taken back."""
        self._after.append(callback)

    def finish(self) -> list[Callable[[], None]]:
        """For the environment: puts what is left to put; what to call once the commit is done."""
        self._catch_up()
        for gathered in self._gathered.values():
            gathered.settle(self)
        for (database, key), row in self._rows.items():
            value = row.encode()
            if value is None:
                self.delete(database, key)
            else:
                self.put(database, key, value)
        return self._after

    def _catch_up(self) -> None:
        """Puts what was put off."""
        gathered, self._put_off = self._put_off, {}
        for each in gathered.values():
            each.settle(self)


@attrs.frozen(eq=False)
class Seeker:
    """A place among the keys of a database. What gives None has found no such key."""

    _cursor: "lmdb.Cursor[bytes]"

    def first_from(self, key: bytes) -> bytes | None:
        """The first key that is not less than `key`."""
        return self._cursor.key() if self._cursor.set_range(key) else None

    def last_to(self, key: bytes) -> bytes | None:
        """The last key that is not greater than `key`."""
        if not self._cursor.set_range(key):
            return self._cursor.key() if self._cursor.last() else None
        found = self._cursor.key()
        if found == key:
            return found
        return self._cursor.key() if self._cursor.prev() else None

    def next(self) -> bytes | None:
        """The key after the one that was found."""
        return self._cursor.key() if self._cursor.next() else None

    def previous(self) -> bytes | None:
        """The key before the one that was found."""
        return self._cursor.key() if self._cursor.prev() else None


def _seek_first(cursor: "lmdb.Cursor[bytes]", start: bytes) -> bool:
    return cursor.set_range(start) if start else cursor.first()


def _seek_last(cursor: "lmdb.Cursor[bytes]", stop: bytes | None) -> bool:
    """To the last key below `stop`."""
    if stop is None or not cursor.set_range(stop):
        return cursor.last()
    return cursor.prev()

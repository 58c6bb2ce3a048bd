"""What a check of the store expects to find, and what it finds instead."""

from collections import Counter
from collections.abc import Iterator

import attrs

from lsd.store import layout
from lsd.store._attribution import ALL_NAMESPACES, NAMESPACE_TAG
from lsd.store.names import FUNCTION, NAMESPACE, VARIANT, Names
from lsd.store.records import InferenceRecord
from lsd.store.transaction import Database, Transaction

_PROBLEMS_MAX = 1_000
"""Where one thing is broken, a million may be; the first thousand tell enough."""


@attrs.define(eq=False)
class CheckList:
    """Looks up what must be there, and counts it: more keys than that are leftovers."""

    transaction: Transaction
    problems: list[str] = attrs.field(factory=list, init=False)
    _names: Names = attrs.field(factory=Names, init=False)
    _expected: Counter[Database] = attrs.field(factory=Counter, init=False)

    def all(self, database: Database) -> Iterator[tuple[bytes, bytes]]:
        """All keys of a database, with their values."""
        return self.transaction.range(database)

    def expect(self, database: Database, key: bytes, value: bytes | None) -> None:
        """The key must be there; with this value, unless that is None."""
        self._expected[database] += 1
        found = self.transaction.get(database, key)
        if found is None:
            self.add(f"{database}: {key.hex()}: found no entry; wanted one")
        elif value is not None and found != value:
            self.add(f"{database}: {key.hex()}: found {found.hex()}; wanted {value.hex()}")

    def require(self, database: Database, key: bytes, origin: Database) -> None:
        """Something in `origin` needs the key."""
        if self.transaction.get(database, key) is None:
            self.add(f"{origin}: {key.hex()}: found nothing in {database}; wanted its record")

    def add(self, problem: str) -> None:
        """Notes what is wrong."""
        if len(self.problems) < _PROBLEMS_MAX:
            self.problems.append(problem)

    def number(self, kind: bytes, name: str) -> bytes:
        """The number of a name; some number if it has none."""
        number = self._names.find(self.transaction, kind, name)
        if number is None:
            self.add(f"{layout.NAMES}: {name!r}: found no number; wanted one")
        return number or bytes(4)

    def pair(self, record: InferenceRecord) -> bytes:
        """The numbers of function and variant."""
        function = self.number(FUNCTION, record.function_name)
        return function + self.number(VARIANT, record.variant_name)

    def namespace(self, record: InferenceRecord) -> bytes:
        """The number of the namespace."""
        name = record.tags.get(NAMESPACE_TAG)
        return ALL_NAMESPACES if name is None else self.number(NAMESPACE, name)

    def compare_counts(self, databases: tuple[Database, ...]) -> None:
        """Nothing is in the databases but what has been expected."""
        for database in databases:
            found, wanted = self.transaction.count(database), self._expected[database]
            if found != wanted:
                self.add(f"{database}: found {found} keys; wanted {wanted}")

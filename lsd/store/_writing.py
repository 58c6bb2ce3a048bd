"""A write under way: its transaction, and what all parts of the store write with."""

from lsd.conversation import frozen
from lsd.store.names import Names
from lsd.store.transaction import Transaction


@frozen
class Writing:
    """What a write is made with. `shard` is this process's place in counters."""

    transaction: Transaction
    names: Names
    shard: int

    def number(self, kind: bytes, name: str) -> bytes:
        """The number of a name, perhaps a new one."""
        return self.names.number(self.transaction, kind, name)

    def pair(self, kinds: bytes, first: str, second: str) -> bytes:
        """The numbers of two names that go together."""
        return self.names.pair(self.transaction, kinds, first, second)

"""What one commit adds to usage, summed up first: each row is touched once for all of it."""

from collections import Counter
from itertools import chain

import attrs

from lsd.store._usage_periods import UsageRows
from lsd.store._usage_row import UsageRow
from lsd.store.layout import SHARD
from lsd.store.transaction import Transaction
from lsd.store.usage import OneUsage


@attrs.define(eq=False)
class UsageSums:
    """The inferences, or calls, of one pair of names and one minute."""

    _rows: UsageRows
    _pair: bytes
    _minute: int
    _shard: int
    _added: list[OneUsage] = attrs.field(factory=list, init=False)

    def add(self, one: OneUsage) -> None:
        """One more of them."""
        self._added.append(one)

    def settle(self, transaction: Transaction) -> None:
        """Adds all to the rows of the minute, the hour, the day, and of all time."""
        sums = list(map(sum, zip(*(one.sums for one in self._added), strict=True)))
        codes = Counter(chain.from_iterable(one.codes for one in self._added))
        shard = SHARD.pack(self._shard)
        for database, prefix in self._rows.places(self._pair, self._minute):
            transaction.row(database, prefix + shard, UsageRow).add_all(sums, codes)

"""What one commit adds to usage, summed up first: each row is touched once for all of it."""

from collections import Counter
from collections.abc import Callable, Sequence

import attrs

from lsd.store._usage_periods import UsageRows, minute_of
from lsd.store._usage_row import UsageRow
from lsd.store.layout import SHARD
from lsd.store.new_inference import Fields
from lsd.store.transaction import Transaction
from lsd.store.usage import AddedUsage


@attrs.define(eq=False)
class UsageSums:
    """The inferences, or calls, of one pair of names: their ids and heads, in `added`."""

    _rows: UsageRows
    _pair: bytes
    _shard: int
    _usage_of: Callable[[Sequence[Fields]], AddedUsage]
    added: list[tuple[bytes, Fields]] = attrs.field(factory=list, init=False)

    def settle(self, transaction: Transaction) -> None:
        """Adds all to the rows of their minutes, hours and days, and of all time."""
        by_minute: dict[int, list[Fields]] = {}
        for own, head in self.added:
            by_minute.setdefault(minute_of(own), []).append(head)
        shard = SHARD.pack(self._shard)
        for minute, heads in by_minute.items():
            usage = self._usage_of(heads)
            codes = Counter(usage.codes)
            for database, prefix in self._rows.places(self._pair, minute):
                transaction.row(database, prefix + shard, UsageRow).add_all(usage.sums, codes)

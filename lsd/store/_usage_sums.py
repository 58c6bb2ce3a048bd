"""What one commit adds to usage, summed up first: each row is touched once for all of it."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import attrs

from lsd.store._usage_periods import UsageRows, minute_of
from lsd.store._usage_row import UsageRow
from lsd.store._variant_counter import VariantCounter
from lsd.store.layout import SHARD, VARIANT_COUNTS
from lsd.store.new_inference import Fields
from lsd.store.transaction import Transaction
from lsd.store.usage import AddedUsage


@attrs.define(eq=False)
class UsageSums:
    """The inferences, or calls, of one pair of names: their `ids`, and their `heads` beside."""

    _rows: UsageRows
    pair: bytes
    _shard: int
    _usage_of: Callable[[Sequence[Fields]], AddedUsage]
    ids: list[bytes] = attrs.field(factory=list, init=False)
    heads: list[Fields] = attrs.field(factory=list, init=False)

    def settle(self, transaction: Transaction) -> None:
        """Adds all to the rows of their minutes, hours and days, and of all time."""
        shard = SHARD.pack(self._shard)
        for minute, heads in self._by_minute():
            usage = self._usage_of(heads)
            codes = Counter(usage.codes).items()
            for database, prefix in self._rows.places(self.pair, minute):
                transaction.row(database, prefix + shard, UsageRow.read).add_all(usage.sums, codes)

    def _by_minute(self) -> Iterator[tuple[int, list[Fields]]]:
        first, last = minute_of(min(self.ids)), minute_of(max(self.ids))
        if first == last:  # as in nearly every commit
            yield first, self.heads
            return
        by_minute: dict[int, list[Fields]] = {}
        for own, head in zip(self.ids, self.heads, strict=True):
            by_minute.setdefault(minute_of(own), []).append(head)
        yield from by_minute.items()


@attrs.define(eq=False)
class VariantSums(UsageSums):
    """Those of a function and variant, for which there also is a count and the latest id."""

    def settle(self, transaction: Transaction) -> None:
        """The same, and counts them."""
        super().settle(transaction)
        key = self.pair + SHARD.pack(self._shard)
        counter = transaction.row(VARIANT_COUNTS, key, VariantCounter.read)
        counter.count += len(self.ids)
        counter.last = max(counter.last, *self.ids)

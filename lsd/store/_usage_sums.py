"""What one commit adds to usage, summed up first: each row is touched once for all of it."""

from collections.abc import Iterator

import attrs

from lsd.store._usage_periods import UsageRows, minute_of
from lsd.store._usage_row import UsageRow
from lsd.store._variant_counter import VariantCounter
from lsd.store.layout import SHARD, VARIANT_COUNTS
from lsd.store.transaction import Transaction
from lsd.store.usage import Figures, added_usage


@attrs.define(eq=False)
class UsageSums:
    """The inferences, or calls, of one pair of names: their `ids`, and their `figures` beside."""

    _rows: UsageRows
    pair: bytes
    _shard: int
    ids: list[bytes] = attrs.field(factory=list, init=False)
    figures: list[Figures] = attrs.field(factory=list, init=False)

    def settle(self, transaction: Transaction) -> None:
        """Adds all to the rows of their minutes, hours and days, and of all time."""
        shard = SHARD.pack(self._shard)
        for minute, figures in self._by_minute():
            usage = added_usage(figures)
            for database, prefix in self._rows.places(self.pair, minute):
                transaction.row(database, prefix + shard, UsageRow.read).add(usage)

    def _by_minute(self) -> Iterator[tuple[int, list[Figures]]]:
        first, last = minute_of(min(self.ids)), minute_of(max(self.ids))
        if first == last:  # as in nearly every commit
            yield first, self.figures
            return
        by_minute: dict[int, list[Figures]] = {}
        for own, figures in zip(self.ids, self.figures, strict=True):
            by_minute.setdefault(minute_of(own), []).append(figures)
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

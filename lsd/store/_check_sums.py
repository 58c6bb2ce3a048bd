"""What counters and sums of the store should be, added up anew from its records."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TypeVar

import attrs

from lsd.store._feedback_sums import FeedbackSums
from lsd.store._usage_periods import OF_MODELS, OF_VARIANTS, UsageRows, minute_of
from lsd.store._usage_row import UsageRow
from lsd.store.layout import COUNT_AND_ID, FEEDBACK_SUMS, SHARD, VARIANT_COUNTS
from lsd.store.transaction import Database, Transaction
from lsd.store.usage import Figures, added_usage

T = TypeVar("T")


@attrs.define(eq=False)
class Sums:
    """Adds up what records should have been counted as, and compares it with what was counted."""

    _variants: Counter[bytes] = attrs.field(factory=Counter, init=False)
    _usage: dict[tuple[Database, bytes], bytes] = attrs.field(factory=dict, init=False)
    """As rows, which are equal for equal usages, and small: there may be millions of minutes."""
    _feedback: dict[bytes, FeedbackSums] = attrs.field(factory=dict, init=False)

    def add_inference(self, pair: bytes, inference: bytes, figures: Figures) -> None:
        """An inference of a function and variant."""
        self._variants[pair] += 1
        self._add_usage(OF_VARIANTS, pair, inference, figures)

    def add_call(self, pair: bytes, call: bytes, figures: Figures) -> None:
        """A call of a model and provider."""
        self._add_usage(OF_MODELS, pair, call, figures)

    def feedback(self, key: bytes) -> FeedbackSums:
        """The sums of function, metric, variant and namespace, to be added to."""
        return self._feedback.setdefault(key, FeedbackSums())

    def problems(self, transaction: Transaction) -> Iterator[str]:
        """What was counted otherwise."""
        yield from self._variant_problems(transaction)
        for database in (*OF_VARIANTS.databases, *OF_MODELS.databases):
            yield from self._usage_problems(transaction, database)
        yield from self._feedback_problems(transaction)

    def _add_usage(
        self,
        rows: UsageRows,
        pair: bytes,
        own: bytes,
        figures: Figures,
    ) -> None:
        usage = added_usage((figures,))
        for place in rows.places(pair, minute_of(own)):
            row = UsageRow.read(self._usage.get(place))
            row.add(usage)
            self._usage[place] = row.encode() or b""

    def _variant_problems(self, transaction: Transaction) -> Iterator[str]:
        counted: Counter[bytes] = Counter()
        for key, row in transaction.range(VARIANT_COUNTS):
            counted[key[: -SHARD.size]] += COUNT_AND_ID.unpack(row)[0]
        for pair in sorted(counted.keys() | self._variants.keys()):
            found, wanted = counted[pair], self._variants[pair]
            if found != wanted:
                yield f"{VARIANT_COUNTS}: {pair.hex()}: found {found}; wanted {wanted}"

    def _usage_problems(self, transaction: Transaction, database: Database) -> Iterator[str]:
        counted: dict[bytes, bytes] = {}
        for key, packed in transaction.range(database):
            row = UsageRow.read(counted.get(key[: -SHARD.size]))
            row.add_row(packed)
            counted[key[: -SHARD.size]] = row.encode() or b""
        wanted = {key: packed for (of, key), packed in self._usage.items() if of == database}
        yield from _differences(database, counted, wanted, b"", bytes.hex)

    def _feedback_problems(self, transaction: Transaction) -> Iterator[str]:
        counted: dict[bytes, FeedbackSums] = {}
        for key, row in transaction.range(FEEDBACK_SUMS):
            sums = counted.setdefault(key[: -SHARD.size], FeedbackSums())
            sums.merge(FeedbackSums.read(row))
        yield from _differences(
            FEEDBACK_SUMS, counted, self._feedback, FeedbackSums(), FeedbackSums.encode
        )


def _differences(
    database: Database,
    counted: dict[bytes, T],
    wanted: dict[bytes, T],
    nothing: T,
    show: Callable[[T], object],
) -> Iterator[str]:
    for key in sorted(counted.keys() | wanted.keys()):
        found, right = show(counted.get(key, nothing)), show(wanted.get(key, nothing))
        if found != right:
            yield f"{database}: {key.hex()}: found {found}; wanted {right}"

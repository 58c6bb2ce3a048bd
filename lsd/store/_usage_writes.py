"""What is counted with every inference and every call: usage by variant, by model and provider.

A process counts in rows of its own, its shard; who reads adds the shards up.
"""

from collections.abc import Sequence
from itertools import compress
from operator import eq, ne

from lsd.store._usage_periods import OF_MODELS, OF_VARIANTS, UsageRows, minute_of
from lsd.store._usage_row import UsageRow
from lsd.store._usage_sums import UsageSums, VariantSums
from lsd.store._variant_counter import VariantCounter
from lsd.store._writing import Writing
from lsd.store.layout import MODEL_USAGE, SHARD, VARIANT_COUNTS, VARIANT_USAGE, end_of
from lsd.store.names import PROVIDER_OF_MODEL, VARIANT_OF_FUNCTION
from lsd.store.new_inference import Fields
from lsd.store.transaction import Database
from lsd.store.usage import AddedUsage, figures, usage_of_some


def count_inference(writing: Writing, inference: bytes, head: Fields) -> bytes:
    """Counts an inference, by its head, for its function and variant; gives their numbers."""
    sums = writing.transaction.gathered(
        (VARIANT_USAGE, head["function_name"], head["variant_name"]), _sums_of_variant, writing
    )
    sums.ids.append(inference)
    sums.heads.append(head)
    return sums.pair


def uncount_inference(writing: Writing, pair: bytes, inference: bytes, head: Fields) -> None:
    """Counts it no longer."""
    _take(writing, OF_VARIANTS, pair, inference, inferences_usage((head,)))
    counter = writing.transaction.row(
        VARIANT_COUNTS, pair + SHARD.pack(writing.shard), VariantCounter.read
    )
    counter.count -= 1


def count_call(writing: Writing, own: bytes, head: Fields) -> None:
    """Counts a call, by its head, for its model and provider.

    A failed call counts if it had succeeded, within something larger that failed: then it has
    tokens or a cost, and somebody pays for it.
    """
    if head["status"] == "error" and not counts(head):
        return
    sums = writing.transaction.gathered(
        (MODEL_USAGE, head["model_name"], head["model_provider_name"]), _sums_of_model, writing
    )
    sums.ids.append(own)
    sums.heads.append(head)


def uncount_call(writing: Writing, own: bytes, head: Fields) -> None:
    """Counts it no longer."""
    if counts(head):
        pair = writing.pair(PROVIDER_OF_MODEL, head["model_name"], head["model_provider_name"])
        _take(writing, OF_MODELS, pair, own, calls_usage((head,)))


def counts(call: Fields) -> bool:
    """Whether a call, by its head, counts as usage."""
    return call["status"] != "error" or any(
        call.get(name) for name in ("input_tokens", "output_tokens", "cost")
    )


def inferences_usage(heads: Sequence[Fields]) -> AddedUsage:
    """What inferences add. Answers out of the inference cache tell nothing about time."""
    sums: list[Fields] = figures(heads, "usage")
    calls = figures(sums, "calls")
    timed = list(compress(heads, map(ne, calls, figures(sums, "calls_cached"))))
    return usage_of_some(
        sums,
        costs_known=sum(map(eq, calls, figures(sums, "calls_with_cost"))),
        durations_ms=figures(timed, "processing_time_ms"),
        first_tokens_ms=figures(timed, "ttft_ms"),
    )


def calls_usage(heads: Sequence[Fields]) -> AddedUsage:
    """What calls add that count; those out of the inference cache tell nothing about time."""
    timed = [head for head in heads if not head["cached"]]
    return usage_of_some(
        heads,
        durations_ms=figures(timed, "response_time_ms"),
        first_tokens_ms=figures(timed, "ttft_ms"),
    )


def _sums_of_variant(key: tuple[str, str, str], writing: Writing) -> UsageSums:
    pair = writing.pair(VARIANT_OF_FUNCTION, *key[1:])
    return VariantSums(OF_VARIANTS, pair, writing.shard, inferences_usage)


def _sums_of_model(key: tuple[str, str, str], writing: Writing) -> UsageSums:
    pair = writing.pair(PROVIDER_OF_MODEL, *key[1:])
    return UsageSums(OF_MODELS, pair, writing.shard, calls_usage)


def _take(writing: Writing, rows: UsageRows, pair: bytes, own_id: bytes, usage: AddedUsage) -> None:
    for database, prefix in rows.places(pair, minute_of(own_id)):
        row = writing.transaction.row(database, prefix + SHARD.pack(writing.shard), UsageRow.read)
        _gather(writing, database, prefix, row)
        row.take(usage)


def _gather(writing: Writing, database: Database, prefix: bytes, row: UsageRow) -> None:
    """Takes over what other processes have counted, so that an emptied row can go away."""
    own = prefix + SHARD.pack(writing.shard)
    counted = list(writing.transaction.range(database, prefix, end_of(prefix)))
    for key, value in counted:
        if key != own:
            row.add_row(value)
            writing.transaction.delete(database, key)

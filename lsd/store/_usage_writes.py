"""What is counted with every inference and every call: usage by variant, by model and provider.

A process counts in rows of its own, its shard; who reads adds the shards up.
"""

from collections.abc import Sequence

from lsd.store._usage_periods import OF_MODELS, OF_VARIANTS, UsageRows, minute_of
from lsd.store._usage_row import UsageRow
from lsd.store._usage_sums import UsageSums
from lsd.store._writing import Writing
from lsd.store.layout import MODEL_USAGE, SHARD, VARIANT_USAGE, end_of
from lsd.store.names import PROVIDER_OF_MODEL
from lsd.store.new_inference import Fields
from lsd.store.transaction import Database
from lsd.store.usage import AddedUsage, usage_of_some


def count_inference(
    writing: Writing, pair: bytes, inference: bytes, head: Fields, *, removed: bool = False
) -> None:
    """Counts an inference, by its head, for its function and variant; `removed`: no longer."""
    if removed:
        _take(writing, OF_VARIANTS, pair, inference, inferences_usage((head,)))
        return
    sums = writing.transaction.gathered(
        (VARIANT_USAGE, pair),
        lambda: UsageSums(OF_VARIANTS, pair, writing.shard, inferences_usage),
    )
    sums.added.append((inference, head))


def count_call(writing: Writing, own: bytes, head: Fields, *, removed: bool = False) -> None:
    """Counts a call, by its head, for its model and provider.

    A failed call counts if it had succeeded, within something larger that failed: then it has
    tokens or a cost, and somebody pays for it.
    """
    if not counts(head):
        return
    pair = writing.pair(PROVIDER_OF_MODEL, head["model_name"], head["model_provider_name"])
    if removed:
        _take(writing, OF_MODELS, pair, own, calls_usage((head,)))
        return
    sums = writing.transaction.gathered(
        (MODEL_USAGE, pair), lambda: UsageSums(OF_MODELS, pair, writing.shard, calls_usage)
    )
    sums.added.append((own, head))


def counts(call: Fields) -> bool:
    """Whether a call, by its head, counts as usage."""
    return call["status"] != "error" or any(
        call.get(name) for name in ("input_tokens", "output_tokens", "cost")
    )


def inferences_usage(heads: Sequence[Fields]) -> AddedUsage:
    """What inferences add. Answers out of the inference cache tell nothing about time."""
    sums = [head["usage"] for head in heads]
    timed = [head for head in heads if not _is_all(head["usage"], "calls_cached")]
    return usage_of_some(
        sums,
        costs_known=sum(_is_all(each, "calls_with_cost") for each in sums),
        durations_ms=[head["processing_time_ms"] for head in timed],
        first_tokens_ms=[head["ttft_ms"] for head in timed],
    )


def calls_usage(heads: Sequence[Fields]) -> AddedUsage:
    """What calls add that count; those out of the inference cache tell nothing about time."""
    timed = [head for head in heads if not head["cached"]]
    return usage_of_some(
        heads,
        costs_known=sum("cost" in head for head in heads),
        durations_ms=[head.get("response_time_ms") for head in timed],
        first_tokens_ms=[head.get("ttft_ms") for head in timed],
    )


def _is_all(sums: dict[str, int], name: str) -> bool:
    """Whether so many calls are all there were."""
    return 0 < sums["calls"] == sums.get(name)


def _take(writing: Writing, rows: UsageRows, pair: bytes, own_id: bytes, usage: AddedUsage) -> None:
    for database, prefix in rows.places(pair, minute_of(own_id)):
        row = writing.transaction.row(database, prefix + SHARD.pack(writing.shard), UsageRow)
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

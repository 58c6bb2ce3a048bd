"""What is counted with every inference and every call: usage by variant, by model and provider.

A process counts in rows of its own, its shard; who reads adds the shards up.
"""

from lsd.store._usage_periods import OF_MODELS, OF_VARIANTS, UsageRows, minute_of
from lsd.store._usage_row import UsageRow
from lsd.store._usage_sums import UsageSums
from lsd.store._writing import Writing
from lsd.store.layout import SHARD, end_of
from lsd.store.names import PROVIDER_OF_MODEL
from lsd.store.new_inference import Fields
from lsd.store.transaction import Database
from lsd.store.usage import OneUsage, usage_of_one


def count_inference(
    writing: Writing, pair: bytes, inference: bytes, head: Fields, *, removed: bool = False
) -> None:
    """Counts an inference, by its head, for its function and variant; `removed`: no longer."""
    _count(writing, OF_VARIANTS, pair, inference, inference_usage(head), removed=removed)


def count_call(writing: Writing, own: bytes, head: Fields, *, removed: bool = False) -> None:
    """Counts a call, by its head, for its model and provider.

    Not if it failed and nobody pays for it.
    """
    usage = call_usage(head)
    if usage is None:
        return
    pair = writing.pair(PROVIDER_OF_MODEL, head["model_name"], head["model_provider_name"])
    _count(writing, OF_MODELS, pair, own, usage, removed=removed)


def inference_usage(head: Fields) -> OneUsage:
    """What one inference adds. Answers out of the inference cache tell nothing about time."""
    sums = head["usage"]
    is_cached = 0 < sums["calls"] == sums.get("calls_cached")
    return usage_of_one(
        input_tokens=sums.get("input_tokens"),
        output_tokens=sums.get("output_tokens"),
        cache_read_tokens=sums.get("provider_cache_read_input_tokens"),
        cache_write_tokens=sums.get("provider_cache_write_input_tokens"),
        cost_nano=sums.get("cost"),
        is_cost_known=0 < sums["calls"] == sums.get("calls_with_cost"),
        duration_ms=None if is_cached else head["processing_time_ms"],
        first_token_ms=None if is_cached else head["ttft_ms"],
    )


def call_usage(head: Fields) -> OneUsage | None:
    """What one call adds; None for one that does not count.

    A failed call counts if it had succeeded, within something larger that failed: then it has
    tokens or a cost.
    """
    input_tokens, output_tokens = head.get("input_tokens"), head.get("output_tokens")
    cost = head.get("cost")
    if head["status"] == "error" and not (input_tokens or output_tokens or cost):
        return None
    is_cached = head["cached"]
    return usage_of_one(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=head.get("provider_cache_read_input_tokens"),
        cache_write_tokens=head.get("provider_cache_write_input_tokens"),
        cost_nano=cost,
        is_cost_known=cost is not None,
        duration_ms=None if is_cached else head.get("response_time_ms"),
        first_token_ms=None if is_cached else head.get("ttft_ms"),
    )


def _count(
    writing: Writing,
    rows: UsageRows,
    pair: bytes,
    own_id: bytes,
    usage: OneUsage,
    *,
    removed: bool,
) -> None:
    if removed:
        _take(writing, rows, pair, own_id, usage)
        return
    minute = minute_of(own_id)
    sums = writing.transaction.gathered(
        (rows.of_all, pair, minute), lambda: UsageSums(rows, pair, minute, writing.shard)
    )
    sums.add(usage)


def _take(writing: Writing, rows: UsageRows, pair: bytes, own_id: bytes, usage: OneUsage) -> None:
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

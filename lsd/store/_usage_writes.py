"""What is counted with every inference and every call: usage by variant, by model and provider.

A process counts in rows of its own, its shard; who reads adds the shards up.
"""

from typing import Any

from lsd.store._encoding import nano_dollars
from lsd.store._usage_periods import OF_MODELS, OF_VARIANTS, UsageRows
from lsd.store._usage_row import UsageRow
from lsd.store._writing import Writing
from lsd.store.layout import (
    SHARD,
    end_of,
    id_key,
)
from lsd.store.names import MODEL, PROVIDER
from lsd.store.records import ModelInferenceRecord
from lsd.store.transaction import Database
from lsd.store.usage import OneUsage, usage_of_one


def count_inference(
    writing: Writing,
    pair: bytes,
    inference: bytes,
    head: dict[str, Any],
    *,
    removed: bool = False,
) -> None:
    """Counts an inference, by its head, for its function and variant; `removed`: no longer."""
    usage = inference_usage(head)
    _count(writing, OF_VARIANTS, pair, inference, usage, removed=removed)


def count_call(
    writing: Writing,
    call: ModelInferenceRecord,
    *,
    removed: bool = False,
) -> None:
    """Counts a call for its model and provider, unless it failed and nobody pays for it."""
    usage = call_usage(call)
    if usage is None:
        return
    pair = writing.number(MODEL, call.model_name)
    pair += writing.number(PROVIDER, call.model_provider_name)
    _count(writing, OF_MODELS, pair, id_key(call.id), usage, removed=removed)


def inference_usage(head: dict[str, Any]) -> OneUsage:
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


def call_usage(call: ModelInferenceRecord) -> OneUsage | None:
    """What one call adds; None for one that does not count.

    A failed call counts if it had succeeded, within something larger that failed: then it has
    tokens or a cost.
    """
    if call.status == "error" and not (call.input_tokens or call.output_tokens or call.cost):
        return None
    return usage_of_one(
        input_tokens=call.input_tokens or None,
        output_tokens=call.output_tokens or None,
        cache_read_tokens=call.provider_cache_read_input_tokens,
        cache_write_tokens=call.provider_cache_write_input_tokens,
        cost_nano=nano_dollars(call.cost),
        is_cost_known=call.cost is not None,
        duration_ms=None if call.cached else call.response_time_ms,
        first_token_ms=None if call.cached else call.ttft_ms,
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
    for database, prefix in rows.places(pair, own_id):
        row = writing.transaction.row(database, prefix + SHARD.pack(writing.shard), UsageRow)
        if removed:
            _gather(writing, database, prefix, row)
            row.take(usage)
        else:
            row.add(usage)


def _gather(writing: Writing, database: Database, prefix: bytes, row: UsageRow) -> None:
    """Takes over what other processes have counted, so that an emptied row can go away."""
    own = prefix + SHARD.pack(writing.shard)
    counted = list(writing.transaction.range(database, prefix, end_of(prefix)))
    for key, value in counted:
        if key != own:
            row.add_row(value)
            writing.transaction.delete(database, key)

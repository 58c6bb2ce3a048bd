"""What is counted with every inference and every call: usage by variant, by model and provider.

A process counts in rows of its own, its shard; who reads adds the shards up.
"""

from lsd.store._usage_periods import OF_MODELS, OF_VARIANTS, UsageRows, minute_of
from lsd.store._usage_row import UsageRow
from lsd.store._usage_sums import UsageSums, VariantSums
from lsd.store._variant_counter import VariantCounter
from lsd.store._writing import Writing
from lsd.store.layout import MODEL_USAGE, SHARD, VARIANT_COUNTS, VARIANT_USAGE, end_of
from lsd.store.names import PROVIDER_OF_MODEL, VARIANT_OF_FUNCTION
from lsd.store.new_inference import Fields
from lsd.store.transaction import Database
from lsd.store.usage import Figures, added_usage


def sums_of_variant(writing: Writing, function_name: str, variant_name: str) -> UsageSums:
    """Where the inferences of a function and variant are counted."""
    key = (VARIANT_USAGE, function_name, variant_name)
    return writing.transaction.gathered(key, _sums_of_variant, writing)


def sums_of_model(writing: Writing, model_name: str, provider_name: str) -> UsageSums:
    """Where the calls of a model and provider are counted."""
    key = (MODEL_USAGE, model_name, provider_name)
    return writing.transaction.gathered(key, _sums_of_model, writing)


def uncount_inference(writing: Writing, pair: bytes, inference: bytes, head: Fields) -> None:
    """Counts an inference, by its head, no longer."""
    _take(writing, OF_VARIANTS, pair, inference, inference_figures(head))
    counter = writing.transaction.row(
        VARIANT_COUNTS, pair + SHARD.pack(writing.shard), VariantCounter.read
    )
    counter.count -= 1


def uncount_call(writing: Writing, own: bytes, head: Fields) -> None:
    """Counts a call, by its head, no longer."""
    figures = call_figures(head)
    if figures is not None:
        pair = writing.pair(PROVIDER_OF_MODEL, head["model_name"], head["model_provider_name"])
        _take(writing, OF_MODELS, pair, own, figures)


def inference_figures(head: Fields) -> Figures:
    """What an inference adds, by its head; out of the inference cache it tells nothing of time."""
    usage = head["usage"]
    calls = usage["calls"]
    is_timed = calls != usage.get("calls_cached")
    return (
        *_reported(usage),
        calls == usage.get("calls_with_cost"),
        head.get("processing_time_ms") if is_timed else None,
        head.get("ttft_ms") if is_timed else None,
    )


def call_figures(head: Fields) -> Figures | None:
    """The same of a call; None: it does not count.

    A failed call counts if it had succeeded, within something larger that failed: then it has
    tokens or a cost, and somebody pays for it.
    """
    if head["status"] == "error" and not any(
        head.get(name) for name in ("input_tokens", "output_tokens", "cost")
    ):
        return None
    is_timed = not head["cached"]
    return (
        *_reported(head),
        "cost" in head,
        head.get("response_time_ms") if is_timed else None,
        head.get("ttft_ms") if is_timed else None,
    )


def _reported(fields: Fields) -> Figures:
    """The figures REPORTED, one by one: a loop over their names takes twice as long."""
    return (
        fields.get("input_tokens"),
        fields.get("output_tokens"),
        fields.get("provider_cache_read_input_tokens"),
        fields.get("provider_cache_write_input_tokens"),
        fields.get("cost"),
    )


def _sums_of_variant(key: tuple[str, str, str], writing: Writing) -> UsageSums:
    return VariantSums(OF_VARIANTS, writing.pair(VARIANT_OF_FUNCTION, *key[1:]), writing.shard)


def _sums_of_model(key: tuple[str, str, str], writing: Writing) -> UsageSums:
    return UsageSums(OF_MODELS, writing.pair(PROVIDER_OF_MODEL, *key[1:]), writing.shard)


def _take(writing: Writing, rows: UsageRows, pair: bytes, own_id: bytes, figures: Figures) -> None:
    usage = added_usage((figures,))
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

"""Records to the bytes that are stored, and back: JSON, so that anyone can read a dump.

Ids that stand in the key are not in the value. Fields without a value are left out of bodies.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal

from lsd.conversation import encode_json, reread_json
from lsd.store.new_inference import Fields
from lsd.store.records import (
    Datapoint,
    DatapointBody,
    EmbeddingRecord,
    FeedbackRecord,
    InferenceBody,
    InferenceRecord,
    Judgement,
    ModelInferenceBody,
    ModelInferenceRecord,
)
from lsd.store.usage import REPORTED

_TOKENS = ("input_tokens", "output_tokens")

_NANO = Decimal(10) ** 9
"""Money is kept in whole billionths of a dollar, so that sums are exact."""


def inference_head(fields: Fields, calls: Iterable[Fields]) -> Fields:
    """The head, of its fields and the heads of the calls.

    With sums over the calls, which need not be read for statistics.
    """
    return {**fields, "usage": _usage_sums(calls)}


def model_inference_head(fields: Fields) -> Fields:
    """The head of a call; counts of 0 tokens are left out, as not reported."""
    head = fields
    if "cost" in head:
        head = {**head, "cost": nano_dollars(head["cost"])}
    if head.get("input_tokens") == 0 or head.get("output_tokens") == 0:
        head = {key: value for key, value in head.items() if value != 0 or key not in _TOKENS}
    return head


def encode_given(fields: Fields) -> bytes:
    """The fields that have a value, as they are stored."""
    return encode_json({name: value for name, value in fields.items() if value is not None})


def read_inference(inference_id: str, head: bytes, body: bytes | None = None) -> InferenceRecord:
    """The record of a head and, where it was read, its body."""
    fields = reread_json(head)
    del fields["usage"]
    return InferenceRecord(
        inference_id=inference_id,
        body=None if body is None else InferenceBody(**reread_json(body)),
        **fields,
    )


def read_model_inference(
    inference_id: str, own_id: str, head: bytes, body: bytes | None = None
) -> ModelInferenceRecord:
    """The record of a head and, where it was read, its body."""
    fields = reread_json(head)
    if "cost" in fields:
        fields["cost"] = Decimal(fields["cost"]) / _NANO
    return ModelInferenceRecord(
        id=own_id,
        inference_id=inference_id,
        body=None if body is None else ModelInferenceBody(**reread_json(body)),
        **fields,
    )


def embedding(record: EmbeddingRecord) -> bytes:
    """An embedding inference."""
    return encode_given(
        {
            "model_name": record.model_name,
            "status": record.status,
            "input_count": record.input_count,
            "dimensions": record.dimensions,
            "tags": record.tags,
            "processing_time_ms": record.processing_time_ms,
            "snapshot_hash": record.snapshot_hash,
        }
    )


def read_embedding(own_id: str, encoded: bytes) -> EmbeddingRecord:
    """The inverse of `embedding`."""
    return EmbeddingRecord(id=own_id, **reread_json(encoded))


def feedback(record: FeedbackRecord) -> bytes:
    """A feedback entry."""
    is_text = isinstance(record.value, str)
    return encode_json(
        {
            "kind": record.kind,
            "target_type": record.target_type,
            "metric_name": record.metric_name,
            "value": record.value if is_text else metric_value(record),
            "tags": record.tags,
            "snapshot_hash": record.snapshot_hash,
        }
    )


def metric_value(record: FeedbackRecord) -> bool | float:
    """The value of a boolean or float metric as it is stored."""
    assert not isinstance(record.value, str), "metrics have boolean and float values"
    # A sum with 0.0 turns -0.0 into 0.0, and an integer into a float.
    return record.value if record.kind == "boolean" else record.value + 0.0


def nano_dollars(dollars: Decimal | None) -> int | None:
    """Billionths of a dollar, rounded to the nearest."""
    if dollars is None:
        return None
    return int((dollars * _NANO).to_integral_value(ROUND_HALF_EVEN))


def read_feedback(target_id: str, own_id: str, encoded: bytes) -> FeedbackRecord:
    """The inverse of `feedback`."""
    return FeedbackRecord(id=own_id, target_id=target_id, **reread_json(encoded))


def judgement(record: Judgement, output_hash: bytes) -> bytes:
    """A judgement, with what tells it from another of the same short hash."""
    return encode_json(
        {
            "metric_name": record.metric_name,
            "datapoint_id": record.datapoint_id,
            "output_hash": output_hash.hex(),
            "value": record.value,
            "evaluator_inference_id": record.evaluator_inference_id,
        }
    )


def datapoint_head(datapoint: Datapoint) -> bytes:
    """A datapoint without its body."""
    return encode_given(
        {
            "dataset_name": datapoint.dataset_name,
            "function_name": datapoint.function_name,
            "function_type": datapoint.function_type,
            "episode_id": datapoint.episode_id,
            "tags": datapoint.tags,
            "name": datapoint.name,
            "is_custom": datapoint.is_custom,
            "source_inference_id": datapoint.source_inference_id,
            "snapshot_hash": datapoint.snapshot_hash,
            "updated_at_us": datapoint.updated_at_us,
            "staled_at_us": datapoint.staled_at_us,
        }
    )


def datapoint_body(body: DatapointBody) -> bytes:
    """The body of a datapoint."""
    return encode_given(
        {
            "input": body.input,
            "output": body.output,
            "output_schema": body.output_schema,
            "additional_tools": body.additional_tools,
            "allowed_tools": body.allowed_tools,
            "tool_choice": body.tool_choice,
            "parallel_tool_calls": body.parallel_tool_calls,
            "provider_tools": body.provider_tools,
        }
    )


def read_datapoint(own_id: str, head: bytes, body: bytes | None = None) -> Datapoint:
    """The datapoint of a head and, where it was read, its body."""
    return Datapoint(
        id=own_id,
        body=None if body is None else DatapointBody(**reread_json(body)),
        **reread_json(head),
    )


def _usage_sums(calls: Iterable[Fields]) -> dict[str, int]:
    """Sums of what was reported, and of how many calls; failed attempts do not count."""
    sums = {"calls": 0}
    for call in calls:
        if call["status"] == "error":
            continue
        sums["calls"] += 1
        for name in REPORTED:
            if name in call:
                sums[name] = sums.get(name, 0) + call[name]
        if "cost" in call:
            sums["calls_with_cost"] = sums.get("calls_with_cost", 0) + 1
        if call["cached"]:
            sums["calls_cached"] = sums.get("calls_cached", 0) + 1
    return sums

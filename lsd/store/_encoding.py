"""Records to the bytes that are stored, and back: JSON, so that anyone can read a dump.

Ids that stand in the key are not in the value. Fields without a value are left out of bodies.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal

from lsd.conversation import JsonValue, encode_json, reread_json
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

_NANO = Decimal(10) ** 9
"""Money is kept in whole billionths of a dollar, so that sums are exact."""


def inference_head(
    record: InferenceRecord, model_inferences: Iterable[ModelInferenceRecord]
) -> dict[str, JsonValue]:
    """The head; with sums over the model inferences, which need not be read for statistics."""
    return {
        "function_type": record.function_type,
        "function_name": record.function_name,
        "variant_name": record.variant_name,
        "episode_id": record.episode_id,
        "status": record.status,
        "tags": record.tags,
        "processing_time_ms": record.processing_time_ms,
        "ttft_ms": record.ttft_ms,
        "snapshot_hash": record.snapshot_hash,
        "usage": _usage_sums(model_inferences),
    }


def inference_body(body: InferenceBody) -> bytes:
    """The body of an inference."""
    return _encode_given(
        {
            "input": body.input,
            "output": body.output,
            "inference_params": body.inference_params,
            "extra_body": body.extra_body,
            "additional_tools": body.additional_tools,
            "allowed_tools": body.allowed_tools,
            "tool_choice": body.tool_choice,
            "parallel_tool_calls": body.parallel_tool_calls,
            "provider_tools": body.provider_tools,
            "output_schema": body.output_schema,
            "auxiliary_content": body.auxiliary_content,
        }
    )


def read_inference(inference_id: str, head: bytes, body: bytes | None = None) -> InferenceRecord:
    """The record of a head and, where it was read, its body."""
    fields = reread_json(head)
    del fields["usage"]
    return InferenceRecord(
        inference_id=inference_id,
        body=None if body is None else InferenceBody(**reread_json(body)),
        **fields,
    )


def model_inference_head(record: ModelInferenceRecord) -> bytes:
    """The head of a model inference; counts of 0 tokens are left out, as not reported."""
    return _encode_given(
        {
            "function_name": record.function_name,
            "variant_name": record.variant_name,
            "model_name": record.model_name,
            "model_provider_name": record.model_provider_name,
            "status": record.status,
            "error": record.error,
            "input_tokens": record.input_tokens or None,
            "output_tokens": record.output_tokens or None,
            "provider_cache_read_input_tokens": record.provider_cache_read_input_tokens,
            "provider_cache_write_input_tokens": record.provider_cache_write_input_tokens,
            "response_time_ms": record.response_time_ms,
            "ttft_ms": record.ttft_ms,
            "cached": record.cached,
            "cost": nano_dollars(record.cost),
            "finish_reason": record.finish_reason,
            "snapshot_hash": record.snapshot_hash,
            "episode_id": record.episode_id,
        }
    )


def model_inference_body(body: ModelInferenceBody) -> bytes:
    """The body of a model inference."""
    return _encode_given(
        {
            "raw_request": body.raw_request,
            "raw_response": body.raw_response,
            "system": body.system,
            "input_messages": body.input_messages,
            "output": body.output,
        }
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
    return _encode_given(
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
    return _encode_given(
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
    return _encode_given(
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


def _usage_sums(model_inferences: Iterable[ModelInferenceRecord]) -> dict[str, int]:
    """Sums of what was reported, and of how many calls; failed attempts do not count."""
    sums = {"calls": 0}
    for call in model_inferences:
        if call.status == "error":
            continue
        sums["calls"] += 1
        for field, value in (
            ("input_tokens", call.input_tokens or None),
            ("output_tokens", call.output_tokens or None),
            ("provider_cache_read_input_tokens", call.provider_cache_read_input_tokens),
            ("provider_cache_write_input_tokens", call.provider_cache_write_input_tokens),
            ("cost", nano_dollars(call.cost)),
            ("calls_with_cost", None if call.cost is None else 1),
            ("calls_cached", 1 if call.cached else None),
        ):
            if value is not None:
                sums[field] = sums.get(field, 0) + value
    return sums


def _encode_given(fields: dict[str, JsonValue]) -> bytes:
    return encode_json({name: value for name, value in fields.items() if value is not None})

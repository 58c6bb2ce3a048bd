"""Records as the read endpoints show them."""

from typing import Any

from lsd.conversation import id_time_ms
from lsd.store import FeedbackRecord, InferenceRecord, ModelInferenceRecord
from lsd.telemetry import rfc3339_ms


def inference_json(record: InferenceRecord) -> dict[str, Any]:
    """An inference; without what lies in its body if that has expired."""
    shown: dict[str, Any] = {
        "type": record.function_type,
        "inference_id": record.inference_id,
        "episode_id": record.episode_id,
        "function_name": record.function_name,
        "variant_name": record.variant_name,
        "status": record.status,
        "timestamp": rfc3339_ms(id_time_ms(record.inference_id)),
        "tags": record.tags,
        "processing_time_ms": record.processing_time_ms,
        "ttft_ms": record.ttft_ms,
        "snapshot_hash": record.snapshot_hash,
        "dispreferred_outputs": [],
    }
    body = record.body
    if body is None:
        return shown
    shown |= {
        "input": body.input,
        "output": body.output,
        "inference_params": body.inference_params,
        "extra_body": body.extra_body,
    }
    if record.function_type == "json":
        return shown | {"output_schema": body.output_schema}
    given = {
        "additional_tools": body.additional_tools,
        "allowed_tools": body.allowed_tools,
        "tool_choice": body.tool_choice,
        "parallel_tool_calls": body.parallel_tool_calls,
    }
    return shown | _set(given) | {"provider_tools": body.provider_tools or []}


def inference_metadata_json(record: InferenceRecord) -> dict[str, Any]:
    """What tells an inference from others, and no more."""
    shown = {
        "id": record.inference_id,
        "function_name": record.function_name,
        "variant_name": record.variant_name,
        "episode_id": record.episode_id,
        "function_type": record.function_type,
        "status": record.status,
        "snapshot_hash": record.snapshot_hash,
    }
    return _set(shown)


def model_inference_json(call: ModelInferenceRecord) -> dict[str, Any]:
    """A model inference, without what is not known."""
    body = call.body
    shown = {
        "id": call.id,
        "inference_id": call.inference_id,
        "status": call.status,
        "error": call.error,
        "model_name": call.model_name,
        "model_provider_name": call.model_provider_name,
        "input_tokens": call.input_tokens,
        "output_tokens": call.output_tokens,
        "provider_cache_read_input_tokens": call.provider_cache_read_input_tokens,
        "provider_cache_write_input_tokens": call.provider_cache_write_input_tokens,
        "response_time_ms": call.response_time_ms,
        "ttft_ms": call.ttft_ms,
        "cached": call.cached,
        "cost": call.cost,
        "finish_reason": call.finish_reason,
        "timestamp": rfc3339_ms(id_time_ms(call.id)),
        "raw_request": body and body.raw_request,
        "raw_response": body and body.raw_response,
        "system": body and body.system,
        "input_messages": body and body.input_messages,
        "output": body and body.output,
    }
    return _set(shown)


def feedback_json(entry: FeedbackRecord) -> dict[str, Any]:
    """A feedback entry."""
    shown: dict[str, Any] = {
        "type": entry.kind,
        "id": entry.id,
        "tags": entry.tags,
        "timestamp": rfc3339_ms(id_time_ms(entry.id)),
        "value": entry.value,
    }
    if entry.kind == "demonstration":
        return shown | {"inference_id": entry.target_id}
    shown["target_id"] = entry.target_id
    if entry.kind == "comment":
        return shown | {"target_type": entry.target_type}
    return shown | {"metric_name": entry.metric_name}


def _set(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}

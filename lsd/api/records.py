"""What was recorded, read back by id: inferences, their model inferences, feedback."""

from typing import Any

import attrs
import trio

from lsd.api.errors import Refused
from lsd.api.exchange import Answer, Endpoint, Request, Start
from lsd.conversation import (
    BadId,
    Malformed,
    NotJson,
    Problem,
    Structurer,
    decode_json,
    encode_json,
    id_time_ms,
    parse_id,
)
from lsd.store import FeedbackRecord, InferenceRecord, ModelInferenceRecord, Store, Writer
from lsd.telemetry import rfc3339_ms

FEEDBACK_LIMIT = 100
"""Entries of a page when the caller names no limit."""

_LIMIT_MAX = 10**18
"""Greater limits mean the same, everything; but not all code takes their numbers."""


@attrs.frozen(kw_only=True)
class _GetInferences:
    ids: tuple[str, ...]


_STRUCTURER = Structurer()


@attrs.frozen
class Records:
    """Serves what the store holds. Everything answered before is visible."""

    _store: Store
    _writer: Writer

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        return (
            Endpoint(method="POST", path="/v1/inferences/get_inferences", handle=self.inferences),
            Endpoint(
                method="GET",
                path="/internal/model_inferences/{inference_id}",
                handle=self.model_inferences,
            ),
            Endpoint(method="GET", path="/internal/feedback/{target_id}", handle=self.feedback),
        )

    async def inferences(self, request: Request, _start: Start) -> Answer:
        """`POST /v1/inferences/get_inferences`: records by id, newest first."""
        try:
            value = decode_json(request.body)
        except NotJson as error:
            raise Malformed((Problem("", f"the body is not JSON: {error}"),)) from None
        asked = _STRUCTURER.structure(value, _GetInferences)
        ids = [_id(text, f"ids[{place}]") for place, text in enumerate(asked.ids)]
        await self._writer.settle()
        records = await trio.to_thread.run_sync(self._store.inferences.get, ids)
        return Answer(body=encode_json({"inferences": [_inference(each) for each in records]}))

    async def model_inferences(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/model_inferences/{inference_id}`: the calls of one inference.

        With `include_failed`, an episode's id shows the calls of its inferences that had no answer.
        """
        inference_id = _id(request.query["inference_id"], "inference_id")
        failed = _flag(request, "include_failed")
        await self._writer.settle()
        inferences = self._store.inferences
        calls = inferences.model_inferences(inference_id, include_failed=failed)
        if failed and not calls:
            calls = await trio.to_thread.run_sync(inferences.failed_attempts, inference_id)
        shown = [_model_inference(call) for call in calls]
        return Answer(body=encode_json({"model_inferences": shown}))

    async def feedback(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/feedback/{target_id}`: entries on a target, newest first."""
        target_id = _id(request.query["target_id"], "target_id")
        before, after = (
            _id(request.query[name], name) if name in request.query else None
            for name in ("before", "after")
        )
        if before is not None and after is not None:
            raise Refused(400, "before, after: found both; wanted at most one of them")
        limit = _limit(request, FEEDBACK_LIMIT)
        await self._writer.settle()
        entries = await trio.to_thread.run_sync(
            lambda: self._store.feedback.page(target_id, before=before, after=after, limit=limit)
        )
        return Answer(body=encode_json({"feedback": [_feedback(entry) for entry in entries]}))


def _id(text: str, where: str) -> str:
    try:
        return parse_id(text)
    except BadId as error:
        raise Refused(400, f"{where}: {error}") from None


def _flag(request: Request, name: str) -> bool:
    value = request.query.get(name, "false")
    if value not in ("true", "false"):
        raise Refused(400, f"{name}: found {value!r}; wanted true or false")
    return value == "true"


def _limit(request: Request, default: int) -> int:
    value = request.query.get("limit")
    if value is None:
        return default
    if not value.isascii() or not value.isdigit():
        raise Refused(400, f"limit: found {value!r}; wanted an integer ≥ 0")
    return min(int(value), _LIMIT_MAX) if len(value) < 1000 else _LIMIT_MAX


def _inference(record: InferenceRecord) -> dict[str, Any]:
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


def _model_inference(call: ModelInferenceRecord) -> dict[str, Any]:
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


def _feedback(entry: FeedbackRecord) -> dict[str, Any]:
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

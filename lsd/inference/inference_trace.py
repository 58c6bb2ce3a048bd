"""The spans of one inference, made from its journal when it is over."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from lsd.conversation import ModelRequest, Text, ToolCall, encode_json
from lsd.inference.accept import Accepted
from lsd.inference.journal import ModelCall
from lsd.inference.prepared import DEFAULT_FUNCTION
from lsd.inference.run import Run
from lsd.telemetry import AttributeValue, Span, Trace, Tracer

Attributes = dict[str, AttributeValue | None]


def trace_inference(
    trace: Trace, tracer: Tracer, run: Run, accepted: Accepted, error: BaseException | None
) -> None:
    """Adds the inference, its variants, models and calls to the trace."""
    _Spans(trace, tracer, run).add(accepted, error)


class _Spans:
    def __init__(self, trace: Trace, tracer: Tracer, run: Run) -> None:
        self._trace, self._tracer, self._run = trace, tracer, run
        # Journals go by the clock that never steps back; spans by that of the calendar.
        self._now_s = run.clock.monotonic()
        self._offset_ns = run.clock.now_ns() - round(self._now_s * 1e9)

    def add(self, accepted: Accepted, error: BaseException | None) -> None:
        run, request = self._run, accepted.request
        whole = self._trace.add(
            "function_inference",
            self._ns(run.started_at),
            {
                "function_name": request.function_name,
                "model_name": request.model_name,
                "variant_name": request.variant_name,
                "inference_id": run.inference_id,
                "episode_id": run.episode_id,
                **{f"tags.{key}": value for key, value in accepted.tags.items()},
            },
            error=None if error is None else str(error) or type(error).__name__,
        )
        for variant, calls in groupby(run.journal.calls, key=lambda call: call.variant_name):
            self._add_variant(whole, variant, list(calls))

    def _add_variant(self, parent: Span, name: str, calls: list[ModelCall]) -> None:
        function = self._run.request.function_name or DEFAULT_FUNCTION
        span = self._over(
            "variant_inference",
            parent,
            calls,
            {"function_name": function, "variant_name": name, "stream": self._run.streaming},
        )
        for model, of_model in groupby(calls, key=lambda call: call.model_name):
            those = list(of_model)
            attributes: Attributes = {"model_name": model, "stream": self._run.streaming}
            inner = self._over("model_inference", span, those, attributes)
            for call in those:
                self._add_call(inner, call)

    def _add_call(self, parent: Span, call: ModelCall) -> None:
        if call.cached and call.request.stream:
            attributes: Attributes = {"model_inference_id": call.id}
            self._over("stream_from_cache", parent, [call], attributes)
            return
        attributes = {"provider_name": call.provider_name, "stream": call.request.stream}
        if call.first_chunk_at is not None:
            attributes["time_to_first_token"] = call.first_chunk_at - call.started_at
        if self._tracer.format == "openinference":
            attributes |= self._openinference(call)
        else:
            attributes |= self._gen_ai(call)
        self._over("model_provider_inference", parent, [call], attributes, kind="client")

    def _gen_ai(self, call: ModelCall) -> Attributes:
        """Source: OpenTelemetry's semantic conventions for generative AI, spans of clients."""
        usage = call.answer.usage
        attributes: Attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.system": call.provider_type,
            "gen_ai.request.model": self._name_at_provider(call),
            "gen_ai.agent.name": self._run.request.function_name,
            "gen_ai.usage.input_tokens": usage.input_tokens,
            "gen_ai.usage.output_tokens": usage.output_tokens,
            "gen_ai.usage.total_tokens": _total(call),
            "lsd.cost_usd": None if call.cost is None else float(call.cost),
        }
        if self._tracer.include_content:
            attributes |= _content(call)
        return attributes

    def _openinference(self, call: ModelCall) -> Attributes:
        """Source: OpenInference's specification, "Semantic Conventions"."""
        return {
            "openinference.span.kind": "LLM",
            "llm.system": call.provider_type,
            "llm.model_name": self._name_at_provider(call),
            "llm.token_count.prompt": call.answer.usage.input_tokens,
            "llm.token_count.completion": call.answer.usage.output_tokens,
            "llm.token_count.total": _total(call),
            "input.value": call.raw_request,
            "input.mime_type": None if call.raw_request is None else "application/json",
            "output.value": call.raw_response,
            "output.mime_type": None if call.raw_response is None else "application/json",
        }

    def _name_at_provider(self, call: ModelCall) -> str:
        """What the provider calls the model."""
        model = self._run.prepared.model(call.model_name)
        providers = () if model is None else model.providers
        for provider in providers:
            if provider.name == call.provider_name:
                for key in ("model_name", "model_id", "deployment_id", "endpoint_id"):
                    if name := getattr(provider.config, key, None):
                        return str(name)
        return call.model_name

    def _over(
        self,
        name: str,
        parent: Span,
        calls: list[ModelCall],
        attributes: Attributes,
        kind: Any = "internal",
    ) -> Span:
        """A span over calls: from the beginning of the first to the end of the last."""
        ends = [call.ended_at or self._now_s for call in calls]
        failures = [call.error for call in calls if call.error is not None]
        return self._trace.add(
            name,
            self._ns(calls[0].started_at),
            attributes,
            end_ns=self._ns(max(ends)),
            parent=parent,
            kind=kind,
            error=failures[-1] if len(failures) == len(calls) else None,
        )

    def _ns(self, seconds: float) -> int:
        return round(seconds * 1e9) + self._offset_ns


def _total(call: ModelCall) -> int | None:
    usage = call.answer.usage
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    return usage.input_tokens + usage.output_tokens


def _content(call: ModelCall) -> Attributes:
    """What was said, as JSON texts."""
    request = call.request
    output = [{"role": "assistant", "parts": _parts(call.answer.output)}]
    if call.answer.finish_reason is not None:
        output[0]["finish_reason"] = call.answer.finish_reason
    system = [] if request.system is None else [{"type": "text", "content": request.system}]
    messages = [{"role": each.role, "parts": _parts(each.content)} for each in request.messages]
    return {
        "gen_ai.input.messages": encode_json(messages).decode(),
        "gen_ai.output.messages": encode_json(output).decode(),
        "gen_ai.system_instructions": encode_json(system).decode() if system else None,
        "gen_ai.tool.definitions": _tools(request),
    }


def _parts(blocks: Iterable[Any]) -> list[dict[str, Any]]:
    return [_part(block) for block in blocks]


def _part(block: Any) -> dict[str, Any]:
    match block:
        case Text():
            return {"type": "text", "content": block.text}
        case ToolCall():
            shown = {"id": block.id, "name": block.name, "arguments": block.arguments}
            return {"type": "tool_call", **shown}
        case _:
            text = getattr(block, "result", None) or getattr(block, "text", None)
            kind = {"tool_result": "tool_call_response", "thought": "reasoning"}
            part = {"type": kind.get(block.tag, block.tag)}
            return {**part, "content": text} if isinstance(text, str) else part


def _tools(request: ModelRequest) -> str | None:
    if request.tools is None or not request.tools.tools:
        return None
    tools = [
        {
            "type": "function",
            "name": each.name,
            "description": each.description,
            "parameters": getattr(each, "parameters", None),
        }
        for each in request.tools.tools
    ]
    return encode_json(tools).decode()

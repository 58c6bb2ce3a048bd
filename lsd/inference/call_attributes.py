"""What the span of one call shows: in the words of OpenTelemetry, or in those of OpenInference."""

from collections.abc import Iterable
from typing import Any

from lsd.conversation import ModelRequest, Text, ToolCall, ToolResult, encode_json
from lsd.inference.journal import EmbeddingCall, ModelCall
from lsd.inference.masking import masked
from lsd.telemetry import AttributeValue

Attributes = dict[str, AttributeValue | None]

_JSON = "application/json"


def gen_ai(
    call: ModelCall, *, model: str, function: str | None, include_content: bool
) -> Attributes:
    """A call of what its provider calls `model`, made for a function.

    Source: OpenTelemetry's semantic conventions for generative AI, spans of clients.
    """
    usage = call.answer.usage
    attributes: Attributes = {
        "gen_ai.operation.name": "embeddings" if isinstance(call, EmbeddingCall) else "chat",
        "gen_ai.system": call.provider_type,
        "gen_ai.request.model": model,
        "gen_ai.agent.name": function,
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.usage.total_tokens": total_tokens(call),
    }
    return attributes | content(call) if include_content else attributes


def openinference(call: ModelCall, *, model: str) -> Attributes:
    """The same call. Source: OpenInference's specification, "Semantic Conventions"."""
    usage = call.answer.usage
    return {
        "openinference.span.kind": "EMBEDDING" if isinstance(call, EmbeddingCall) else "LLM",
        "llm.system": call.provider_type,
        "llm.model_name": model,
        "llm.token_count.prompt": usage.input_tokens,
        "llm.token_count.completion": usage.output_tokens,
        "llm.token_count.total": total_tokens(call),
        "input.value": call.raw_request,
        "input.mime_type": None if call.raw_request is None else _JSON,
        "output.value": call.raw_response,
        "output.mime_type": None if call.raw_response is None else _JSON,
    }


def total_tokens(call: ModelCall) -> int | None:
    """The sum; None if one of the two is not known."""
    usage = call.answer.usage
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    return usage.input_tokens + usage.output_tokens


def content(call: ModelCall) -> Attributes:
    """What was said, as JSON texts."""
    request = call.request
    messages = [{"role": each.role, "parts": _parts(each.content)} for each in request.messages]
    shown: Attributes = {"gen_ai.input.messages": encode_json(messages).decode()}
    if isinstance(call, EmbeddingCall):
        return shown
    if call.answer.output:
        output: dict[str, Any] = {"role": "assistant", "parts": _parts(call.answer.output)}
        if call.answer.finish_reason is not None:
            output["finish_reason"] = call.answer.finish_reason
        text = encode_json([output]).decode()
        shown["gen_ai.output.messages"] = masked(text, call.echoed)
    if request.system is not None:
        system = [{"type": "text", "content": request.system}]
        shown["gen_ai.system_instructions"] = encode_json(system).decode()
    shown["gen_ai.tool.definitions"] = _tools(request)
    return shown


def _parts(blocks: Iterable[Any]) -> list[dict[str, Any]]:
    return [_part(block) for block in blocks]


def _part(block: Any) -> dict[str, Any]:
    match block:
        case Text():
            return {"type": "text", "content": block.text}
        case ToolCall():
            shown = {"id": block.id, "name": block.name, "arguments": block.arguments}
            return {"type": "tool_call", **shown}
        case ToolResult():
            result = block.result
            response = result if isinstance(result, str) else _parts(result)
            return {"type": "tool_call_response", "id": block.id, "response": response}
        case _:
            kind = "reasoning" if block.tag == "thought" else block.tag
            text = getattr(block, "text", None)
            return {"type": kind, "content": text} if isinstance(text, str) else {"type": kind}


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

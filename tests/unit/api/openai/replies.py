"""Replies to clients, made without any provider."""

from types import SimpleNamespace
from typing import Any

from lsd.conversation import ModelMessage, ModelRequest, ModelResponse, OutputBlock, Text, Usage
from lsd.inference import Reply
from lsd.inference.journal import Journal, ModelCall

INFERENCE = "019c1234-5678-7abc-8def-0123456789ab"
HEX = INFERENCE.replace("-", "")

HI = ModelRequest(messages=(ModelMessage(role="user", content=(Text(text="Hi"),)),))

OF_ANSWER = ("usage", "raw_usage", "finish_reason", "stop_sequence", "document")


def model_call(*output: OutputBlock, **fields: Any) -> ModelCall:
    """A call that has given this output; `fields` are its own or those of its answer."""
    answered: dict[str, Any] = {
        "finish_reason": "stop",
        "usage": Usage(input_tokens=9, output_tokens=3),
        **{name: fields.pop(name) for name in OF_ANSWER if name in fields},
    }
    usual: dict[str, Any] = {
        "id": "019c1234-5678-7abc-8def-0123456789ac",
        "variant_name": "m",
        "model_name": "m",
        "provider_name": "box",
        "provider_type": "openai",
        "api_type": "chat_completions",
        "request": HI,
        "started_at": 0.0,
        "status": "ok",
        "answer": ModelResponse(output, **answered),
    }
    return ModelCall(**usual | fields)


def reply(call: ModelCall, **flags: bool) -> Reply:
    """The reply that the call makes; `flags` are what the request wants to see of raw texts."""
    wanted = {"include_raw_response": False, "include_raw_usage": False, **flags}
    run: Any = SimpleNamespace(inference_id=INFERENCE, journal=Journal([call]))
    accepted: Any = SimpleNamespace(request=SimpleNamespace(**wanted))
    return Reply(run=run, accepted=accepted, call=call)

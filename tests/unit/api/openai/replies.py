"""Replies to clients, made without any provider."""

from types import SimpleNamespace
from typing import Any

from lsd.conversation import ModelMessage, ModelRequest, OutputBlock, Text, Usage
from lsd.inference import Reply
from lsd.inference.journal import Journal, ModelCall

INFERENCE = "019c1234-5678-7abc-8def-0123456789ab"
HEX = INFERENCE.replace("-", "")

HI = ModelRequest(messages=(ModelMessage(role="user", content=(Text(text="Hi"),)),))


def model_call(*output: OutputBlock, **fields: Any) -> ModelCall:
    """A call that has given this output."""
    usual: dict[str, Any] = {
        "id": "019c1234-5678-7abc-8def-0123456789ac",
        "variant_name": "m",
        "model_name": "m",
        "provider_name": "box",
        "provider_type": "openai",
        "api_type": "chat_completions",
        "request": HI,
        "started_at": 0.0,
        "output": output,
        "finish_reason": "stop",
        "status": "ok",
        "usage": Usage(input_tokens=9, output_tokens=3),
    }
    return ModelCall(**usual | fields)


def reply(call: ModelCall, **flags: bool) -> Reply:
    """The reply that the call makes; `flags` are what the request wants to see of raw texts."""
    wanted = {"include_raw_response": False, "include_raw_usage": False, **flags}
    run: Any = SimpleNamespace(inference_id=INFERENCE, journal=Journal([call]))
    accepted: Any = SimpleNamespace(request=SimpleNamespace(**wanted))
    return Reply(run=run, accepted=accepted, call=call)

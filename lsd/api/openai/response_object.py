"""The object that an answer of the Responses API is, and that its stream begins and ends with."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from lsd.api.compat.raw_fields import raw_fields
from lsd.api.openai.chat_answer import custom_names, service_tier
from lsd.api.openai.response_items import Item, Status, output_items
from lsd.conversation import FinishReason, Usage, id_time_ms
from lsd.inference import ModelCall, Reply

_DEFAULTS: Mapping[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "reasoning": {"effort": None, "summary": None},
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "user": None,
}
"""What of a request its answer repeats."""

_INCOMPLETE: Mapping[FinishReason | None, str] = {
    "length": "max_output_tokens",
    "content_filter": "content_filter",
}


@attrs.frozen(kw_only=True)
class ResponseObject:
    """Words one answer; `model` is what the client has asked for, `body` its request."""

    reply: Reply
    model: str
    body: Mapping[str, Any]

    @property
    def answer(self) -> str:
        """The digits of its id, which are those of the record."""
        return self.reply.run.inference_id.replace("-", "")

    @property
    def last_status(self) -> Status:
        """How the last item ended, and with it all of the answer."""
        is_cut = self.reply.call.answer.finish_reason in _INCOMPLETE
        return "incomplete" if is_cut else "completed"

    def whole(self) -> dict[str, Any]:
        """The whole answer."""
        call = self.reply.call
        names = custom_names(call.request)
        return self.ended(output_items(self.answer, call.answer.output, names, self.last_status))

    def begun(self) -> dict[str, Any]:
        """The answer before anything was said."""
        echoed = {name: self.body.get(name, value) for name, value in _DEFAULTS.items()}
        return {
            "id": f"resp_{self.answer}",
            "object": "response",
            "created_at": id_time_ms(self.reply.run.inference_id) // 1000,
            "status": "in_progress",
            "error": None,
            "incomplete_details": None,
            "model": self.model,
            "output": [],
            **echoed,
            "background": False,
            "previous_response_id": None,
            "service_tier": None,
            "store": False,
            "truncation": "disabled",
            "usage": None,
        }

    def ended(self, output: Sequence[Item]) -> dict[str, Any]:
        """The answer with all that was said."""
        call = self.reply.call
        reason = _INCOMPLETE.get(call.answer.finish_reason)
        return {
            **self.begun(),
            "status": self.last_status,
            "incomplete_details": None if reason is None else {"reason": reason},
            "output": output,
            "service_tier": service_tier(call, {}),
            "usage": _usage(call),
            **raw_fields(self.reply),
        }

    def failed(self, output: Sequence[Item], code: str, message: str) -> dict[str, Any]:
        """The answer that broke off."""
        error = {"code": code, "message": message}
        return {**self.begun(), "status": "failed", "error": error, "output": output}


def _usage(call: ModelCall) -> dict[str, Any] | None:
    """What the call has used; nothing if the answer was at hand, None if nobody has told."""
    usage = Usage(input_tokens=0, output_tokens=0) if call.cached else call.answer.usage
    if usage.input_tokens is None and usage.output_tokens is None:
        return None
    asked, said = usage.input_tokens or 0, usage.output_tokens or 0
    return {
        "input_tokens": asked,
        "input_tokens_details": {
            "cached_tokens": usage.provider_cache_read_input_tokens or 0,
            "cache_write_tokens": usage.provider_cache_write_input_tokens or 0,
        },
        "output_tokens": said,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": asked + said,
    }

"""Token counts as OpenAI tells them."""

from collections.abc import Mapping
from typing import Any

from lsd.inference import ModelCall

NOTHING_USED: Mapping[str, int] = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def usage_json(call: ModelCall) -> dict[str, Any] | None:
    """The usage of a call; None if the provider has told none. What came from the cache is free.

    The object of a provider of OpenAI's kind is kept, with the counts that are missing in it.
    """
    if call.cached:
        return dict(NOTHING_USED)
    usage = call.answer.usage
    if usage.input_tokens is None and usage.output_tokens is None:
        return None
    asked, said = usage.input_tokens or 0, usage.output_tokens or 0
    shown: dict[str, Any] = {
        "prompt_tokens": asked,
        "completion_tokens": said,
        "total_tokens": asked + said,
    }
    if usage.provider_cache_read_input_tokens is not None:
        read = usage.provider_cache_read_input_tokens
        shown["prompt_tokens_details"] = {"cached_tokens": read}
    if usage.reasoning_tokens is not None:
        shown["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    own = call.answer.raw_usage if call.is_relayed else None
    if not isinstance(own, dict):
        return shown
    if None in own.values():
        own = {name: value for name, value in own.items() if value is not None}
    shown.update(own)
    return shown

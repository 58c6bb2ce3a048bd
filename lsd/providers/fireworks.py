"""Fireworks AI: cached tokens in a header of the answer."""

from collections.abc import Mapping

import attrs

from lsd.conversation import Usage
from lsd.providers._openai_body import unstrict_response_format
from lsd.providers._openai_delta import usage_of
from lsd.providers._openai_family import Member, Received

_CACHED_HEADER = "fireworks-cached-prompt-tokens"


def _read_usage(usage: Received, headers: Mapping[str, str]) -> Usage:
    found = usage_of(usage)
    cached = headers.get(_CACHED_HEADER, "").strip()
    if not cached.isdecimal():
        return found
    return attrs.evolve(found, provider_cache_read_input_tokens=int(cached))


FIREWORKS = Member(
    provider_type="fireworks",
    takes_top_k=True,
    seed_key=None,
    takes_stream_options=False,
    takes_strict_tools=False,
    takes_parallel_tool_calls=False,
    response_format=unstrict_response_format,
    read_usage=_read_usage,
)

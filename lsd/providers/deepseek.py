"""DeepSeek: turns strictly by turns, and reasoning that must come back with tool calls."""

from collections.abc import Mapping
from typing import Any

import attrs

from lsd.conversation import Thought, Usage
from lsd.providers._openai_delta import usage_of
from lsd.providers._openai_family import Body, Encoding, Member, Received
from lsd.providers._openai_thoughts import put_thoughts
from lsd.providers._token_counts import count_of

_REASONING = "reasoning_content"


def _response_format(encoding: Encoding) -> Body | None:
    if encoding.request.json_mode == "off":
        return None
    if encoding.request.json_mode == "strict":
        encoding.alter("json_mode", "any JSON object is asked for; the schema is not sent")
    return {"type": "json_object"}


def _put_thoughts(message: Body, thoughts: list[Thought], encoding: Encoding) -> None:
    """The API refuses tool calls without the field that their reasoning would be in."""
    put_thoughts(message, thoughts, encoding)
    if "tool_calls" in message:
        message.setdefault(_REASONING, "")


def _arrange_messages(messages: list[Body], encoding: Encoding) -> list[Body]:
    """The first reasoning model heeds no system message, and no role may speak twice in a row."""
    if "reasoner" in (encoding.target.model or "").lower():
        messages = [
            {**each, "role": "user"} if each["role"] == "system" else each for each in messages
        ]
    merged: list[Body] = []
    for message in messages:
        last = merged[-1] if merged else None
        if last is None or last["role"] != message["role"] or message["role"] == "tool":
            merged.append(message)
        else:
            merged[-1] = _merged(last, message)
    return merged


def _merged(first: Body, second: Body) -> Body:
    both: Body = {"role": first["role"]}
    content = [*_parts(first), *_parts(second)]
    if content:
        both["content"] = content
    calls = [*first.get("tool_calls", ()), *second.get("tool_calls", ())]
    if calls:
        both["tool_calls"] = calls
    if _REASONING in first or _REASONING in second:
        texts = (first.get(_REASONING), second.get(_REASONING))
        both[_REASONING] = "\n\n".join(text for text in texts if text)
    return both


def _parts(message: Body) -> list[Any]:
    content = message.get("content")
    if content is None:
        return []
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _finish_body(body: Body, _: Encoding) -> None:
    if body.get("reasoning_effort") == "none":
        del body["reasoning_effort"]
        body["thinking"] = {"type": "disabled"}


def _read_usage(usage: Received, _: Mapping[str, str]) -> Usage:
    """What missed the cache is written into it."""
    found = usage_of(usage)
    hit = count_of(usage.get("prompt_cache_hit_tokens"))
    return attrs.evolve(
        found,
        provider_cache_read_input_tokens=(
            found.provider_cache_read_input_tokens if hit is None else hit
        ),
        provider_cache_write_input_tokens=count_of(usage.get("prompt_cache_miss_tokens")),
    )


DEEPSEEK = Member(
    provider_type="deepseek",
    takes_parallel_tool_calls=False,
    adds_json_instruction=True,
    response_format=_response_format,
    put_thoughts=_put_thoughts,
    arrange_messages=_arrange_messages,
    finish_body=_finish_body,
    read_usage=_read_usage,
)

"""The body of a chat completion request, from a checked document to the neutral request."""

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from lsd.api.compat.field_checks import whole
from lsd.api.openai.chat_fields import check_fields
from lsd.api.openai.chat_messages import MessageReader
from lsd.api.openai.foreign_shapes import normalised
from lsd.api.openai.tools import read_tools
from lsd.conversation import (
    ChatCompletionParams,
    ClientRequest,
    JsonMode,
    ModelRequest,
    Problem,
    ServiceTier,
)

SERVICE_TIERS: Mapping[str, ServiceTier] = {
    each: each for each in ("auto", "default", "priority", "flex")
}

_FIELDS_OF_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "max_tokens": ("max_tokens", "max_completion_tokens"),
    "stop_sequences": ("stop",),
    "thinking_budget_tokens": ("thinking", "reasoning"),
    "reasoning_effort": ("reasoning_effort", "reasoning", "thinking"),
    "json_mode": ("response_format",),
    "thinking": ("thinking", "reasoning", "reasoning_effort"),
}
"""Where a client asks for what dialects know by a neutral name; other names are the same."""

_TRANSLATED = frozenset(
    {
        "model",
        "messages",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "frequency_penalty",
        "presence_penalty",
        "seed",
        "stop",
        "n",
        "stream",
        "stream_options",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "response_format",
        "reasoning_effort",
        "reasoning",
        "thinking",
        "service_tier",
        "user",
        "safety_identifier",
        "verbosity",
    }
)
"""Fields that have a meaning for every provider, or none for any."""


@attrs.frozen(kw_only=True)
class ChatRequest:
    """A request of this API: `neutral` is what providers are asked, the client's own body in it."""

    model: str
    neutral: ModelRequest
    include_usage: bool
    tags: Mapping[str, str]

    def ignored(self, left_out: Iterable[str], *, is_relayed: bool) -> tuple[str, ...]:
        """The client's fields that a provider was not sent, in the order of the body.

        `left_out` are the names that its dialect gives for them. Thinking is called so, by
        whichever field it was asked for.
        """
        assert self.neutral.client is not None
        body = self.neutral.client.body
        names = {
            field: name if name == "thinking" else field
            for name in left_out
            for field in (*_FIELDS_OF_PARAMETERS.get(name, ()), name)
        }
        if not is_relayed:
            names |= {name: name for name in body if name not in _TRANSLATED}
            if body.get("service_tier", "auto") not in SERVICE_TIERS:
                names["service_tier"] = "service_tier"
        return tuple(dict.fromkeys(names[name] for name in body if name in names))


def read_chat_request(body: Mapping[str, Any]) -> ChatRequest:
    """The request that `body` holds, which has neither nulls nor LSD's own fields at its top.

    Raises Malformed or Unsupported.
    """
    check_fields(body)
    body = normalised(body)
    reader = MessageReader()
    reader.read(body["messages"])
    problems = [*_own_problems(body), *reader.problems]
    tools = read_tools(body, problems)
    system = tuple(reader.system)
    first = problems[0] if problems else None
    neutral = ModelRequest(
        system="\n\n".join(part.text for part in system) if system else None,
        system_blocks=system,
        messages=tuple(reader.messages),
        tools=tools,
        params=_params(body),
        json_mode=_json_mode(body),
        output_schema=_output_schema(body),
        is_schema_strict=_wanted_schema(body).get("strict") is True,
        stream=body.get("stream", False),
        user=body.get("user", body.get("safety_identifier")),
        client=ClientRequest(
            lane="openai",
            body=body,
            refusal="; ".join(map(str, problems)) if problems else None,
            refused_field=None if first is None else first.path,
        ),
    )
    return ChatRequest(
        model=body["model"],
        neutral=neutral,
        include_usage=body.get("stream_options", {}).get("include_usage") is True,
        tags=client_tags(body),
    )


def _own_problems(body: Mapping[str, Any]) -> list[Problem]:
    """What only providers of this API take at the top of a request."""
    problems = [
        Problem(name, "found the legacy field; wanted `tools`")
        for name in ("functions", "function_call")
        if name in body
    ]
    if "audio" in body.get("modalities", ()):
        problems.append(Problem("modalities", "found audio; wanted text"))
    wanted = body.get("response_format", {})
    if wanted.get("type") == "json_schema" and _output_schema(body) is None:
        path = "response_format.json_schema.schema"
        problems.append(Problem(path, "missing; wanted a JSON Schema"))
    return problems


def _params(body: Mapping[str, Any]) -> ChatCompletionParams:
    limits = [
        limit
        for name in ("max_tokens", "max_completion_tokens")
        if (limit := whole(body.get(name))) is not None
    ]
    budget, effort = _thinking(body)
    return ChatCompletionParams(
        temperature=body.get("temperature"),
        top_p=body.get("top_p"),
        presence_penalty=body.get("presence_penalty"),
        frequency_penalty=body.get("frequency_penalty"),
        max_tokens=min(limits, default=None),
        seed=whole(body.get("seed")),
        stop_sequences=_stop(body.get("stop")),
        reasoning_effort=effort,
        verbosity=body.get("verbosity"),
        service_tier=SERVICE_TIERS.get(body.get("service_tier", "")),
        thinking_budget_tokens=budget,
    )


def _stop(stop: str | list[str] | None) -> tuple[str, ...] | None:
    if not stop:
        return None
    return (stop,) if isinstance(stop, str) else tuple(stop)


def _thinking(body: Mapping[str, Any]) -> tuple[int | None, str | None]:
    """A budget in tokens, or an effort in a word; the former says more."""
    reasoning, thinking = body.get("reasoning", {}), body.get("thinking", {})
    if thinking.get("type") == "disabled":
        return None, "none"
    budget = whole(thinking.get("budget_tokens")) or whole(reasoning.get("max_tokens"))
    if budget is not None:
        return budget, None
    effort = body.get("reasoning_effort", reasoning.get("effort"))
    return None, effort if isinstance(effort, str) else None


def _wanted_schema(body: Mapping[str, Any]) -> Mapping[str, Any]:
    wanted: Mapping[str, Any] = body.get("response_format", {}).get("json_schema", {})
    return wanted


def _output_schema(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    schema = _wanted_schema(body).get("schema")
    return schema if isinstance(schema, dict) else None


def _json_mode(body: Mapping[str, Any]) -> JsonMode:
    modes: dict[str, JsonMode] = {"json_object": "on", "json_schema": "strict"}
    return modes.get(body.get("response_format", {}).get("type", ""), "off")


def client_tags(body: Mapping[str, Any]) -> dict[str, str]:
    """The tags that are in fields of OpenAI's own."""
    own = {name: body[name] for name in ("user", "safety_identifier") if name in body}
    return {**own, **body.get("metadata", {})}

"""The body of a chat completion request, from a checked document to the neutral request."""

from collections.abc import Mapping, Sequence
from typing import Any

from lsd.api.compat.field_checks import whole
from lsd.api.openai.chat_fields import check_fields
from lsd.api.openai.chat_messages import MessageReader, plain_conversation
from lsd.api.openai.foreign_shapes import normalised
from lsd.api.openai.tools import read_tools
from lsd.conversation import (
    UNSET_PARAMS,
    ChatCompletionParams,
    ClientRequest,
    JsonMode,
    JsonValue,
    ModelRequest,
    Problem,
    ServiceTier,
    frozen,
)

SERVICE_TIERS: Mapping[str, ServiceTier] = {
    each: each for each in ("auto", "default", "priority", "flex")
}

_MODES_OF_FORMATS: Mapping[str, JsonMode] = {"json_object": "on", "json_schema": "strict"}

_FIELDS_OF_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "max_tokens": ("max_tokens", "max_completion_tokens"),
    "stop_sequences": ("stop",),
    "thinking_budget_tokens": ("thinking", "reasoning"),
    "reasoning_effort": ("reasoning_effort", "reasoning", "thinking"),
    "json_mode": ("response_format",),
    "thinking": ("thinking", "reasoning", "reasoning_effort"),
}
"""Where a client asks for what dialects know by a neutral name; other names are the same."""

_NEUTRAL = frozenset({"temperature", "top_p", "presence_penalty", "frequency_penalty", "verbosity"})
_OF_LIMITS = frozenset({"max_tokens", "max_completion_tokens"})
_OF_THINKING = frozenset({"reasoning_effort", "reasoning", "thinking"})
_OF_PARAMETERS = _NEUTRAL | _OF_LIMITS | _OF_THINKING | {"seed", "stop", "service_tier"}
"""Fields that steer the model; the first ones are neutral parameters as they stand."""

_LEGACY = dict.fromkeys(("functions", "function_call"), "found the legacy field; wanted `tools`")

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

_OF_CLIENTS = frozenset({"user", "safety_identifier", "metadata"})
"""Fields that steer nothing, and become tags."""

_RARE = frozenset({*_OF_CLIENTS, *_LEGACY, "response_format", "modalities", "stream_options"})
"""Fields that few clients send, beside tools: without any, nobody looks for each of them."""


@frozen
class _WantedFormat:
    """The form that an answer is to have; `is_strict`: it is to be held to `schema`."""

    json_mode: JsonMode = "off"
    schema: Mapping[str, JsonValue] | None = None
    is_strict: bool = False


_NO_FORMAT = _WantedFormat()


@frozen
class ChatRequest:
    """A request of this API: `neutral` is what providers are asked, the client's own body in it."""

    model: str
    neutral: ModelRequest
    include_usage: bool
    tags: Mapping[str, str]

    def ignored(self, left_out: Sequence[str], *, is_relayed: bool) -> tuple[str, ...]:
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
    plain = plain_conversation(body.get("messages"))
    check_fields(body, but_messages=plain is not None)
    if plain is None or "tools" in body or "tool_choice" in body:
        body = normalised(body)
    problems: list[Problem] = []
    tags: dict[str, str] = {}
    wanted, tools, params, user = _NO_FORMAT, None, UNSET_PARAMS, None
    include_usage = False
    if len(body) > 2:  # more than the model and the messages
        if not _OF_PARAMETERS.isdisjoint(body):
            params = _params(body)
        if not _RARE.isdisjoint(body):
            wanted = _wanted_format(body)
            problems = _own_problems(body, wanted)
            tags, user = client_tags(body), body.get("user", body.get("safety_identifier"))
            include_usage = body.get("stream_options", {}).get("include_usage") is True
    if plain is not None:
        system, messages = plain
    else:
        reader = MessageReader()
        reader.read(body["messages"])
        system, messages = reader.system, reader.messages
        problems += reader.problems
    if "tools" in body:
        tools = read_tools(body, problems)
    neutral = ModelRequest(
        tuple(messages),
        "\n\n".join([part.text for part in system]) if system else None,
        tools,
        params,
        wanted.json_mode,
        wanted.schema,
        False,
        body.get("stream", False),
        plain is not None and tools is None,
        tuple(system),
        None,
        wanted.is_strict,
        user,
        _client_request(body, problems),
    )
    return ChatRequest(body["model"], neutral, include_usage, tags)


def _client_request(body: Mapping[str, Any], problems: Sequence[Problem]) -> ClientRequest:
    if not problems:
        return ClientRequest("openai", body)
    refusal = "; ".join(map(str, problems))
    return ClientRequest("openai", body, refusal=refusal, refused_field=problems[0].path)


def _wanted_format(body: Mapping[str, Any]) -> _WantedFormat:
    wanted = body.get("response_format")
    if wanted is None:
        return _NO_FORMAT
    shape = wanted.get("json_schema")
    if not isinstance(shape, dict):
        shape = {}
    schema = shape.get("schema")
    return _WantedFormat(
        _MODES_OF_FORMATS.get(wanted.get("type", ""), "off"),
        schema if isinstance(schema, dict) else None,
        shape.get("strict") is True,
    )


def _own_problems(body: Mapping[str, Any], wanted: _WantedFormat) -> list[Problem]:
    """What only providers of this API take at the top of a request."""
    problems = [Problem(name, reason) for name, reason in _LEGACY.items() if name in body]
    if "modalities" in body and "audio" in body["modalities"]:
        problems.append(Problem("modalities", "found audio; wanted text"))
    if wanted.json_mode == "strict" and wanted.schema is None:
        path = "response_format.json_schema.schema"
        problems.append(Problem(path, "missing; wanted a JSON Schema"))
    return problems


def _params(body: Mapping[str, Any]) -> ChatCompletionParams:
    # Integers were checked to be such; they may be written as 100.0.
    made: dict[str, Any] = {name: body[name] for name in _NEUTRAL & body.keys()}
    if limits := [body[name] for name in _OF_LIMITS if name in body]:
        made["max_tokens"] = int(min(limits))
    if "seed" in body:
        made["seed"] = int(body["seed"])
    if stop := body.get("stop"):
        made["stop_sequences"] = (stop,) if isinstance(stop, str) else tuple(stop)
    if "service_tier" in body:
        made["service_tier"] = SERVICE_TIERS.get(body["service_tier"])
    if not _OF_THINKING.isdisjoint(body):
        made["thinking_budget_tokens"], made["reasoning_effort"] = _thinking(body)
    return ChatCompletionParams(**made)


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


def client_tags(body: Mapping[str, Any]) -> dict[str, str]:
    """The tags that are in fields of OpenAI's own."""
    tags: dict[str, str] = {}
    for name in ("user", "safety_identifier"):
        if name in body:
            tags[name] = body[name]
    if "metadata" in body:
        tags.update(body["metadata"])
    return tags

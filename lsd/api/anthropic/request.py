"""The body of a Messages request, from a checked document to the neutral request."""

from collections.abc import Mapping
from typing import Any

import attrs

from lsd.api.anthropic.content import ContentReader
from lsd.api.anthropic.tools import ReadTools, read_tools
from lsd.api.anthropic.top_level import TRANSLATED, check_body
from lsd.api.compat.field_checks import whole
from lsd.conversation import (
    ChatCompletionParams,
    ClientRequest,
    ModelMessage,
    ModelRequest,
    Problem,
    ServiceTier,
)

_TIERS: Mapping[str, ServiceTier] = {"auto": "auto", "standard_only": "default"}

NO_HEADERS: Mapping[str, str] = {}

FIELD_OF_PARAMETER: Mapping[str, str] = {
    "thinking_budget_tokens": "thinking",
    "reasoning_effort": "output_config",
    "json_mode": "output_config",
    "user": "metadata",
}
"""Where a client has asked for what dialects know by a neutral name; other names are the same."""


@attrs.frozen(kw_only=True)
class MessagesRequest:
    """A request of this API.

    `neutral` is what it means to providers that speak otherwise, with the client's own body in it.
    `ignored` are the fields that they never hear of, in the order of the body.
    """

    model: str
    neutral: ModelRequest
    ignored: tuple[str, ...]
    tags: Mapping[str, str]


def read_messages_request(
    body: Mapping[str, Any], headers: Mapping[str, str] = NO_HEADERS
) -> MessagesRequest:
    """The request that `body` holds, which has neither nulls nor LSD's own fields at its top.

    `headers` are those of the client that belong to this API. Raises Malformed or Unsupported.
    """
    check_body(body)
    reader = ContentReader()
    system = reader.system(body["system"]) if "system" in body else ()
    messages = tuple(
        reader.message(message, f"messages[{place}]")
        for place, message in enumerate(body["messages"])
    )
    tools = read_tools(body.get("tools", []), body.get("tool_choice"), body["model"])
    thinking, wanted, user_id = _Thinking.read(body), _wanted_format(body), _user_id(body)
    schema = _schema_in(wanted)
    problems = (*_own_problems(body, wanted, messages), *reader.problems, *tools.problems)
    return MessagesRequest(
        model=body["model"],
        neutral=ModelRequest(
            system="\n\n".join(part.text for part in system) if system else None,
            system_blocks=system,
            messages=messages,
            tools=tools.tools,
            params=_params(body, thinking),
            top_k=whole(body.get("top_k")),
            json_mode="off" if schema is None else "strict",
            output_schema=schema,
            stream=body.get("stream", False),
            user=user_id,
            client=ClientRequest(
                lane="anthropic",
                body=body,
                headers=headers,
                refusal="; ".join(map(str, problems)) if problems else None,
                refused_field=problems[0].path if problems else None,
            ),
        ),
        ignored=_ignored(body, tools, thinking),
        tags={} if user_id is None else {"user_id": user_id},
    )


@attrs.frozen(kw_only=True)
class _Thinking:
    """How the model is to think: `effort` was asked for in a word, `budget` in tokens."""

    effort: str | None = None
    budget: int | None = None
    is_off: bool = False

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> "_Thinking":
        if "thinking" not in body and "output_config" not in body:
            return _AS_USUAL
        thinking = body.get("thinking", {})
        effort = body.get("output_config", {}).get("effort")
        effort = effort if isinstance(effort, str) else None
        match thinking.get("type"):
            case "disabled" | "between_tools":
                # Servers that think only when asked to refuse an effort then.
                return cls(is_off=True)
            case "enabled" if effort is None:
                return cls(budget=whole(thinking["budget_tokens"]))
            case _:
                return cls(effort=effort)


_AS_USUAL = _Thinking()


def _params(body: Mapping[str, Any], thinking: _Thinking) -> ChatCompletionParams:
    stops = body.get("stop_sequences")
    return ChatCompletionParams(
        temperature=body.get("temperature"),
        top_p=body.get("top_p"),
        max_tokens=whole(body["max_tokens"]),
        stop_sequences=tuple(stops) if stops else None,
        reasoning_effort=thinking.effort,
        thinking_budget_tokens=thinking.budget,
        service_tier=_TIERS.get(body.get("service_tier", "")),
    )


def _wanted_format(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the answer is to look like; the older field says it, too."""
    wanted = body.get("output_config", {}).get("format") or body.get("output_format")
    return wanted if isinstance(wanted, dict) else {}


def _schema_in(wanted: Mapping[str, Any]) -> Mapping[str, Any] | None:
    schema = wanted.get("schema")
    return schema if isinstance(schema, dict) else None


def _user_id(body: Mapping[str, Any]) -> str | None:
    user_id: str | None = body.get("metadata", {}).get("user_id")
    return user_id


def _own_problems(
    body: Mapping[str, Any], wanted: Mapping[str, Any], messages: tuple[ModelMessage, ...]
) -> list[Problem]:
    """What Anthropic takes at the top of a request, and no other provider does."""
    problems = []
    if whole(body["max_tokens"]) == 0:
        problems.append(Problem("max_tokens", "found 0; wanted an integer ≥ 1"))
    if wanted and _schema_in(wanted) is None:
        reason = "found a format without a schema; wanted json_schema with its `schema`"
        problems.append(Problem("output_config.format", reason))
    if all(message.role == "system" for message in messages):
        problems.append(Problem("messages", "found no turn of user or assistant; wanted one"))
    return problems


def _ignored(body: Mapping[str, Any], tools: ReadTools, thinking: _Thinking) -> tuple[str, ...]:
    ignored = {name for name in body if name not in TRANSLATED}
    if tools.has_left_out:
        ignored.add("tools")
    if thinking.is_off and "effort" in body.get("output_config", {}):
        ignored.add("output_config")
    if "service_tier" in body and body["service_tier"] not in _TIERS:
        ignored.add("service_tier")
    return tuple(name for name in body if name in ignored) if ignored else ()

"""The body of a Responses request, from a checked document to the neutral request."""

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from lsd.api.compat.field_checks import whole
from lsd.api.compat.troubles import Unsupported
from lsd.api.openai.chat_request import SERVICE_TIERS, client_tags
from lsd.api.openai.response_fields import check_fields
from lsd.api.openai.response_input import InputReader
from lsd.api.openai.response_tools import KINDS, read_response_tools
from lsd.conversation import (
    ChatCompletionParams,
    ClientRequest,
    JsonMode,
    Malformed,
    ModelRequest,
    Problem,
    Text,
)

ENCRYPTED_REASONING = "reasoning.encrypted_content"

_FIELDS_OF_PARAMETERS: Mapping[str, str] = {
    "max_tokens": "max_output_tokens",
    "reasoning_effort": "reasoning",
    "thinking": "reasoning",
    "thinking_budget_tokens": "reasoning",
    "json_mode": "text",
    "verbosity": "text",
}
"""Where a client asks for what dialects know by a neutral name; other names are the same."""

_SERVED = frozenset(
    {
        "model",
        "input",
        "instructions",
        "max_output_tokens",
        "temperature",
        "top_p",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "reasoning",
        "text",
        "stream",
        "service_tier",
        "user",
        "safety_identifier",
        "metadata",
        # What these ask for needs nobody's help, or changes nothing that is said.
        "include",
        "store",
        "background",
        "stream_options",
        "truncation",
        "prompt_cache_key",
        "prompt_cache_retention",
        "prompt_cache_options",
    }
)


@attrs.frozen(kw_only=True)
class ResponseRequest:
    """A request of this API: `body` as it came, `neutral` what providers are asked.

    `unsent` are the names of what no provider is sent.
    """

    model: str
    body: Mapping[str, Any]
    neutral: ModelRequest
    tags: Mapping[str, str]
    unsent: tuple[str, ...]

    def ignored(self, left_out: Iterable[str]) -> tuple[str, ...]:
        """The client's fields that a provider was not sent; `left_out` says so in its words."""
        names = (_FIELDS_OF_PARAMETERS.get(name, name) for name in left_out)
        return tuple(dict.fromkeys((*self.unsent, *names)))


def read_response_request(body: Mapping[str, Any]) -> ResponseRequest:
    """The request that `body` holds, which has neither nulls nor LSD's own fields at its top.

    Raises Malformed or Unsupported.
    """
    check_fields(body)
    reader = InputReader()
    reader.read(body["input"])
    if reader.mistakes:
        raise Malformed(tuple(reader.mistakes))
    if reader.problems:
        raise _unsupported(reader.problems)
    system = tuple(reader.system)
    if "instructions" in body:
        system = (Text(text=body["instructions"]), *system)
    form = _format(body)
    neutral = ModelRequest(
        system="\n\n".join(part.text for part in system) if system else None,
        system_blocks=system,
        messages=tuple(reader.messages),
        tools=read_response_tools(body),
        params=_params(body),
        json_mode=_json_mode(form),
        output_schema=form.get("schema"),
        is_schema_strict=form.get("strict") is True,
        stream=body.get("stream", False),
        user=body.get("user", body.get("safety_identifier")),
        client=ClientRequest(lane=None, body=body),
    )
    return ResponseRequest(
        model=body["model"],
        body=body,
        neutral=neutral,
        tags=client_tags(body),
        unsent=(*_unsent(body), *reader.ignored),
    )


def _unsupported(problems: list[Problem]) -> Unsupported:
    first, *others = problems
    return Unsupported(first.path, "; ".join((first.reason, *map(str, others))))


def _params(body: Mapping[str, Any]) -> ChatCompletionParams:
    effort = body.get("reasoning", {}).get("effort")
    verbosity = body.get("text", {}).get("verbosity")
    return ChatCompletionParams(
        temperature=body.get("temperature"),
        top_p=body.get("top_p"),
        max_tokens=whole(body.get("max_output_tokens")),
        reasoning_effort=effort if isinstance(effort, str) else None,
        verbosity=verbosity if isinstance(verbosity, str) else None,
        service_tier=SERVICE_TIERS.get(body.get("service_tier", "")),
    )


def _format(body: Mapping[str, Any]) -> Mapping[str, Any]:
    form: Mapping[str, Any] = body.get("text", {}).get("format") or {}
    return form


def _json_mode(form: Mapping[str, Any]) -> JsonMode:
    modes: dict[str, JsonMode] = {"json_object": "on", "json_schema": "strict"}
    return modes.get(form.get("type", ""), "off")


def _unsent(body: Mapping[str, Any]) -> Iterable[str]:
    """What has no counterpart anywhere."""
    for name, value in body.items():
        match name:
            case "tools":
                is_sent = all(tool.get("type") in KINDS for tool in value)
            case "include":
                is_sent = all(each == ENCRYPTED_REASONING for each in value)
            case "service_tier":
                is_sent = value in SERVICE_TIERS
            case "truncation":
                is_sent = value == "disabled"
            case _:
                is_sent = name in _SERVED
        if not is_sent:
            yield name

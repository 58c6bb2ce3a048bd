"""A client's own chat completion request on its way to a provider of the same kind.

It is changed only where the provider would not take it; everything else is kept at every depth, in
its order, as prompt caches go by the exact beginning of a prompt.
"""

from collections.abc import Callable
from operator import is_
from typing import Any

from lsd.conversation import ClientRequest
from lsd.providers._openai_family import Body, Encoding
from lsd.providers._openai_thoughts import put_thoughts_back
from lsd.providers.tool_call_ids import fitting_tool_call_id

PLATFORM_FIELDS = frozenset(
    {
        "store",
        "metadata",
        "prediction",
        "prompt_cache_key",
        "prompt_cache_retention",
        "prompt_cache_options",
        "safety_identifier",
        "web_search_options",
        "moderation",
        "modalities",
        "audio",
    }
)
"""What belongs to OpenAI's platform; most other servers refuse fields that they do not know."""

_PLATFORMS = ("openai", "azure", "openrouter")
_OPENAI_MODELS = ("openai", "azure")
_ABOUT_TOOLS = frozenset({"tools", "tool_choice", "parallel_tool_calls"})
_LIMITS = ("max_tokens", "max_completion_tokens")


def relayed_body(client: ClientRequest, encoding: Encoding) -> Body:
    """The body to send. Raises AttemptFailed (config) for what this provider cannot take."""
    member = encoding.target.member
    body: Body = {}
    for name, value in client.body.items():
        put = _RULES.get(name)
        if put is not None:
            put(body, value, encoding)
        elif name in PLATFORM_FIELDS and member.provider_type not in _PLATFORMS:
            encoding.leave_out(name)
        else:
            body[name] = value
    if not body.get("tools") and not _ABOUT_TOOLS.isdisjoint(body):
        for name in _ABOUT_TOOLS:
            body.pop(name, None)
    if encoding.request.stream and member.takes_stream_options:
        body["stream_options"] = {"include_usage": True}
    if member.finish_body is not None and member.finishes_relayed:
        member.finish_body(body, encoding)
    return body


def _model(body: Body, _: Any, encoding: Encoding) -> None:
    if (model := encoding.target.model) is not None:
        body["model"] = model


def _messages(body: Body, messages: Any, encoding: Encoding) -> None:
    body["messages"] = [
        # A text of the user goes to every provider as it is, and most turns are nothing else.
        message
        if message["role"] == "user" and type(message.get("content")) is str
        else _message(message, encoding)
        for message in messages
    ]


def _limit(body: Body, _: Any, encoding: Encoding) -> None:
    """The smaller of both names of the limit, under those that the provider knows."""
    body.update(dict.fromkeys(encoding.member.token_limit_keys, encoding.request.params.max_tokens))


def _leave_to_ours(_: Body, __: Any, ___: Encoding) -> None:
    """Streams are asked for as LSD wants them, so that their usage is known."""


def _seed(body: Body, value: Any, encoding: Encoding) -> None:
    if encoding.member.seed_key is None:
        encoding.leave_out("seed")
    else:
        body[encoding.member.seed_key] = value


def _tier(body: Body, value: Any, encoding: Encoding) -> None:
    tiers, kind = encoding.member.service_tiers, encoding.member.provider_type
    if kind in _OPENAI_MODELS or value in tiers:
        body["service_tier"] = value
    else:
        encoding.leave_out("service_tier")


def _verbosity(body: Body, value: Any, encoding: Encoding) -> None:
    if encoding.member.takes_verbosity:
        body["verbosity"] = value
    else:
        encoding.leave_out("verbosity")


def _tools(body: Body, tools: Any, encoding: Encoding) -> None:
    if not encoding.member.takes_custom_tools:
        for place, tool in enumerate(tools):
            if tool.get("type") == "custom":
                name = (tool.get("custom") or {}).get("name")
                raise encoding.refusal(
                    f"custom tools not supported by {encoding.target.provider_type}"
                    f" (tool {name!r})",
                    refused_field=f"tools[{place}]",
                )
    body["tools"] = tools


_RULES: dict[str, Callable[[Body, Any, Encoding], None]] = {
    "model": _model,
    "messages": _messages,
    **dict.fromkeys(_LIMITS, _limit),
    "stream_options": _leave_to_ours,
    "seed": _seed,
    "service_tier": _tier,
    "verbosity": _verbosity,
    "tools": _tools,
}
"""The fields that are not simply handed on."""


def _message(message: Any, encoding: Encoding) -> Any:
    role = message["role"]
    if role == "system" and isinstance(message.get("content"), str):
        return message
    changed = dict(message)
    if role == "developer" and encoding.member.provider_type not in _OPENAI_MODELS:
        changed["role"] = "system"
    if isinstance(message.get("content"), list):
        changed["content"] = _parts(message["content"], encoding)
    if role == "assistant":
        _fit_turn(changed, encoding)
    elif role == "tool":
        changed["tool_call_id"] = _fitting_id(message["tool_call_id"], encoding)
    return message if _is_same(changed, message) else changed


def _parts(parts: list[Any], encoding: Encoding) -> list[Any]:
    """The parts, without marks for a cache that the provider does not know of."""
    if encoding.member.takes_details:
        return parts
    made = [
        {key: value for key, value in part.items() if key != "cache_control"}
        if isinstance(part, dict) and "cache_control" in part
        else part
        for part in parts
    ]
    return parts if all(map(is_, made, parts)) else made


def _fit_turn(message: Body, encoding: Encoding) -> None:
    """Makes a turn of the model one that its provider takes."""
    calls = message.get("tool_calls")
    if calls:
        message["tool_calls"] = [_call(call, encoding) for call in calls]
        if message.get("content") == "":
            message["content"] = None
    elif "tool_calls" in message:
        del message["tool_calls"]
    put_thoughts_back(message, encoding)


def _call(call: Any, encoding: Encoding) -> Any:
    identifier = call.get("id") if isinstance(call, dict) else None
    if not isinstance(identifier, str):
        return call
    fitting = _fitting_id(identifier, encoding)
    return call if fitting == identifier else {**call, "id": fitting}


def _fitting_id(identifier: str, encoding: Encoding) -> str:
    return fitting_tool_call_id(identifier, encoding.member.tool_call_ids)


def _is_same(changed: Body, message: Body) -> bool:
    return changed.keys() == message.keys() and all(
        changed[name] is message[name] for name in message
    )

"""The body of a chat completion request."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from lsd.conversation import UNSET_PARAMS
from lsd.providers._openai_family import Body, Encoding
from lsd.providers._openai_messages import chat_messages
from lsd.providers._openai_tools import tool_fields

_EFFORTS = ((4096, "low"), (16_384, "medium"))
"""How much thinking a budget of tokens below the number is."""

_STOPS_MAX = 4

_USER_LENGTH_MAX = 64
"""Characters of a user's name that OpenAI takes; a hash of SHA-256 has as many."""


def chat_body(encoding: Encoding) -> Body:
    """The body, its keys always in the same order. Raises AttemptFailed (config)."""
    target, request = encoding.target, encoding.request
    member = target.member
    body: Body = {"messages": chat_messages(encoding)}
    if target.model is not None:
        body["model"] = target.model
    if request.params is not UNSET_PARAMS:
        body.update(_parameters(encoding))
    if request.top_k is not None or request.user is not None:
        body.update(fields_of_clients(encoding))
    body["stream"] = request.stream
    if request.stream and member.takes_stream_options:
        body["stream_options"] = {"include_usage": True}
    if request.json_mode != "off":
        wanted = (member.response_format or response_format)(encoding)
        if wanted is not None:
            body["response_format"] = wanted
    if request.tools is not None:
        body.update(tool_fields(request.tools, encoding))
    if member.finish_body is not None:
        member.finish_body(body, encoding)
    return body


def response_format(encoding: Encoding) -> Body | None:
    """The usual way: the schema in strict mode, any JSON object where there is none."""
    return _format_by_mode(encoding, strict=True)


def unstrict_response_format(encoding: Encoding) -> Body | None:
    """The same for types that hold to the schema anyway, and do not know the word `strict`."""
    return _format_by_mode(encoding, strict=False)


def _format_by_mode(encoding: Encoding, *, strict: bool) -> Body | None:
    request = encoding.request
    if request.json_mode == "off":
        return None
    if request.json_mode == "strict" and request.output_schema is not None:
        strict = strict and request.is_schema_strict
        return schema_format(request.output_schema, strict=strict)
    return {"type": "json_object"}


def schema_format(schema: Mapping[str, Any], *, strict: bool = True) -> Body:
    """The answer must fit `schema`."""
    wanted: Body = {"name": "response"}
    if strict:
        wanted["strict"] = True
    wanted["schema"] = schema
    return {"type": "json_schema", "json_schema": wanted}


def _parameters(encoding: Encoding) -> Body:
    member, params = encoding.member, encoding.request.params
    fields: Body = {}
    if params.temperature is not None:
        fields["temperature"] = params.temperature
    if params.top_p is not None:
        fields["top_p"] = params.top_p
    if params.presence_penalty is not None:
        fields["presence_penalty"] = params.presence_penalty
    if params.frequency_penalty is not None:
        fields["frequency_penalty"] = params.frequency_penalty
    if params.seed is not None:
        _send(fields, member.seed_key, "seed", params.seed, encoding)
    if params.max_tokens is not None:
        fields.update(dict.fromkeys(member.token_limit_keys, params.max_tokens))
    if params.stop_sequences is not None:
        fields["stop"] = _stops(params.stop_sequences, encoding)
    if params.reasoning_effort is not None:
        key = "reasoning_effort" if member.takes_reasoning_effort else None
        _send(fields, key, "reasoning_effort", params.reasoning_effort, encoding)
    if params.verbosity is not None:
        key = "verbosity" if member.takes_verbosity else None
        _send(fields, key, "verbosity", params.verbosity, encoding)
    if params.service_tier is not None:
        key = "service_tier" if params.service_tier in member.service_tiers else None
        _send(fields, key, "service_tier", params.service_tier, encoding)
    if params.thinking_budget_tokens is not None and not member.takes_thinking_budget:
        _send_budget(fields, params.thinking_budget_tokens, encoding)
    return fields


def fields_of_clients(encoding: Encoding) -> Body:
    """What only clients of other languages ask for."""
    member, request = encoding.member, encoding.request
    fields: Body = {}
    if request.top_k is not None:
        _send(fields, "top_k" if member.takes_top_k else None, "top_k", request.top_k, encoding)
    if request.user is not None:
        user = request.user
        if len(user) > _USER_LENGTH_MAX:
            user = sha256(user.encode()).hexdigest()
        _send(fields, "user" if member.takes_user else None, "user", user, encoding)
    return fields


def _stops(sequences: tuple[str, ...], encoding: Encoding) -> list[str]:
    """Most servers take four; a client that knows of no such bound would be refused."""
    if encoding.is_translated and len(sequences) > _STOPS_MAX:
        encoding.leave_out("stop_sequences", hint=f"only the first {_STOPS_MAX} are sent")
        sequences = sequences[:_STOPS_MAX]
    return list(sequences)


def _send_budget(fields: Body, budget: int, encoding: Encoding) -> None:
    if not encoding.is_translated or not encoding.member.takes_reasoning_effort:
        encoding.leave_out("thinking_budget_tokens", hint="reasoning_effort may serve")
    elif "reasoning_effort" not in fields:
        fields["reasoning_effort"] = effort_of_budget(budget)
        encoding.derive(("reasoning_effort",), "thinking_budget_tokens")


def effort_of_budget(budget: int) -> str:
    """A budget as an effort, for clients that cannot know better; they have not asked for one."""
    return next((word for most, word in _EFFORTS if budget < most), "high")


def _send(fields: Body, key: str | None, parameter: str, value: Any, encoding: Encoding) -> None:
    if key is None:
        encoding.leave_out(parameter)
    else:
        fields[key] = value

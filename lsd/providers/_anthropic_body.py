"""The body of a request for a message from Claude."""

from lsd.conversation import JsonValue, ModelRequest
from lsd.providers._anthropic_messages import claude_messages, marked
from lsd.providers._anthropic_target import NO_EFFORT, Body, Encoding
from lsd.providers._anthropic_tools import tool_fields
from lsd.providers._anthropic_translation import mark_at_most, system_parts, translated, user_id
from lsd.providers._claude_sampling import claude_sampling
from lsd.providers.prefill import JSON_PREFILL, JSON_PREFILL_TEXT

_SERVICE_TIERS = {"auto": "auto", "priority": "auto", "default": "standard_only"}

_MARKS_MAX = 4
"""Marks for the cache in a request; Claude refuses more."""

_NOT_TAKEN = ("seed", "presence_penalty", "frequency_penalty", "verbosity")


def messages_body(encoding: Encoding) -> tuple[Body, str]:
    """The body, its keys always in the same order, and what it puts into the model's mouth.

    Raises AttemptFailed (config).
    """
    if encoding.is_translated:
        encoding.request = translated(encoding)
    target, request = encoding.target, encoding.request
    body: Body = {}
    if target.body_version is not None:
        body["anthropic_version"] = target.body_version
    if target.model is not None:
        body["model"] = target.model
    body["messages"] = claude_messages(encoding)
    body["max_tokens"] = _max_tokens(encoding)
    body["stream"] = request.stream
    system = _system(request)
    if system:
        body["system"] = system
    body.update(claude_sampling(encoding, encoding.target.family))
    if request.params.stop_sequences is not None:
        body["stop_sequences"] = list(request.params.stop_sequences)
    schema, prefill = _json_help(encoding)
    body.update(_thinking(encoding, schema))
    body.update(_service_tier(encoding))
    body.update(tool_fields(encoding))
    if prefill:
        begun = {"role": "assistant", "content": [{"type": "text", "text": JSON_PREFILL_TEXT}]}
        body["messages"].append(begun)
    if (user := user_id(request)) is not None:
        body["metadata"] = {"user_id": user}
    mark_at_most(body, _MARKS_MAX)
    for parameter in _NOT_TAKEN:
        if getattr(request.params, parameter) is not None:
            encoding.leave_out(parameter)
    return body, prefill


def _system(request: ModelRequest) -> list[JsonValue]:
    parts = system_parts(request)
    return [
        marked({"type": "text", "text": part.text}, part) for part in parts if part.text.strip()
    ]


def _max_tokens(encoding: Encoding) -> int:
    given = encoding.request.params.max_tokens
    if given is not None:
        return given
    family = encoding.target.family
    if not family.is_known:
        hint = f"{family.max_tokens} is sent, as the model is not known; set max_tokens"
        encoding.alter("max_tokens", hint)
    return family.max_tokens


def _thinking(encoding: Encoding, schema: JsonValue) -> Body:
    """`thinking`, and `output_config` with all that belongs there."""
    params = encoding.request.params
    budget, effort = params.thinking_budget_tokens, params.reasoning_effort
    if budget is not None and effort is not None:
        raise encoding.refusal(
            "found thinking_budget_tokens and reasoning_effort; wanted one of them"
        )
    fields: Body = {}
    config: Body = {}
    if budget is not None:
        fields["thinking"] = {"type": "enabled", "budget_tokens": budget}
    if effort == NO_EFFORT and encoding.is_translated:
        fields["thinking"] = {"type": "disabled"}
    elif effort is not None:
        fields["thinking"] = {"type": "adaptive"}
        config["effort"] = effort
        if encoding.is_translated:
            encoding.derive(("thinking", "effort"), "reasoning_effort")
    if schema is not None:
        config["format"] = {"type": "json_schema", "schema": schema}
    if config:
        fields["output_config"] = config
    return fields


def _json_help(encoding: Encoding) -> tuple[JsonValue, str]:
    """How the model is brought to answer in JSON: by a schema, by a beginning, or not at all."""
    request, target = encoding.request, encoding.target
    if request.json_mode == "off":
        return None, ""
    schema = request.output_schema if target.holds_to_schemas else None
    if schema is not None and request.json_mode == "strict":
        return schema, ""
    may_begin = target.takes_prefill and target.family.takes_prefill
    if may_begin and request.is_all_json and not encoding.wants_thinking:
        return None, JSON_PREFILL
    if schema is None:
        encoding.leave_out("json_mode", hint="only the prompt asks for JSON")
    return schema, ""


def _service_tier(encoding: Encoding) -> Body:
    tier = encoding.request.params.service_tier
    if tier is None:
        return {}
    if not encoding.target.takes_service_tier or tier not in _SERVICE_TIERS:
        encoding.leave_out("service_tier")
        return {}
    return {"service_tier": _SERVICE_TIERS[tier]}

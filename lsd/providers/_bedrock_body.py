"""The body of a request to Bedrock's Converse API."""

from lsd.conversation import JsonValue, encode_json
from lsd.providers._bedrock_messages import add_turn, converse_messages, system_blocks
from lsd.providers._bedrock_target import Body, Encoding
from lsd.providers._bedrock_tools import tool_config
from lsd.providers._claude_sampling import claude_sampling
from lsd.providers.prefill import JSON_PREFILL, JSON_PREFILL_TEXT

_NOT_TAKEN = ("seed", "presence_penalty", "frequency_penalty", "verbosity", "service_tier")

_SCHEMA_NAME = "output"
"""A schema must have a name; nobody reads it."""


def converse_body(encoding: Encoding) -> tuple[Body, str]:
    """The body, its keys always in the same order, and what it puts into the model's mouth.

    Raises AttemptFailed (config).
    """
    body: Body = {"messages": converse_messages(encoding)}
    system = system_blocks(encoding)
    if system:
        body["system"] = system
    inference = _inference_config(encoding)
    if inference:
        body["inferenceConfig"] = inference
    tools = tool_config(encoding)
    if tools is not None:
        body["toolConfig"] = tools
    more = _more_fields(encoding)
    if more:
        body["additionalModelRequestFields"] = more
    schema, prefill = _json_help(encoding)
    if schema is not None:
        body["outputConfig"] = {"textFormat": _text_format(schema)}
    if prefill:
        add_turn(body["messages"], "assistant", [{"text": JSON_PREFILL_TEXT}])
    for parameter in _NOT_TAKEN:
        if getattr(encoding.request.params, parameter) is not None:
            encoding.leave_out(parameter)
    encoding.leave_out_wishes()
    return body, prefill


def _inference_config(encoding: Encoding) -> Body:
    params, family = encoding.request.params, encoding.target.family
    if family is None:
        sampling = {"temperature": params.temperature, "top_p": params.top_p}
    else:
        sampling = {**claude_sampling(encoding, family)}
    stops = params.stop_sequences
    fields = {
        "maxTokens": params.max_tokens,
        "temperature": sampling.get("temperature"),
        "topP": sampling.get("top_p"),
        "stopSequences": None if stops is None else list(stops),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _more_fields(encoding: Encoding) -> Body:
    """What only some models know, in their own words."""
    params = encoding.request.params
    fields: Body = {}
    if params.reasoning_effort is not None:
        _think_with_effort(fields, params.reasoning_effort, encoding)
    if params.thinking_budget_tokens is not None:
        budget = params.thinking_budget_tokens
        fields["thinking"] = {"type": "enabled", "budget_tokens": budget}
    return fields


def _think_with_effort(fields: Body, effort: str, encoding: Encoding) -> None:
    family = encoding.target.family
    if family is None or not family.takes_effort:
        encoding.leave_out("reasoning_effort", hint="only some Claude models take it")
        return
    fields["thinking"] = {"type": "adaptive"}
    fields["output_config"] = {"effort": effort}
    if encoding.request.client is not None:
        # Its client may know nothing of Claude's words, and is not to fail for them.
        encoding.derive(("thinking", "effort"), "reasoning_effort")


def _json_help(encoding: Encoding) -> tuple[JsonValue, str]:
    """How the model is brought to answer in JSON: by a schema, by a beginning, or not at all."""
    request, family = encoding.request, encoding.target.family
    if request.json_mode == "off":
        return None, ""
    if family is not None:
        if family.takes_output_schema and request.output_schema is not None:
            return request.output_schema, ""
        is_thinking = (
            request.params.thinking_budget_tokens is not None
            or request.params.reasoning_effort is not None
        )
        if request.is_all_json and family.takes_prefill and not is_thinking:
            return None, JSON_PREFILL
    encoding.leave_out("json_mode", hint="only the prompt asks for JSON")
    return None, ""


def _text_format(schema: JsonValue) -> Body:
    described = {"name": _SCHEMA_NAME, "schema": encode_json(schema).decode()}
    return {"type": "json_schema", "structure": {"jsonSchema": described}}

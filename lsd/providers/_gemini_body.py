"""The body of a request to Gemini."""

from lsd.conversation import SpecificTool, ToolSet
from lsd.providers._gemini_contents import gemini_contents, system_instruction
from lsd.providers._gemini_schemas import schema_field
from lsd.providers._gemini_target import Body, Encoding
from lsd.providers._tool_requests import function_of, refuse_provider_tools

_PARAMETERS = {
    "temperature": "temperature",
    "top_p": "topP",
    "max_tokens": "maxOutputTokens",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "seed": "seed",
    "stop_sequences": "stopSequences",
}
"""Our names, and theirs."""

_NOT_TAKEN = ("service_tier", "verbosity")
_MODES = {"none": "NONE", "auto": "AUTO", "required": "ANY"}


def gemini_body(encoding: Encoding) -> Body:
    """The body, its keys always in the same order. Raises AttemptFailed (config)."""
    body: Body = {"contents": gemini_contents(encoding), **_tool_fields(encoding)}
    config = _generation_config(encoding)
    if config:
        body["generationConfig"] = config
    system = system_instruction(encoding)
    if system is not None:
        body["systemInstruction"] = system
    for parameter in _NOT_TAKEN:
        if getattr(encoding.request.params, parameter) is not None:
            encoding.leave_out(parameter)
    encoding.leave_out_wishes()
    return body


def _generation_config(encoding: Encoding) -> Body:
    request = encoding.request
    config: Body = {}
    for ours, theirs in _PARAMETERS.items():
        value = getattr(request.params, ours)
        if value is not None:
            config[theirs] = list(value) if isinstance(value, tuple) else value
    if request.json_mode != "off":
        config["responseMimeType"] = "application/json"
        if request.output_schema is not None:
            config |= schema_field("responseSchema", request.output_schema)
    thinking = _thinking_config(encoding)
    if thinking:
        config["thinkingConfig"] = thinking
    return config


def _thinking_config(encoding: Encoding) -> Body:
    params = encoding.request.params
    budget, effort = params.thinking_budget_tokens, params.reasoning_effort
    if budget is not None and effort is not None:
        raise encoding.refusal(
            "found thinking_budget_tokens and reasoning_effort; wanted one of them"
        )
    if effort is not None:
        return {"thinkingLevel": effort}
    return {} if budget is None else {"thinkingBudget": budget}


def _tool_fields(encoding: Encoding) -> Body:
    """`tools` and `toolConfig`; neither without any function."""
    tool_set = encoding.request.tools
    if tool_set is None:
        return {}
    refuse_provider_tools(tool_set, encoding)
    if not tool_set.tools:
        return {}
    declarations = []
    for each in tool_set.tools:
        function = function_of(each, encoding)
        declarations.append(
            {
                "name": function.name,
                "description": function.description,
                **schema_field("parameters", function.parameters),
            }
        )
    if tool_set.parallel is False and not isinstance(tool_set.choice, SpecificTool):
        encoding.leave_out("parallel_tool_calls")
    return {
        "tools": [{"functionDeclarations": declarations}],
        "toolConfig": {"functionCallingConfig": _calling_config(tool_set)},
    }


def _calling_config(tool_set: ToolSet) -> Body:
    """Names may only be given where a call is forced, so that naming tools forces one."""
    choice, allowed = tool_set.choice, tool_set.allowed
    if isinstance(choice, SpecificTool):
        return {"mode": "ANY", "allowedFunctionNames": [choice.name]}
    if choice == "none" or allowed is None:
        return {"mode": _MODES[choice]}
    # No names at all would stand for every tool.
    return {"mode": "ANY", "allowedFunctionNames": list(allowed)} if allowed else {"mode": "NONE"}

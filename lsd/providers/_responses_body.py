"""The body of a request to OpenAI's Responses API."""

from typing import Any

from lsd.conversation import CustomTool, FunctionTool, SpecificTool, Tool, ToolSet
from lsd.providers._openai_body import effort_of_budget, fields_of_clients, response_format
from lsd.providers._openai_family import Body, Encoding
from lsd.providers._responses_input import input_items
from lsd.providers._tool_requests import provider_tools_for

_SCHEMA_NAME = "response_schema"

_NOT_TAKEN = (
    "presence_penalty",
    "frequency_penalty",
    "seed",
    "stop_sequences",
)

_LIMIT_MIN = 16
"""The least `max_output_tokens`. Source: OpenAI's reference of the API, 2025."""


def responses_body(encoding: Encoding) -> Body:
    """The body, its keys always in the same order. Raises AttemptFailed (config)."""
    target, member = encoding.target, encoding.member
    body: Body = {"model": target.model, "input": input_items(encoding)}
    body.update(_parameters(encoding))
    body.update(fields_of_clients(encoding))
    body["stream"] = encoding.request.stream
    body["text"] = _text(encoding)
    effort = _effort(encoding)
    if effort is not None:
        body["reasoning"] = {"effort": effort}
    if target.include_encrypted_reasoning:
        body["include"] = ["reasoning.encrypted_content"]
    body.update(_tool_fields(encoding))
    if member.finish_body is not None:
        member.finish_body(body, encoding)
    return body


def _parameters(encoding: Encoding) -> Body:
    params = encoding.request.params
    fields: Body = {
        name: value
        for name in ("temperature", "top_p")
        if (value := getattr(params, name)) is not None
    }
    if params.max_tokens is not None:
        fields["max_output_tokens"] = _limit(params.max_tokens, encoding)
    if params.service_tier is not None:
        fields["service_tier"] = params.service_tier
    for name in _NOT_TAKEN:
        if getattr(params, name) is not None:
            encoding.leave_out(name)
    return fields


def _limit(max_tokens: int, encoding: Encoding) -> int:
    """Clients of other languages ask for one token to see whether anybody is there."""
    if not encoding.is_translated or max_tokens >= _LIMIT_MIN:
        return max_tokens
    encoding.alter("max_tokens", f"{_LIMIT_MIN} is sent, the least that the API takes")
    return _LIMIT_MIN


def _effort(encoding: Encoding) -> str | None:
    params = encoding.request.params
    if params.thinking_budget_tokens is None:
        return params.reasoning_effort
    if not encoding.is_translated:
        encoding.leave_out("thinking_budget_tokens", hint="reasoning_effort may serve")
    elif params.reasoning_effort is None:
        encoding.derive(("reasoning",), "thinking_budget_tokens")
        return effort_of_budget(params.thinking_budget_tokens)
    return params.reasoning_effort


def _text(encoding: Encoding) -> Body:
    wanted = (encoding.member.response_format or response_format)(encoding)
    text: Body = {"format": {"type": "text"} if wanted is None else wanted}
    if wanted is not None and wanted["type"] == "json_schema":
        schema = wanted["json_schema"]["schema"]
        text["format"] = {
            "type": "json_schema",
            "name": _SCHEMA_NAME,
            "schema": schema,
            "strict": encoding.request.is_schema_strict,
        }
    if encoding.request.params.verbosity is not None:
        text["verbosity"] = encoding.request.params.verbosity
    return text


def _tool_fields(encoding: Encoding) -> Body:
    """`tools`, `tool_choice` and `parallel_tool_calls`; nothing of these without any tool.

    The tools of the request come first, then those that run at the provider, in its own words.
    """
    tool_set = encoding.request.tools or ToolSet()
    tools = [
        *(_tool(tool) for tool in tool_set.tools),
        *encoding.target.provider_tools,
        *provider_tools_for(tool_set, encoding.target),
    ]
    if not tools:
        return {}
    fields: Body = {"tools": tools}
    if tool_set.tools:
        fields["tool_choice"] = _choice(tool_set)
    if tool_set.parallel is not None:
        fields["parallel_tool_calls"] = tool_set.parallel
    return fields


def _tool(tool: Tool) -> Body:
    if isinstance(tool, FunctionTool):
        return {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
            "strict": tool.strict,
        }
    custom: Body = {"type": "custom", "name": tool.name}
    if tool.description is not None:
        custom["description"] = tool.description
    if tool.format is not None:
        grammar: Any = tool.format.get("grammar")
        custom["format"] = (
            {"type": "grammar", **grammar} if isinstance(grammar, dict) else tool.format
        )
    return custom


def _choice(tool_set: ToolSet) -> Any:
    choice = tool_set.choice
    if isinstance(choice, SpecificTool):
        return _named(choice.name, tool_set)
    if choice == "none" or tool_set.allowed is None:
        return choice
    mode = "required" if choice == "required" else "auto"
    tools = [_named(name, tool_set) for name in tool_set.allowed]
    return {"type": "allowed_tools", "mode": mode, "tools": tools}


def _named(name: str, tool_set: ToolSet) -> Body:
    is_custom = any(tool.name == name for tool in tool_set.tools if isinstance(tool, CustomTool))
    return {"type": "custom" if is_custom else "function", "name": name}

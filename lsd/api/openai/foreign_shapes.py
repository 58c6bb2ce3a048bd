"""What agents send in other APIs' shapes: tools, choices and parts, written as OpenAI writes them.

The same for every provider, so that it does not matter to whom a request goes.
"""

from collections.abc import Mapping
from typing import Any

from lsd.conversation import JsonValue, Malformed, Problem, describe_json, encode_json

Fields = dict[str, Any]

NO_PARAMETERS: Mapping[str, JsonValue] = {"type": "object", "properties": {}}

_CHOICES = {"any": "required", "auto": "auto", "none": "none"}
"""Anthropic's words for what a model is to do with its tools."""

_MODES = ("auto", "required")

_PART_TYPES = ("tool_use", "tool_result", "image")
"""Anthropic's parts that have another form here."""


def normalised(body: Mapping[str, Any]) -> Fields:
    """`body` in OpenAI's shapes; what has them already stays the same object. Raises Malformed."""
    made = dict(body)
    if "tools" in made:
        made["tools"] = [_tool(tool, place) for place, tool in enumerate(made["tools"])]
    if "tool_choice" in made:
        made["tool_choice"] = _choice(made["tool_choice"], made.get("tools", []))
    messages: list[Fields] = []
    for message in made["messages"]:
        if isinstance(message.get("content"), list):
            messages += _messages(message)
        else:
            messages.append(message)
    made["messages"] = messages
    return made


def tool_name(tool: Mapping[str, Any]) -> str:
    """The name of a tool in OpenAI's shape."""
    name: str = tool[tool["type"]]["name"]
    return name


def _tool(tool: Fields, place: int) -> Fields:
    kind = tool.get("type")
    if kind == "custom" and isinstance(tool.get("custom"), dict):
        _check_name(tool["custom"], f"tools[{place}].custom")
        return tool
    if kind == "function" and isinstance(tool.get("function"), dict):
        _check_name(tool["function"], f"tools[{place}].function")
        if tool["function"].get("parameters") is not None:
            return tool
        return {**tool, "function": {**tool["function"], "parameters": NO_PARAMETERS}}
    if kind in (None, "function", "custom") and "name" in tool:
        _check_name(tool, f"tools[{place}]")
        return _flat(tool)
    reason = f"found {describe_json(kind)}; wanted function or custom"
    raise Malformed((Problem(f"tools[{place}].type", reason),))


def _flat(tool: Fields) -> Fields:
    """A tool whose fields stand at its top, as in the Responses API, or as Anthropic has it."""
    function = {key: value for key, value in tool.items() if key not in ("type", "input_schema")}
    schema = tool.get("parameters") or tool.get("input_schema") or NO_PARAMETERS
    return {"type": "function", "function": {**function, "parameters": schema}}


def _check_name(fields: Fields, path: str) -> None:
    if not isinstance(fields.get("name"), str):
        reason = f"found {describe_json(fields.get('name'))}; wanted the tool's name"
        raise Malformed((Problem(f"{path}.name", reason),))


def _choice(choice: Any, tools: list[Fields]) -> Any:
    match choice:
        case "none" | "auto" | "required":
            return choice
        case {"type": "function", "function": {"name": str(name)}}:
            return _checked(choice, name, tools)
        case {"type": "custom", "custom": {"name": str(name)}}:
            return _checked(choice, name, tools)
        case {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": list(allowed)}} if (
            mode in _MODES
        ):
            for each in allowed:
                _checked(each, _allowed_name(each), tools)
            return choice
        case {"type": "tool" | "function" | "custom", "name": str(name)}:
            _checked(choice, name, tools)
            kind = next(tool["type"] for tool in tools if tool_name(tool) == name)
            return {"type": kind, kind: {"name": name}}
        case {"type": "any" | "auto" | "none" as kind}:
            return _CHOICES[kind]
        case _:
            pass
    reason = (
        f'found {describe_json(choice)}; wanted "none", "auto", "required", or an object that'
        " names a function, a custom tool or the allowed tools"
    )
    raise Malformed((Problem("tool_choice", reason),))


def _allowed_name(entry: Any) -> str:
    match entry:
        case {"type": "function", "function": {"name": str(name)}}:
            return name
        case {"type": "custom", "custom": {"name": str(name)}}:
            return name
        case {"name": str(name)}:
            return name
        case _:
            pass
    reason = f"found {describe_json(entry)} among the allowed tools; wanted one with a name"
    raise Malformed((Problem("tool_choice", reason),))


def _checked(choice: Any, name: str, tools: list[Fields]) -> Any:
    if all(tool_name(tool) != name for tool in tools):
        reason = f"found the tool {name!r}; wanted one of `tools`"
        raise Malformed((Problem("tool_choice", reason),))
    return choice


def _messages(message: Fields) -> list[Fields]:
    content = message["content"]
    if not any(part.get("type") in _PART_TYPES for part in content):
        return [message]
    if message["role"] == "assistant":
        return [_turn(message, content)]
    results = [part for part in content if part.get("type") == "tool_result"]
    attached: list[Fields] = []
    made = [_result(part, attached) for part in results]
    rest = [*attached, *(_part(part) for part in content if part.get("type") != "tool_result")]
    return [*made, {**message, "content": rest}] if rest else made


def _turn(message: Fields, content: list[Fields]) -> Fields:
    calls = [
        {
            "id": part.get("id"),
            "type": "function",
            "function": {
                "name": part.get("name"),
                "arguments": encode_json(part.get("input") or {}).decode(),
            },
        }
        for part in content
        if part.get("type") == "tool_use"
    ]
    rest = [_part(part) for part in content if part.get("type") != "tool_use"]
    made = {**message, "content": rest or None}
    if calls:
        made["tool_calls"] = [*(message.get("tool_calls") or ()), *calls]
    return made


def _result(part: Fields, attached: list[Fields]) -> Fields:
    """The message of a tool's result; its pictures go into `attached`."""
    content = part.get("content")
    texts = [content] if isinstance(content, str) else []
    for each in content if isinstance(content, list) else []:
        if not isinstance(each, dict) or each.get("type") not in ("text", "image"):
            texts.append(encode_json(each).decode())
        elif each["type"] == "text":
            texts.append(str(each.get("text", "")))
        else:
            attached.append(_part(each))
            texts.append(f"[attachment {len(attached)} follows]")
    text = "\n\n".join(texts)
    if part.get("is_error") is True and not text.startswith("Error: "):
        text = f"Error: {text}"
    return {"role": "tool", "tool_call_id": str(part.get("tool_use_id", "")), "content": text}


def _part(part: Fields) -> Fields:
    match part:
        case {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}:
            url = f"data:{kind};base64,{data}"
        case {"type": "image", "source": {"type": "url", "url": str(url)}}:
            pass
        case _:
            return part
    return {"type": "image_url", "image_url": {"url": url}}

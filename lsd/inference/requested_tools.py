"""The tool fields of a request: how callers write tools and what they want of them."""

from collections.abc import Mapping
from typing import Any, Literal

import attrs
from cattrs import Converter

from lsd.conversation import (
    CustomTool,
    FunctionTool,
    Hook,
    Mismatch,
    ProviderTool,
    SpecificTool,
    Structurer,
    Tool,
    ToolChoice,
    at,
    describe_json,
    wrong_tag,
)


@attrs.frozen(kw_only=True)
class _Scope:
    model_name: str
    provider_name: str | None = None


@attrs.frozen(kw_only=True)
class _ProviderTool:
    tool: Mapping[str, Any]
    scope: _Scope | None = None


@attrs.frozen(kw_only=True)
class _Grammar:
    syntax: Literal["lark", "regex"]
    definition: str


@attrs.frozen(kw_only=True)
class _GrammarFormat:
    grammar: _Grammar


@attrs.frozen(kw_only=True)
class _TextFormat:
    pass


@attrs.frozen(kw_only=True)
class _FunctionTool:
    name: str
    description: str
    parameters: Mapping[str, Any]
    strict: bool | None = None


@attrs.frozen(kw_only=True)
class _CustomTool:
    name: str
    description: str | None = None
    format: _TextFormat | _GrammarFormat | None = None


def register_tools(structurer: Structurer) -> None:
    """Teaches `structurer` to make tools, tool choices and provider tools."""
    structurer.hook(ToolChoice, _tool_choice)
    structurer.tagged(
        _TextFormat | _GrammarFormat, {"text": _TextFormat, "grammar": _GrammarFormat}
    )
    structurer.converting_hook(Tool, _tool_hook)
    structurer.converting_hook(ProviderTool, _provider_tool_hook)


def _tool_choice(value: Any, _: Any) -> ToolChoice:
    if value in ("none", "auto", "required") and isinstance(value, str):
        return value  # type: ignore[return-value]  # one of the literals, just seen
    if isinstance(value, dict) and list(value) == ["specific"] and type(value["specific"]) is str:
        return SpecificTool(name=value["specific"])
    wanted = '"none", "auto", "required" or {"specific": "<name of a tool>"}'
    raise Mismatch(describe_json(value), wanted)


def _tool_hook(converter: Converter) -> Hook:
    def structure(value: Any, _: Any) -> Tool:
        if type(value) is not dict:
            raise Mismatch(describe_json(value), "a tool, which is an object")
        kind = "function" if value.get("type") is None else value["type"]
        fields = {key: each for key, each in value.items() if key != "type"}
        if kind == "function":
            tool = converter.structure(fields, _FunctionTool)
            return FunctionTool(
                name=tool.name,
                description=tool.description,
                parameters=tool.parameters,
                strict=bool(tool.strict),
            )
        if kind == "openai_custom":
            made = converter.structure(fields, _CustomTool)
            return CustomTool(
                name=made.name,
                description=made.description,
                format=fields["format"] if made.format is not None else None,
            )
        raise at("type", wrong_tag(kind, ("function", "openai_custom")))

    return structure


def _provider_tool_hook(converter: Converter) -> Hook:
    def structure(value: Any, _: Any) -> ProviderTool:
        made = converter.structure(value, _ProviderTool)
        scope = made.scope
        return ProviderTool(
            tool=made.tool,
            model_name=None if scope is None else scope.model_name,
            provider_name=None if scope is None else scope.provider_name,
        )

    return structure

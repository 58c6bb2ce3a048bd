"""`[functions.F]`: named tasks."""

from collections.abc import Mapping
from typing import Annotated, Literal

import attrs

from lsd.config.kinds import JsonFile, SchemaKeys
from lsd.config.tables.evaluators import Evaluator
from lsd.config.tables.experimentation import Experimentation
from lsd.config.tables.tool import Tool
from lsd.config.tables.variants import Variant
from lsd.conversation import Schema, SpecificTool, ToolChoice


@attrs.frozen(kw_only=True)
class ForcedTool:
    """`tool_choice = { specific = "name" }`: the model must call this tool."""

    specific: str


@attrs.frozen(kw_only=True)
class AnyFunction:
    """What chat and json functions share; the schemas are by role or template name."""

    description: str | None = None
    schemas: Annotated[Mapping[str, Schema], SchemaKeys()] = attrs.field(factory=dict)
    variants: Mapping[str, Variant]
    experimentation: Experimentation = attrs.field(factory=Experimentation)
    evaluators: Mapping[str, Evaluator] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class ChatFunction(AnyFunction):
    """Answers with text and tool calls."""

    type: Literal["chat"] = "chat"
    tools: tuple[str, ...] = ()
    tool_choice: Literal["none", "auto", "required"] | ForcedTool = "auto"
    parallel_tool_calls: bool | None = None

    def choice(self, tools: Mapping[str, Tool]) -> ToolChoice:
        """`tool_choice` in the words of a request, where tools have the names models see."""
        if isinstance(self.tool_choice, ForcedTool):
            return SpecificTool(name=tools[self.tool_choice.specific].name)
        return self.tool_choice


@attrs.frozen(kw_only=True)
class JsonFunction(AnyFunction):
    """Answers with JSON that fits its schema."""

    type: Literal["json"] = "json"
    output_schema: Annotated[Schema, JsonFile()]


Function = ChatFunction | JsonFunction

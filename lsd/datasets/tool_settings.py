"""The tools of a chat's datapoint: read back from the store, changed, and kept as they resulted."""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from lsd.config import ChatFunction
from lsd.config import Tool as ConfiguredTool
from lsd.conversation import (
    JsonValue,
    ProviderTool,
    SchemaCache,
    SpecificTool,
    Structurer,
    Tool,
    ToolChoice,
)
from lsd.datasets.request import KEEP, ChatPatch, NewChatDatapoint
from lsd.inference import (
    BadRequest,
    Toolbox,
    provider_tool_to_json,
    register_tools,
    tool_choice_to_json,
    tool_to_json,
    toolbox_for,
)
from lsd.store import DatapointBody, InferenceBody


@attrs.frozen(kw_only=True)
class ToolSettings:
    """What is said of tools, in the way in which an inference would be told."""

    allowed_tools: tuple[str, ...] | None = None
    additional_tools: tuple[Tool, ...] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    provider_tools: tuple[ProviderTool, ...] = ()

    @classmethod
    def of_new(cls, new: NewChatDatapoint) -> "ToolSettings":
        """As they are sent."""
        return cls(
            allowed_tools=new.allowed_tools,
            additional_tools=new.additional_tools,
            tool_choice=new.tool_choice,
            parallel_tool_calls=new.parallel_tool_calls,
            provider_tools=new.provider_tools or (),
        )

    @classmethod
    def of_stored(cls, body: DatapointBody | InferenceBody) -> "ToolSettings":
        """As they are stored."""
        return _STRUCTURER.structure(
            {
                "allowed_tools": body.allowed_tools,
                "additional_tools": body.additional_tools,
                "tool_choice": body.tool_choice,
                "parallel_tool_calls": body.parallel_tool_calls,
                "provider_tools": body.provider_tools or [],
            },
            cls,
        )

    def patched(self, patch: ChatPatch) -> "ToolSettings":
        """With the changes of a patch. What it clears is the function's own again."""
        changes: dict[str, Any] = {
            field: value
            for field in ("allowed_tools", "tool_choice", "parallel_tool_calls")
            if (value := getattr(patch, field)) is not KEEP
        }
        changes |= {
            field: value
            for field in ("additional_tools", "provider_tools")
            if (value := getattr(patch, field)) is not None
        }
        return attrs.evolve(self, **changes) if changes else self

    def toolbox(
        self,
        function: ChatFunction,
        configured: Mapping[str, ConfiguredTool],
        schemas: SchemaCache,
    ) -> Toolbox | None:
        """The tools that there are then. Raises BadRequest as for an inference."""
        return toolbox_for(function, configured, self, schemas)

    def surviving_toolbox(
        self,
        function: ChatFunction,
        configured: Mapping[str, ConfiguredTool],
        schemas: SchemaCache,
    ) -> Toolbox | None:
        """The same of settings that were checked once: tools that are gone since are left out."""
        try:
            return self.toolbox(function, configured, schemas)
        except BadRequest:
            pass
        own = {tool.name for tool in self.additional_tools or ()}
        allowed = self.allowed_tools
        if allowed is not None:
            allowed = tuple(each for each in allowed if each in own or each in configured)
        choice = "auto" if isinstance(self.tool_choice, SpecificTool) else self.tool_choice
        try:
            remaining = attrs.evolve(self, allowed_tools=allowed, tool_choice=choice)
            return remaining.toolbox(function, configured, schemas)
        except BadRequest:  # such as a name that two tools have now
            return None

    def resulting(self, toolbox: Toolbox | None) -> dict[str, JsonValue]:
        """The fields of a datapoint's body; without any tool, nothing is kept."""
        if toolbox is None:
            return {}
        allowed = self.allowed_tools
        return {
            "allowed_tools": None if allowed is None else list(allowed),
            "additional_tools": [*map(tool_to_json, self.additional_tools or ())] or None,
            "tool_choice": tool_choice_to_json(toolbox.tool_set.choice),
            "parallel_tool_calls": toolbox.tool_set.parallel,
            "provider_tools": [*map(provider_tool_to_json, self.provider_tools)] or None,
        }


def _structurer() -> Structurer:
    structurer = Structurer()
    register_tools(structurer)
    return structurer


_STRUCTURER: Final = _structurer()

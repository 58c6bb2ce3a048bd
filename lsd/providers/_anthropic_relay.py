"""A client's own Messages request on its way to Claude, changed as little as possible.

Prompt caches go by the exact beginning of a prompt, so that order and unknown fields are kept at
every depth.
"""

from collections.abc import Mapping
from operator import is_
from typing import Any

import attrs

from lsd.conversation import JsonValue, is_foreign_signature
from lsd.providers._anthropic_target import Body, Target
from lsd.providers.tool_call_ids import fitting_tool_call_id

_GATED = frozenset(
    {
        "context_management",
        "mcp_servers",
        "container",
        "speed",
        "diagnostics",
        "fallbacks",
        "compaction",
    }
)
_GATED_OF_TOOLS = frozenset(
    {"defer_loading", "input_examples", "eager_input_streaming", "allowed_callers"}
)
_GATED_OF_MARKS = frozenset({"scope"})
"""What is refused unless a beta is asked for in the header: of the request, of a tool, and of a
mark for the cache. Source: Anthropic's pages on beta features, autumn 2026."""

_MARKED = frozenset({"system", "messages", "tools", "cache_control"})
"""The fields in which marks for the cache may stand."""

_NOT_COUNTED = ("max_tokens", "stream")

_ID_KEYS = {"tool_use": "id", "tool_result": "tool_use_id"}

_THOUGHTS = ("thinking", "redacted_thinking")


@attrs.define(eq=False)
class Relay:
    """One request that is being relayed to one target; `left_out` are the fields that are gone."""

    target: Target
    left_out: dict[str, None] = attrs.field(factory=dict, init=False)

    def body(self, client_body: Mapping[str, JsonValue]) -> Body:
        """The body to send."""
        body: Body = {}
        if self.target.body_version is not None:
            body["anthropic_version"] = self.target.body_version
        for name, value in client_body.items():
            if name == "model":
                if self.target.model is not None:
                    body[name] = self.target.model
            elif name in _GATED and not self.target.forwards_betas:
                self.left_out[name] = None
            else:
                body[name] = value
        body["messages"] = _fitting(body["messages"])
        if _wants_thinking(body) and lacks_thoughts(body["messages"]):
            del body["thinking"]
            self.left_out["thinking"] = None
        return body if self.target.forwards_betas else self._without_gated(body)

    def count_body(self, client_body: Mapping[str, JsonValue], model: str) -> Body:
        """The body to send to have its tokens counted, for which the model has the name `model`."""
        body = self.body(client_body)
        for name in _NOT_COUNTED:
            body.pop(name, None)
        return {**body, "model": model}

    def _without_gated(self, body: Body) -> Body:
        """The body without what only a beta allows, at whatever depth."""
        made = {
            name: self._stripped(value) if name in _MARKED else value
            for name, value in body.items()
        }
        if isinstance(tools := made.get("tools"), list):
            made["tools"] = [self._without(tool, _GATED_OF_TOOLS, "tools") for tool in tools]
        return made

    def _stripped(self, value: Any) -> Any:
        """The value with marks that need no beta; what tools are given stays as it is."""
        if isinstance(value, list):
            return [self._stripped(each) for each in value]
        if not isinstance(value, dict):
            return value
        if value.get("type") == "ephemeral":
            return self._without(value, _GATED_OF_MARKS, "cache_control")
        return {
            key: self._stripped(each) if key in ("content", "cache_control") else each
            for key, each in value.items()
        }

    def _without(self, value: Any, names: frozenset[str], field: str) -> Any:
        if not isinstance(value, dict) or names.isdisjoint(value):
            return value
        self.left_out[field] = None
        return {key: each for key, each in value.items() if key not in names}


def lacks_thoughts(messages: list[Any]) -> bool:
    """Whether the last turn of the model calls tools and has no thought in front of them.

    Claude refuses to go on thinking then.
    """
    for message in reversed(messages):
        if message.get("role") == "assistant":
            kinds = {_kind(block) for block in _blocks(message)}
            return "tool_use" in kinds and kinds.isdisjoint(_THOUGHTS)
    return False


def _wants_thinking(body: Body) -> bool:
    thinking = body.get("thinking")
    return isinstance(thinking, dict) and thinking.get("type") in ("enabled", "adaptive")


def _blocks(message: Mapping[str, Any]) -> list[Any]:
    content = message.get("content")
    return content if isinstance(content, list) else []


def _fitting(messages: list[Any]) -> list[Any]:
    """The messages without what only another model can have begun.

    Thoughts that Claude would not know as its own are gone, ids of tool calls are as it takes them.
    """
    kept = []
    for message in messages:
        blocks = _blocks(message)
        if not blocks:
            kept.append(message)
            continue
        own = [_with_fitting_id(block) for block in blocks if not _is_foreign(block)]
        if len(own) == len(blocks) and all(map(is_, own, blocks)):
            kept.append(message)
        elif own:
            kept.append({**message, "content": own})
    return kept


def _kind(block: Mapping[str, Any]) -> str:
    """The type of a block; clients may have written anything, which is not for us to judge."""
    kind = block.get("type")
    return kind if isinstance(kind, str) else ""


def _with_fitting_id(block: Any) -> Any:
    key = _ID_KEYS.get(_kind(block))
    if key is None or not isinstance(block.get(key), str):
        return block
    fitting = fitting_tool_call_id(block[key], "anthropic")
    return block if fitting == block[key] else {**block, key: fitting}


def _is_foreign(block: Mapping[str, Any]) -> bool:
    match _kind(block):
        case "thinking":
            signature = block.get("signature")
        case "redacted_thinking":
            signature = block.get("data")
        case _:
            return False
    return not isinstance(signature, str) or not signature or is_foreign_signature(signature)

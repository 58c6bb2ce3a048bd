"""The content of a Messages request as neutral blocks.

What is told of a block that cannot be translated is kept until a provider is asked that needs the
translation; until then the block is one of an unknown kind.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NewType

import attrs
from cattrs import Converter

from lsd.api.anthropic.thoughts import read_thought
from lsd.conversation import (
    ANY_IMAGE,
    Base64File,
    File,
    Hook,
    JsonValue,
    Malformed,
    Mismatch,
    ModelBlock,
    ModelMessage,
    Problem,
    Structurer,
    Text,
    ToolCall,
    ToolResult,
    Unknown,
    UrlFile,
    describe_json,
    encode_json,
)

BILLING_HEADER = "x-anthropic-billing-header:"
"""How the system block begins by which one agent tells Anthropic who pays. It differs from request
to request, so that no cache of prompts would ever serve; nobody else wants to see it."""

PDF = "application/pdf"


@attrs.frozen(kw_only=True)
class _Text:
    text: str
    cache_control: Any = None


@attrs.frozen(kw_only=True)
class _Source:
    """Where the bytes of an image or document are; which fields there are depends on the type."""

    type: Literal["base64", "url", "text", "content", "file"]
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    content: Any = None


@attrs.frozen(kw_only=True)
class _Image:
    source: _Source
    cache_control: Any = None


@attrs.frozen(kw_only=True)
class _Document:
    source: _Source
    title: str | None = None
    cache_control: Any = None


@attrs.frozen(kw_only=True)
class _SearchResult:
    source: str
    title: str
    content: tuple[_Text, ...]
    cache_control: Any = None


@attrs.frozen(kw_only=True)
class _ToolUse:
    id: str
    name: str
    input: Mapping[str, Any]
    cache_control: Any = None


_ResultContent = NewType("_ResultContent", list[Any])
"""The content of a tool's result: a text, or blocks."""


@attrs.frozen(kw_only=True)
class _ToolResult:
    tool_use_id: str
    content: _ResultContent | None = None
    is_error: bool | None = None
    cache_control: Any = None


@attrs.frozen(kw_only=True)
class _Thinking:
    thinking: str
    signature: str | None = None


@attrs.frozen(kw_only=True)
class _RedactedThinking:
    data: str


_SHAPES: dict[str, type] = {
    "text": _Text,
    "image": _Image,
    "document": _Document,
    "search_result": _SearchResult,
    "tool_use": _ToolUse,
    "tool_result": _ToolResult,
    "thinking": _Thinking,
    "redacted_thinking": _RedactedThinking,
}
"""The blocks that have a meaning elsewhere, by their `type`."""

_RESULT_TYPES = frozenset({"text", "image", "document", "search_result"})


def _result_content(_: Converter) -> Hook:
    def structure(value: Any, _: Any) -> Any:
        if type(value) is not str and type(value) is not list:
            raise Mismatch(describe_json(value), "a string or an array of content blocks")
        return value

    return structure


def _block_structurer() -> Structurer:
    structurer = Structurer(unknown_keys="ignored")
    structurer.converting_hook(_ResultContent, _result_content)
    return structurer


_BLOCKS = _block_structurer()


@attrs.define(eq=False)
class ContentReader:
    """Reads one conversation from its beginning; results of tools are named after their calls.

    `problems` are those of blocks that have no neutral form.
    """

    problems: list[Problem] = attrs.field(factory=list, init=False)
    _tool_names: dict[str, str] = attrs.field(factory=dict, init=False)

    def system(self, value: str | list[JsonValue]) -> tuple[Text, ...]:
        """The parts of a system text, without those that only Anthropic is meant to see."""
        parts = self._texts(value, "system")
        return tuple(part for part in parts if not part.text.startswith(BILLING_HEADER))

    def message(self, value: Mapping[str, Any], path: str) -> ModelMessage:
        """A turn, whose role and kind of content have been checked before."""
        role, content = value["role"], value["content"]
        if role == "system":
            blocks: tuple[ModelBlock, ...] = self._texts(content, f"{path}.content")
        elif isinstance(content, str):
            blocks = (Text(text=content),)
        else:
            blocks = tuple(self._blocks(content, f"{path}.content"))
        return ModelMessage(role=role, content=blocks)

    def _texts(self, value: str | list[JsonValue], path: str) -> tuple[Text, ...]:
        if isinstance(value, str):
            return (Text(text=value),)
        read = list(self._blocks(value, path))
        texts = tuple(block for block in read if isinstance(block, Text))
        if len(texts) < len(read):
            self.problems.append(Problem(path, "found another block; wanted text blocks only"))
        return texts

    def _blocks(self, values: list[Any], path: str) -> Iterable[ModelBlock]:
        for place, value in enumerate(values):
            yield from self._block(value, f"{path}[{place}]")

    def _block(self, value: dict[str, Any], path: str) -> list[ModelBlock]:
        # Agents send these three by the hundred, and to look at their shape takes ten times as
        # long as to use it; whatever is odd about one goes the long way.
        match value:
            case {"type": "text", "text": str(text)}:
                return [Text(text=text, cache_control=value.get("cache_control"))]
            case {"type": "tool_use", "id": str(), "name": str(), "input": dict()}:
                return [self._call(value)]
            case {"type": "tool_result", "tool_use_id": str(), "content": str()} if (
                type(value.get("is_error", False)) is bool
            ):
                return [self._plain_result(value)]
            case _:
                return self._any_block(value, path)

    def _any_block(self, value: dict[str, Any], path: str) -> list[ModelBlock]:
        kind = value.get("type")
        if not isinstance(kind, str):
            reason = f"found {describe_json(kind)}; wanted the type of a content block"
            self.problems.append(Problem(f"{path}.type", reason))
        elif (shape := _SHAPES.get(kind)) is not None:
            try:
                return self._neutral(_BLOCKS.structure(value, shape, path), path)
            except Malformed as error:
                self.problems += error.problems
        return [Unknown(data=value)]

    def _call(self, value: Mapping[str, Any]) -> ToolCall:
        self._tool_names[value["id"]] = value["name"]
        return ToolCall(
            id=value["id"],
            name=value["name"],
            arguments=encode_json(value["input"]).decode(),
            cache_control=value.get("cache_control"),
        )

    def _plain_result(self, value: Mapping[str, Any]) -> ToolResult:
        return ToolResult(
            id=value["tool_use_id"],
            name=self._tool_names.get(value["tool_use_id"], ""),
            result=value["content"],
            is_error=value.get("is_error", False),
            cache_control=value.get("cache_control"),
        )

    def _neutral(self, shape: Any, path: str) -> list[ModelBlock]:
        match shape:
            case _ToolUse():
                raise AssertionError("a call without a flaw goes the short way")
            case _ToolResult():
                return [self._result(shape, path)]
            case _Thinking():
                return [read_thought(shape.thinking, shape.signature or "")]
            case _RedactedThinking():
                return [read_thought(None, shape.data)]
            case _:
                return [*self._shown(shape, path)]

    def _shown(self, shape: Any, path: str) -> list[Text | File]:
        """The blocks that messages and results may hold alike. Raises Malformed."""
        match shape:
            case _Text():
                return [Text(text=shape.text, cache_control=shape.cache_control)]
            case _Image():
                return [_image(shape, path)]
            case _Document():
                return self._document(shape, path)
            case _SearchResult():
                lines = [shape.title, shape.source, *(each.text for each in shape.content)]
                return [Text(text="\n".join(lines), cache_control=shape.cache_control)]
            case _:
                raise AssertionError(f"no such block: {type(shape).__name__}")

    def _result(self, shape: _ToolResult, path: str) -> ToolResult:
        content: Any = "" if shape.content is None else shape.content
        if not isinstance(content, str):
            content = tuple(self._result_parts(content, f"{path}.content"))
        return ToolResult(
            id=shape.tool_use_id,
            name=self._tool_names.get(shape.tool_use_id, ""),
            result=content or "",
            is_error=bool(shape.is_error),
            cache_control=shape.cache_control,
        )

    def _result_parts(self, values: list[Any], path: str) -> Iterable[Text | File]:
        for place, value in enumerate(values):
            kind = value.get("type") if isinstance(value, dict) else None
            if isinstance(kind, str) and kind in _RESULT_TYPES:
                where = f"{path}[{place}]"
                yield from self._shown(_BLOCKS.structure(value, _SHAPES[kind], where), where)
            else:
                # What only this API knows is at least not lost.
                yield Text(text=encode_json(value).decode())

    def _document(self, shape: _Document, path: str) -> list[Text | File]:
        source, title, marks = shape.source, shape.title, shape.cache_control
        match source:
            case _Source(type="base64", data=str(data)):
                return [
                    Base64File(
                        data=data,
                        mime_type=source.media_type or PDF,
                        filename=title or "document.pdf",
                        cache_control=marks,
                    )
                ]
            case _Source(type="url", url=str(url)):
                name = title or "document.pdf"
                return [UrlFile(url=url, mime_type=PDF, filename=name, cache_control=marks)]
            case _Source(type="text", data=str(data)):
                text = f"{title}\n\n{data}" if title else data
                return [Text(text=text, cache_control=marks)]
            case _Source(type="content", content=str(text)):
                return [Text(text=text, cache_control=marks)]
            case _Source(type="content", content=list(parts)):
                return list(self._result_parts(parts, f"{path}.source.content"))
            case _:
                raise Malformed((_bad_source(source, path),))


def _image(shape: _Image, path: str) -> File:
    marks = shape.cache_control
    match shape.source:
        case _Source(type="base64", data=str(data), media_type=str(media_type)):
            return Base64File(data=data, mime_type=media_type, cache_control=marks)
        case _Source(type="url", url=str(url)):
            return UrlFile(url=url, mime_type=ANY_IMAGE, cache_control=marks)
        case source:
            raise Malformed((_bad_source(source, path),))


def _bad_source(source: _Source, path: str) -> Problem:
    if source.type == "file":
        reason = "found the id of a file; wanted the file itself, as no files are kept here"
    else:
        reason = f"found a source of type {source.type} without its fields; wanted its bytes or URL"
    return Problem(f"{path}.source", reason)

"""Content blocks: what messages are made of, on every side.

Each class has a `tag`, the value of `type` in its JSON form. Blocks of a request come in by
`lsd.conversation.input`; models are sent and give back a subset of them. `cache_control` is a
caller's mark for a provider's prompt cache, in the words of Anthropic's Messages; it says nothing
about the content, and is no part of the JSON form.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

import attrs

from lsd.conversation.json import JsonValue
from lsd.conversation.values import frozen

Role = Literal["user", "assistant"]
Detail = Literal["low", "high", "auto"]


@frozen
class Text:
    """Plain text."""

    tag: ClassVar[str] = "text"
    text: str
    cache_control: JsonValue = None


@frozen(kw_only=True)
class RawText:
    """Text that no template and no schema touches."""

    tag: ClassVar[str] = "raw_text"
    value: str


@frozen(kw_only=True)
class Template:
    """A place that the variant's template `name` fills in, rendered with `arguments`."""

    tag: ClassVar[str] = "template"
    name: str
    arguments: Mapping[str, JsonValue]


@frozen(kw_only=True)
class ToolCall:
    """A model's call of a tool. `arguments` is the text it wrote, valid JSON or not."""

    tag: ClassVar[str] = "tool_call"
    id: str
    name: str
    arguments: str
    cache_control: JsonValue = None


@frozen(kw_only=True)
class Thought:
    """A model's reasoning. `provider_type` set: only that type of provider may see it again."""

    tag: ClassVar[str] = "thought"
    text: str | None = None
    signature: str | None = None
    summary: tuple[Mapping[str, JsonValue], ...] | None = None
    provider_type: str | None = None
    extra_data: JsonValue = None


@frozen(kw_only=True)
class UrlFile:
    """A file that lies at `url`."""

    tag: ClassVar[str] = "file"
    file_type: ClassVar[str] = "url"
    url: str
    mime_type: str | None = None
    detail: Detail | None = None
    filename: str | None = None
    cache_control: JsonValue = attrs.field(default=None, eq=False)


@frozen(kw_only=True)
class Base64File:
    """A file whose bytes are here, as bare base64 in `data`."""

    tag: ClassVar[str] = "file"
    file_type: ClassVar[str] = "base64"
    data: str
    mime_type: str
    detail: Detail | None = None
    filename: str | None = None
    cache_control: JsonValue = attrs.field(default=None, eq=False)


@frozen(kw_only=True)
class StoredFile:
    """A file in the object store; `data` only when a reader of the store sends it back whole."""

    tag: ClassVar[str] = "file"
    file_type: ClassVar[str] = "object_storage_pointer"
    storage_path: JsonValue
    mime_type: str
    source_url: str | None = None
    detail: Detail | None = None
    filename: str | None = None
    data: str | None = None


File = UrlFile | Base64File | StoredFile


@frozen(kw_only=True)
class ToolResult:
    """What a tool gave back: a text, or text and files."""

    tag: ClassVar[str] = "tool_result"
    id: str
    name: str
    result: str | tuple[Text | File, ...]
    is_error: bool = False
    cache_control: JsonValue = None


@frozen(kw_only=True)
class Unknown:
    """A block of a provider's own kind, handed through as it is.

    With `model_name` or `provider_name` it belongs to that model or provider alone.
    """

    tag: ClassVar[str] = "unknown"
    data: JsonValue
    model_name: str | None = None
    provider_name: str | None = None


InputBlock = Text | RawText | Template | ToolCall | ToolResult | Thought | File | Unknown
"""What a message of a request may hold."""

ModelBlock = Text | ToolCall | ToolResult | Thought | File | Unknown
"""What a message to a model may hold: templates are rendered by then."""

OutputBlock = Text | ToolCall | Thought | Unknown
"""What a model gives back."""

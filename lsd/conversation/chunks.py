"""A streamed answer: pieces of content blocks, and what goes wrong between them.

These are made once for each token of each stream, so they are plain slotted classes, and those of
texts are made by position, which costs half of what keywords do.
"""

import attrs

from lsd.conversation.failure import AttemptFailed
from lsd.conversation.json import JsonValue
from lsd.conversation.usage import FinishReason, Usage


@attrs.define
class TextChunk:
    """A piece of the text block `id`."""

    id: str
    text: str


@attrs.define(kw_only=True)
class ToolCallChunk:
    """A piece of the tool call `id`: of its name, of its arguments, or of both."""

    id: str
    raw_name: str = ""
    raw_arguments: str = ""


@attrs.define(kw_only=True)
class ThoughtChunk:
    """A piece of the thought `id`; texts and signatures are concatenated."""

    id: str
    text: str | None = None
    signature: str | None = None
    summary_id: str | None = None
    summary_text: str | None = None
    provider_type: str | None = None
    extra_data: JsonValue = None


@attrs.define(kw_only=True)
class UnknownChunk:
    """A block of a provider's own kind, whole."""

    id: str
    data: JsonValue
    model_name: str | None = None
    provider_name: str | None = None


ContentChunk = TextChunk | ToolCallChunk | ThoughtChunk | UnknownChunk


@attrs.define
class ModelChunk:
    """What one event of a provider's stream says.

    `raw` is the event's payload as text, `document` the same decoded, `raw_usage` the provider's
    usage object as it came, `stop_sequence` the one of the request that ended the answer, if told.
    A chunk that opens a block or ends the answer makes the stream count as started.
    """

    content: list[ContentChunk] = attrs.Factory(list)
    raw: str = ""
    document: JsonValue = None
    usage: Usage | None = None
    raw_usage: JsonValue = None
    finish_reason: FinishReason | None = None
    stop_sequence: str | None = None


@attrs.define(kw_only=True)
class StreamFault:
    """Something went wrong in a stream that goes on (recoverable) or ends here (`fatal`).

    Before the first chunk with content the `failure` is that of the whole attempt. `raw` is the
    offending event's text where there was one.
    """

    failure: AttemptFailed
    fatal: bool
    raw: str | None = None


StreamEvent = ModelChunk | StreamFault

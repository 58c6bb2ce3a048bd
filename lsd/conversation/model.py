"""What a provider is asked and what it answers, in no provider's own words."""

from collections.abc import Mapping

import attrs

from lsd.conversation.content import ModelBlock, OutputBlock, Role
from lsd.conversation.json import JsonValue
from lsd.conversation.params import UNSET_PARAMS, ChatCompletionParams, JsonMode
from lsd.conversation.tools import ToolSet
from lsd.conversation.usage import FinishReason, Usage


@attrs.frozen(kw_only=True)
class ModelMessage:
    """One turn, rendered."""

    role: Role
    content: tuple[ModelBlock, ...]


@attrs.frozen(kw_only=True)
class ModelRequest:
    """One call of a model, the same for every provider that may serve it.

    `json_mode` is never `tool` here: that mode has become a forced tool by then. `is_all_json`:
    the caller reads the answer as JSON and nothing else, and may be helped towards it.
    """

    system: str | None = None
    messages: tuple[ModelMessage, ...]
    tools: ToolSet | None = None
    params: ChatCompletionParams = UNSET_PARAMS
    json_mode: JsonMode = "off"
    output_schema: Mapping[str, JsonValue] | None = None
    is_all_json: bool = False
    stream: bool = False


@attrs.frozen(kw_only=True)
class ModelResponse:
    """A provider's whole answer.

    `raw_usage` is its usage object as it came, if it sent one; `document` the decoded body, for
    whoever wants more of it than dialects pick out.
    """

    output: tuple[OutputBlock, ...]
    usage: Usage = Usage()
    raw_usage: JsonValue = None
    finish_reason: FinishReason | None = None
    document: JsonValue = None

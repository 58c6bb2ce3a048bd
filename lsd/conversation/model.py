"""What a provider is asked and what it answers, in no provider's own words."""

from collections.abc import Mapping
from typing import Literal

import attrs

from lsd.conversation.client_request import ClientRequest
from lsd.conversation.content import ModelBlock, OutputBlock, Role, Text
from lsd.conversation.json import JsonValue
from lsd.conversation.params import UNSET_PARAMS, ChatCompletionParams, JsonMode
from lsd.conversation.tools import ToolSet
from lsd.conversation.usage import FinishReason, Usage
from lsd.conversation.values import frozen

ModelRole = Role | Literal["system"]


@frozen
class ModelMessage:
    """One turn, rendered; of role `system` an instruction in the middle of the conversation."""

    role: ModelRole
    content: tuple[ModelBlock, ...]


@frozen
class ModelRequest:
    """One call of a model, the same for every provider that may serve it.

    `json_mode` is never `tool` here: that mode has become a forced tool by then. `is_all_json`:
    the caller reads the answer as JSON and nothing else, and may be helped towards it.
    `is_text`: it is known to hold nothing but text, which is the same for all models.
    `is_schema_strict`: providers that can are to hold the answer to `output_schema`.
    `system_blocks` are the parts of which `system` was joined, if there were parts. `user` names
    the caller's own user.
    `client`: the request came to a compatible endpoint, in these words.
    """

    messages: tuple[ModelMessage, ...]
    system: str | None = None
    tools: ToolSet | None = None
    params: ChatCompletionParams = UNSET_PARAMS
    json_mode: JsonMode = "off"
    output_schema: Mapping[str, JsonValue] | None = None
    is_all_json: bool = False
    stream: bool = False
    is_text: bool = attrs.field(default=False, eq=False)
    # So far those that a function has a word in.
    system_blocks: tuple[Text, ...] = ()
    top_k: int | None = None
    is_schema_strict: bool = True
    user: str | None = None
    client: ClientRequest | None = None


@attrs.define
class ModelResponse:
    """A provider's answer: a whole one, or what has arrived of a stream, with which it grows.

    `raw_usage` is its usage object as it came, if it sent one; `document` the decoded body, for
    whoever wants more of it than dialects pick out. `stop_sequence`: the one of the request that
    ended the answer, if told.
    """

    output: tuple[OutputBlock, ...]
    usage: Usage = Usage()
    raw_usage: JsonValue = None
    finish_reason: FinishReason | None = None
    stop_sequence: str | None = None
    document: JsonValue = None

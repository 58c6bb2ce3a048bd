"""The neutral vocabulary that all rooms share, and nothing that acts.

*Input* is what a caller sends, in *content blocks*; a *model request* and its *response* or
*chunks* are what goes to a model and comes back; a *wire request* is HTTP before it is sent. Ids,
JSON, JSON Schemas and the strict reading of documents into attrs classes live here, too.
"""

from lsd.conversation.blocks_json import block_to_json, input_to_json, thought_to_json
from lsd.conversation.chunks import (
    ContentChunk,
    ModelChunk,
    StreamEvent,
    StreamFault,
    TextChunk,
    ThoughtChunk,
    ToolCallChunk,
    UnknownChunk,
)
from lsd.conversation.content import (
    Base64File,
    Detail,
    File,
    InputBlock,
    ModelBlock,
    OutputBlock,
    RawText,
    Role,
    StoredFile,
    Template,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Unknown,
    UrlFile,
)
from lsd.conversation.errors import LsdError, Malformed, Problem
from lsd.conversation.extras import NO_EDITS, BodyEdit, Edits, HeaderEdit
from lsd.conversation.failure import TRANSIENT_KINDS, AttemptFailed, FailureKind
from lsd.conversation.files import mime_type_of, mime_type_of_base64
from lsd.conversation.ids import BadId, IdGenerator, id_time_ms, is_version_7, parse_id
from lsd.conversation.input import Input, InputMessage, register_input
from lsd.conversation.json import (
    Fragment,
    JsonValue,
    NotJson,
    decimal_text,
    decode_json,
    describe_json,
    encode_json,
    encode_json_sorted,
    reread_json,
)
from lsd.conversation.model import ModelMessage, ModelRequest, ModelResponse
from lsd.conversation.params import (
    PARAM_NAMES,
    UNSET_PARAMS,
    ChatCompletionParams,
    JsonMode,
    ServiceTier,
)
from lsd.conversation.problems import (
    METADATA_KEY,
    Mismatch,
    at,
    join_path,
    unknown_key,
    wrong_tag,
)
from lsd.conversation.schema import BadSchema, Schema, SchemaCache
from lsd.conversation.spelling import closest
from lsd.conversation.structure import Hook, Structurer
from lsd.conversation.templating import new_template_environment, printed, render_template
from lsd.conversation.tools import (
    CustomTool,
    FunctionTool,
    ProviderTool,
    SpecificTool,
    Tool,
    ToolChoice,
    ToolSet,
)
from lsd.conversation.usage import ApiType, FinishReason, Usage
from lsd.conversation.wire import ScriptedAnswer, WireRequest

__all__ = [
    "METADATA_KEY",
    "NO_EDITS",
    "PARAM_NAMES",
    "TRANSIENT_KINDS",
    "UNSET_PARAMS",
    "ApiType",
    "AttemptFailed",
    "BadId",
    "BadSchema",
    "Base64File",
    "BodyEdit",
    "ChatCompletionParams",
    "ContentChunk",
    "CustomTool",
    "Detail",
    "Edits",
    "FailureKind",
    "File",
    "FinishReason",
    "Fragment",
    "FunctionTool",
    "HeaderEdit",
    "Hook",
    "IdGenerator",
    "Input",
    "InputBlock",
    "InputMessage",
    "JsonMode",
    "JsonValue",
    "LsdError",
    "Malformed",
    "Mismatch",
    "ModelBlock",
    "ModelChunk",
    "ModelMessage",
    "ModelRequest",
    "ModelResponse",
    "NotJson",
    "OutputBlock",
    "Problem",
    "ProviderTool",
    "RawText",
    "Role",
    "Schema",
    "SchemaCache",
    "ScriptedAnswer",
    "ServiceTier",
    "SpecificTool",
    "StoredFile",
    "StreamEvent",
    "StreamFault",
    "Structurer",
    "Template",
    "Text",
    "TextChunk",
    "Thought",
    "ThoughtChunk",
    "Tool",
    "ToolCall",
    "ToolCallChunk",
    "ToolChoice",
    "ToolResult",
    "ToolSet",
    "Unknown",
    "UnknownChunk",
    "UrlFile",
    "Usage",
    "WireRequest",
    "at",
    "block_to_json",
    "closest",
    "decimal_text",
    "decode_json",
    "describe_json",
    "encode_json",
    "encode_json_sorted",
    "id_time_ms",
    "input_to_json",
    "is_version_7",
    "join_path",
    "mime_type_of",
    "mime_type_of_base64",
    "new_template_environment",
    "parse_id",
    "printed",
    "register_input",
    "render_template",
    "reread_json",
    "thought_to_json",
    "unknown_key",
    "wrong_tag",
]

"""What the offline provider answers: a rendered text, tool calls asked for by name, or JSON."""

import re
from collections.abc import Iterable
from hashlib import sha256

import attrs
import minijinja

from lsd.conversation import (
    BadSchema,
    Base64File,
    CustomTool,
    FinishReason,
    FunctionTool,
    JsonValue,
    LsdError,
    ModelBlock,
    ModelRequest,
    NotJson,
    SchemaCache,
    SpecificTool,
    StoredFile,
    Text,
    Thought,
    Tool,
    ToolCall,
    ToolResult,
    ToolSet,
    Unknown,
    UrlFile,
    Usage,
    decode_json,
    encode_json,
    new_template_environment,
)
from lsd.providers.echo_instance import WORD, instance_of

BYTES_PER_TOKEN = 4
"""About what English has in the tokenizers of today."""

TOKENS_PER_FILE = 1000

RESPOND = "respond"
"""The tool that stands for the answer of a JSON function whose JSON comes by a forced call."""

_CALL_LINE = re.compile(r"call\s+(\S+)(?:\s+(\{.*\}))?")

_REPLY = "reply"


@attrs.define(eq=False)
class ReplyFailed(LsdError):
    """The reply's template could not be rendered."""

    reason: str

    def __str__(self) -> str:
        return f"echo: reply: {self.reason}"


@attrs.frozen(kw_only=True)
class Reply:
    """A whole answer: a text, perhaps empty, or calls."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    finish_reason: FinishReason
    usage: Usage


class Replier:
    """Answers as one configured provider; equal requests get equal answers."""

    def __init__(self, *, model_name: str, reply: str) -> None:
        self._model_name = model_name
        self._templates = new_template_environment()
        self._templates.add_template(_REPLY, reply)
        self._schemas = SchemaCache()

    def reply_to(self, request: ModelRequest) -> Reply:
        """The answer. Raises ReplyFailed."""
        text = _last_user_text(request)
        calls = () if request.tools is None else self._calls(request.tools, text)
        if calls:
            size = sum(len(call.arguments.encode()) for call in calls)
            return Reply(calls=calls, finish_reason="tool_call", usage=_usage(request, size))
        said, finish_reason = _cut(self._said(request, text), request)
        usage = _usage(request, len(said.encode()))
        return Reply(text=said, finish_reason=finish_reason, usage=usage)

    def _said(self, request: ModelRequest, text: str) -> str:
        if request.json_mode != "off":
            return self._json(request.output_schema, text)
        results = _last_tool_results(request)
        if results:
            return "\n".join(_result_text(result) for result in results)
        try:
            return self._templates.render_template(
                _REPLY,
                text=text,
                system=request.system or "",
                model=self._model_name,
                message_count=len(request.messages),
            )
        except minijinja.TemplateError as error:
            raise ReplyFailed(error.message) from None

    def _json(self, schema: JsonValue, text: str) -> str:
        if self._accepts(schema, text):
            return text
        value = {"echo": text} if schema is None else instance_of(schema)
        return encode_json(value).decode()

    def _accepts(self, schema: JsonValue, text: str) -> bool:
        """Whether `text` is JSON that fits; a schema that is none fits nothing."""
        try:
            value = decode_json(text)
            return schema is None or self._schemas.compile(schema).accepts(value)
        except (NotJson, BadSchema):
            return False

    def _calls(self, tools: ToolSet, text: str) -> tuple[ToolCall, ...]:
        asked = self._asked_calls(tools, text)
        if tools.parallel is False:
            asked = asked[:1]
        return tuple(
            ToolCall(id=_call_id(position, name, arguments), name=name, arguments=arguments)
            for position, (name, arguments) in enumerate(asked)
        )

    def _asked_calls(self, tools: ToolSet, text: str) -> list[tuple[str, str]]:
        """Names and arguments, in order."""
        available = [
            tool for tool in tools.tools if tools.allowed is None or tool.name in tools.allowed
        ]
        match tools.choice:
            case "none":
                return []
            case "auto":
                by_name = {tool.name: tool for tool in available}
                return [
                    (name, self._arguments(by_name[name], given))
                    for name, given in _call_lines(text)
                    if name in by_name
                ]
            case "required":
                forced = available[:1]
            case SpecificTool(name=wanted):
                forced = [tool for tool in tools.tools if tool.name == wanted][:1]
        return [(tool.name, self._forced_arguments(tool, text)) for tool in forced]

    def _forced_arguments(self, tool: Tool, text: str) -> str:
        if isinstance(tool, FunctionTool) and tool.name == RESPOND:
            return self._json(tool.parameters, text)
        given = next((given for name, given in _call_lines(text) if name == tool.name), None)
        return self._arguments(tool, given)

    def _arguments(self, tool: Tool, given: str | None) -> str:
        if given is not None and (isinstance(tool, CustomTool) or self._accepts(None, given)):
            return given
        if isinstance(tool, CustomTool):
            return WORD
        return encode_json(instance_of(tool.parameters)).decode()


def _last_user_text(request: ModelRequest) -> str:
    for message in reversed(request.messages):
        if message.role == "user":
            return "\n".join(block.text for block in message.content if isinstance(block, Text))
    return ""


def _last_tool_results(request: ModelRequest) -> list[ToolResult]:
    if not request.messages:
        return []
    return [block for block in request.messages[-1].content if isinstance(block, ToolResult)]


def _result_text(result: ToolResult) -> str:
    if isinstance(result.result, str):
        return result.result
    return "\n".join(block.text for block in result.result if isinstance(block, Text))


def _call_lines(text: str) -> list[tuple[str, str | None]]:
    """The lines `call NAME` and `call NAME {…}`: names, and arguments as they are written."""
    matches = (_CALL_LINE.fullmatch(line.strip()) for line in text.splitlines())
    return [(match.group(1), match.group(2)) for match in matches if match is not None]


def _call_id(position: int, name: str, arguments: str) -> str:
    digest = sha256("\0".join((str(position), name, arguments)).encode()).hexdigest()
    return f"call_{digest[:24]}"


def _cut(text: str, request: ModelRequest) -> tuple[str, FinishReason]:
    """The text up to where the model would have stopped, and why it stopped there."""
    found = (text.find(stop) for stop in request.params.stop_sequences or () if stop)
    stopped_at = min((place for place in found if place >= 0), default=len(text))
    limit = request.params.max_tokens
    if limit is not None and len(text[:stopped_at].encode()) > limit * BYTES_PER_TOKEN:
        return text.encode()[: limit * BYTES_PER_TOKEN].decode(errors="ignore"), "length"
    return text[:stopped_at], "stop" if stopped_at == len(text) else "stop_sequence"


def _usage(request: ModelRequest, output_bytes: int) -> Usage:
    blocks = [block for message in request.messages for block in message.content]
    texts, files = _counted(blocks)
    size = len((request.system or "").encode()) + sum(len(text.encode()) for text in texts)
    return Usage(
        input_tokens=_tokens(size) + files * TOKENS_PER_FILE, output_tokens=_tokens(output_bytes)
    )


def _counted(blocks: Iterable[ModelBlock]) -> tuple[list[str], int]:
    """The texts in the blocks, and how many files; what others have thought does not count."""
    texts: list[str] = []
    files = 0
    for block in blocks:
        match block:
            case Text():
                texts.append(block.text)
            case ToolCall():
                texts.append(block.arguments)
            case ToolResult(result=result):
                inner, more = ([result], 0) if isinstance(result, str) else _counted(result)
                texts += inner
                files += more
            case UrlFile() | Base64File() | StoredFile():
                files += 1
            case Thought() | Unknown():
                pass
    return texts, files


def _tokens(size: int) -> int:
    return -(-size // BYTES_PER_TOKEN)

"""The contents of a request to Gemini: turns that alternate, made of parts."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any, assert_never

import attrs

from lsd.conversation import (
    Base64File,
    File,
    ModelBlock,
    ModelMessage,
    StoredFile,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Unknown,
    UrlFile,
)
from lsd.providers._gemini_target import Body, Encoding
from lsd.providers._inline_files import inline_file
from lsd.providers._tool_requests import arguments_object

SKIP_SIGNATURE = "skip_thought_signature_validator"
"""What Google takes in place of the signature of a call that another model made; without one,
Gemini 3 refuses the call. Source: Google's page "Thought signatures"."""

_SIGNATURE = "thoughtSignature"
_ROLES = {"user": "user", "assistant": "model", "system": "user"}


def gemini_contents(encoding: Encoding) -> list[Body]:
    """All turns. Messages of one role in a row are one turn, and nothing is sent of empty ones.

    Raises AttemptFailed (config) for a block that cannot be sent, and if there is no turn.
    """
    turns = [_turn(message, encoding) for message in encoding.request.messages]
    contents: list[Body] = []
    for role, joined in groupby(filter(_Turn.parts, turns), key=lambda turn: turn.role):
        parts = _joined(joined).parts()
        if role == "model":
            _let_calls_pass(parts)
        contents.append({"role": role, "parts": parts})
    if not contents:
        name = encoding.target.provider_name
        raise encoding.refusal(f'provider "{name}" requires at least one message')
    return contents


def system_instruction(encoding: Encoding) -> Body | None:
    """The system text, and behind it what was to be said in the middle of the conversation."""
    request = encoding.request
    texts = [request.system or ""]
    for message in request.messages:
        if message.role == "system":
            texts += [block.text for block in message.content if isinstance(block, Text)]
    parts = [{"text": text} for text in texts if text.strip()]
    return {"parts": parts} if parts else None


@attrs.define(eq=False)
class _Turn:
    """The parts of one turn: the API wants results of tools first, and nothing between them."""

    role: str
    results: list[Any] = attrs.field(factory=list)
    files_of_results: list[Any] = attrs.field(factory=list)
    others: list[Any] = attrs.field(factory=list)

    def parts(self) -> list[Any]:
        return [*self.results, *self.files_of_results, *self.others]


def _joined(turns: Iterable[_Turn]) -> _Turn:
    first, *more = turns
    for turn in more:
        first.results += turn.results
        first.files_of_results += turn.files_of_results
        first.others += turn.others
    return first


def _turn(message: ModelMessage, encoding: Encoding) -> _Turn:
    turn = _Turn(_ROLES[message.role])
    if message.role == "system":
        return turn  # said elsewhere
    signature: str | None = None
    for place, block in enumerate(message.content):
        if isinstance(block, Thought) and block.text is None:
            if block.signature:
                after = message.content[place + 1 :]
                signature = _carried(block.signature, after, turn.others, encoding)
            continue
        if isinstance(block, ToolResult):
            made = _tool_result(block, turn, encoding)
            turn.results.append(made)
        else:
            made = _part(block, encoding)
            turn.others.append(made)
        if signature is not None:
            made[_SIGNATURE] = signature
            signature = None
    return turn


def _carried(
    signature: str, after: tuple[ModelBlock, ...], before: list[Any], encoding: Encoding
) -> str | None:
    """The signature, if the part of the next block is to carry it.

    At the end, where streams put one, and before what carries its own, the text right before it
    takes it.
    """
    if after and not isinstance(after[0], Thought | Unknown):
        return signature
    if after and isinstance(after[0], Unknown) and _has(after[0].data, _SIGNATURE):
        return None  # the same one: it was told once as a thought and once in its part
    if before and _has(before[-1], "text") and not _has(before[-1], _SIGNATURE):
        before[-1] = {**before[-1], _SIGNATURE: signature}
    else:
        encoding.leave_out("thought", hint="there is no part beside it that could carry it")
    return None


def _has(part: Any, key: str) -> bool:
    return isinstance(part, dict) and key in part


def _let_calls_pass(parts: list[Any]) -> None:
    calls = [place for place, part in enumerate(parts) if _has(part, "functionCall")]
    if calls and not any(_has(parts[place], _SIGNATURE) for place in calls):
        parts[calls[0]] = {**parts[calls[0]], _SIGNATURE: SKIP_SIGNATURE}


def _part(block: Text | ToolCall | Thought | File | Unknown, encoding: Encoding) -> Any:
    match block:
        case Text():
            return {"text": block.text}
        case ToolCall():
            arguments = arguments_object(block, encoding)
            return {"functionCall": {"name": block.name, "args": arguments}}
        case Thought():
            made = {"text": block.text, "thought": True}
            return {**made, _SIGNATURE: block.signature} if block.signature else made
        case UrlFile() | Base64File() | StoredFile():
            return _file(block, encoding)
        case Unknown():
            return block.data
        case never:
            assert_never(never)


def _file(file: File, encoding: Encoding) -> Body:
    if file.detail is not None:
        encoding.leave_out("detail")
    inline = inline_file(file, encoding)
    return {"inlineData": {"mimeType": inline.mime_type, "data": inline.data}}


def _tool_result(block: ToolResult, turn: _Turn, encoding: Encoding) -> Body:
    """The part of the texts; those of the files go to the end of the turn's results."""
    parts = (Text(text=block.result),) if isinstance(block.result, str) else block.result
    texts = []
    for part in parts:
        if isinstance(part, Text):
            texts.append(part.text)
        else:
            turn.files_of_results.append(_file(part, encoding))
    told = "error" if block.is_error else "content"
    response = {"name": block.name, told: "\n\n".join(texts)}
    return {"functionResponse": {"name": block.name, "response": response}}

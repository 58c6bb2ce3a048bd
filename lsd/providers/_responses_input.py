"""The input of OpenAI's Responses API: a flat list of items in the order of what was said."""

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
from lsd.providers._openai_family import Body, Encoding
from lsd.providers._openai_files import file_part
from lsd.providers._openai_messages import custom_tool_names, system_text
from lsd.providers._tool_results import result_text
from lsd.providers.tool_call_ids import fitting_tool_call_id


def input_items(encoding: Encoding) -> list[Body]:
    """All items. Raises AttemptFailed (config) for a block that its message cannot hold."""
    writer = _ItemWriter(encoding, custom_tool_names(encoding))
    system = system_text(encoding)
    if system is not None:
        writer.say("system", {"type": "input_text", "text": system})
    for message in encoding.request.messages:
        writer.end_message()
        for block in message.content:
            writer.take(message, block)
    writer.end_message()
    arrange = encoding.member.arrange_messages
    return writer.items if arrange is None else arrange(writer.items, encoding)


@attrs.define(eq=False)
class _ItemWriter:
    """Neighbouring texts and files of one turn are one message; all else is an item of its own."""

    encoding: Encoding
    custom_names: frozenset[str]
    items: list[Body] = attrs.field(factory=list, init=False)
    _open: Body | None = attrs.field(default=None, init=False)
    _attached: list[File] = attrs.field(factory=list, init=False)

    def say(self, role: str, part: Body) -> None:
        """A part of the message that is being written."""
        if self._open is None:
            self._open = {"type": "message", "role": role, "content": []}
            self.items.append(self._open)
        self._open["content"].append(part)

    def end_message(self) -> None:
        """What comes next is another item."""
        self._open = None
        if self._attached:
            attached, self._attached = self._attached, []
            for file in attached:
                self.say("user", self._file_part(file))

    def take(self, message: ModelMessage, block: ModelBlock) -> None:
        """Writes one block of a turn."""
        if self._attached and not isinstance(block, ToolResult):
            self.end_message()
        match block:
            case Text():
                kind = "output_text" if message.role == "assistant" else "input_text"
                role = "developer" if message.role == "system" else message.role
                self.say(role, {"type": kind, "text": block.text})
            case UrlFile() | Base64File() | StoredFile():
                if message.role == "assistant":
                    raise self.encoding.refusal("found a file in an assistant message")
                self.say(message.role, self._file_part(block))
            case ToolCall():
                if message.role != "assistant":
                    raise self.encoding.refusal(f"found tool_call {block.id!r} in a user message")
                self._add(self._tool_call(block))
            case ToolResult():
                if message.role == "assistant":
                    reason = f"found tool_result {block.id!r} in an assistant message"
                    raise self.encoding.refusal(reason)
                self._add(self._tool_result(block))
            case Thought():
                self._take_thought(message, block)
            case Unknown():
                self._add(block.data)
            case never:
                assert_never(never)

    def _add(self, item: Any) -> None:
        self._open = None
        self.items.append(item)

    def _file_part(self, file: File) -> Body:
        """The part of a chat message under the names of this API, which has no audio."""
        part = file_part(file, self.encoding)
        match part["type"]:
            case "image_url":
                image = part["image_url"]
                return {"type": "input_image", "image_url": image.pop("url"), **image}
            case "file":
                return {"type": "input_file", **part["file"]}
            case _:
                raise self.encoding.refusal("found audio; the Responses API takes none")

    def _tool_call(self, block: ToolCall) -> Body:
        identifier = fitting_tool_call_id(block.id, self.encoding.member.tool_call_ids)
        if block.name in self.custom_names:
            return {
                "type": "custom_tool_call",
                "call_id": identifier,
                "name": block.name,
                "input": block.arguments,
            }
        return {
            "type": "function_call",
            "call_id": identifier,
            "name": block.name,
            "arguments": block.arguments,
        }

    def _tool_result(self, block: ToolResult) -> Body:
        is_custom = block.name in self.custom_names
        return {
            "type": "custom_tool_call_output" if is_custom else "function_call_output",
            "call_id": fitting_tool_call_id(block.id, self.encoding.member.tool_call_ids),
            "output": result_text(block, self._attached),
        }

    def _take_thought(self, message: ModelMessage, block: Thought) -> None:
        if message.role != "assistant":
            self.encoding.leave_out("thought in a user message")
        elif block.signature is None:
            self.encoding.leave_out("thought without signature")
        else:
            summary = [{"type": "summary_text", **each} for each in block.summary or ()]
            self._add(
                {"type": "reasoning", "encrypted_content": block.signature, "summary": summary}
            )

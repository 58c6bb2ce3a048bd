"""Items of the output of a response: messages, calls of tools, and thoughts."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from lsd.conversation import OutputBlock, Text, Thought, ToolCall, foreign_signature

Status = Literal["in_progress", "completed", "incomplete"]

Item = dict[str, Any]

MESSAGE, FUNCTION_CALL, CUSTOM_CALL, REASONING = "msg", "fc", "ctc", "rs"
"""How the ids of items begin."""


def item_id(kind: str, answer: str, place: int) -> str:
    """The id of the item at a place of an answer, whose id has these digits."""
    return f"{kind}_{answer}_{place}"


def output_items(
    answer: str, output: Sequence[OutputBlock], custom_names: frozenset[str], last: Status
) -> list[Item]:
    """All items of a whole answer; `last` is the status of the last one."""
    items: list[Item] = []
    for block in output:
        place = len(items)
        match block:
            case Text() if items and items[-1]["type"] == "message":
                items[-1]["content"].append(text_part(block.text))
            case Text():
                items.append(message_item(item_id(MESSAGE, answer, place), [block.text]))
            case ToolCall():
                is_custom = block.name in custom_names
                identifier = item_id(CUSTOM_CALL if is_custom else FUNCTION_CALL, answer, place)
                text = block.arguments if is_custom or block.arguments.strip() else "{}"
                call = (block.id, block.name, text)
                items.append(call_item(identifier, *call, is_custom=is_custom))
            case Thought():
                identifier = item_id(REASONING, answer, place)
                items.append(reasoning_item(identifier, block, _visible(block)))
            case _:
                pass  # of another provider's own kind
    if items:
        items[-1]["status"] = last
    return items


def message_item(identifier: str, texts: Iterable[str], status: Status = "completed") -> Item:
    """What the model says, in one or more parts."""
    return {
        "id": identifier,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": [text_part(text) for text in texts],
    }


def call_item(
    identifier: str,
    call_id: str,
    name: str,
    text: str,
    status: Status = "completed",
    *,
    is_custom: bool,
) -> Item:
    """A call of a tool; `text` are its arguments."""
    return {
        "id": identifier,
        "type": "custom_tool_call" if is_custom else "function_call",
        "status": status,
        "call_id": call_id,
        "name": name,
        "input" if is_custom else "arguments": text,
    }


def reasoning_item(
    identifier: str, thought: Thought, summary: Iterable[str], status: Status = "completed"
) -> Item:
    """A thought: what is shown of it, and sealed what its provider wants back.

    It is sealed whether a client asks for it or not, as nobody else keeps it.
    """
    sealed = None if thought.provider_type is None else foreign_signature(thought)
    return {
        "id": identifier,
        "type": "reasoning",
        "status": status,
        "summary": [summary_part(text) for text in summary],
        "encrypted_content": sealed,
    }


def text_part(text: str) -> Item:
    """A part of a message."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def summary_part(text: str) -> Item:
    """A part of what is shown of a thought."""
    return {"type": "summary_text", "text": text}


def _visible(thought: Thought) -> list[str]:
    """The text of a thought, else its summaries."""
    if thought.text is not None:
        return [thought.text]
    return [str(each.get("text", "")) for each in thought.summary or ()]

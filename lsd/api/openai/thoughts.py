"""Thoughts as OpenAI's clients see them: `reasoning_content`, and details that can come back.

The details say which provider has thought, and carry what it wants back, so that a client that
sends them again needs nobody's memory.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lsd.conversation import OutputBlock, Thought, ToolCall

GEMINI_TYPES = ("google_ai_studio_gemini", "gcp_vertex_gemini")
"""Types that want the signature of a thought back with the call that it led to."""


def visible_text(thought: Thought) -> str:
    """What a thought says: its text, else its summaries."""
    if thought.text is not None or not thought.summary:
        return thought.text or ""
    return "\n\n".join(str(each.get("text", "")) for each in thought.summary)


def reasoning_fields(thoughts: Sequence[Thought]) -> dict[str, Any]:
    """`reasoning_content` and `reasoning_details` of a message, as far as there is anything."""
    fields: dict[str, Any] = {}
    text = "\n\n".join(said for thought in thoughts if (said := visible_text(thought)))
    if text:
        fields["reasoning_content"] = text
    details = [
        detail for index, thought in enumerate(thoughts) for detail in details_of(thought, index)
    ]
    if details:
        fields["reasoning_details"] = details
    return fields


def details_of(thought: Thought, index: int) -> list[dict[str, Any]]:
    """The details of the thought at this place among the thoughts."""
    shared = {"index": index, "format": thought.provider_type or "unknown"}
    details: list[dict[str, Any]] = []
    if thought.text is not None:
        said = {"type": "reasoning.text", "text": thought.text}
        if thought.signature is not None:
            said["signature"] = thought.signature
        details.append({**said, **shared})
    details += [
        {"type": "reasoning.summary", "summary": each.get("text", ""), **shared}
        for each in thought.summary or ()
    ]
    if thought.text is None and thought.signature is not None:
        details.append({"type": "reasoning.encrypted", "data": thought.signature, **shared})
    return details


def call_extras(blocks: Sequence[OutputBlock], place: int) -> dict[str, Any]:
    """What stands beside the call at `place`: the signature of the thought that led to it."""
    before = blocks[place - 1] if place else None
    if not isinstance(blocks[place], ToolCall) or not isinstance(before, Thought):
        return {}
    return signed_call(before.provider_type, before.signature)


def signed_call(provider_type: str | None, signature: str | None) -> dict[str, Any]:
    """The place where Google's own servers put the signature of a call."""
    if provider_type not in GEMINI_TYPES or signature is None:
        return {}
    return {"extra_content": {"google": {"thought_signature": signature}}}


def call_signature(call: Mapping[str, Any]) -> str | None:
    """The signature that a client sends back with a call."""
    match call.get("extra_content"):
        case {"google": {"thought_signature": str(signature)}}:
            return signature
        case _:
            return None


def read_thoughts(message: Mapping[str, Any]) -> list[Thought]:
    """The thoughts of a turn that a client sends back; the details count before the plain text."""
    details = message.get("reasoning_details")
    if isinstance(details, list) and details:
        return _from_details([each for each in details if isinstance(each, dict)])
    text = message.get("reasoning_content") or message.get("reasoning")
    return [Thought(text=text)] if isinstance(text, str) and text else []


def _from_details(details: list[dict[str, Any]]) -> list[Thought]:
    by_index: dict[int, list[dict[str, Any]]] = {}
    for place, detail in enumerate(details):
        index = detail.get("index")
        by_index.setdefault(index if isinstance(index, int) else place, []).append(detail)
    return [_thought(by_index[index]) for index in sorted(by_index)]


def _thought(details: list[dict[str, Any]]) -> Thought:
    """The thought that these details belong to."""
    texts = [text for each in details if isinstance(text := each.get("text"), str)]
    signatures = [
        value
        for each in details
        if isinstance(value := each.get("signature", each.get("data")), str)
    ]
    summaries = tuple(
        {"type": "summary_text", "text": text}
        for each in details
        if isinstance(text := each.get("summary"), str)
    )
    formats = [kind for each in details if isinstance(kind := each.get("format"), str)]
    return Thought(
        text="".join(texts) if texts else None,
        signature="".join(signatures) if signatures else None,
        summary=summaries or None,
        provider_type=formats[0] if formats else None,
    )

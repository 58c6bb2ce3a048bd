"""Thoughts in chat messages: put back where they came from, and read from where they stand."""

from typing import Any

from lsd.config import PROVIDER_TYPES
from lsd.conversation import Thought, ThoughtChunk
from lsd.providers._openai_family import Body, Encoding, Received, Target
from lsd.providers._think_tags import CLOSING, OPENING

FROM_TAGS = "think_tags"
FROM_FIELD = "reasoning_field"
"""Where a thought stood: `extra_data.reasoning_format`, for providers that use both ways."""

FIELD_CHUNK_ID = "3"

_REASONING_KEYS = ("reasoning_content", "reasoning")


def put_thoughts(message: Body, thoughts: list[Thought], encoding: Encoding) -> None:
    """Puts `thoughts` into an assistant message, in the reasoning field or as tags in its text.

    Raises AttemptFailed (config) for a thought of an unknown format.
    """
    texts = [thought.text for thought in put_tagged(message, thoughts, encoding) if thought.text]
    if texts:
        message[encoding.member.reasoning_key] = "\n\n".join(texts)


def put_tagged(message: Body, thoughts: list[Thought], encoding: Encoding) -> list[Thought]:
    """Puts back those thoughts that were tags in the text, and returns the others.

    Thoughts that say nothing are left out of both. Raises AttemptFailed (config).
    """
    tagged: list[str] = []
    others: list[Thought] = []
    for thought in thoughts:
        place = _format_of(thought)
        if place not in (None, FROM_FIELD, FROM_TAGS):
            raise encoding.refusal(
                f"found a thought of reasoning_format {place!r}; wanted {FROM_TAGS} or {FROM_FIELD}"
            )
        if place == FROM_TAGS and thought.text:
            tagged.append(thought.text)
        elif thought.text or encoding.member.takes_thoughts_without_text:
            others.append(thought)
        else:
            encoding.leave_out("thought without text")
    if tagged:
        _put_in_front(message, "\n\n".join(tagged))
    return others


def put_thoughts_back(message: Body, encoding: Encoding) -> None:
    """Leaves of a client's turn those thoughts that its provider has made, as it wants them.

    Where they come from stands in their details; without any, they are taken for the provider's.
    """
    member, kind = encoding.member, encoding.target.thought_type
    details = message.get("reasoning_details")
    if member.takes_details:
        message.pop("reasoning_content", None)
        if isinstance(details, list):
            message["reasoning_details"] = [each for each in details if _is_of(each, kind)]
        return
    named = [name for name in _REASONING_KEYS if name in message]
    if isinstance(details, list) and details:
        texts = [each.get("text") for each in details if _is_from(each, kind)]
    else:
        texts = [message[name] for name in named[:1]]
    for name in (*named, "reasoning_details"):
        message.pop(name, None)
    text = "\n\n".join(text for text in texts if isinstance(text, str) and text)
    if not member.takes_back_thoughts:
        return
    if member.always_has_content:
        message.setdefault("content", None)
    thoughts = [Thought(text=text, provider_type=kind)] if text else []
    (member.put_thoughts or put_thoughts)(message, thoughts, encoding)


def _is_from(detail: Any, provider_type: str) -> bool:
    return isinstance(detail, dict) and detail.get("format") == provider_type


def _is_of(detail: Any, provider_type: str) -> bool:
    """Whether a detail may be the provider's own: LSD has not written another type into it."""
    found = detail.get("format") if isinstance(detail, dict) else None
    if found == provider_type or not isinstance(found, str):
        return True
    return found.partition("::")[0] not in PROVIDER_TYPES


def leave_out_thoughts(thoughts: list[Thought], encoding: Encoding) -> None:
    """For types that do not want their thoughts back."""
    if thoughts:
        encoding.leave_out("thought")


def read_thoughts(message: Received, target: Target) -> list[ThoughtChunk]:
    """The thought in the reasoning field of a message or delta, of whichever name."""
    text = message.get("reasoning") or message.get("reasoning_content")
    return [thought_chunk(text, target)] if isinstance(text, str) and text else []


def thought_chunk(text: str, target: Target) -> ThoughtChunk:
    """A piece of the thought that stands in a field of its own."""
    return ThoughtChunk(
        id=FIELD_CHUNK_ID,
        text=text,
        provider_type=target.thought_type,
        extra_data={"reasoning_format": FROM_FIELD} if target.parse_think_blocks else None,
    )


def _format_of(thought: Thought) -> Any:
    data = thought.extra_data
    return data.get("reasoning_format") if isinstance(data, dict) else None


def _put_in_front(message: Body, text: str) -> None:
    tagged = f"{OPENING}{text}{CLOSING}"
    content = message.get("content")
    if content is None:
        message["content"] = tagged
    elif isinstance(content, str):
        message["content"] = tagged + content
    else:
        message["content"] = [{"type": "text", "text": tagged}, *content]

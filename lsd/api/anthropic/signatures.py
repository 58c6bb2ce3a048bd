"""Thoughts of all providers as Anthropic's blocks, and back again without any memory of them.

Clients of this API send the blocks of an answer back as they came. A thought that did not come from
Anthropic therefore carries its origin, and what its provider wants back, in its signature: `lsd1:`,
the type of the provider, `:`, base64url. Anthropic's own signatures hold no colon.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from lsd.conversation import JsonValue, NotJson, Thought, decode_json, encode_json

_MARK = "lsd1:"

OWN_PROVIDER_TYPE = "anthropic"

_SIGNED_WITHOUT_TEXT = ("gcp_vertex_gemini", "google_ai_studio_gemini")
"""Types whose bare signature belongs to the tool call behind it, and hides no text: clients show it
as a thought without words, where others without text count as redacted."""

_KEPT = ("signature", "extra_data", "summary")


def thought_block(thought: Thought) -> dict[str, Any]:
    """The content block of a thought that Anthropic did not make."""
    signature = foreign_signature(thought)
    text = visible_text(thought)
    if text is None and thought.provider_type not in _SIGNED_WITHOUT_TEXT:
        return {"type": "redacted_thinking", "data": signature}
    return {"type": "thinking", "thinking": text or "", "signature": signature}


def visible_text(thought: Thought) -> str | None:
    """What a thought says: its text, else its summaries; None if it says nothing."""
    if thought.text is not None or not thought.summary:
        return thought.text
    return "\n\n".join(str(each.get("text", "")) for each in thought.summary)


def foreign_signature(thought: Thought) -> str:
    """The signature under which a thought can be told by its own provider.

    It holds the provider's signature alone where that is all, else a JSON object.
    """
    if thought.extra_data is None and thought.summary is None:
        hidden = (thought.signature or "").encode()
    else:
        values = {name: getattr(thought, name) for name in _KEPT}
        hidden = encode_json({name: value for name, value in values.items() if value is not None})
    return f"{_MARK}{thought.provider_type or ''}:{urlsafe_b64encode(hidden).decode().rstrip('=')}"


def read_thought(text: str | None, signature: str) -> Thought:
    """The thought that a block with this text and signature stands for.

    `text` None: it was redacted. A thought without a signature that LSD has made is Anthropic's.
    """
    found = _read_foreign(signature)
    if found is None:
        return Thought(text=text, signature=signature or None, provider_type=OWN_PROVIDER_TYPE)
    provider_type, hidden = found
    return Thought(
        text=None if _is_spare(text, provider_type, hidden) else text,
        signature=hidden.get("signature"),
        summary=tuple(hidden["summary"]) if "summary" in hidden else None,
        extra_data=hidden.get("extra_data"),
        provider_type=provider_type or None,
    )


def is_foreign(signature: str) -> bool:
    """Whether the signature, or the data of a redacted thought, is one that LSD has made."""
    return signature.startswith(_MARK)


def _is_spare(text: str | None, provider_type: str, hidden: dict[str, Any]) -> bool:
    """Whether the text was put there for the client alone."""
    return "summary" in hidden or (not text and provider_type in _SIGNED_WITHOUT_TEXT)


def _read_foreign(signature: str) -> tuple[str, dict[str, Any]] | None:
    if not is_foreign(signature):
        return None
    # The type may hold colons of its own, what stands behind it never does.
    provider_type, _, encoded = signature.removeprefix(_MARK).rpartition(":")
    try:
        hidden = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except ValueError:
        hidden = ""
    return provider_type, _hidden_values(hidden)


def _hidden_values(hidden: str) -> dict[str, Any]:
    if not hidden.startswith("{"):
        return {"signature": hidden} if hidden else {}
    try:
        value: JsonValue = decode_json(hidden)
    except NotJson:
        return {"signature": hidden}
    return _checked(value) if isinstance(value, dict) else {}


def _checked(value: dict[str, Any]) -> dict[str, Any]:
    """What can have come from LSD; clients may send anything."""
    summary = value.get("summary")
    if not isinstance(summary, list) or not all(isinstance(each, dict) for each in summary):
        value.pop("summary", None)
    if not isinstance(value.get("signature"), str):
        value.pop("signature", None)
    return value

"""Thoughts of all providers as Anthropic's blocks, and back again without any memory of them."""

from typing import Any

import attrs

from lsd.conversation import Thought, foreign_signature, read_foreign_signature

OWN_PROVIDER_TYPE = "anthropic"

_OWN_PROVIDER_TYPES = (OWN_PROVIDER_TYPE, "gcp_vertex_anthropic")

_SIGNED_WITHOUT_TEXT = ("gcp_vertex_gemini", "google_ai_studio_gemini")
"""Types whose bare signature belongs to the tool call behind it, and hides no text: clients show it
as a thought without words, where others without text count as redacted."""


def thought_block(thought: Thought) -> dict[str, Any]:
    """The content block of a thought, whoever had it."""
    signature = shown_signature(thought)
    text = visible_text(thought)
    if text is None and thought.provider_type not in _SIGNED_WITHOUT_TEXT:
        return {"type": "redacted_thinking", "data": signature}
    return {"type": "thinking", "thinking": text or "", "signature": signature}


def shown_signature(thought: Thought) -> str:
    """Claude's own signature, or for a thought of another model the one that tells whose it is."""
    if thought.provider_type in _OWN_PROVIDER_TYPES:
        return thought.signature or ""
    return foreign_signature(thought)


def visible_text(thought: Thought) -> str | None:
    """What a thought says: its text, else its summaries; None if it says nothing."""
    if thought.text is not None or not thought.summary:
        return thought.text
    return "\n\n".join(str(each.get("text", "")) for each in thought.summary)


def read_thought(text: str | None, signature: str) -> Thought:
    """The thought that a block with this text and signature stands for.

    `text` None: it was redacted. A thought without a signature that LSD has made is Anthropic's.
    """
    thought = read_foreign_signature(signature)
    if thought is None:
        return Thought(text=text, signature=signature or None, provider_type=OWN_PROVIDER_TYPE)
    is_bare = not text and thought.provider_type in _SIGNED_WITHOUT_TEXT
    if is_bare or thought.summary is not None:
        return thought  # the text was put there for the client alone
    return attrs.evolve(thought, text=text)

"""The origin of a thought, and what its provider wants back, hidden in a signature.

Clients of Anthropic's Messages send thoughts back with their signatures, and with nothing else. A
thought that Anthropic did not make gets one of LSD's: `lsd1:`, the type of the provider, `:`,
base64url. Anthropic's own signatures hold no colon.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from lsd.conversation.content import Thought
from lsd.conversation.json import NotJson, decode_json, encode_json

_MARK = "lsd1:"

_HIDDEN = ("signature", "extra_data", "summary")


def is_foreign_signature(signature: str) -> bool:
    """Whether LSD has made the signature, so that Anthropic would not know it."""
    return signature.startswith(_MARK)


def foreign_signature(thought: Thought) -> str:
    """The signature of a thought that Anthropic did not make.

    It hides the provider's own signature alone where that is all, else a JSON object.
    """
    if thought.extra_data is None and thought.summary is None:
        hidden = (thought.signature or "").encode()
    else:
        values = {name: getattr(thought, name) for name in _HIDDEN}
        hidden = encode_json({name: value for name, value in values.items() if value is not None})
    return f"{_MARK}{thought.provider_type or ''}:{urlsafe_b64encode(hidden).decode().rstrip('=')}"


def read_foreign_signature(signature: str) -> Thought | None:
    """The thought without its text; None if the signature is not LSD's.

    What is broken in a signature is lost, and no error: clients may send anything.
    """
    if not is_foreign_signature(signature):
        return None
    # The type may hold colons of its own, what stands behind it never does.
    provider_type, _, encoded = signature.removeprefix(_MARK).rpartition(":")
    try:
        hidden = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except ValueError:
        hidden = ""
    return Thought(provider_type=provider_type or None, **_values(hidden))


def _values(hidden: str) -> dict[str, Any]:
    if not hidden.startswith("{"):
        return {"signature": hidden or None}
    try:
        value = decode_json(hidden)
    except NotJson:
        return {"signature": hidden}
    return _checked(value) if isinstance(value, Mapping) else {}


def _checked(value: Mapping[str, Any]) -> dict[str, Any]:
    signature: Any = value.get("signature")
    summary: Any = value.get("summary")
    is_summary = isinstance(summary, list) and all(isinstance(each, dict) for each in summary)
    return {
        "signature": signature if isinstance(signature, str) else None,
        "extra_data": value.get("extra_data"),
        "summary": tuple(summary) if is_summary else None,
    }

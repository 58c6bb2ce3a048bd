"""Groq: reasoning in a format of the operator's choice, and usage under its own name."""

from lsd.conversation import JsonValue, Thought
from lsd.providers._openai_family import Body, Encoding, Member, Received
from lsd.providers._openai_thoughts import leave_out_thoughts, put_thoughts


def _put_thoughts(message: Body, thoughts: list[Thought], encoding: Encoding) -> None:
    """Models that do not reason refuse the field; a chosen format shows that this one does."""
    if encoding.target.reasoning_format is None:
        leave_out_thoughts(thoughts, encoding)
    else:
        put_thoughts(message, thoughts, encoding)


def _finish_body(body: Body, encoding: Encoding) -> None:
    if encoding.target.reasoning_format is not None:
        body["reasoning_format"] = encoding.target.reasoning_format


def _find_usage(document: Received) -> JsonValue:
    usage = document.get("usage")
    own = document.get("x_groq")
    return own.get("usage") if usage is None and isinstance(own, dict) else usage


GROQ = Member(
    provider_type="groq",
    token_limit_keys=("max_completion_tokens",),
    service_tiers=frozenset({"auto", "flex"}),
    takes_allowed_tools=True,
    adds_json_instruction=True,
    takes_images_only=True,
    reasoning_key="reasoning",
    put_thoughts=_put_thoughts,
    finish_body=_finish_body,
    find_usage=_find_usage,
)

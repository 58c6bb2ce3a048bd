"""OpenRouter: reasoning in details that must go back as they came."""

from typing import Any

from lsd.conversation import Thought, ThoughtChunk
from lsd.providers._openai_family import Body, Encoding, Member, Received, Target
from lsd.providers._openai_thoughts import leave_out_thoughts, put_tagged, read_thoughts
from lsd.providers.openai import schema_unless_old

_DEFAULT_FORMAT = "raw"
"""The format of an encrypted detail that came without one."""


def _finish_body(body: Body, encoding: Encoding) -> None:
    effort = body.pop("reasoning_effort", None)
    budget = encoding.request.params.thinking_budget_tokens
    if budget is not None:
        if effort is not None:
            encoding.leave_out("reasoning_effort", hint="thinking_budget_tokens is set, too")
        body["reasoning"] = {"max_tokens": budget}
    elif effort is not None:
        body["reasoning"] = {"effort": effort}


def _put_thoughts(message: Body, thoughts: list[Thought], encoding: Encoding) -> None:
    """Only its own thoughts: what others thought means nothing to the model behind it."""
    own = [thought for thought in thoughts if thought.provider_type == "openrouter"]
    if len(own) < len(thoughts):
        leave_out_thoughts(thoughts, encoding)
    others = put_tagged(message, own, encoding)
    details = [detail for thought in others for detail in _details_of(thought)]
    if details:
        message["reasoning_details"] = details


def _details_of(thought: Thought) -> list[Body]:
    data = thought.extra_data if isinstance(thought.extra_data, dict) else {}
    shared = {key: data[key] for key in ("format", "id") if data.get(key) is not None}
    is_encrypted = data.get("encrypted") is True
    details: list[Body] = [
        {"type": "reasoning.summary", "summary": each.get("text"), **shared}
        for each in thought.summary or ()
    ]
    if thought.text is not None or (thought.signature is not None and not is_encrypted):
        said: Body = {"type": "reasoning.text"}
        if thought.text is not None:
            said["text"] = thought.text
        if thought.signature is not None and not is_encrypted:
            said["signature"] = thought.signature
        details.append({**said, **shared})
    if is_encrypted:
        sealed = {"type": "reasoning.encrypted", "data": thought.signature}
        details.append({**sealed, "format": _DEFAULT_FORMAT, **shared})
    return details


def _read_thoughts(message: Received, target: Target) -> list[ThoughtChunk]:
    """The details; the plain field repeats them and counts only where there are none."""
    details = message.get("reasoning_details")
    if not details:
        return read_thoughts(message, target)
    found = [
        _chunk(detail, place)
        for place, detail in enumerate(details if isinstance(details, list) else [])
        if isinstance(detail, dict)
    ]
    return [chunk for chunk in found if chunk is not None]


def _chunk(detail: Received, place: int) -> ThoughtChunk | None:
    index = detail.get("index")
    chunk = ThoughtChunk(id=str(place if index is None else index), provider_type="openrouter")
    extra: dict[str, Any] = {}
    match detail.get("type"):
        case "reasoning.text":
            chunk.text, chunk.signature = _text(detail, "text"), _text(detail, "signature")
            is_empty = chunk.text is None and chunk.signature is None
        case "reasoning.summary":
            chunk.summary_id, chunk.summary_text = "0", _text(detail, "summary")
            is_empty = chunk.summary_text is None
        case "reasoning.encrypted":
            chunk.signature = _text(detail, "data")
            extra["encrypted"] = True
            is_empty = chunk.signature is None
        case _:
            is_empty = True
    extra |= {key: text for key in ("format", "id") if (text := _text(detail, key)) is not None}
    chunk.extra_data = extra or None
    return None if is_empty else chunk


def _text(detail: Received, key: str) -> str | None:
    """The text of a field, None where there is none or an empty one."""
    value = detail.get(key)
    return value if isinstance(value, str) and value else None


OPENROUTER = Member(
    provider_type="openrouter",
    headers={"X-Title": "LSD"},
    token_limit_keys=("max_completion_tokens",),
    takes_thinking_budget=True,
    takes_top_k=True,
    takes_cache_marks=True,
    takes_verbosity=True,
    takes_allowed_tools=True,
    adds_json_instruction=True,
    response_format=schema_unless_old,
    takes_thoughts_without_text=True,
    put_thoughts=_put_thoughts,
    finish_body=_finish_body,
    finishes_relayed=False,  # its own clients write `reasoning` themselves
    takes_details=True,
    read_thoughts=_read_thoughts,
)

"""The models that a client may name, page by page."""

from collections.abc import Mapping, Sequence
from typing import Any

from lsd.conversation import Malformed, Problem

_LIMIT = 20
_LIMIT_MAX = 1000
"""What a page holds unless told otherwise, and at most. Source: Anthropic's page on listing models,
autumn 2026."""


def model_body(name: str, created_at: str) -> dict[str, Any]:
    """One model; `created_at` is a time of RFC 3339."""
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": created_at,
        "lifecycle": "active",
    }


def page_of_models(
    names: Sequence[str], query: Mapping[str, str], created_at: str
) -> dict[str, Any]:
    """The page that `query` asks for. Raises Malformed."""
    limit = _limit(query.get("limit"))
    start, end = 0, len(names)
    if "after_id" in query:
        start = _place(names, query, "after_id") + 1
    if "before_id" in query:
        end = _place(names, query, "before_id")
        if "after_id" not in query:
            start = max(0, end - limit)
    shown = names[start : min(end, start + limit)]
    is_backwards = "before_id" in query and "after_id" not in query
    has_more = start > 0 if is_backwards else start + len(shown) < end
    return {
        "data": [model_body(name, created_at) for name in shown],
        "has_more": has_more,
        "first_id": shown[0] if shown else None,
        "last_id": shown[-1] if shown else None,
    }


def _limit(text: str | None) -> int:
    if text is None:
        return _LIMIT
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= number <= _LIMIT_MAX:
        reason = f"found {text[:40]!r}; wanted an integer from 1 to {_LIMIT_MAX}"
        raise Malformed((Problem("limit", reason),))
    return number


def _place(names: Sequence[str], query: Mapping[str, str], parameter: str) -> int:
    try:
        return names.index(query[parameter])
    except ValueError:
        reason = f"found {query[parameter][:100]!r}; wanted the id of a model"
        raise Malformed((Problem(parameter, reason),)) from None

"""The body of an embeddings request, from a checked document to the neutral request."""

from collections.abc import Mapping
from typing import Any

import attrs

from lsd.api.compat.field_checks import Check, check_all, integer, model_name, string, whole, wrong
from lsd.api.openai.chat_fields import MISSING
from lsd.conversation import EmbeddingInput, EmbeddingRequest, EncodingFormat, Problem

_FORMATS: Mapping[str, EncodingFormat] = {"float": "float", "base64": "base64"}

_WANTED = "a text, an array of texts, an array of token ids, or an array of such arrays"


@attrs.frozen(kw_only=True)
class EmbeddingsAsked:
    """A request of this API."""

    model: str
    neutral: EmbeddingRequest
    tags: Mapping[str, str]


def read_embedding_request(body: Mapping[str, Any]) -> EmbeddingsAsked:
    """The request that `body` holds, which has neither nulls nor LSD's own fields at its top.

    Raises Malformed.
    """
    check_all(body, _CHECKS, {"model": MISSING, "input": MISSING})
    inputs, is_single = _inputs(body["input"])
    return EmbeddingsAsked(
        model=body["model"],
        neutral=EmbeddingRequest(
            inputs=inputs,
            is_single=is_single,
            encoding_format=_FORMATS[body.get("encoding_format", "float")],
            dimensions=whole(body.get("dimensions")),
            user=body.get("user"),
            further={name: value for name, value in body.items() if name not in KNOWN},
        ),
        tags={"user": body["user"]} if "user" in body else {},
    )


def _inputs(value: Any) -> tuple[tuple[EmbeddingInput, ...], bool]:
    """The inputs, and whether the only one came bare."""
    if isinstance(value, str):
        return (value,), True
    if isinstance(value[0], str):
        return tuple(value), False
    if isinstance(value[0], list):
        return tuple(_tokens(each) for each in value), False
    return (_tokens(value),), True


def _tokens(values: list[Any]) -> tuple[int, ...]:
    return tuple(number for value in values if (number := whole(value)) is not None)


def _input(value: Any, path: str) -> list[Problem]:
    if isinstance(value, list) and value:
        is_good = _are_texts(value) or _are_tokens(value) or all(map(_are_tokens, value))
    else:
        is_good = _is_text(value)
    if is_good:
        return []
    if isinstance(value, list) and value:
        reason = f"found an array of {len(value)} that is none of these: {_WANTED}"
        return [Problem(path, reason)]
    return [wrong(path, value, f"{_WANTED}, none of them empty")]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _are_texts(values: list[Any]) -> bool:
    return all(map(_is_text, values))


def _are_tokens(values: Any) -> bool:
    return isinstance(values, list) and bool(values) and all(map(_is_token, values))


def _is_token(value: Any) -> bool:
    number = whole(value)
    return number is not None and number >= 0


def _format(value: Any, path: str) -> list[Problem]:
    is_known = isinstance(value, str) and value in _FORMATS
    return [] if is_known else [wrong(path, value, f"one of {', '.join(_FORMATS)}")]


_CHECKS: Mapping[str, Check] = {
    "model": model_name,
    "input": _input,
    "encoding_format": _format,
    "dimensions": integer(1),
    "user": string,
}

KNOWN = frozenset(_CHECKS)
"""All that a request may hold when it must hold nothing unknown."""

"""Embeddings: what is turned into vectors, and the vectors, in either of their two forms."""

import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Literal

import attrs

from lsd.conversation.json import JsonValue
from lsd.conversation.usage import Usage

EncodingFormat = Literal["float", "base64"]

EmbeddingInput = str | tuple[int, ...]
"""One text, or the ids of its tokens."""

Embedding = list[float] | str
"""One vector: its numbers, or these as little-endian binary32 in base64."""

_NUMBER_BYTES = 4


@attrs.frozen(kw_only=True)
class EmbeddingRequest:
    """What vectors are asked for, one for each of `inputs`.

    `is_single`: the caller sent its only input bare, not in an array. `further` are fields that
    are handed on as they are.
    """

    inputs: tuple[EmbeddingInput, ...]
    is_single: bool = False
    encoding_format: EncodingFormat = "float"
    dimensions: int | None = None
    user: str | None = None
    further: Mapping[str, JsonValue] = attrs.field(factory=dict)

    @property
    def has_tokens(self) -> bool:
        """Whether an input is made of token ids."""
        return any(not isinstance(each, str) for each in self.inputs)


@attrs.frozen(kw_only=True)
class EmbeddingResponse:
    """A provider's whole answer: as many vectors as there were inputs, in their order."""

    embeddings: tuple[Embedding, ...]
    usage: Usage = Usage()
    raw_usage: JsonValue = None
    document: JsonValue = None


def embedding_numbers(embedding: Embedding) -> list[float]:
    """The numbers of a vector. Raises ValueError if it is no base64 of whole numbers."""
    if not isinstance(embedding, str):
        return embedding
    data = b64decode(embedding, validate=True)
    if len(data) % _NUMBER_BYTES:
        raise ValueError(f"found {len(data)} bytes; wanted a multiple of {_NUMBER_BYTES}")
    numbers = array("f")
    numbers.frombytes(data)
    return _little_endian(numbers).tolist()


def embedding_base64(embedding: Embedding) -> str:
    """The vector in base64; what is beyond binary32 becomes infinite."""
    if isinstance(embedding, str):
        return embedding
    return b64encode(_little_endian(array("f", embedding)).tobytes()).decode()


def _little_endian(numbers: "array[float]") -> "array[float]":
    """The same numbers, turned from this machine's order of bytes or into it."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers

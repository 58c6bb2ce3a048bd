"""Embeddings of the offline provider."""

from typing import Any

import pytest

from lsd.config import EchoEmbeddingProvider
from lsd.conversation import (
    NO_EDITS,
    AttemptFailed,
    BodyEdit,
    Edits,
    EmbeddingRequest,
    EmbeddingResponse,
    Usage,
    decode_json,
)
from lsd.providers import EmbeddingDialect
from lsd.providers.echo_embedding import DIMENSIONS_MAX, EchoEmbeddings
from lsd.providers.echo_vector import embedding_of


def echo(**keys: Any) -> EchoEmbeddings:
    """An entry with these keys."""
    return EchoEmbeddings(EchoEmbeddingProvider(**keys))


def embedded(provider: EchoEmbeddings, request: EmbeddingRequest) -> EmbeddingResponse:
    """Encoded, played and decoded."""
    answer = provider.play(provider.encode(request, {}, NO_EDITS))
    body = b"".join(piece for _, piece in answer.pieces)
    return provider.decode(answer.status, {}, body, count=len(request.inputs))


def test_it_is_a_dialect_without_a_key() -> None:
    """Other rooms use it as any dialect."""
    provider: EmbeddingDialect = echo()

    assert (provider.provider_type, provider.api_type) == ("echo", "other")


def test_a_request_is_answered_by_itself() -> None:
    """Texts and token ids alike; the tokens of texts are rounded up once."""
    request = EmbeddingRequest(inputs=("An old pond", "Ü", (1, 2, 3)))

    found = embedded(echo(), request)

    assert found.embeddings == tuple(
        embedding_of(each, 64) for each in ("An old pond", "Ü", (1, 2, 3))
    )
    assert found.usage == Usage(input_tokens=4 + 3, output_tokens=0)
    assert found.raw_usage == {"input_tokens": 7, "output_tokens": 0}


def test_the_request_decides_about_dimensions() -> None:
    """The configuration does where it says nothing."""
    (configured,) = embedded(echo(dimensions=3), EmbeddingRequest(inputs=("a",))).embeddings
    (asked,) = embedded(
        echo(dimensions=3), EmbeddingRequest(inputs=("a",), dimensions=5)
    ).embeddings

    assert (len(configured), len(asked)) == (3, 5)


def test_too_many_dimensions_are_refused() -> None:
    """Nobody can fill the memory by asking for a billion numbers."""
    request = EmbeddingRequest(inputs=("a",), dimensions=DIMENSIONS_MAX + 1)

    with pytest.raises(AttemptFailed, match="65537 dimensions") as failed:
        embedded(echo(), request)

    assert failed.value.kind == "client_fault"


def test_scripted_failures_are_those_of_chats() -> None:
    """Also of embeddings, every entry counts its own calls."""
    provider, request = echo(statuses=(503, 200)), EmbeddingRequest(inputs=("a",))

    with pytest.raises(AttemptFailed, match="echo: scripted 503"):
        embedded(provider, request)
    embedded(provider, request)


def test_an_edit_shows_in_the_body_only() -> None:
    """What is answered is what was asked."""
    edits = Edits(body=(BodyEdit(pointer="/input", value=["other"]),))
    provider = echo()

    wire = provider.encode(EmbeddingRequest(inputs=("a",)), {}, edits)

    assert decode_json(wire.body) == {"model": "echo", "input": ["other"], "dimensions": 64}
    assert wire.url == "echo://echo/embeddings"
    assert wire.asked.inputs == ("a",)

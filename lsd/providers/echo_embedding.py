"""The offline provider's embeddings: a dialect, and the provider behind it."""

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import quote

import attrs

from lsd.config import EchoEmbeddingProvider
from lsd.conversation import (
    ApiType,
    Edits,
    EmbeddingRequest,
    EmbeddingResponse,
    ScriptedAnswer,
    Usage,
    WireRequest,
    encode_json,
)
from lsd.providers._http_errors import failed_answer
from lsd.providers._openai_vectors import read_vectors
from lsd.providers._sealing import seal
from lsd.providers.echo_reply import BYTES_PER_TOKEN
from lsd.providers.echo_script import JSON_HEADERS, EchoScript
from lsd.providers.echo_vector import embedding_of

DIMENSIONS_MAX = 65_536
"""Of one vector: twenty times those of the greatest models. Callers choose the number, and a
billion of them would stop the process."""


@attrs.frozen(kw_only=True)
class EchoEmbeddingRequest(WireRequest):
    """A request to the offline provider; the body only shows it, edited as the operator wishes."""

    asked: EmbeddingRequest


class EchoEmbeddings:
    """The embeddings of one `echo` entry. `play` counts its calls, for the scripted failures."""

    provider_type: ClassVar[str] = "echo"
    api_type: ClassVar[ApiType] = "other"

    def __init__(self, settings: EchoEmbeddingProvider) -> None:
        self._settings = settings
        self._script = EchoScript(settings)

    def encode(
        self,
        request: EmbeddingRequest,
        credentials: Mapping[str, str | None],  # noqa: ARG002 - there are none to need
        edits: Edits,
    ) -> EchoEmbeddingRequest:
        body = {
            "model": self._settings.model_name,
            "input": list(request.inputs),
            "dimensions": self._dimensions_of(request),
        }
        sealed = seal(
            f"echo://{quote(self._settings.model_name, safe='')}/embeddings",
            dict(JSON_HEADERS),
            body,
            edits,
            self.provider_type,
        )
        return EchoEmbeddingRequest(
            method=sealed.method,
            url=sealed.url,
            headers=sealed.headers,
            body=sealed.body,
            asked=request,
        )

    def decode(
        self, status: int, headers: Mapping[str, str], body: bytes, *, count: int
    ) -> EmbeddingResponse:
        if status != 200:
            raise failed_answer(self.provider_type, status, headers, body)
        answer = read_vectors(self.provider_type, headers, body, count)
        usage = Usage(input_tokens=answer.document["usage"]["input_tokens"], output_tokens=0)
        return attrs.evolve(answer, usage=usage)

    def play(self, request: WireRequest) -> ScriptedAnswer:
        """What a server would send: the vectors, or the failure whose turn it is."""
        assert isinstance(request, EchoEmbeddingRequest), "a request of another dialect"
        failure = self._script.next_failure()
        if failure is not None:
            return failure
        asked = request.asked
        dimensions = self._dimensions_of(asked)
        if dimensions > DIMENSIONS_MAX:
            found = f"echo: found {dimensions} dimensions; wanted {DIMENSIONS_MAX} at most"
            return self._script.failure(400, found)
        body = {
            "model": self._settings.model_name,
            "data": [
                {"index": index, "embedding": embedding_of(each, dimensions)}
                for index, each in enumerate(asked.inputs)
            ],
            "usage": {"input_tokens": _tokens_of(asked), "output_tokens": 0},
        }
        return self._script.answer(200, JSON_HEADERS, [encode_json(body)])

    def _dimensions_of(self, request: EmbeddingRequest) -> int:
        return request.dimensions or self._settings.dimensions


def _tokens_of(request: EmbeddingRequest) -> int:
    """Token ids exactly; texts by their bytes, rounded up once over all of them."""
    texts = sum(len(each.encode()) for each in request.inputs if isinstance(each, str))
    tokens = sum(len(each) for each in request.inputs if not isinstance(each, str))
    return -(-texts // BYTES_PER_TOKEN) + tokens

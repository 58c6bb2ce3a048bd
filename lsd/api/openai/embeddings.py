"""`POST /openai/v1/embeddings`."""

from typing import Any

import attrs
import trio

from lsd.api.bodies import beside_the_loop
from lsd.api.compat.extension_fields import CompatibleBody, Extensions, read_compatible_body
from lsd.api.compat.headers import answer_headers
from lsd.api.compat.troubles import UnknownModel
from lsd.api.exchange import Answer, Endpoint, Request, Start
from lsd.api.openai.embedding_fields import (
    KNOWN,
    EmbeddingsAsked,
    read_embedding_request,
)
from lsd.conversation import embedding_base64, embedding_numbers, encode_json
from lsd.inference import (
    NO_CACHE,
    BadRequest,
    EmbeddingAnswer,
    EmbeddingOptions,
    EmbeddingService,
)

API = "openai.embeddings"
"""How records say where they come from."""

INLINE_INPUTS_MAX = 16
"""With more of them an answer is written in a thread: each may have thousands of numbers."""

_FOR_CHATS_ONLY = ("extra_body", "extra_headers", "include_raw_usage")


@attrs.frozen
class Embeddings:
    """Serves embeddings."""

    _service: EmbeddingService

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        return (
            Endpoint(
                method="POST",
                path="/openai/v1/embeddings",
                handle=self.embeddings,
                when_client_leaves=None,
                is_hot=True,
            ),
        )

    async def embeddings(self, request: Request, _start: Start) -> Answer:
        """Vectors for all inputs, in their order and in the form that was asked for."""
        body, asked = await beside_the_loop(request.body, _read, request)
        self._check_model(asked.model)
        options = EmbeddingOptions(
            tags=body.tags(API, asked.tags),
            api_key_public_id=request.api_key_public_id,
            dryrun=body.is_dryrun,
            cache_options=body.extensions.cache_options or NO_CACHE,
            credentials=body.extensions.credentials or {},
            include_raw_response=bool(body.extensions.include_raw_response),
        )
        answer = await self._service.embed(asked.model, asked.neutral, options)
        wants_raw = options.include_raw_response
        if len(asked.neutral.inputs) <= INLINE_INPUTS_MAX:
            text = _written(asked, answer, wants_raw)
        else:
            text = await trio.to_thread.run_sync(_written, asked, answer, wants_raw)
        headers = answer_headers("openai", answer.inference_id, answer.provider_name, answer.cached)
        return Answer(body=text, headers=headers)

    def _check_model(self, name: str) -> None:
        """Raises UnknownModel, and BadRequest for a model that only chats."""
        prepared = self._service.prepared
        if prepared.embeddings.model(name) is not None:
            return
        if prepared.model(name) is not None:
            reason = f"found {name!r}, a chat model; wanted one that makes embeddings"
            raise BadRequest("model", reason)
        raise UnknownModel(name)


def _read(request: Request) -> tuple[CompatibleBody, EmbeddingsAsked]:
    body = read_compatible_body(request)
    body.check_known(KNOWN)
    _check_extensions(body.extensions)
    return body, read_embedding_request(body.fields)


def _check_extensions(extensions: Extensions) -> None:
    for name in _FOR_CHATS_ONLY:
        if getattr(extensions, name):
            raise BadRequest(f"lsd::{name}", "found it with embeddings; only chats have it")


def _written(asked: EmbeddingsAsked, answer: EmbeddingAnswer, wants_raw: bool) -> bytes:
    convert = embedding_base64 if asked.neutral.encoding_format == "base64" else embedding_numbers
    tokens = answer.usage.input_tokens or 0
    shown: dict[str, Any] = {
        "object": "list",
        "model": asked.model,
        "data": [
            {"object": "embedding", "index": index, "embedding": convert(embedding)}
            for index, embedding in enumerate(answer.embeddings)
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
    if wants_raw:
        shown["lsd_raw_response"] = answer.raw_response
    return encode_json(shown)

"""`GET /openai/v1/models` and `GET /openai/v1/models/{id}`."""

from typing import Any

import attrs

from lsd.api.compat.headers import identity_headers
from lsd.api.compat.troubles import UnknownModel
from lsd.api.exchange import Answer, Endpoint, Request, Start
from lsd.conversation import encode_json
from lsd.inference import InferenceService

OWNER = "lsd"


@attrs.frozen
class OpenAIModels:
    """Lists what clients may name; `started_at` is when the daemon was, in seconds since 1970."""

    _inferences: InferenceService
    _started_at: int

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        return (
            Endpoint(method="GET", path="/openai/v1/models", handle=self.models),
            Endpoint(method="GET", path="/openai/v1/models/{path:model}", handle=self.model),
        )

    async def models(self, _request: Request, _start: Start) -> Answer:
        """All models that are configured: those for chat, then those for embeddings."""
        config = self._inferences.prepared.config
        names = dict.fromkeys([*config.models, *config.embedding_models])
        data = [self._shown(name, OWNER) for name in names]
        return _answer({"object": "list", "data": data})

    async def model(self, request: Request, _start: Start) -> Answer:
        """One of them, or one that a shorthand stands for. Raises UnknownModel."""
        name = request.query["model"]
        prepared = self._inferences.prepared
        if name in prepared.config.models or name in prepared.config.embedding_models:
            return _answer(self._shown(name, OWNER))
        if prepared.model(name) is None and prepared.embeddings.model(name) is None:
            raise UnknownModel(name)
        return _answer(self._shown(name, name.partition("::")[0]))

    def _shown(self, name: str, owner: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": self._started_at, "owned_by": owner}


def _answer(body: dict[str, Any]) -> Answer:
    return Answer(body=encode_json(body), headers=identity_headers("openai", None))

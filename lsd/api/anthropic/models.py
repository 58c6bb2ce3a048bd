"""`GET /anthropic/v1/models`: the models that a client may name."""

import attrs

from lsd.api.anthropic.listing import model_body, page_of_models
from lsd.api.compat.called_model import called_model
from lsd.api.compat.headers import identity_headers
from lsd.api.exchange import Answer, Endpoint, Request, Start
from lsd.conversation import encode_json
from lsd.inference import InferenceService
from lsd.telemetry import rfc3339_ms


@attrs.frozen
class AnthropicModels:
    """Lists the chat models of the configuration; all are as old as the daemon."""

    _inferences: InferenceService
    _started_at_ms: int

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        return (
            Endpoint(method="GET", path="/anthropic/v1/models", handle=self.models),
            Endpoint(method="GET", path="/anthropic/v1/models/{path:id}", handle=self.model),
        )

    async def models(self, request: Request, _start: Start) -> Answer:
        """`GET /anthropic/v1/models`, page by page."""
        names = tuple(self._inferences.prepared.config.models)
        page = page_of_models(names, request.query, rfc3339_ms(self._started_at_ms))
        return _answer(page)

    async def model(self, request: Request, _start: Start) -> Answer:
        """`GET /anthropic/v1/models/{id}`, for shorthands, too."""
        name = request.query["id"]
        called_model(self._inferences.prepared, name)
        return _answer(model_body(name, rfc3339_ms(self._started_at_ms)))


def _answer(body: object) -> Answer:
    return Answer(body=encode_json(body), headers=identity_headers("anthropic", None))

"""`[models.M]` and `[embedding_models.E]`: names with an ordered list of providers."""

from collections.abc import Mapping

import attrs

from lsd.config.kinds import Milliseconds
from lsd.config.tables.embedding_providers import EmbeddingProvider
from lsd.config.tables.providers import Provider
from lsd.config.tables.timeouts import NO_TIMEOUTS, Timeouts


@attrs.frozen(kw_only=True)
class Model:
    """A chat model: the providers of `routing` are asked in order until one answers."""

    routing: tuple[str, ...]
    providers: Mapping[str, Provider]
    timeouts: Timeouts = NO_TIMEOUTS
    skip_relay: bool = False
    namespace: str | None = None


@attrs.frozen(kw_only=True)
class EmbeddingModel:
    """A model for embeddings; `timeout_ms` covers all of its attempts together."""

    routing: tuple[str, ...]
    providers: Mapping[str, EmbeddingProvider]
    timeout_ms: Milliseconds | None = None

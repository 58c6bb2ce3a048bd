"""The embedding models of a configuration, ready to be asked."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Literal

import attrs

from lsd.config import (
    AzureEmbeddingProvider,
    Config,
    EmbeddingModel,
    EmbeddingProvider,
    effective_location,
    shorthand_embedding_model,
)
from lsd.conversation import Edits
from lsd.inference.configured_edits import configured_edits
from lsd.inference.costs import CostTable
from lsd.inference.limits import Limit
from lsd.inference.written_credentials import WrittenCredentials
from lsd.network import Transport
from lsd.providers import EmbeddingDialect

EmbeddingMaker = Callable[[EmbeddingProvider, str], tuple[EmbeddingDialect, Transport]]
"""From a provider's table and its name to its dialect and what carries it."""

SHORTHANDS_MAX = 1024
"""Ad-hoc models that stay prepared; callers choose their names, so there must be an end."""


@attrs.frozen(kw_only=True)
class PreparedEmbeddingProvider:
    """One entry of an embedding model's routing."""

    name: str
    config: EmbeddingProvider
    dialect: EmbeddingDialect
    transport: Transport
    written: WrittenCredentials
    edits: Edits
    cost: CostTable | None
    limit: Limit | None


@attrs.frozen(kw_only=True)
class PreparedEmbeddingModel:
    """An embedding model with its providers in the order of its routing."""

    name: str
    providers: tuple[PreparedEmbeddingProvider, ...]
    limit: Limit | None


@attrs.define(eq=False)
class EmbeddingModels:
    """Finds embedding models by name. What is configured is prepared at once."""

    _config: Config
    _make: EmbeddingMaker
    _models: dict[str, PreparedEmbeddingModel] = attrs.field(init=False)
    _shorthands: OrderedDict[str, PreparedEmbeddingModel] = attrs.field(
        factory=OrderedDict, init=False
    )

    def __attrs_post_init__(self) -> None:
        self._models = {
            name: self._prepare(name, model)
            for name, model in self._config.embedding_models.items()
        }

    def model(self, name: str) -> PreparedEmbeddingModel | None:
        """A configured model, or the one that a shorthand stands for."""
        model = self._models.get(name) or self._shorthands.get(name)
        if model is not None:
            return model
        config = shorthand_embedding_model(name, self._config)
        if config is None:
            return None
        model = self._shorthands[name] = self._prepare(name, config)
        if len(self._shorthands) > SHORTHANDS_MAX:
            self._shorthands.popitem(last=False)
        return model

    def _prepare(self, name: str, model: EmbeddingModel) -> PreparedEmbeddingModel:
        return PreparedEmbeddingModel(
            name=name,
            providers=tuple(
                self._prepare_provider(each, model.providers[each]) for each in model.routing
            ),
            limit=_limit("model", name, model.timeout_ms),
        )

    def _prepare_provider(
        self, name: str, provider: EmbeddingProvider
    ) -> PreparedEmbeddingProvider:
        dialect, transport = self._make(provider, name)
        locations = {"api_key": effective_location(provider, self._config.provider_types)}
        if isinstance(provider, AzureEmbeddingProvider):
            locations["endpoint"] = provider.endpoint
        return PreparedEmbeddingProvider(
            name=name,
            config=provider,
            dialect=dialect,
            transport=transport,
            written=WrittenCredentials(locations),
            edits=configured_edits(provider),
            cost=CostTable.of(provider.cost),
            limit=_limit("provider", name, provider.timeout_ms),
        )


def _limit(scope: Literal["provider", "model"], name: str, value_ms: int | None) -> Limit | None:
    return None if value_ms is None else Limit(scope, name, "timeout_ms", value_ms)

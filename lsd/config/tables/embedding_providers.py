"""`[embedding_models.E.providers.P]`: the provider types that have embeddings."""

from typing import Annotated, Any, ClassVar, Literal, get_args

import attrs

from lsd.config.kinds import Bounds, Count, EchoStatuses, Milliseconds, Natural
from lsd.config.tables.cost import CostEntry
from lsd.config.tables.credentials import Credential, LiteralOrLocation
from lsd.config.tables.extra import ExtraBodyEntry, ExtraHeaderEntry
from lsd.config.tables.providers import ApiBase


@attrs.frozen(kw_only=True)
class AnyEmbeddingProvider:
    """What every provider of an embedding model has."""

    credential_key: ClassVar[str | None] = "api_key_location"

    timeout_ms: Milliseconds | None = None
    extra_body: tuple[ExtraBodyEntry, ...] = ()
    extra_headers: tuple[ExtraHeaderEntry, ...] = ()
    cost: tuple[CostEntry, ...] = ()

    @property
    def own_location(self) -> Any:
        """Where this provider's own table says that its credential is; None if it does not."""
        return getattr(self, self.credential_key) if self.credential_key else None


@attrs.frozen(kw_only=True)
class OpenAIEmbeddingProvider(AnyEmbeddingProvider):
    """OpenAI, or any server that speaks its language."""

    type: Literal["openai"] = "openai"
    model_name: str
    api_base: ApiBase = "https://api.openai.com/v1/"
    api_key_location: Credential | None = None


@attrs.frozen(kw_only=True)
class AzureEmbeddingProvider(AnyEmbeddingProvider):
    """Azure OpenAI."""

    type: Literal["azure"] = "azure"
    deployment_id: str
    endpoint: LiteralOrLocation
    api_version: str = "2025-04-01-preview"
    api_key_location: Credential | None = None


@attrs.frozen(kw_only=True)
class OpenRouterEmbeddingProvider(AnyEmbeddingProvider):
    """OpenRouter."""

    type: Literal["openrouter"] = "openrouter"
    model_name: str
    api_base: ApiBase = "https://openrouter.ai/api/v1"
    api_key_location: Credential | None = None


@attrs.frozen(kw_only=True)
class VllmEmbeddingProvider(AnyEmbeddingProvider):
    """A vLLM server."""

    type: Literal["vllm"] = "vllm"
    model_name: str
    api_base: ApiBase
    api_key_location: Credential | None = None


@attrs.frozen(kw_only=True)
class SglangEmbeddingProvider(AnyEmbeddingProvider):
    """An SGLang server."""

    type: Literal["sglang"] = "sglang"
    model_name: str
    api_base: ApiBase
    api_key_location: Credential | None = None


@attrs.frozen(kw_only=True)
class EchoEmbeddingProvider(AnyEmbeddingProvider):
    """The built-in provider, offline and without a key."""

    credential_key: ClassVar[str | None] = None

    type: Literal["echo"] = "echo"
    model_name: str = "echo"
    reply: str = "{{ text }}"
    delay_ms: Natural = 0
    chunk_delay_ms: Natural = 0
    fail_rate: Annotated[float, Bounds(minimum=0, maximum=1)] = 0.0
    statuses: Annotated[tuple[int, ...], EchoStatuses()] = ()
    dimensions: Count = 64


EmbeddingProvider = (
    OpenAIEmbeddingProvider
    | AzureEmbeddingProvider
    | EchoEmbeddingProvider
    | OpenRouterEmbeddingProvider
    | SglangEmbeddingProvider
    | VllmEmbeddingProvider
)

EMBEDDING_CLASSES: dict[str, type[EmbeddingProvider]] = {
    str(attrs.fields_dict(each)["type"].default): each for each in get_args(EmbeddingProvider)
}
"""The provider types that have embeddings, with the class of their table."""

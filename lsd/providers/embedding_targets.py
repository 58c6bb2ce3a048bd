"""The dialect of each configured provider of embeddings."""

from lsd.config import (
    AzureEmbeddingProvider,
    EchoEmbeddingProvider,
    EmbeddingProvider,
    LiteralLocation,
    OpenAIEmbeddingProvider,
    OpenRouterEmbeddingProvider,
    SglangEmbeddingProvider,
    VllmEmbeddingProvider,
)
from lsd.providers._openai_address import deployment_path, version_query
from lsd.providers.azure import AZURE
from lsd.providers.echo_embedding import EchoEmbeddings
from lsd.providers.embedding_dialect import EmbeddingDialect
from lsd.providers.openai_embeddings import EmbeddingMember, OpenAIEmbeddings
from lsd.providers.openrouter import OPENROUTER

_OPENAI = EmbeddingMember(provider_type="openai", takes_format=True, takes_user=True)
_AZURE = EmbeddingMember(
    provider_type="azure",
    key_header=AZURE.key_header,
    key_prefix=AZURE.key_prefix,
    takes_format=True,
    takes_user=True,
)
_OPENROUTER = EmbeddingMember(
    provider_type="openrouter",
    headers=OPENROUTER.headers,
    takes_format=True,
    takes_dimensions=False,
)
_SGLANG = EmbeddingMember(provider_type="sglang", takes_tokens=False)
_VLLM = EmbeddingMember(provider_type="vllm")


def embedding_dialect_for(provider: EmbeddingProvider) -> EmbeddingDialect:
    """The dialect of one entry of an embedding model."""
    match provider:
        case OpenAIEmbeddingProvider():
            return _server(_OPENAI, provider)
        case OpenRouterEmbeddingProvider():
            return _server(_OPENROUTER, provider)
        case SglangEmbeddingProvider():
            return _server(_SGLANG, provider)
        case VllmEmbeddingProvider():
            return _server(_VLLM, provider)
        case AzureEmbeddingProvider():
            return _azure(provider)
        case EchoEmbeddingProvider():
            return EchoEmbeddings(provider)


def _server(
    member: EmbeddingMember,
    provider: OpenAIEmbeddingProvider
    | OpenRouterEmbeddingProvider
    | SglangEmbeddingProvider
    | VllmEmbeddingProvider,
) -> OpenAIEmbeddings:
    return OpenAIEmbeddings(member=member, base=provider.api_base, model=provider.model_name)


def _azure(provider: AzureEmbeddingProvider) -> OpenAIEmbeddings:
    """Any endpoint but a literal one is fetched like a credential, for each request."""
    endpoint = provider.endpoint
    return OpenAIEmbeddings(
        member=_AZURE,
        base=endpoint.value if isinstance(endpoint, LiteralLocation) else None,
        base_source=str(endpoint),
        path=deployment_path(provider.deployment_id, "embeddings"),
        query=version_query(provider.api_version),
        model=None,
    )

"""Where the credential of a provider is: its own word, that of its type, or the built-in one."""

from typing import Final

from lsd.config.tables.credentials import (
    EnvLocation,
    Location,
    NoneLocation,
    PathFromEnvLocation,
    SdkLocation,
)
from lsd.config.tables.embedding_providers import EmbeddingProvider
from lsd.config.tables.provider_types import ProviderTypes
from lsd.config.tables.providers import Provider

_GCP: Final = PathFromEnvLocation("GCP_VERTEX_CREDENTIALS_PATH")

BUILT_IN: Final[dict[str, Location]] = {
    "anthropic": EnvLocation("ANTHROPIC_API_KEY"),
    "aws_bedrock": SdkLocation(),
    "aws_sagemaker": SdkLocation(),
    "azure": EnvLocation("AZURE_API_KEY"),
    "deepseek": EnvLocation("DEEPSEEK_API_KEY"),
    "echo": NoneLocation(),
    "fireworks": EnvLocation("FIREWORKS_API_KEY"),
    "gcp_vertex_anthropic": _GCP,
    "gcp_vertex_gemini": _GCP,
    "google_ai_studio_gemini": EnvLocation("GOOGLE_AI_STUDIO_API_KEY"),
    "groq": EnvLocation("GROQ_API_KEY"),
    "hyperbolic": EnvLocation("HYPERBOLIC_API_KEY"),
    "mistral": EnvLocation("MISTRAL_API_KEY"),
    "openai": EnvLocation("OPENAI_API_KEY"),
    "openrouter": EnvLocation("OPENROUTER_API_KEY"),
    "sglang": EnvLocation("SGLANG_API_KEY", optional=True),
    "tgi": EnvLocation("TGI_API_KEY", optional=True),
    "together": EnvLocation("TOGETHER_API_KEY"),
    "vllm": EnvLocation("VLLM_API_KEY", optional=True),
    "xai": EnvLocation("XAI_API_KEY"),
}
"""The location that counts where the configuration names none."""


def effective_location(
    provider: Provider | EmbeddingProvider, provider_types: ProviderTypes
) -> Location:
    """Where to look for the credential of this provider.

    The types of AWS answer `sdk`: their keys have tables of their own.
    """
    own: Location | None = provider.own_location
    return own or default_location(provider.type, provider_types)


def default_location(kind: str, provider_types: ProviderTypes) -> Location:
    """Where to look for the credential of a provider type."""
    return configured_default(kind, provider_types) or BUILT_IN[kind]


def configured_default(kind: str, provider_types: ProviderTypes) -> Location | None:
    """What `[provider_types]` says about the credential of a type."""
    table = getattr(provider_types, kind, None)
    if table is None:
        return None
    defaults = table.defaults
    location: Location | None = getattr(
        defaults, "api_key_location", getattr(defaults, "credential_location", None)
    )
    return location

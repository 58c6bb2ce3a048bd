"""The target that each configured provider of OpenAI's family stands for."""

from random import Random
from typing import Any

from lsd.config import (
    AzureProvider,
    ChatProvider,
    DeepSeekProvider,
    FireworksProvider,
    GroqProvider,
    HyperbolicProvider,
    LiteralLocation,
    MistralProvider,
    OpenAIProvider,
    OpenRouterProvider,
    SglangProvider,
    TgiProvider,
    TogetherProvider,
    VllmProvider,
    XaiProvider,
)
from lsd.providers._openai_address import deployment_path, version_query
from lsd.providers._openai_family import Member, Target
from lsd.providers.azure import AZURE
from lsd.providers.deepseek import DEEPSEEK
from lsd.providers.fireworks import FIREWORKS
from lsd.providers.groq import GROQ
from lsd.providers.hyperbolic import HYPERBOLIC
from lsd.providers.mistral import MISTRAL
from lsd.providers.openai import openai_member
from lsd.providers.openrouter import OPENROUTER
from lsd.providers.sglang import SGLANG
from lsd.providers.tgi import MODEL, TGI
from lsd.providers.together import TOGETHER
from lsd.providers.vllm import VLLM
from lsd.providers.xai import XAI

_MEMBERS: dict[type[ChatProvider], Member] = {
    DeepSeekProvider: DEEPSEEK,
    FireworksProvider: FIREWORKS,
    GroqProvider: GROQ,
    HyperbolicProvider: HYPERBOLIC,
    MistralProvider: MISTRAL,
    OpenRouterProvider: OPENROUTER,
    SglangProvider: SGLANG,
    TogetherProvider: TOGETHER,
    VllmProvider: VLLM,
    XaiProvider: XAI,
}
"""The types that differ in nothing but their member."""


def chat_target(
    provider: ChatProvider, *, model_name: str, provider_name: str, random: Random
) -> Target:
    """The target of the entry `provider_name` of the model `model_name`."""
    return Target(
        model_name=model_name,
        provider_name=provider_name,
        parse_think_blocks=provider.parse_think_blocks,
        discard_unknown_chunks=provider.discard_unknown_chunks,
        random=random,
        **_own_fields(provider),
    )


def _own_fields(provider: ChatProvider) -> dict[str, Any]:
    match provider:
        case OpenAIProvider(api_type="responses"):
            return {
                "member": openai_member(provider.api_base, provider.model_name),
                "base": provider.api_base,
                "path": "responses",
                "model": provider.model_name,
                "provider_tools": provider.provider_tools,
                "include_encrypted_reasoning": provider.include_encrypted_reasoning,
            }
        case OpenAIProvider():
            return {
                "member": openai_member(provider.api_base, provider.model_name),
                "base": provider.api_base,
                "model": provider.model_name,
                "content_type_overrides": provider.content_type_overrides,
            }
        case AzureProvider():
            return _azure_fields(provider)
        case TgiProvider():
            return {"member": TGI, "base": provider.api_base, "model": MODEL}
        case _:
            settings: Any = provider
            return {
                "member": _MEMBERS[type(provider)],
                "base": settings.api_base,
                "model": settings.model_name,
                "reasoning_format": getattr(provider, "reasoning_format", None),
                "prompt_mode": getattr(provider, "prompt_mode", None),
            }


def _azure_fields(provider: AzureProvider) -> dict[str, Any]:
    """Any endpoint but a literal one is fetched like a credential, for each request."""
    endpoint = provider.endpoint
    return {
        "member": AZURE,
        "base": endpoint.value if isinstance(endpoint, LiteralLocation) else None,
        "base_source": str(endpoint),
        "path": deployment_path(provider.deployment_id, "chat/completions"),
        "query": version_query(provider.api_version),
        "model": None,
    }

"""Which dialect a configured provider is spoken to in, and which batch API it has."""

from random import Random, SystemRandom
from typing import assert_never

from lsd.config import (
    AnthropicProvider,
    AwsBedrockProvider,
    AwsSagemakerProvider,
    ChatProvider,
    EchoProvider,
    GcpVertexAnthropicProvider,
    GcpVertexGeminiProvider,
    GoogleAIStudioGeminiProvider,
    OpenAIProvider,
    Provider,
    ProviderTypes,
)
from lsd.providers.anthropic import anthropic_dialect
from lsd.providers.aws_bedrock import bedrock_dialect
from lsd.providers.aws_sagemaker import sagemaker_dialect
from lsd.providers.batch_api import BatchAPI
from lsd.providers.chat_targets import chat_target
from lsd.providers.dialect import Dialect
from lsd.providers.echo import EchoDialect
from lsd.providers.gcp_vertex_anthropic import vertex_anthropic_dialect
from lsd.providers.gcp_vertex_gemini import vertex_gemini_dialect
from lsd.providers.gemini import Gemini
from lsd.providers.google_ai_studio_gemini import ai_studio_gemini_dialect
from lsd.providers.openai_batches import begins_openai_jobs, openai_batches
from lsd.providers.openai_chat import OpenAIChat
from lsd.providers.openai_responses import OpenAIResponses
from lsd.providers.vertex_batches import vertex_batches


def dialect_for(
    provider: Provider, *, model_name: str, provider_name: str, random: Random | None = None
) -> Dialect:
    """The dialect of the entry `provider_name` of the model `model_name`.

    `random` makes ids for tool calls that come without one; by default the system's source, which
    no two processes share.
    """
    random = random or SystemRandom()
    match provider:
        case ChatProvider():
            target = chat_target(
                provider, model_name=model_name, provider_name=provider_name, random=random
            )
            if isinstance(provider, OpenAIProvider) and provider.api_type == "responses":
                return OpenAIResponses(target)
            return OpenAIChat(target)
        case AnthropicProvider():
            return anthropic_dialect(provider, model_name=model_name, provider_name=provider_name)
        case GcpVertexAnthropicProvider():
            return vertex_anthropic_dialect(
                provider, model_name=model_name, provider_name=provider_name
            )
        case GoogleAIStudioGeminiProvider():
            return ai_studio_gemini_dialect(
                provider, model_name=model_name, provider_name=provider_name, random=random
            )
        case GcpVertexGeminiProvider():
            return vertex_gemini_dialect(
                provider, model_name=model_name, provider_name=provider_name, random=random
            )
        case AwsBedrockProvider():
            return bedrock_dialect(provider, model_name=model_name, provider_name=provider_name)
        case AwsSagemakerProvider():
            return sagemaker_dialect(
                provider, model_name=model_name, provider_name=provider_name, random=random
            )
        case EchoProvider():
            return EchoDialect(provider, provider_name=provider_name)
        case never:
            assert_never(never)


def batch_api_for(
    provider: Provider, dialect: Dialect, provider_types: ProviderTypes
) -> BatchAPI | None:
    """The batch API of an entry that is spoken to in `dialect`; None if it has none.

    Jobs that run already are asked for there, whether or not more are to begin.
    """
    match provider:
        case OpenAIProvider():
            return openai_batches(provider, dialect)
        case GcpVertexGeminiProvider() if isinstance(dialect, Gemini):
            return vertex_batches(provider, provider_types.gcp_vertex_gemini.batch, dialect)
        case _:
            return None


def begins_jobs(provider: Provider) -> bool:
    """Whether an entry with a batch API is to run requests of a batch as jobs."""
    match provider:
        case OpenAIProvider():
            return begins_openai_jobs(provider)
        case _:
            return provider.batch != "local"

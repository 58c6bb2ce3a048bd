"""Which dialect a configured provider is spoken to in."""

from random import Random, SystemRandom

from lsd.config import ChatProvider, EchoProvider, Provider
from lsd.providers.chat_targets import chat_target
from lsd.providers.dialect import Dialect
from lsd.providers.echo import EchoDialect
from lsd.providers.openai_chat import OpenAIChat


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
            return OpenAIChat(
                chat_target(
                    provider, model_name=model_name, provider_name=provider_name, random=random
                )
            )
        case EchoProvider():
            return EchoDialect(provider, provider_name=provider_name)
        case _:
            raise AssertionError(f"the configuration lets no {provider.type} pass yet")

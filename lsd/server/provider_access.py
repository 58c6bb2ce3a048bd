"""How providers are reached: in which dialect, by which transport, signed in how."""

import os

from lsd.config import (
    AwsProvider,
    EmbeddingProvider,
    GcpProvider,
    Loaded,
    Provider,
    effective_location,
)
from lsd.inference import (
    AwsSignIn,
    DialectMaker,
    EmbeddingMaker,
    GcpSignIn,
    GcpTokens,
    SignIn,
    SignInMaker,
)
from lsd.network import ScriptedTransport, Transport
from lsd.providers import (
    Dialect,
    EchoDialect,
    EchoEmbeddings,
    EmbeddingDialect,
    dialect_for,
    embedding_dialect_for,
)
from lsd.server.equipment import Equipment


def dialect_maker(transport: Transport) -> DialectMaker:
    """Calls models by `transport`, the offline provider by none."""

    def make(provider: Provider, model_name: str, name: str) -> tuple[Dialect, Transport]:
        dialect = dialect_for(provider, model_name=model_name, provider_name=name)
        if isinstance(dialect, EchoDialect):
            return dialect, ScriptedTransport(dialect.play)
        return dialect, transport

    return make


def embedding_maker(transport: Transport) -> EmbeddingMaker:
    """The same for embeddings."""

    def make(provider: EmbeddingProvider, _: str) -> tuple[EmbeddingDialect, Transport]:
        dialect = embedding_dialect_for(provider)
        if isinstance(dialect, EchoEmbeddings):
            return dialect, ScriptedTransport(dialect.play)
        return dialect, transport

    return make


def sign_in_maker(loaded: Loaded, equipment: Equipment) -> SignInMaker:
    """Signs in at clouds that do not take a key as it is."""
    gcp = GcpTokens(
        transport=equipment.transport,
        clock=equipment.clock,
        random=equipment.random,
        environment=os.environ,
    )

    def make(provider: Provider) -> SignIn | None:
        if isinstance(provider, GcpProvider):
            location = effective_location(provider, loaded.config.provider_types)
            return GcpSignIn(provider, location, loaded.secrets, gcp)
        if isinstance(provider, AwsProvider):
            return AwsSignIn(provider, equipment.aws, equipment.clock)
        return None

    return make

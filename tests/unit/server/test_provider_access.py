"""How providers are reached."""

from lsd.config import EchoEmbeddingProvider, EchoProvider, OpenAIProvider
from lsd.network import OutboundTransport, ScriptedTransport
from lsd.server.equipment import Equipment
from lsd.server.provider_access import dialect_maker, embedding_maker, sign_in_maker
from lsd.telemetry import Metrics, SystemClock
from tests.unit.config.folder import Folder


async def test_the_offline_provider_needs_no_socket() -> None:
    """All others are asked over the network."""
    transport = OutboundTransport()
    make = dialect_maker(transport)

    _, offline = make(EchoProvider(), "m", "p")
    _, online = make(OpenAIProvider(model_name="x"), "m", "p")
    _, of_embeddings = embedding_maker(transport)(EchoEmbeddingProvider(), "p")

    assert isinstance(offline, ScriptedTransport)
    assert online is transport
    assert isinstance(of_embeddings, ScriptedTransport)
    await transport.aclose()


async def test_most_providers_take_a_key_as_it_is(folder: Folder) -> None:
    """Nobody has to sign in there."""
    loaded = folder.load("gateway.observability.enabled = false")
    equipment = Equipment.of(loaded, None, SystemClock(), Metrics(()))

    assert sign_in_maker(loaded, equipment)(OpenAIProvider(model_name="x")) is None
    await equipment.transport.aclose()

"""The provider types that have embeddings."""

from lsd.config import EchoEmbeddingProvider, EnvLocation, OpenAIEmbeddingProvider


def test_an_embedding_provider_knows_its_own_location() -> None:
    """As those of chat models do."""
    own = OpenAIEmbeddingProvider(model_name="m", api_key_location=EnvLocation("K"))

    assert own.own_location == EnvLocation("K")
    assert EchoEmbeddingProvider().own_location is None

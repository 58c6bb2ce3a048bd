"""The tables of provider types."""

import attrs

from lsd.config import (
    PROVIDER_TYPES,
    AwsBedrockProvider,
    EchoEmbeddingProvider,
    EchoProvider,
    GcpVertexGeminiProvider,
    LiteralLocation,
    NoneLocation,
    OpenAIEmbeddingProvider,
    OpenAIProvider,
    PathLocation,
)
from lsd.config.tables.embedding_providers import EMBEDDING_CLASSES
from lsd.config.tables.providers import PROVIDER_CLASSES


def test_each_type_has_one_class() -> None:
    """Those with embeddings have a second one for them."""
    assert len(PROVIDER_TYPES) == 20
    assert PROVIDER_CLASSES["openai"] is OpenAIProvider
    assert set(EMBEDDING_CLASSES) < set(PROVIDER_CLASSES)
    assert sorted(EMBEDDING_CLASSES) == [
        *("azure", "echo", "openai", "openrouter", "sglang", "vllm")
    ]


def test_a_provider_knows_its_own_location() -> None:
    """Whichever key it stands in, and None where there is none."""
    gcp = GcpVertexGeminiProvider(
        project_id="p", location="l", model_id="m", credential_location=PathLocation("/k")
    )
    keyless = OpenAIProvider(model_name="m", api_key_location=NoneLocation())

    assert gcp.own_location == PathLocation("/k")
    assert keyless.own_location == NoneLocation()
    assert OpenAIEmbeddingProvider(model_name="m").own_location is None
    assert EchoProvider().own_location is None
    assert EchoEmbeddingProvider().own_location is None
    assert AwsBedrockProvider(model_id="m", region=LiteralLocation("r")).own_location is None


def test_think_tags_are_looked_for_where_models_write_them() -> None:
    """Elsewhere the text is left alone."""
    on = {
        kind
        for kind, each in PROVIDER_CLASSES.items()
        if "parse_think_blocks" in attrs.fields_dict(each)
        and attrs.fields_dict(each)["parse_think_blocks"].default
    }

    assert on == {"fireworks", "together"}

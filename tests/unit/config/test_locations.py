"""Where the credential of a provider is."""

from lsd.config import (
    PROVIDER_TYPES,
    ApiKeyDefaults,
    AwsBedrockProvider,
    EchoProvider,
    EnvLocation,
    LiteralLocation,
    NoneLocation,
    OpenAIProvider,
    ProviderTypes,
    SdkLocation,
    effective_location,
)
from lsd.config.locations import BUILT_IN, configured_default, default_location
from lsd.config.tables.provider_types import ApiKeyType


def test_the_provider_comes_before_its_type_and_the_type_before_the_built_in() -> None:
    """The nearest word counts."""
    own = OpenAIProvider(model_name="x", api_key_location=NoneLocation())
    silent = OpenAIProvider(model_name="x")
    location = EnvLocation("TEAM_KEY")
    openai = ApiKeyType(defaults=ApiKeyDefaults(api_key_location=location))
    configured = ProviderTypes(openai=openai)

    assert effective_location(own, configured) == NoneLocation()
    assert effective_location(silent, configured) == location
    assert effective_location(silent, ProviderTypes()) == EnvLocation("OPENAI_API_KEY")


def test_every_type_has_a_built_in_location() -> None:
    """No type is left without an answer."""
    assert sorted(BUILT_IN) == sorted(PROVIDER_TYPES)
    for kind in PROVIDER_TYPES:
        assert default_location(kind, ProviderTypes()) == BUILT_IN[kind]
        assert configured_default(kind, ProviderTypes()) is None


def test_types_without_a_key_answer_for_themselves() -> None:
    """The offline provider sends none, the types of AWS sign with what the SDK finds."""
    aws = AwsBedrockProvider(model_id="m", region=LiteralLocation("eu-west-1"))

    assert effective_location(EchoProvider(), ProviderTypes()) == NoneLocation()
    assert effective_location(aws, ProviderTypes()) == SdkLocation()

"""Models without a table."""

import pytest

from lsd.config import (
    SHORTHAND_TYPES,
    ApiKeyDefaults,
    Config,
    EchoProvider,
    EnvLocation,
    OpenAIProvider,
    ProviderTypes,
    shorthand_embedding_model,
    shorthand_model,
)
from lsd.config.shorthand import shorthand_problem
from lsd.config.tables.provider_types import ApiKeyType

CONFIG = Config()


def test_a_shorthand_is_a_model_with_one_provider_named_like_its_type() -> None:
    """No cost, no timeouts, the default credential."""
    model = shorthand_model("openai::gpt-5", CONFIG)

    assert model is not None
    assert model.routing == ("openai",)
    assert model.providers == {"openai": OpenAIProvider(model_name="gpt-5")}


def test_the_text_after_the_type_is_taken_as_it_is() -> None:
    """Names of models may hold slashes and colons."""
    model = shorthand_model("echo::a/b:c::d", CONFIG)

    assert model is not None
    assert model.providers == {"echo": EchoProvider(model_name="a/b:c::d")}


def test_the_default_of_the_type_counts() -> None:
    """What `[provider_types]` says of a key holds for models without a table, too."""
    location = EnvLocation("OTHER")
    openai = ApiKeyType(defaults=ApiKeyDefaults(api_key_location=location))
    config = Config(provider_types=ProviderTypes(openai=openai))

    model = shorthand_model("openai::gpt-5", config)

    assert model is not None
    assert model.providers["openai"].own_location == location


@pytest.mark.parametrize("name", ["gpt-5", "fake::x", "openai::", "vllm::x", "Openai::x", "::x"])
def test_other_names_are_no_models(name: str) -> None:
    """Unknown types, and those that need more than a name."""
    assert shorthand_model(name, CONFIG) is None
    assert shorthand_problem(name)


def test_what_would_be_right_is_told() -> None:
    """All forms that there are."""
    assert all(f"{kind}::NAME" in str(shorthand_problem("fake::x")) for kind in SHORTHAND_TYPES)


def test_openai_has_two_languages() -> None:
    """A word in the name chooses the newer one."""
    model = shorthand_model("openai::responses::gpt-5", CONFIG)

    assert model is not None
    provider = OpenAIProvider(model_name="gpt-5", api_type="responses")
    assert model.providers == {"openai": provider}
    assert shorthand_problem("openai::responses::") == (
        "wanted the name of a model after openai::responses::"
    )


def test_some_types_have_embeddings() -> None:
    """Only those for which a name says enough."""
    model = shorthand_embedding_model("openai::small", CONFIG)

    assert model is not None
    assert model.routing == ("openai",)
    assert shorthand_embedding_model("groq::x", CONFIG) is None
    assert shorthand_embedding_model("echo::", CONFIG) is None


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        (
            "gcp_vertex_gemini::projects/P/locations/L/publishers/google/models/M",
            {"project_id": "P", "location": "L", "model_id": "M", "endpoint_id": None},
        ),
        (
            "gcp_vertex_anthropic::projects/P/locations/L/endpoints/E",
            {"project_id": "P", "location": "L", "model_id": None, "endpoint_id": "E"},
        ),
    ],
)
def test_names_at_gcp_are_resource_paths(name: str, keys: dict[str, str | None]) -> None:
    """The path says project, location and model at once."""
    model = shorthand_model(name, CONFIG)

    assert model is not None
    (provider,) = model.providers.values()
    assert {key: getattr(provider, key) for key in keys} == keys
    assert "publishers/google" in str(shorthand_problem("gcp_vertex_gemini::M"))
    wrong = "gcp_vertex_gemini::projects/P/locations/L/publishers/anthropic/models/M"
    assert shorthand_problem(wrong) is not None


@pytest.mark.parametrize("location", ["evil.example", "evil.example#", "a@evil", "a:1", "a?b"])
def test_a_name_at_gcp_cannot_lead_elsewhere(location: str) -> None:
    """Callers write these names, and the operator's token goes to the host of the location."""
    name = f"gcp_vertex_gemini::projects/P/locations/{location}/publishers/google/models/M"

    assert shorthand_model(name, CONFIG) is None

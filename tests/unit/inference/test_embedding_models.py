"""Embedding models are found by name, or made up from a shorthand."""

import pytest

from lsd.inference import embedding_models
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.gateway import EMBEDDING


async def test_a_configured_model_has_its_providers_in_order(start: StartGateway) -> None:
    """Under its own name only; a chat model is none."""
    models = start(EMBEDDING).prepared.embeddings

    model = models.model("emb")

    assert model is not None
    assert [each.name for each in model.providers] == ["one", "two"]
    assert models.model("emb") is model
    assert models.model("other") is None


@pytest.mark.parametrize("name", ["echo::x", "openai::text-embedding-3-small", "openrouter::a/b"])
async def test_a_shorthand_stands_for_a_model(start: StartGateway, name: str) -> None:
    """With one provider, named like its type."""
    models = start("").prepared.embeddings

    model = models.model(name)

    assert model is not None
    assert [each.name for each in model.providers] == [name.partition("::")[0]]
    assert models.model(name) is model


@pytest.mark.parametrize("name", ["groq::x", "vllm::x", "openai::", "x", ""])
async def test_other_names_stand_for_nothing(start: StartGateway, name: str) -> None:
    """Most types have no embeddings, or need more than a name."""
    assert start("").prepared.embeddings.model(name) is None


async def test_callers_cannot_fill_the_memory_with_names(
    start: StartGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest ad-hoc model goes when there are too many."""
    monkeypatch.setattr(embedding_models, "SHORTHANDS_MAX", 2)
    models = start("").prepared.embeddings
    first = models.model("echo::1")

    for name in ("echo::2", "echo::3"):
        models.model(name)

    assert models.model("echo::1") is not first


async def test_limits_and_edits_are_those_of_the_tables(start: StartGateway) -> None:
    """The model's time covers all of its providers, a provider's one attempt."""
    model = start(
        """
[embedding_models.emb]
routing = ["p"]
timeout_ms = 500
[embedding_models.emb.providers.p]
type = "azure"
endpoint = "https://res.example"
deployment_id = "d"
api_key_location = "none"
timeout_ms = 100
extra_headers = [{ name = "x-a", value = "b" }]
"""
    ).prepared.embeddings.model("emb")

    assert model is not None
    (provider,) = model.providers
    assert str(model.limit) == 'model "emb": timeout_ms = 500 reached'
    assert str(provider.limit) == 'provider "p": timeout_ms = 100 reached'
    assert [each.name for each in provider.edits.headers] == ["x-a"]
    assert set(provider.written.locations) == {"api_key", "endpoint"}

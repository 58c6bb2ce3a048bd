"""The model that a chat request names."""

from pathlib import Path
from typing import Any

import pytest

from lsd.api.compat.called_model import called_model
from lsd.api.compat.troubles import UnknownModel
from lsd.config import Sources, load
from lsd.inference import BadRequest, Prepared, PreparedModel, prepare
from tests.unit.inference.fake_providers import FakeProviders

CONFIG = """
[models.m]
routing = ["one"]
providers.one = { type = "openai", model_name = "gpt-1" }
[embedding_models.emb]
routing = ["one"]
providers.one = { type = "openai", model_name = "small-1" }
[models."m[1m]"]
routing = ["one"]
providers.one = { type = "openai", model_name = "long" }
"""


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    """The models of `CONFIG`."""
    (tmp_path / "lsd.toml").write_text(CONFIG, encoding="utf-8")
    environment = {"OPENAI_API_KEY": "sk-1"}
    loaded = load(Sources(environment=environment, working_directory=tmp_path))
    providers = FakeProviders()
    return prepare(loaded, providers.make, providers.make_embedding)


def upstream(model: PreparedModel) -> str:
    """What the first provider calls the model."""
    config: Any = model.providers[0].config
    name: str = config.model_name
    return name


def test_a_configured_name_comes_first(prepared: Prepared) -> None:
    """Case 2: then the shorthand, split at its first two colons."""
    assert upstream(called_model(prepared, "m")) == "gpt-1"
    assert upstream(called_model(prepared, "openai::x")) == "x"
    assert upstream(called_model(prepared, "openai::x::y")) == "x::y"


@pytest.mark.parametrize(
    ("name", "model"), [("m[1m]", "long"), ("m[2m]", "gpt-1"), ("m[]", "gpt-1")]
)
def test_a_suffix_in_brackets(prepared: Prepared, name: str, model: str) -> None:
    """It counts where a model is called so, and is left away where none is."""
    assert upstream(called_model(prepared, name, may_have_suffix=True)) == model


def test_a_suffix_means_something_to_one_api_only(prepared: Prepared) -> None:
    """At the other it is a part of the name."""
    with pytest.raises(UnknownModel, match=r"m\[2m\]"):
        called_model(prepared, "m[2m]")


@pytest.mark.parametrize(
    ("name", "told"),
    [("lsd::function_name::f", "POST /inference"), ("emb", "which makes embeddings")],
)
def test_what_is_no_chat_model_is_told_apart(prepared: Prepared, name: str, told: str) -> None:
    """Case 3: each has a place of its own."""
    with pytest.raises(BadRequest, match=told):
        called_model(prepared, name)

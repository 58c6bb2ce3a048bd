"""The model that a chat request names."""

from pathlib import Path
from typing import Any

import attrs
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


@attrs.define
class FakeInferences:
    """Knows the models of a configuration."""

    prepared: Prepared

    def find_model(self, name: str) -> PreparedModel | None:
        """A model by its name."""
        return self.prepared.model(name)


@pytest.fixture
def inferences(tmp_path: Path) -> Any:
    """The models of `CONFIG`."""
    (tmp_path / "lsd.toml").write_text(CONFIG, encoding="utf-8")
    environment = {"OPENAI_API_KEY": "sk-1"}
    loaded = load(Sources(environment=environment, working_directory=tmp_path))
    providers = FakeProviders()
    return FakeInferences(prepare(loaded, providers.make, providers.make_embedding))


def upstream(model: PreparedModel) -> str:
    """What the first provider calls the model."""
    config: Any = model.providers[0].config
    name: str = config.model_name
    return name


def test_a_configured_name_comes_first(inferences: Any) -> None:
    """Case 2: then the shorthand, split at its first two colons."""
    assert upstream(called_model(inferences, "m")) == "gpt-1"
    assert upstream(called_model(inferences, "openai::x")) == "x"
    assert upstream(called_model(inferences, "openai::x::y")) == "x::y"


@pytest.mark.parametrize(
    ("name", "model"), [("m[1m]", "long"), ("m[2m]", "gpt-1"), ("m[]", "gpt-1")]
)
def test_a_suffix_in_brackets(inferences: Any, name: str, model: str) -> None:
    """It counts where a model is called so, and is left away where none is."""
    assert upstream(called_model(inferences, name, may_have_suffix=True)) == model


def test_a_suffix_means_something_to_one_api_only(inferences: Any) -> None:
    """At the other it is a part of the name."""
    with pytest.raises(UnknownModel, match=r"m\[2m\]"):
        called_model(inferences, "m[2m]")


@pytest.mark.parametrize(
    ("name", "told"),
    [("lsd::function_name::f", "POST /inference"), ("emb", "which makes embeddings")],
)
def test_what_is_no_chat_model_is_told_apart(inferences: Any, name: str, told: str) -> None:
    """Case 3: each has a place of its own."""
    with pytest.raises(BadRequest, match=told):
        called_model(inferences, name)

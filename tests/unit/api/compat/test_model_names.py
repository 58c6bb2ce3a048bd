"""Names of models; what is wrong with others is tested with the endpoints."""

from types import SimpleNamespace
from typing import Any

import pytest

from lsd.api.compat.model_names import chat_model
from lsd.api.compat.troubles import UnknownModel
from lsd.inference import BadRequest


def inferences(**models: object) -> Any:
    """A service that knows these models, and one for embeddings, `vectors`."""
    config = SimpleNamespace(embedding_models={"vectors": object()})
    return SimpleNamespace(find_model=models.get, prepared=SimpleNamespace(config=config))


def test_a_model_is_found_by_its_name() -> None:
    """Configured, or by shorthand."""
    model = object()

    assert chat_model(inferences(a=model), "a") is model


def test_anything_else_is_refused() -> None:
    """Functions are called elsewhere, and models for embeddings answer nothing."""
    with pytest.raises(UnknownModel):
        chat_model(inferences(), "a")
    with pytest.raises(BadRequest, match="makes embeddings"):
        chat_model(inferences(), "vectors")
    with pytest.raises(BadRequest, match="POST /inference"):
        chat_model(inferences(), "lsd::function_name::f")

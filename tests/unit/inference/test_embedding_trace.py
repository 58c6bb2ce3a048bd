"""The spans of a request for embeddings: a model, its calls, and the record."""

import pytest

from lsd.inference import InferenceFailed
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import embeds, fails
from tests.unit.inference.gateway import EMBEDDING, Shelf
from tests.unit.inference.traced import Traced, named, one, tree


async def test_embeddings_are_a_model_with_its_calls(start: StartGateway, shelf: Shelf) -> None:
    """The one that failed included; no function has anything to do with them."""
    traced = Traced(start(EMBEDDING, shelf=shelf))
    traced.gateway["one"].will(fails(503))
    traced.gateway["two"].will(embeds([1.0]))

    with traced.request() as trace:
        answer = await traced.gateway.embed("a", tags={"user": "u"})

    assert trace.root is not None
    assert tree(trace, trace.root.span_id) == {
        "model_inference": {
            "model_provider_inference 1": {},
            "model_provider_inference 2": {},
            "write_inference": {},
        }
    }
    assert one(trace, "model_inference").attributes == {
        "model_name": "emb",
        "stream": False,
        "inference_id": answer.inference_id,
        "tags.user": "u",
    }
    ill, well = named(trace, "model_provider_inference")
    assert "503" in str(ill.error)
    assert well.attributes["gen_ai.request.model"] == "small-2"
    assert well.attributes["gen_ai.usage.input_tokens"] == 7


async def test_a_request_that_fails_is_traced(start: StartGateway) -> None:
    """With what its providers have said."""
    traced = Traced(start(EMBEDDING))
    for name in ("one", "two"):
        traced.gateway[name].will(fails(500))

    with traced.request() as trace, pytest.raises(InferenceFailed):
        await traced.gateway.embed("a")

    assert "500" in str(one(trace, "model_inference").error)

"""`POST /openai/v1/embeddings`, as the front serves it."""

import base64
import struct
from pathlib import Path
from typing import Any

import orjson
import pytest

from lsd.api import Front
from tests.unit.api.gateways import gateway_without_store
from tests.unit.api.in_memory import Exchange, ask

CONFIG = """
[models.chat]
routing = ["parrot"]
providers.parrot = { type = "echo", model_name = "x" }

[embedding_models.emb]
routing = ["parrot"]
providers.parrot = { type = "echo", model_name = "x" }
"""


@pytest.fixture
def front(tmp_path: Path) -> Front:
    """A gateway in memory."""
    return gateway_without_store(tmp_path, CONFIG)


async def embed(front: Front, **fields: Any) -> Exchange:
    """The answer to a request with these fields."""
    body = orjson.dumps({"model": "emb", "input": "Hi", **fields})
    return await ask(front, "POST", "/openai/v1/embeddings", body)


def error(asked: Exchange) -> Any:
    """What the answer says is wrong."""
    return asked.json()["error"]


async def test_vectors_in_the_order_of_the_inputs(front: Front) -> None:
    """With what was used, and who has made them."""
    asked = await embed(front, input=["a", "b", "a"])

    body = asked.json()
    assert (body["object"], body["model"]) == ("list", "emb")
    assert [each["index"] for each in body["data"]] == [0, 1, 2]
    assert {each["object"] for each in body["data"]} == {"embedding"}
    first, second, third = (each["embedding"] for each in body["data"])
    assert first == third != second
    assert body["usage"]["prompt_tokens"] == body["usage"]["total_tokens"]
    assert asked.headers["x-lsd-provider"] == "parrot"
    assert asked.headers["x-lsd-inference-id"]


async def test_either_form_says_the_same(front: Front) -> None:
    """Case 46, trap 18: libraries ask for base64 without being told to."""
    numbers = (await embed(front)).json()["data"][0]["embedding"]
    text = (await embed(front, encoding_format="base64")).json()["data"][0]["embedding"]

    data = base64.b64decode(text)
    assert list(struct.unpack(f"<{len(data) // 4}f", data)) == pytest.approx(numbers, rel=1e-6)


async def test_many_inputs_are_written_as_well(front: Front) -> None:
    """In a thread."""
    body = (await embed(front, input=[str(number) for number in range(40)])).json()

    assert len(body["data"]) == 40


@pytest.mark.parametrize(
    ("model", "status", "told"),
    [("absent", 404, "'absent'"), ("chat", 400, "a chat model"), ("groq::x", 400, "a chat model")],
)
async def test_a_model_that_makes_none_is_told(
    front: Front, model: str, status: int, told: str
) -> None:
    """A model may exist for the other purpose only."""
    asked = await embed(front, model=model)

    assert asked.status == status
    assert error(asked)["param"] == "model"
    assert told in error(asked)["message"]


async def test_shorthands_name_models(front: Front) -> None:
    """Those of the few types that need no more."""
    assert (await embed(front, model="echo::x")).status == 200


async def test_bad_input_is_the_clients_mistake(front: Front) -> None:
    """Case 46."""
    asked = await embed(front, input=[])

    assert asked.status == 400
    assert error(asked)["param"] == "input"


async def test_fields_of_chats_are_refused(front: Front) -> None:
    """They would do nothing."""
    asked = await embed(front, **{"lsd::include_raw_usage": True})

    assert asked.status == 400
    assert error(asked)["param"] == "lsd::include_raw_usage"


async def test_raw_texts_are_shown_if_they_are_asked_for(front: Front) -> None:
    """As in chats."""
    body = (await embed(front, **{"lsd::include_raw_response": True})).json()

    assert body["lsd_raw_response"][0]["provider_type"] == "echo"

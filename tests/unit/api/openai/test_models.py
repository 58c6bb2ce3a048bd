"""The models that OpenAI's clients may name."""

from pathlib import Path

import pytest

from lsd.api import Front
from tests.unit.api.gateways import gateway_without_store
from tests.unit.api.in_memory import ask

CONFIG = """
[models."b/c"]
routing = ["parrot"]
providers.parrot = { type = "echo", model_name = "x" }

[models.a]
routing = ["parrot"]
providers.parrot = { type = "echo", model_name = "x" }

[embedding_models.vectors]
routing = ["parrot"]
providers.parrot = { type = "echo", model_name = "x" }
"""


@pytest.fixture
def front(tmp_path: Path) -> Front:
    """A gateway in memory."""
    return gateway_without_store(tmp_path, CONFIG)


async def test_all_models_are_listed(front: Front) -> None:
    """As the configuration lists them, those for embeddings last."""
    asked = await ask(front, "GET", "/openai/v1/models")

    body = asked.json()
    assert body["object"] == "list"
    assert [each["id"] for each in body["data"]] == ["b/c", "a", "vectors"]
    assert {each["owned_by"] for each in body["data"]} == {"lsd"}
    assert {each["object"] for each in body["data"]} == {"model"}
    assert len({each["created"] for each in body["data"]}) == 1
    assert asked.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize(
    ("name", "owner"),
    [("a", "lsd"), ("b/c", "lsd"), ("vectors", "lsd"), ("openai::gpt-x", "openai")],
)
async def test_one_model_is_shown(front: Front, name: str, owner: str) -> None:
    """Case 43: names may hold slashes and double colons."""
    asked = await ask(front, "GET", f"/openai/v1/models/{name}")

    assert asked.status == 200
    assert (asked.json()["id"], asked.json()["owned_by"]) == (name, owner)


async def test_an_unknown_model_is_told(front: Front) -> None:
    """A shorthand without a name, too."""
    for name in ("absent", "openai::", "nobody::x"):
        asked = await ask(front, "GET", f"/openai/v1/models/{name}")

        assert asked.status == 404
        assert asked.json()["error"]["code"] == "model_not_found"


async def test_head_gets_the_head_alone(front: Front) -> None:
    """The same status and headers."""
    asked = await ask(front, "HEAD", "/openai/v1/models")

    assert asked.status == 200
    assert int(asked.headers["content-length"]) > 0
    assert asked.body == b""

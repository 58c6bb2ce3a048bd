"""The models that a client of Anthropic's API may name."""

from pathlib import Path
from typing import Any

import pytest

from lsd.api import Front
from tests.unit.api.gateways import gateway_without_store, get
from tests.unit.api.in_memory import ask

CONFIG = """
[models.b]
routing = ["one"]
providers.one = { type = "echo" }
[models."a/b"]
routing = ["one"]
providers.one = { type = "echo" }
[embedding_models.emb]
routing = ["one"]
providers.one = { type = "echo" }
"""


@pytest.fixture
def app(tmp_path: Path) -> Front:
    """Serves two chat models and one of another kind."""
    return gateway_without_store(tmp_path, CONFIG)


async def listed(app: Front, query: str = "") -> Any:
    """A page of models."""
    return await get(app, f"/anthropic/v1/models{query}")


async def test_chat_models_are_listed_in_their_order(app: Front) -> None:
    """That of the configuration; all are as old as the daemon."""
    page = await listed(app)

    assert [model["id"] for model in page["data"]] == ["b", "a/b"]
    assert page["data"][0]["created_at"].endswith("Z")
    assert len({model["created_at"] for model in page["data"]}) == 1


async def test_page_after_page(app: Front) -> None:
    """Case 44: by the last id of the page before."""
    first = await listed(app, "?limit=1")
    second = await listed(app, f"?limit=1&after_id={first['last_id']}")

    assert (first["has_more"], second["has_more"]) == (True, False)
    assert [model["id"] for model in second["data"]] == ["a/b"]
    refused = await ask(app, "GET", "/anthropic/v1/models?limit=0")
    assert refused.status == 400
    assert refused.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("name", ["b", "a/b", "openai::gpt-x"])
async def test_one_model(app: Front, name: str) -> None:
    """Case 43: names may hold what paths do; shorthands are models, too."""
    assert (await get(app, f"/anthropic/v1/models/{name}"))["id"] == name


@pytest.mark.parametrize(("name", "status"), [("nope", 404), ("emb", 400)])
async def test_what_is_no_model(app: Front, name: str, status: int) -> None:
    """Agents take a 404 for a model that does not exist."""
    assert (await ask(app, "GET", f"/anthropic/v1/models/{name}")).status == status

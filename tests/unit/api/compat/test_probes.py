"""Whether anything is there at all."""

from pathlib import Path

import pytest

from lsd.api import Front
from tests.unit.api.gateways import gateway_without_store
from tests.unit.api.in_memory import ask


@pytest.fixture
def front(tmp_path: Path) -> Front:
    """A gateway in memory."""
    return gateway_without_store(tmp_path, "")


@pytest.mark.parametrize("path", ["/", "/openai", "/openai/v1", "/anthropic", "/anthropic/v1/"])
async def test_clients_may_ask_for_the_head_of_their_base_url(front: Front, path: str) -> None:
    """Trap 1: there is no more to it."""
    asked = await ask(front, "HEAD", path)

    assert asked.status == 200
    assert asked.body == b""


async def test_there_is_nothing_to_get(front: Front) -> None:
    """Another method is told so in the API's own words."""
    asked = await ask(front, "GET", "/openai/v1")

    assert asked.status == 405
    assert asked.json()["error"]["code"] == "method_not_allowed"

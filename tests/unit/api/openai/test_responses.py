"""`POST /openai/v1/responses`, as the front serves it."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from lsd.api import Front
from lsd.conversation import parse_id
from tests.unit.api.gateways import gateway_without_store
from tests.unit.api.in_memory import Exchange, ask
from tests.unit.api.openai.response_reading import kinds_in

PATH = "/openai/v1/responses"
CONFIG = """
[models.chat]
routing = ["parrot"]
providers.parrot = { type = "echo", model_name = "x" }
"""


@pytest.fixture
def front(tmp_path: Path) -> Front:
    """A gateway in memory."""
    return gateway_without_store(tmp_path, CONFIG)


async def respond(front: Front, **fields: Any) -> Exchange:
    """The answer to a request with these fields."""
    body = orjson.dumps({"model": "chat", "input": "Hi there", **fields})
    return await ask(front, "POST", PATH, body)


async def test_a_whole_answer(front: Front) -> None:
    """Ids agree, and the model is called what the client has called it."""
    asked = await respond(front)

    assert asked.status == 200
    body = asked.json()
    assert body["output"][0]["content"][0]["text"] == "Hi there"
    assert body["model"] == "chat"
    assert parse_id(body["id"]) == asked.headers["x-lsd-inference-id"]
    assert asked.headers["x-lsd-provider"] == "parrot"
    assert "x-lsd-ignored" not in asked.headers


async def test_a_stream(front: Front) -> None:
    """It ends with its last event, without a mark behind it."""
    asked = await respond(front, stream=True)

    assert asked.headers["content-type"] == "text/event-stream; charset=utf-8"
    kinds = kinds_in(asked.body)
    assert (kinds[0], kinds[-1]) == ("created", "completed")


async def test_what_was_not_sent_on_is_told(front: Front) -> None:
    """By its name in the request."""
    asked = await respond(front, truncation="auto")

    assert asked.headers["x-lsd-ignored"] == "truncation"


async def test_a_long_request_is_read_as_well(front: Front) -> None:
    """Elsewhere, so that nobody waits for it."""
    text = "x" * 2_000_000

    asked = await respond(front, input=text)

    assert asked.json()["output"][0]["content"][0]["text"] == text


async def test_unknown_fields_may_be_denied(front: Front) -> None:
    """If the client says so."""
    strict = {"lsd::deny_unknown_fields": True}

    denied = await respond(front, messages=[], **strict)

    assert denied.status == 400
    assert denied.json()["error"]["param"] == "messages"
    assert (await respond(front, max_tool_calls=1, **strict)).status == 200

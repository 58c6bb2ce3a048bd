"""Messages requests from bytes to bytes, with the offline provider behind them."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from trio.testing import MockClock

from lsd.api import Front
from tests.unit.api.gateways import gateway_without_store, post
from tests.unit.api.in_memory import Exchange, ask

CONFIG = """
[models.coder]
routing = ["one"]
providers.one = { type = "echo" }

[embedding_models.emb]
routing = ["one"]
providers.one = { type = "echo" }
"""
HI: dict[str, Any] = {
    "model": "coder",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "Hello there"}],
}


@pytest.fixture
def app(tmp_path: Path) -> Front:
    """Serves one model, which says what it is told."""
    return gateway_without_store(tmp_path, CONFIG)


def refusal(asked: Exchange, status: int) -> str:
    """What is wrong, in the words of this API."""
    body = asked.json()
    assert asked.status == status, body
    assert body["type"] == "error"
    assert body["request_id"] == asked.headers["request-id"]
    message: str = body["error"]["message"]
    return message


@pytest.mark.parametrize("path", ["/anthropic/v1/messages", "/anthropic/messages"])
@pytest.mark.parametrize("query", ["", "?beta=true"])
async def test_a_plain_answer(app: Front, path: str, query: str) -> None:
    """Case 35: with or without the version; the ids agree, and what was ignored is told."""
    asked = await post(app, path + query, {**HI, "foo": 1})

    body = asked.json()
    assert body["content"] == [{"type": "text", "text": "Hello there"}]
    assert (body["model"], body["stop_reason"]) == ("coder", "end_turn")
    digits = asked.headers["x-lsd-inference-id"].replace("-", "")
    assert (body["id"], asked.headers["request-id"]) == (f"msg_{digits}", f"req_{digits}")
    assert asked.headers["x-lsd-provider"] == "one"
    assert asked.headers["x-lsd-ignored"] == "foo"


async def test_a_streamed_answer(app: Front) -> None:
    """The sequence of events that clients of this API know."""
    asked = await post(app, "/anthropic/v1/messages", {**HI, "stream": True})

    names = [line[7:] for line in asked.body.decode().splitlines() if line.startswith("event: ")]
    assert names == [
        "message_start",
        "ping",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert asked.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert asked.headers["x-accel-buffering"] == "no"
    assert asked.headers["x-lsd-provider"] == "one"


async def test_the_name_of_a_model_may_have_a_suffix(app: Front) -> None:
    """One agent asks so for a longer context; it is told the name that it has used."""
    asked = await post(app, "/anthropic/v1/messages", {**HI, "model": "coder[1m]"})

    assert asked.json()["model"] == "coder[1m]"


@pytest.mark.parametrize("name", [None, "", 5])
async def test_a_request_without_a_model(app: Front, name: Any) -> None:
    """Case 1: null is as good as nothing."""
    asked = await post(app, "/anthropic/v1/messages", {**HI, "model": name})

    assert refusal(asked, 400).startswith("model: ")


@pytest.mark.parametrize(
    ("name", "status", "told"),
    [
        ("nope", 404, "'nope' does not exist"),
        ("nope[1m]", 404, "'nope[1m]' does not exist"),
        ("lsd::function_name::f", 400, "POST /inference"),
        ("emb", 400, "makes embeddings"),
    ],
)
async def test_a_model_that_cannot_be_called(app: Front, name: str, status: int, told: str) -> None:
    """Cases 1 and 3: functions, embeddings and nothing at all are three kinds of wrong."""
    asked = await post(app, "/anthropic/v1/messages", {**HI, "model": name})

    assert told in refusal(asked, status)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ([], "the body is an array of 0; wanted an object"),
        (None, "the body is null; wanted an object"),
        ({**HI, "max_tokens": None}, "max_tokens: Field required"),
        ({**HI, "max_tokens": 0}, "max_tokens: found 0; wanted an integer ≥ 1"),
        ({**HI, "lsd::episode_id": "x"}, "lsd::episode_id: found it in a call of a model"),
        (
            {**HI, "foo": 1, "bar": 2, "lsd::deny_unknown_fields": True},
            "bar: found unknown fields: bar, foo",
        ),
        ({**HI, "lsd::tags": {"lsd::x": "1"}}, "lsd::tags: found the key 'lsd::x'"),
        (
            {**HI, "tools": [{"type": "web_search_20250305", "name": "web_search"}]},
            "tools: tool web_search_20250305 is not available on model coder",
        ),
        (
            {**HI, "messages": [{"role": "user", "content": [{"type": "image"}]}]},
            "messages[0].content[0].source: missing",
        ),
    ],
)
async def test_what_is_wrong_is_told(app: Front, body: Any, told: str) -> None:
    """Cases 3, 17, 18, 41 and 58: with its place, also where only a translation needs it."""
    asked = await post(app, "/anthropic/v1/messages", body)

    assert refusal(asked, 400).startswith(told)


async def test_a_thread_is_refused_in_words_that_clients_know(app: Front) -> None:
    """Case 60: from these they know to send everything instead."""
    asked = await post(app, "/anthropic/v1/messages", {**HI, "thread": {"type": "new"}})

    assert refusal(asked, 400).startswith("thread: ")
    assert asked.json()["error"]["details"] == {"error_code": "thread_unsupported_request"}


@pytest.mark.parametrize("path", ["/anthropic/v1/messages", "/anthropic/messages"])
async def test_tokens_are_estimated_where_nobody_counts(app: Front, path: str) -> None:
    """Case 45: and the client is told that they were."""
    body = {"model": "coder", "messages": HI["messages"], "max_tokens": "x", "stream": True}

    asked = await post(app, f"{path}/count_tokens", body)

    assert asked.json() == {"input_tokens": 8}
    assert asked.headers["x-lsd-estimated"] == "true"
    assert "x-lsd-inference-id" not in asked.headers


async def test_tokens_of_an_unknown_model_are_not_counted(app: Front) -> None:
    """Like any request for it."""
    asked = await post(app, "/anthropic/v1/messages/count_tokens", {**HI, "model": "nope"})

    assert "does not exist" in refusal(asked, 404)


async def test_a_body_that_is_no_json(app: Front) -> None:
    """Cases 39 and 41: whatever it is said to be."""
    asked = await ask(app, "POST", "/anthropic/v1/messages", b'{"model": ')
    other = await ask(
        app,
        "POST",
        "/anthropic/v1/messages",
        orjson.dumps(HI),
        headers={"content-type": "text/plain"},
    )

    assert refusal(asked, 400).startswith("the body is not JSON")
    assert refusal(other, 415).startswith("content-type: found 'text/plain'")


async def test_a_silent_provider_is_covered_by_pings(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """Case 37: at least two while the provider says nothing for forty seconds."""
    slow = CONFIG.replace('type = "echo" }', 'type = "echo", chunk_delay_ms = 40_000 }', 1)
    app = gateway_without_store(tmp_path, slow)

    asked = await post(app, "/anthropic/v1/messages", {**HI, "stream": True})

    _, first, second = asked.body.decode().split("text_delta")
    assert first.count('event: ping\ndata: {"type":"ping"}\n\n') >= 2
    assert "event: message_stop" in second

"""`POST /openai/v1/chat/completions`, as the front serves it."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from lsd.api import Front
from lsd.conversation import parse_id
from tests.unit.api.gateways import events, gateway_without_store
from tests.unit.api.in_memory import Exchange, ask

PATH = "/openai/v1/chat/completions"
CONFIG = """
[models.chat]
routing = ["parrot"]
providers.parrot = { type = "echo", model_name = "x" }

[models.keyed]
routing = ["locked"]

[models.keyed.providers.locked]
type = "openai"
model_name = "x"
api_base = "http://127.0.0.1:9/v1"
api_key_location = "dynamic::my_key"

[embedding_models.vectors]
routing = ["parrot"]
providers.parrot = { type = "echo", model_name = "x" }
"""


@pytest.fixture
def front(tmp_path: Path) -> Front:
    """A gateway in memory."""
    return gateway_without_store(tmp_path, CONFIG)


async def chat(front: Front, *, headers: Any = (), **fields: Any) -> Exchange:
    """The answer to a request with these fields."""
    body = {"model": "chat", "messages": [{"role": "user", "content": "Hi there"}], **fields}
    return await ask(front, "POST", PATH, orjson.dumps(body), headers=dict(headers))


def error(asked: Exchange) -> Any:
    """What the answer says is wrong; all four keys are always there."""
    told = asked.json()["error"]
    assert set(told) == {"message", "type", "param", "code"}
    return told


async def test_a_whole_answer(front: Front) -> None:
    """Case 35: ids agree, and the model is called what the client has called it."""
    asked = await chat(front)

    assert asked.status == 200
    body = asked.json()
    assert body["choices"][0]["message"]["content"] == "Hi there"
    assert body["model"] == "chat"
    inference_id = asked.headers["x-lsd-inference-id"]
    assert parse_id(body["id"]) == inference_id
    assert asked.headers["x-request-id"] == f"req_{inference_id.replace('-', '')}"
    assert asked.headers["x-lsd-provider"] == "parrot"
    assert "x-lsd-ignored" not in asked.headers
    assert "x-lsd-cache" not in asked.headers


async def test_a_stream(front: Front) -> None:
    """Its head says what it is, and that nothing may hold it back."""
    asked = await chat(front, stream=True)

    assert asked.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert asked.headers["cache-control"] == "no-cache"
    assert asked.headers["x-accel-buffering"] == "no"
    assert "content-length" not in asked.headers
    chunks = events(asked)
    text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)
    assert text == "Hi there"
    assert parse_id(chunks[0]["id"]) == asked.headers["x-lsd-inference-id"]


async def test_one_slash_too_many_and_queries_change_nothing(front: Front) -> None:
    """There are no redirects: they would lose the body."""
    body = orjson.dumps({"model": "chat", "messages": [{"role": "user", "content": "Hi"}]})

    slashed = await ask(front, "POST", f"{PATH}/", body)
    queried = await ask(front, "POST", f"{PATH}?beta=true", body)

    assert slashed.status == queried.status == 200


async def test_shorthands_name_models(front: Front) -> None:
    """Case 2: split at the first double colon."""
    asked = await chat(front, model="echo::x::y")

    assert asked.json()["model"] == "echo::x::y"
    assert asked.headers["x-lsd-provider"] == "echo"


@pytest.mark.parametrize(
    ("model", "status", "code", "told"),
    [
        ("absent", 404, "model_not_found", "'absent'"),
        ("lsd::function_name::f", 400, None, "POST /inference"),
        ("vectors", 400, None, "embeddings"),
        ("", 400, None, "the name of a model"),
    ],
)
async def test_a_model_that_is_none_is_told(
    front: Front, model: str, status: int, code: str | None, told: str
) -> None:
    """Cases 1 and 3."""
    asked = await chat(front, model=model)

    assert asked.status == status
    assert (error(asked)["param"], error(asked)["code"]) == ("model", code)
    assert told in error(asked)["message"]


async def test_fields_that_do_not_reach_the_provider_are_listed(front: Front) -> None:
    """Case 18."""
    asked = await chat(front, foo=1, logit_bias={}, seed=None)

    assert asked.headers["x-lsd-ignored"] == "foo,logit_bias"


async def test_unknown_fields_may_be_denied(front: Front) -> None:
    """Case 18."""
    asked = await chat(front, foo=1, bar=2, **{"lsd::deny_unknown_fields": True})

    assert asked.status == 400
    assert "bar, foo" in error(asked)["message"]


async def test_what_no_provider_can_take_is_the_clients_mistake(front: Front) -> None:
    """The field is named."""
    asked = await chat(front, functions=[{"name": "f"}])

    assert asked.status == 400
    assert (error(asked)["param"], error(asked)["code"]) == ("functions", "unsupported_value")


async def test_a_credential_that_should_have_come_along_is_named(front: Front) -> None:
    """The provider was not asked."""
    asked = await chat(front, model="keyed")

    assert asked.status == 400
    assert error(asked)["code"] == "missing_credential"
    assert "my_key" in error(asked)["message"]


async def test_a_provider_that_is_not_there_is_the_gateways_trouble(front: Front) -> None:
    """The caller's credential does not show."""
    asked = await chat(front, model="keyed", **{"lsd::credentials": {"my_key": "sk-very-secret"}})

    assert asked.status == 502
    assert error(asked)["code"] == "upstream_error"
    assert "[provider locked]" in error(asked)["message"]
    assert b"sk-very-secret" not in asked.body
    assert "x-lsd-inference-id" in asked.headers


async def test_errors_before_a_stream_are_no_stream(front: Front) -> None:
    """Case 36."""
    asked = await chat(front, model="keyed", stream=True)

    assert asked.status == 400
    assert asked.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("kind", "status"),
    [("text/plain", 415), ("application/json; charset=utf-8", 200), ("", 200)],
)
async def test_bodies_say_that_they_are_json(front: Front, kind: str, status: int) -> None:
    """Case 39."""
    asked = await chat(front, headers={"content-type": kind})

    assert asked.status == status


async def test_raw_texts_are_shown_if_they_are_asked_for(front: Front) -> None:
    """Usage, too."""
    flags = {"lsd::include_raw_response": True, "lsd::include_raw_usage": True}

    body = (await chat(front, **flags)).json()
    chunks = events(await chat(front, stream=True, **flags))

    assert body["lsd_raw_response"][0]["provider_type"] == "echo"
    assert body["lsd_raw_usage"][0]["model_inference_id"]
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["lsd_raw_usage"]


async def test_raw_usage_is_usage(front: Front) -> None:
    """To ask for the one and not for the other is a contradiction."""
    asked = await chat(
        front,
        stream=True,
        stream_options={"include_usage": False},
        **{"lsd::include_raw_usage": True},
    )

    assert asked.status == 400
    assert error(asked)["param"] == "stream_options.include_usage"


async def test_a_large_body_is_read_as_well(front: Front) -> None:
    """In a thread, while others have their turn."""
    text = "x" * (1 << 21)

    asked = await chat(front, messages=[{"role": "user", "content": text}])

    assert asked.json()["choices"][0]["message"]["content"] == text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", PATH, 405, "method_not_allowed"),
        ("POST", "/openai/v1/foo", 404, "unknown_url"),
        ("POST", "/openai/chat/completions", 404, "unknown_url"),
        ("POST", "/openai/v1/v1/chat/completions", 404, "unknown_url"),
        ("POST", "/openai//v1/chat/completions", 404, "unknown_url"),
    ],
)
async def test_wrong_paths_and_methods_are_told_in_openais_words(
    front: Front, method: str, path: str, status: int, code: str
) -> None:
    """Case 42."""
    asked = await ask(front, method, path)

    assert asked.status == status
    assert error(asked)["code"] == code
    if status == 405:
        assert asked.headers["allow"] == "POST"
    else:
        assert f"{method} {path}" in error(asked)["message"]
        assert "/openai/v1" in error(asked)["message"]

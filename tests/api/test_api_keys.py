"""API keys against a running gateway."""

import signal
from typing import Any

import httpx
import orjson
import pytest

from lsd.access import new_api_key
from lsd.store import ApiKey
from lsd.telemetry import SystemClock
from tests.api.asking import SAYING_HI, open_store, wait_for
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway

WANTING = "[gateway]\nbase_path = '/llm'\nauth.enabled = true\n"
METRIC = '[metrics.solved]\ntype = "boolean"\noptimize = "max"\nlevel = "inference"\n'

ASKED = {"model_name": "echo::x", **SAYING_HI}


@pytest.fixture(scope="module", params=["lean", "hypercorn"])
def gateway(request: pytest.FixtureRequest, start_shared: StartGateway) -> Gateway:
    """Wants keys, on either server."""
    server = "server = 'hypercorn'\n" if request.param == "hypercorn" else ""
    return start_shared(WANTING + server + METRIC)


def new_key(gateway: Gateway, *words: str) -> str:
    """A key of the gateway."""
    made = gateway.command("--create-api-key", *words)
    assert (made.returncode, made.stderr) == (0, "")
    return made.stdout.strip()


def ask(gateway: Gateway, key: str | None, path: str = "/llm/inference") -> httpx.Response:
    """The response to an inference."""
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    return gateway.client.post(path, json=ASKED, headers=headers)


def test_a_key_opens_the_gateway_until_it_is_disabled(gateway: Gateway) -> None:
    """Cases 34, 35: made and disabled beside the running server; the next request is refused."""
    key = new_key(gateway)

    before = [ask(gateway, key).status_code for _ in range(3)]
    disabled = gateway.command("--disable-api-key", key[7:19])
    after = ask(gateway, key)

    assert before == [200] * 3
    assert disabled.returncode == 0
    assert after.status_code == 401
    assert after.json()["error"].startswith("LSD authentication error: the key was disabled at 20")


def test_records_tell_whose_key_was_used(gateway: Gateway) -> None:
    """Inferences and feedback carry its public id as a tag."""
    key = new_key(gateway)
    shown = {"authorization": f"Bearer {key}"}
    inference_id = ask(gateway, key).json()["inference_id"]

    given = gateway.client.post(
        "/llm/feedback",
        json={"metric_name": "solved", "inference_id": inference_id, "value": True},
        headers=shown,
    )
    inference = gateway.client.post(
        "/llm/v1/inferences/get_inferences", json={"ids": [inference_id]}, headers=shown
    ).json()["inferences"][0]
    feedback = gateway.client.get(f"/llm/internal/feedback/{inference_id}", headers=shown).json()

    assert given.status_code == 200
    assert inference["tags"] == {"lsd::api_key_public_id": key[7:19]}
    assert feedback["feedback"][0]["tags"] == {"lsd::api_key_public_id": key[7:19]}


def test_what_is_open_and_what_is_not(gateway: Gateway) -> None:
    """Case 39, below a base path."""
    key = new_key(gateway)
    shown = {"authorization": f"Bearer {key}"}
    get = gateway.client.get

    assert [get(f"/llm{path}").status_code for path in ("/status", "/health")] == [200, 200]
    assert gateway.client.options("/llm/inference").status_code == 204
    assert [get(path).status_code for path in ("/llm/metrics", "/llm/nothing", "/status")] == (
        [401] * 3
    )
    assert get("/llm/metrics", headers=shown).status_code == 200
    assert get("/llm/nothing", headers=shown).status_code == 404
    assert get("/status", headers=shown).status_code == 404


COMPATIBLE = {"/openai/v1/chat/completions": {}, "/anthropic/v1/messages": {"max_tokens": 5}}


@pytest.mark.parametrize("path", COMPATIBLE)
def test_compatible_endpoints_take_the_key_in_either_header(gateway: Gateway, path: str) -> None:
    """Case 38: the first that has one; a foreign token in the other is passed over."""
    key = new_key(gateway)
    body = {"model": "echo::x", "messages": [{"role": "user", "content": "hi"}]}

    found = [
        gateway.client.post(f"/llm{path}", json=body | COMPATIBLE[path], headers=headers)
        for headers in (
            {"x-api-key": key},
            {"authorization": f"Bearer {key}", "x-api-key": "sk-ant-foreign"},
            {"authorization": "Bearer foreign", "x-api-key": key},
            {"authorization": "Bearer foreign"},
            {},
        )
    ]

    assert [each.status_code for each in found] == [200, 200, 200, 401, 401]
    error = found[3].json()["error"]
    assert error["message"].startswith("LSD authentication error: the key in Authorization")
    if path.startswith("/openai"):
        assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_api_key")
    else:
        assert error["type"] == "authentication_error"


def test_a_key_expires_while_the_gateway_remembers_it(gateway: Gateway) -> None:
    """Case 40: at its time, to the millisecond."""
    made, clock = new_api_key(), SystemClock()
    now_ms = clock.now_ms()
    kept = ApiKey(
        public_id=made.public_id,
        secret_hash=made.secret_hash,
        created_ms=now_ms,
        expires_ms=now_ms + 3000,
    )
    with open_store(gateway) as store:
        store.api_keys.add(kept)

    first = ask(gateway, made.text)
    refused = wait_for(lambda: response if (response := ask(gateway, made.text)).is_error else None)

    assert first.status_code == 200
    assert refused.status_code == 401
    assert "expired at" in refused.json()["error"]
    assert clock.now_ms() >= now_ms + 3000


def test_a_refused_request_leaves_no_key_in_the_log(gateway: Gateway) -> None:
    """Case 68: whatever was shown."""
    key = new_key(gateway)
    wrong = f"{key[:20]}{'0' * 48}"

    assert ask(gateway, wrong).status_code == 401
    ask(gateway, key)

    log = gateway.log_text()
    assert not any(secret in log for secret in (key[20:], wrong[20:]))


def test_without_auth_no_key_is_looked_at(start_gateway: StartGateway) -> None:
    """Case 41: garbage is fine; and nobody is named in the record."""
    gateway = start_gateway("")

    answer = ask(gateway, "garbage", "/inference").json()

    record: Any = gateway.stored(answer["inference_id"])
    assert record["tags"] == {}


def test_a_gateway_without_keys_says_how_to_make_one(start_gateway: StartGateway) -> None:
    """Once, at its start; not when there is a key."""
    gateway = start_gateway(WANTING)
    told = "there is no API key in use; make one with --create-api-key"

    warned = len(gateway.log_records(told))
    new_key(gateway)
    gateway.stop(signal.SIGTERM)
    gateway.start()

    assert warned == len(gateway.log_records(told)) == 1


def test_nothing_of_a_key_is_stored_but_its_hash(gateway: Gateway) -> None:
    """Not in any file of the gateway."""
    key = new_key(gateway)
    ask(gateway, key)

    with open_store(gateway) as store:
        assert store.api_keys.get(key[7:19]) is not None
    for path in gateway.folder.rglob("*"):
        assert not path.is_file() or key[20:].encode() not in path.read_bytes()


def test_the_listed_keys_are_those_of_the_running_gateway(gateway: Gateway) -> None:
    """The server need not stop for it."""
    key = new_key(gateway, "--description", "shown")

    listed = orjson.loads(gateway.command("--list-api-keys", "--json").stdout)

    assert {"shown"} == {each["description"] for each in listed if each["public_id"] == key[7:19]}

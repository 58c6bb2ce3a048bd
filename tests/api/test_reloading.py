"""A configuration that changes while the gateway serves: all of it or nothing, without a pause."""

import os

import pytest

from tests.api.asking import SAYING_HI, reloaded, saying, wait_for
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.api.load import Load, under_load

RELOADS = int(os.environ.get("LSD_TEST_RELOADS", "20"))
"""Under load, every second one of a broken file. More of them find rarer races."""


def replying(reply: str, more: str = "", workers: int = 2) -> str:
    """A function whose only variant is named for what it says."""
    return f"""
        [gateway]
        workers = {workers}
        {more}
        [models.m]
        routing = ["p"]
        providers.p = {{ type = "echo", reply = "{reply}", chunk_delay_ms = 50 }}
        [functions.say]
        type = "chat"
        variants."{reply}" = {{ model = "m" }}
    """


BROKEN = replying("broken").replace('routing = ["p"]', 'routing = ["ghost", "p"]')
SAY = {"function_name": "say", **SAYING_HI}
ECHO = {"model_name": "echo::x", **SAYING_HI}


@pytest.fixture(params=[1, 2], ids=["one process", "workers"])
def workers(request: pytest.FixtureRequest) -> int:
    """How many processes serve."""
    number: int = request.param
    return number


@pytest.fixture
def gateway(workers: int, start_gateway: StartGateway) -> Gateway:
    """Says "one"."""
    return start_gateway(replying("one", workers=workers))


def reload(gateway: Gateway, text: str) -> dict[str, object]:
    """What the log tells at the end of a reload of this text."""
    gateway.configure(text)
    return reloaded(gateway)


def hashes(gateway: Gateway) -> set[str]:
    """What several connections are told, which several workers serve."""
    return {
        gateway.client.get("/status", headers={"connection": "close"}).json()["config_hash"]
        for _ in range(12)
    }


def test_a_changed_configuration_is_in_force_for_the_next_request(
    gateway: Gateway, workers: int
) -> None:
    """Case 27: in every worker; a stream that has begun ends under the old one."""
    old = hashes(gateway)
    long = {"function_name": "say", **saying("hi"), "stream": True}
    reload(gateway, replying("one one one one one one one one", workers=workers))
    with gateway.client.stream("POST", "/inference", json=long) as stream:
        pieces = stream.iter_text()
        first = next(pieces)
        told = reload(gateway, replying("two", workers=workers))
        rest = "".join(pieces)

    answer = gateway.infer(**SAY)

    assert told["message"] == "configuration reloaded"
    assert (answer["variant_name"], answer["content"][0]["text"]) == ("two", "two")
    assert "one" in first
    assert rest.endswith("data: [DONE]\n\n")
    assert "two" not in rest
    assert hashes(gateway) == {told["new_hash"]} != old
    stored = gateway.stored(answer["inference_id"])
    assert stored is not None
    assert stored["snapshot_hash"] == told["new_hash"]


def test_a_broken_configuration_changes_nothing(gateway: Gateway, workers: int) -> None:
    """Case 28: it is told as at a start, and counted."""
    before = hashes(gateway)

    told = reload(gateway, BROKEN)

    errors = [each["message"] for each in gateway.log_records() if each["level"] == "error"]
    assert errors[:-1] == gateway.command("--check").stderr.splitlines()
    assert "ghost" in errors[0]
    assert told["config_hash"] in before
    assert hashes(gateway) == before
    assert gateway.infer(**SAY)["variant_name"] == "one"
    counted = 'lsd_config_reloads_total{result="refused"} 1.0'
    wait_for(lambda: counted in gateway.client.get("/metrics").text)


def test_what_only_a_restart_can_change_refuses_the_whole(gateway: Gateway, workers: int) -> None:
    """Case 29: the key is named, and nothing of the rest is taken."""
    text = replying("two", 'base_path = "/llm"', workers=workers)

    told = reload(gateway, text)

    assert told["level"] == "error"
    assert "gateway.base_path: changed" in gateway.log_text()
    assert gateway.infer(**SAY)["variant_name"] == "one"


def test_keys_may_be_wanted_from_one_request_to_the_next(gateway: Gateway, workers: int) -> None:
    """And no longer wanted again."""
    statuses = [gateway.post("/inference", SAY).status_code]
    reload(gateway, replying("two", "auth.enabled = true", workers=workers))
    statuses.append(gateway.post("/inference", SAY).status_code)
    reload(gateway, replying("two", workers=workers))
    statuses.append(gateway.post("/inference", SAY).status_code)

    assert statuses == [200, 401, 200]


def test_nobody_notices_reloads(gateway: Gateway, workers: int) -> None:
    """Case 30: under load no request fails, and none has parts of two configurations."""
    with under_load(gateway, SAY, clients=4) as load:
        wait_for(lambda: "one" in variants_of(load))
        for number in range(RELOADS // 2):
            told = reload(gateway, replying(f"number {number}", workers=workers))
            assert told["message"] == "configuration reloaded"
            assert reload(gateway, BROKEN)["level"] == "error"
        wait_for(lambda: f"number {number}" in variants_of(load))

    assert load.failed() == []
    said = {(each["variant_name"], each["content"][0]["text"]) for each in load.answered()}
    assert all(variant == text for variant, text in said)


def variants_of(load: Load) -> set[str]:
    """Who has answered so far."""
    return {each["variant_name"] for each in load.answered()}


def test_a_changed_capacity_keeps_what_a_limit_has_left(
    workers: int, start_gateway: StartGateway
) -> None:
    """Case 31: lowered, no more is left than it holds; raised, nothing is added."""

    def limited(capacity: int) -> str:
        limit = f"model_inferences_per_day = {{ capacity = {capacity}, refill_rate = 1 }}"
        rule = f"[[rate_limiting.rules]]\nalways = true\n{limit}\n"
        return f"gateway.workers = {workers}\n{rule}"

    gateway = start_gateway(limited(9))
    gateway.infer(**ECHO)  # leaves 8
    reload(gateway, limited(4))
    gateway.infer(**ECHO)  # leaves 3
    reload(gateway, limited(10))
    gateway.infer(**ECHO)  # leaves 2
    reload(gateway, limited(5))

    statuses = [gateway.post("/inference", ECHO).status_code for _ in range(3)]

    assert statuses == [200, 200, 429]

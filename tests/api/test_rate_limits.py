"""Rate limits against a running gateway: who is refused, what is told, what outlives a restart."""

import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import httpx
import pytest

from lsd.access.rate_rules import RateRules
from lsd.config import Limit, RateLimitRule, TagScope
from lsd.telemetry import SystemClock
from tests.api.asking import SAYING_HI, limited, open_store, saying, wait_for
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway, stream_events
from tests.api.test_api_keys import new_key


def rule(scope: str, rank: str, limits: str) -> str:
    """The table of a rule."""
    return f"[[rate_limiting.rules]]\nscope = {scope}\n{rank}\n{limits}\n"


def tag(key: str, value: str) -> str:
    """An entry of a scope."""
    return f'{{ tag_key = "{key}", tag_value = "{value}" }}'


RULES = "".join(
    [
        rule(tag("five", "a"), "always = true", "model_inferences_per_hour = 5"),
        rule(tag("all", "lsd::total"), "always = true", "model_inferences_per_hour = 3"),
        rule(tag("one", "lsd::each"), "always = true", "model_inferences_per_hour = 2"),
        rule(tag("team", "t"), "always = true", "model_inferences_per_hour = 8"),
        rule(
            f"[{tag('team', 't')}, {tag('user', 'a')}]",
            "priority = 3",
            "model_inferences_per_day = 3",
        ),
        rule(tag("user", "a"), "priority = 1", "model_inferences_per_day = 1000"),
        rule(tag("role", "lsd::each"), "priority = 0", "model_inferences_per_day = 1"),
        rule(tag("role", "ceo"), "priority = 1", "model_inferences_per_day = 4"),
        rule(tag("none", "x"), "always = true", "model_inferences_per_hour = 0"),
        rule(
            tag("quick", "x"),
            "always = true",
            "model_inferences_per_second = { capacity = 1, refill_rate = 1 }",
        ),
        rule(tag("text", "x"), "always = true", "tokens_per_hour = 150"),
        rule(
            tag("money", "x"),
            "always = true",
            "cost_per_hour = { capacity = 1.05, refill_rate = 0 }",
        ),
        rule(tag("kept", "x"), "always = true", "model_inferences_per_month = 4"),
    ]
)

CONFIG = (
    """
[models.priced]
routing = ["p"]
[models.priced.providers.p]
type = "echo"
cost = [{ pointer = "/usage/output_tokens", cost_per_unit = 0.03 }]

[models.hanging]
routing = ["p"]
providers.p = { type = "echo", delay_ms = 60000 }

[models.slow]
routing = ["p"]
providers.p = { type = "echo", delay_ms = 200 }
"""
    + RULES
)


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway) -> Gateway:
    """A gateway with all rules; each test uses tags of its own."""
    return start_shared(CONFIG)


def ask(gateway: Gateway, **fields: Any) -> httpx.Response:
    """The response to an inference; tags are given as fields of their own."""
    known = {"model_name", "params", "stream", "dryrun", "input"}
    body = {key: value for key, value in fields.items() if key in known}
    tags = {key: value for key, value in fields.items() if key not in known}
    return gateway.post("/inference", {"model_name": "echo::x", **SAYING_HI, **body, "tags": tags})


def statuses(gateway: Gateway, count: int, **fields: Any) -> list[int]:
    """The statuses of so many inferences, one after the other."""
    return [ask(gateway, **fields).status_code for _ in range(count)]


def test_five_pass_and_the_sixth_does_not(gateway: Gateway) -> None:
    """Case 42: another value is not limited, nor is who has no such tag."""
    assert statuses(gateway, 6, five="a") == [200] * 5 + [429]
    assert statuses(gateway, 6, five="b") == [200] * 6
    assert statuses(gateway, 6) == [200] * 6


def test_all_values_together_or_each_apart(gateway: Gateway) -> None:
    """Case 43: three of any, two of each."""
    assert [ask(gateway, all=value).status_code for value in "abcd"] == [200] * 3 + [429]
    assert [ask(gateway, one=value).status_code for value in "abababc"] == (
        [200] * 4 + [429] * 2 + [200]
    )


def test_always_and_priority_count_together(gateway: Gateway) -> None:
    """Cases 44, 46: three for user a of the team, eight for the team; a part of a scope is none."""
    assert statuses(gateway, 4, team="t", user="a") == [200] * 3 + [429]
    assert statuses(gateway, 6, team="t", user="b") == [200] * 5 + [429]


def test_the_highest_priority_decides(gateway: Gateway) -> None:
    """Case 45: exhausted, whatever is free below; the literal rule beats that of each."""
    assert statuses(gateway, 2, role="intern") == [200, 429]
    assert statuses(gateway, 5, role="ceo") == [200] * 4 + [429]


def test_no_more_than_the_limit_pass_at_once(gateway: Gateway) -> None:
    """Case 47: of ten requests that arrive together."""
    with ThreadPoolExecutor(10) as pool:
        answers = [
            pool.submit(ask, gateway, kept="x", model_name="slow", **SAYING_HI) for _ in range(10)
        ]
        found = sorted(answer.result().status_code for answer in answers)

    assert found == [200] * 4 + [429] * 6


def test_a_refusal_tells_what_and_when(gateway: Gateway) -> None:
    """The limit in the notation of the rule, and the seconds until there is room."""
    statuses(gateway, 2, one="told")

    refused = ask(gateway, one="told")

    assert refused.status_code == 429
    body = refused.json()
    assert body["error"].endswith(
        "LSD rate limit exceeded: resource `model_inference` per hour; "
        'scope tag_key="one", tag_value="lsd::each" (matched: "told"); requested 1, available 0'
    )
    assert {"inference_id", "episode_id"} < body.keys()
    assert 3500 < int(refused.headers["retry-after"]) <= 3600


def test_a_closed_limit_names_no_time(gateway: Gateway) -> None:
    """Case 48: capacity 0 is always 429, streamed or not."""
    for fields in ({}, {"stream": True}):
        refused = ask(gateway, none="x", **fields)

        assert refused.status_code == 429
        assert "retry-after" not in refused.headers
        assert "will never be enough" in refused.json()["error"]


def test_who_waits_as_long_as_told_passes(gateway: Gateway) -> None:
    """Case 59: a second here."""
    refused = limited(lambda: ask(gateway, quick="x"))

    time.sleep(int(refused.headers["retry-after"]))

    assert refused.status_code == 429
    assert ask(gateway, quick="x").status_code == 200


def test_tokens_are_reserved_and_settled(gateway: Gateway) -> None:
    """Cases 50, 52: 102 reserved, 11 used, 150 there: five pass; without `max_tokens` none."""
    said = saying("a" * 22)
    params = {"chat_completion": {"max_tokens": 91}}

    assert ask(gateway, text="x", **said).status_code == 502
    assert "`max_tokens` is missing" in ask(gateway, text="x", **said).json()["error"]
    found = [ask(gateway, text="x", params=params, **said) for _ in range(6)]

    assert [each.status_code for each in found] == [200] * 5 + [429]
    assert "requested 102, available " in found[5].json()["error"]


def test_cost_is_settled_streamed_and_not(gateway: Gateway) -> None:
    """Case 54: 0.03 of each reserved dollar are spent, so that after two there is too little."""
    plain = ask(gateway, money="x", model_name="priced")
    streamed = ask(gateway, money="x", model_name="priced", stream=True)
    refused = ask(gateway, money="x", model_name="priced")

    assert plain.json()["usage"]["cost"] == 0.03
    assert stream_events(streamed.text)[-1]["usage"]["cost"] == 0.03
    assert "requested 1, available 0.99" in refused.json()["error"]


def test_compatible_endpoints_are_limited_alike(gateway: Gateway) -> None:
    """In the words of their APIs, with the exact time to wait; waiting so long helps."""
    body = {
        "model": "echo::x",
        "max_tokens": 5,
        "messages": [{"role": "user", "content": "hi"}],
    }

    def openai() -> httpx.Response:
        headers = {"x-lsd-tags": "quick=x"}
        return gateway.client.post("/openai/v1/chat/completions", json=body, headers=headers)

    def anthropic() -> httpx.Response:
        headers = {"x-lsd-tags": "none=x"}
        return gateway.client.post("/anthropic/v1/messages", json=body, headers=headers)

    early, closed = limited(openai), anthropic()
    time.sleep(int(early.headers["retry-after-ms"]) / 1000)

    assert (early.status_code, closed.status_code) == (429, 429)
    assert early.headers["retry-after"] == "1"
    assert (early.json()["error"]["type"], early.json()["error"]["code"]) == (
        "requests",
        "rate_limit_exceeded",
    )
    assert closed.json()["error"]["type"] == "rate_limit_error"
    assert closed.headers["x-should-retry"] == "false"
    assert openai().status_code == 200


def test_refusals_are_counted_and_logged_as_the_clients_doing(gateway: Gateway) -> None:
    """One for each resource; no error, but a warning."""
    before = counted(gateway)
    ask(gateway, none="x")

    assert counted(gateway) == before + 1
    refusals = [each for each in gateway.log_records("request refused") if each["status"] == 429]
    assert {each["level"] for each in refusals} == {"warning"}


def counted(gateway: Gateway) -> float:
    """How many calls were refused for the number of inferences."""
    name = 'lsd_rate_limited_total{resource="model_inference"} '
    lines = gateway.client.get("/metrics").text.splitlines()
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))


def test_balances_outlive_a_stop_and_a_crash(start_gateway: StartGateway) -> None:
    """Case 58: and an open reservation of a killed process stays consumed."""
    gateway = start_gateway(CONFIG)
    ask(gateway, kept="x")
    gateway.stop()
    gateway.start()
    ask(gateway, kept="x")
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(ask, gateway, kept="x", model_name="hanging")
        wait_for(lambda: left(gateway) == 1)
        gateway.kill()
        assert isinstance(hanging.exception(), httpx.TransportError)
    gateway.start()

    assert statuses(gateway, 2, kept="x") == [200, 429]


def test_every_call_of_a_variant_counts(start_gateway: StartGateway) -> None:
    """Two candidates and their judge; where there is room for one alone, it is the answer."""
    gateway = start_gateway(
        """
        [functions.best]
        type = "chat"
        variants.one.model = "echo::x"
        [functions.best.variants.judged]
        type = "best_of_n_sampling"
        candidates = ["one", "one"]
        evaluator = { model = "echo::x" }
        """
        + rule(tag("kept", "x"), "always = true", "model_inferences_per_month = 4")
    )
    body = {
        "function_name": "best",
        "variant_name": "judged",
        "tags": {"kept": "x"},
        **SAYING_HI,
    }

    found = []
    for _ in range(3):
        status = gateway.post("/inference", body).status_code
        found.append((status, left(gateway)))

    assert found == [(200, 1), (200, 0), (429, 0)]


@pytest.mark.parametrize(
    ("when_left", "pause_ms", "tokens_left"), [("cancel", 30_000, 900), ("finish", 300, 990)]
)
def test_a_stream_whose_client_leaves_is_settled(
    start_gateway: StartGateway, when_left: str, pause_ms: int, tokens_left: int
) -> None:
    """Case 57: at once, with nothing given back; or when the provider has said all."""
    gateway = start_gateway(
        f'[gateway]\non_client_disconnect = "{when_left}"\n'
        '[models.slow]\nrouting = ["p"]\n'
        f'providers.p = {{ type = "echo", chunk_delay_ms = {pause_ms} }}\n'
        + rule(tag("kept", "x"), "always = true", "tokens_per_month = 1000")
    )
    body = {
        "model_name": "slow",
        "stream": True,
        "tags": {"kept": "x"},
        "params": {"chat_completion": {"max_tokens": 91}},
        **saying("one two three four"),
    }

    with gateway.client.stream("POST", "/inference", json=body) as response:
        next(response.iter_raw())
    wait_for(lambda: left(gateway, "token", 1000) == tokens_left)

    gateway.stop()
    assert left(gateway, "token", 1000) == tokens_left


def left(gateway: Gateway, resource: Any = "model_inference", capacity: int = 4) -> int:
    """What the limit that is kept has left."""
    amount = Decimal(capacity)
    limit = Limit(resource=resource, interval="month", capacity=amount, refill_rate=amount)
    scope = (TagScope(tag_key="kept", tag_value="x"),)
    rules = RateRules.of([RateLimitRule(scope=scope, always=True, limits=(limit,))])
    (active,) = rules.limits_for({"kept": "x"}, None)
    clock = SystemClock()
    with open_store(gateway) as store:
        buckets = store.buckets(store.state_writer(clock))
        return buckets.balance(active.bucket, now_ms=clock.now_ms())


def test_keys_have_limits_of_their_own(start_gateway: StartGateway) -> None:
    """Each key apart."""
    gateway = start_gateway(
        "[gateway]\nauth.enabled = true\n"
        + rule(
            '{ api_key_public_id = "lsd::each" }', "always = true", "model_inferences_per_hour = 2"
        )
    )
    keys = [new_key(gateway) for _ in range(2)]

    found = [
        gateway.client.post(
            "/inference",
            json={"model_name": "echo::x", **SAYING_HI},
            headers={"authorization": f"Bearer {key}"},
        ).status_code
        for key in keys * 3
    ]

    assert found == [200] * 4 + [429] * 2

"""One call of one provider: what is sent, what is entered in the journal, and every way to fail."""

from collections.abc import Mapping, MutableMapping
from decimal import Decimal
from email.utils import formatdate
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from lsd.conversation import AttemptFailed, Text, ToolCall, Usage, encode_json
from lsd.inference.provider_call import ANSWER_BYTES_MAX
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import (
    Break,
    Hang,
    Pause,
    Script,
    answers,
    calls,
    completes,
    drops,
    fails,
    hangs,
    says,
)
from tests.unit.inference.gateway import (
    NOW_MS,
    OPERATORS_KEY,
    PLAIN,
    Attempt,
    Gateway,
    attempt,
)

COSTS = """
[models.m]
routing = ["one"]
[models.m.providers.one]
type = "openai"
model_name = "gpt-1"
cost = [
    { pointer = "/usage/prompt_tokens", cost_per_million = 0.15, required = true },
    { pointer = "/usage/completion_tokens", cost_per_million = 0.60 },
]

[functions.chat]
type = "chat"
variants.v.model = "m"
"""

TIMES = """
[gateway]
global_outbound_http_timeout_ms = 5000

[models.m]
routing = ["one", "patient"]
[models.m.providers.one]
type = "openai"
model_name = "gpt-1"
timeouts.non_streaming.total_ms = 1500

[models.m.providers.patient]
type = "openai"
model_name = "gpt-2"

[functions.chat]
type = "chat"
variants.v.model = "m"
"""

EDITS = """
[models.m]
routing = ["one"]
[models.m.providers.one]
type = "openai"
model_name = "gpt-1"
extra_body = [
    { pointer = "/a", value = "provider" },
    { pointer = "/b", value = "provider" },
    { pointer = "/p", value = 1 },
]
extra_headers = [{ name = "x-a", value = "provider" }, { name = "x-p", value = "provider" }]

[functions.chat]
type = "chat"
[functions.chat.variants.v]
model = "m"
extra_body = [{ pointer = "/a", value = "variant" }, { pointer = "/v", value = 1 }]
extra_headers = [{ name = "x-a", value = "variant" }, { name = "x-v", value = "variant" }]
"""

DYNAMIC = """
[models.m]
routing = ["one"]
[models.m.providers.one]
type = "openai"
model_name = "gpt-1"
api_key_location = "dynamic::customers_key"

[functions.chat]
type = "chat"
variants.v.model = "m"
"""


async def failure(asked: Attempt) -> AttemptFailed:
    """How an attempt fails."""
    with pytest.raises(AttemptFailed) as failed:
        await asked.answer()
    return failed.value


async def test_a_good_answer_is_entered_in_the_journal(start: StartGateway) -> None:
    """Request and answer as they were on the wire, and what the answer means."""
    gateway = start(PLAIN)
    gateway["one"].will(says("Hello"))
    asked = attempt(gateway)

    call = await asked.answer()

    assert asked.run.journal.calls == [call]
    assert (call.variant_name, call.model_name, call.provider_name) == ("v", "m", "one")
    assert (call.provider_type, call.api_type) == ("openai", "chat_completions")
    assert (call.status, call.error, call.cached) == ("ok", None, False)
    assert call.answer.output == (Text(text="Hello"),)
    assert call.answer.usage == Usage(input_tokens=10, output_tokens=5)
    assert call.raw_usage == [{"prompt_tokens": 10, "completion_tokens": 5}]
    assert call.answer.finish_reason == "stop"
    assert call.raw_request == gateway["one"].requests[0].body.decode()
    assert call.raw_response is not None
    assert '"content":"Hello"' in call.raw_response
    assert gateway["one"].open_responses == 0


async def test_a_tool_call_is_an_answer_like_any_other(start: StartGateway) -> None:
    """Whether it can be used is not asked here."""
    gateway = start(PLAIN)
    gateway["one"].will(calls("unheard", "{not json"))

    call = await attempt(gateway).answer()

    assert call.answer.output == (ToolCall(id="call_1", name="unheard", arguments="{not json"),)
    assert call.answer.finish_reason == "tool_call"


async def test_the_key_is_sent_and_never_shown(start: StartGateway) -> None:
    """Where a provider repeats the key, in an answer or an error, it is masked."""
    gateway = start(PLAIN)
    body = {"choices": [{"message": {"content": "Hi"}}], "note": f"Bearer {OPERATORS_KEY}"}
    gateway["one"].will(
        answers(encode_json(body)), fails(401, f"Incorrect API key provided: {OPERATORS_KEY}")
    )

    call = await attempt(gateway).answer()
    refused = attempt(gateway)
    failed = await failure(refused)

    assert gateway["one"].requests[0].headers["Authorization"] == f"Bearer {OPERATORS_KEY}"
    for shown in (
        call.raw_response,
        failed.text,
        failed.message,
        refused.call.error,
        refused.call.raw_response,
    ):
        assert shown is not None
        assert OPERATORS_KEY not in shown
        assert "***" in shown


@pytest.mark.parametrize(
    ("script", "kind", "told", "has_body"),
    [
        (fails(400, "bad"), "client_fault", "openai returned HTTP 400: bad", True),
        (fails(401, "key"), "auth", "openai returned HTTP 401: key", True),
        (fails(429, "slow"), "rate_limited", "openai returned HTTP 429: slow", True),
        (fails(429, "pay", code="insufficient_quota"), "quota", "openai returned HTTP 429", True),
        (fails(503, "ill"), "server", "openai returned HTTP 503: ill", True),
        (answers(b"<html>"), "malformed", "openai sent an answer that cannot be read: ", True),
        (answers(b""), "malformed", "openai sent an answer that cannot be read: ", True),
        (answers(b'{"choices": []}'), "malformed", "openai sent an answer that cannot", True),
        (drops(), "transport", "openai: the connection was reset", False),
        (Script(body=(b'{"cho', Break())), "transport", "openai: the connection was reset", False),
    ],
    ids=[
        "wrong request",
        "wrong key",
        "rate limit",
        "quota",
        "server error",
        "not JSON",
        "empty body",
        "no choice",
        "dropped",
        "cut",
    ],
)
async def test_every_way_to_fail_is_told_in_one_form(
    start: StartGateway, script: Script, kind: str, told: str, has_body: bool
) -> None:
    """The journal has the call with its error, and the body if there was one."""
    gateway = start(PLAIN)
    gateway["one"].will(script)
    asked = attempt(gateway)

    failed = await failure(asked)

    assert failed.kind == kind
    assert failed.text.startswith(told)
    assert (asked.call.status, asked.call.error) == ("error", failed.text)
    assert (asked.call.raw_response is not None) == has_body
    assert asked.call.raw_request is not None
    assert asked.call.answer.output == ()
    assert gateway["one"].open_responses == 0


async def test_a_date_to_wait_for_counts_without_the_servers_own(
    start: StartGateway, mock_clock: trio.testing.MockClock
) -> None:
    """Case 36: such an answer was sent when it arrived; to the second, as dates are."""
    gateway = start(PLAIN)
    later = formatdate(NOW_MS / 1000 + 30, usegmt=True)
    gateway["one"].will(fails(429, headers={"retry-after": later}))

    plain = await failure(attempt(gateway))
    with pytest.raises(AttemptFailed) as streamed:
        await attempt(gateway, stream=True).open()

    assert plain.retry_after_s == streamed.value.retry_after_s == pytest.approx(30, abs=1)


async def test_a_body_without_end_is_given_up(start: StartGateway) -> None:
    """No model writes that much; a server that has gone mad must not fill the memory."""
    gateway = start(PLAIN)
    gateway["one"].will(Script(body=(bytes(ANSWER_BYTES_MAX // 16),) * 17))

    failed = await failure(attempt(gateway))

    assert failed.kind == "malformed"
    assert "found more than 268435456 bytes" in failed.text


@pytest.mark.parametrize(
    ("provider", "script", "told", "after_s"),
    [
        ("one", hangs(), 'provider "one": timeouts.non_streaming.total_ms = 1500 reached', 1.5),
        (
            "one",
            Script(body=(b"{", Hang())),
            'provider "one": timeouts.non_streaming.total_ms = 1500 reached',
            1.5,
        ),
        (
            "patient",
            hangs(),
            "gateway: gateway.global_outbound_http_timeout_ms = 5000 reached",
            5,
        ),
    ],
    ids=["before the answer", "in the answer", "without a limit of its own"],
)
async def test_a_provider_has_its_time(
    start: StartGateway,
    autojump_clock: trio.testing.MockClock,
    provider: str,
    script: Script,
    told: str,
    after_s: float,
) -> None:
    """When it is over, the call is cut off; every call is bounded by the gateway's own limit."""
    gateway = start(TIMES)
    gateway[provider].will(script)
    asked = attempt(gateway, provider)

    failed = await failure(asked)

    assert (failed.kind, failed.text) == ("timeout", told)
    assert asked.call.response_time_ms == after_s * 1000
    assert gateway[provider].open_responses == 0


async def test_times_are_those_of_the_provider(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """From the request to the last byte of the answer, whether it was good or not."""
    gateway = start(PLAIN)
    slow = Script(body=(b'{"choices":[{"message":{"con', Pause(0.5), b'tent":"Hi"}}]}'))
    gateway["one"].will(slow, fails(500, after_s=0.25))
    good, bad = attempt(gateway), attempt(gateway)

    await good.answer()
    await failure(bad)

    assert good.call.response_time_ms == 500
    assert bad.call.response_time_ms == 250
    assert good.call.ttft_ms is None


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"prompt_tokens": 100, "completion_tokens": 10}, Decimal("0.000021")),
        ({"prompt_tokens": 100}, Decimal("0.000015")),
        ({"completion_tokens": 10}, None),
        (None, None),
    ],
    ids=["both", "optional one missing", "required one missing", "no usage"],
)
async def test_a_call_has_its_cost(
    start: StartGateway,
    log: list[MutableMapping[str, Any]],
    usage: Any,
    cost: Decimal | None,
) -> None:
    """By the provider's table; a cost that cannot be told is null, and a warning says why."""
    gateway = start(COSTS)
    gateway["one"].will(completes({"content": "Hi"}, usage=usage))

    call = await attempt(gateway).answer()

    assert call.cost == cost
    warnings = [entry for entry in log if entry["event"] == "cost not computable"]
    assert [(each["model"], each["provider"], each["reason"]) for each in warnings] == (
        [] if cost is not None else [("m", "one", "/usage/prompt_tokens is missing, and required")]
    )


async def test_without_rates_the_cost_is_unknown(
    start: StartGateway, log: list[MutableMapping[str, Any]]
) -> None:
    """That is no reason for a warning."""
    gateway = start(PLAIN)
    gateway["one"].will(says("Hi"))

    assert (await attempt(gateway).answer()).cost is None
    assert [entry["event"] for entry in log if entry["event"] == "cost not computable"] == []


async def test_edits_are_made_in_order(start: StartGateway) -> None:
    """The variant's, the provider's, then the request's: later ones win."""
    gateway = start(EDITS)
    gateway["one"].will(says("Hi"))

    await attempt(
        gateway,
        extra_body=[{"pointer": "/b", "value": "request"}, {"pointer": "/p", "delete": True}],
        extra_headers=[{"name": "X-P", "value": "request"}, {"name": "x-v", "delete": True}],
    ).answer()

    (body,) = gateway["one"].bodies
    (request,) = gateway["one"].requests
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert {key: body.get(key) for key in "abpv"} == {
        "a": "provider",
        "b": "request",
        "p": None,
        "v": 1,
    }
    assert (headers["x-a"], headers["x-p"]) == ("provider", "request")
    assert "x-v" not in headers


@pytest.mark.parametrize(
    ("target", "applies"),
    [
        ({}, True),
        ({"variant_name": "v"}, True),
        ({"model_name": "m"}, True),
        ({"model_name": "m", "provider_name": "one"}, True),
        ({"model_name": "echo::other"}, False),
        ({"model_name": "echo::other", "provider_name": "echo"}, False),
    ],
    ids=["everywhere", "variant", "model", "provider", "another model", "its provider"],
)
async def test_an_edit_applies_to_its_target(
    start: StartGateway, target: Mapping[str, str], applies: bool
) -> None:
    """What is meant for another model is not sent to this one."""
    gateway = start(PLAIN)
    gateway["one"].will(says("Hi"))

    await attempt(
        gateway,
        extra_body=[{"pointer": "/a", "value": 1, **target}],
        extra_headers=[{"name": "x-a", "value": "1", **target}],
    ).answer()

    assert ("a" in gateway["one"].bodies[0]) == applies
    assert ("x-a" in gateway["one"].requests[0].headers) == applies


async def test_an_edit_that_cannot_be_made_fails_the_attempt(start: StartGateway) -> None:
    """Nothing is sent; the message names the pointer."""
    gateway = start(PLAIN)

    failed = await failure(attempt(gateway, extra_body=[{"pointer": "a", "value": 1}]))

    assert failed.kind == "config"
    assert '"a"' in failed.text or "'a'" in failed.text or "`a`" in failed.text
    assert gateway["one"].requests == []


async def test_values_of_headers_are_masked(start: StartGateway) -> None:
    """A header may hold a key; what a caller sets does not show where the provider repeats it."""
    gateway = start(PLAIN)
    gateway["one"].will(fails(400, "what is tok-98765?"))
    asked = attempt(gateway, extra_headers=[{"name": "x-token", "value": "tok-98765"}])

    failed = await failure(asked)

    assert failed.text == "openai returned HTTP 400: what is ***? [code: x_error]"
    assert gateway["one"].requests[0].headers["x-token"] == "tok-98765"


async def test_a_callers_key_is_taken_from_the_request(start: StartGateway) -> None:
    """It is sent to the provider, and shown nowhere."""
    gateway = start(DYNAMIC)
    gateway["one"].will(says("Hi"))
    asked = attempt(gateway, credentials={"customers_key": "sk-customer", "other": "unused"})

    call = await asked.answer()

    assert gateway["one"].requests[0].headers["Authorization"] == "Bearer sk-customer"
    assert "sk-customer" not in str(call)


async def test_a_callers_key_that_is_missing_fails_the_attempt(start: StartGateway) -> None:
    """The message names the provider and the key."""
    gateway = start(DYNAMIC)
    asked = attempt(gateway, credentials={"other": "unused"})

    failed = await failure(asked)

    assert failed.kind == "config"
    assert failed.text.startswith('provider "one": credential missing: ')
    assert "customers_key" in failed.text
    assert asked.call.raw_request is None
    assert gateway["one"].requests == []


async def test_what_is_meant_for_others_is_not_sent(start: StartGateway) -> None:
    """Foreign blocks are left out of the call and of its entry; the request keeps them."""
    gateway = start(PLAIN)
    gateway["one"].will(says("Hi"))
    content = [
        {"type": "text", "text": "Hi"},
        {"type": "thought", "text": "hm", "provider_type": "anthropic"},
    ]
    asked = attempt(gateway, input={"messages": [{"role": "assistant", "content": content}]})

    call = await asked.answer()

    assert "hm" not in gateway["one"].requests[0].body.decode()
    assert call.request.messages[0].content == (Text(text="Hi"),)
    assert len(asked.request.messages[0].content) == 2


async def test_a_caller_that_leaves_cuts_the_call_off(
    start: StartGateway, nursery: trio.Nursery
) -> None:
    """The connection is closed at once; the call stays open until its run settles it."""
    gateway = start(PLAIN)
    gateway["one"].will(Script(body=(b"{", Hang())))
    asked = attempt(gateway)

    nursery.start_soon(asked.answer)
    await trio.testing.wait_all_tasks_blocked()
    held = gateway["one"].open_responses
    nursery.cancel_scope.cancel()
    with trio.CancelScope(shield=True):
        await trio.testing.wait_all_tasks_blocked()

    assert held == 1
    assert gateway["one"].open_responses == 0
    assert asked.call.status == "open"


class FakeSignIn:
    """Gives tokens "t-1", "t-2" …; forgets one if it was refused as expired."""

    refusal_statuses = frozenset({401})

    def __init__(self) -> None:
        self.given = 0

    async def credentials(self, dynamic: Mapping[str, str]) -> Mapping[str, str | None]:
        self.given += 1
        return {"api_key": f"token-{self.given}"}

    def forget(
        self, credentials: Mapping[str, str | None], headers: Mapping[str, str], body: bytes
    ) -> bool:
        return b"expired" in body


def signed_in(gateway: Gateway) -> Attempt:
    """An attempt on a provider that is signed in to."""
    asked = attempt(gateway)
    return attrs.evolve(asked, provider=attrs.evolve(asked.provider, sign_in=FakeSignIn()))


async def test_a_token_that_has_lapsed_is_renewed_once(start: StartGateway) -> None:
    """A refused token is fetched anew, and the request sent again with it, within one call."""
    gateway = start(PLAIN)
    gateway["one"].will(fails(401, "expired"), says("Hi"))

    call = await signed_in(gateway).answer()

    sent = [request.headers["Authorization"] for request in gateway["one"].requests]
    assert sent == ["Bearer token-1", "Bearer token-2"]
    assert call.answer.output == (Text(text="Hi"),)
    assert gateway["one"].open_responses == 0


async def test_an_answer_about_something_else_is_left_as_it_is(start: StartGateway) -> None:
    """It was read to see what it is about, and is still there to be understood."""
    gateway = start(PLAIN)
    gateway["one"].will(fails(401, "not you", code="stranger"))

    failed = await failure(signed_in(gateway))

    assert failed.text == "openai returned HTTP 401: not you [code: stranger]"
    assert len(gateway["one"].requests) == 1
    assert gateway["one"].open_responses == 0


async def test_a_token_that_is_refused_twice_is_an_error(start: StartGateway) -> None:
    """There is no third time; both tokens are masked."""
    gateway = start(PLAIN)
    gateway["one"].will(fails(401, "token-1 expired"), fails(401, "token-2 expired"))

    failed = await failure(signed_in(gateway))

    assert failed.kind == "auth"
    assert len(gateway["one"].requests) == 2
    assert "token-2" not in failed.text

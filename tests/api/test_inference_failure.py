"""What happens when providers fail: the next one, again, another model, another variant, or why."""

import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.asking import SAYING_HI, Box, model, statuses, text_of
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.openai_scripts import answers, cut_after, drops, fails, hangs, says, streams
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.script import Answer, Delay, Fin, Header, Script, Split

QUOTA = {
    "error": {
        "message": "You exceeded your current quota",
        "type": "insufficient_quota",
        "code": "insufficient_quota",
    }
}

QUICK = "retries = { num_retries = 2, max_delay_s = 0.01 }"

FUNCTIONS = f"""
    [functions.steady]
    type = "chat"
    variants.only.model = "pair"

    [functions.patient]
    type = "chat"
    variants.only = {{ model = "first", {QUICK} }}

    [functions.deep]
    type = "chat"
    [functions.deep.variants.main]
    model = "first"
    fallback = ["second"]
    {QUICK}
    [functions.deep.variants.reserve]
    model = "third"
    [functions.deep.experimentation]
    type = "static"
    candidate_variants = ["main"]
    fallback_variants = ["reserve"]

    [functions.two_boxes]
    type = "chat"
    variants.only = {{ model = "pair", {QUICK} }}

    [functions.once_more]
    type = "chat"
    [functions.once_more.variants.only]
    model = "first"
    fallback = ["second"]
    retries = {{ num_retries = 1, max_delay_s = 0.01 }}

    [functions.five_times]
    type = "chat"
    [functions.five_times.variants.only]
    model = "first"
    retries = {{ num_retries = 5, max_delay_s = 0.1 }}

    [functions.waits_long]
    type = "chat"
    [functions.waits_long.variants.only]
    model = "first"
    retries = {{ num_retries = 1, max_delay_s = 1.5 }}

    [functions.listed]
    type = "chat"
    [functions.listed.variants]
    a.model = "first"
    b.model = "second"
    c.model = "third"
    unlisted.model = "fourth"
    weightless.model = "fourth"
    [functions.listed.experimentation]
    type = "static"
    candidate_variants = {{ a = 1.0, weightless = 0.0 }}
    fallback_variants = ["c", "b"]
"""


@pytest.fixture
def boxes(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """Providers `first` to `fourth`; all answer, until a test lets them fail."""
    shared_provider.forget()
    for name in ("first", "second", "third", "fourth"):
        shared_provider.will(name, says(name))
    return shared_provider


@pytest.fixture(scope="module")
def nowhere() -> Iterator[str]:
    """An address where nobody listens, nor will."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/v1"


@pytest.fixture(scope="module")
def gateway(
    start_shared: StartGateway, shared_provider: FakeProviderThread, nowhere: str
) -> Gateway:
    """A gateway with models `first` to `fourth`, a `pair` and one of `many` boxes."""
    url = shared_provider.url
    quick = "timeouts.non_streaming.total_ms = 300\ntimeouts.streaming.ttft_ms = 300"
    singles = [
        model(name, Box("box", url(name))) for name in ("first", "second", "third", "fourth")
    ]
    pair = model("pair", Box("one", url("first")), Box("two", url("second")))
    many = model(
        "many",
        Box("ill", url("first")),
        Box("gone", nowhere),
        Box("silent", url("second"), quick),
        Box("garbled", url("third")),
        Box("cut", url("fourth")),
        Box("key", url("fifth")),
    )
    patient = "timeouts.non_streaming.total_ms = 20000"
    hasty = model("hasty", Box("silent", url("first"), quick), Box("good", url("second")))
    waiting = model("waiting", Box("slow", url("first"), patient), Box("good", url("second")))
    return start_shared("".join([*singles, pair, many, hasty, waiting]) + FUNCTIONS)


def asked(boxes: FakeProviderThread) -> list[str]:
    """Who was asked, in order."""
    return [request.scenario for request in boxes.requests]


def failure(gateway: Gateway, status: int, **body: Any) -> dict[str, Any]:
    """The body of a failed inference, which must have this status."""
    response = gateway.post("/inference", {**SAYING_HI, **body})
    assert response.status_code == status, f"{response.status_code}: {response.text}"
    assert response.headers["content-type"] == "application/json"
    told: dict[str, Any] = response.json()
    return told


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_case_31_the_next_provider_answers_when_the_first_is_down(
    gateway: Gateway, boxes: FakeProviderThread, stream: bool
) -> None:
    """A failing provider costs only time: the next one answers, and is the one that counts."""
    boxes.will("first", fails(503))
    boxes.will("second", says("I do", usage={"prompt_tokens": 3, "completion_tokens": 2}))

    if stream:
        chunks = gateway.stream(function_name="steady", **SAYING_HI)
        text, answer = text_of(chunks), chunks[-1]
    else:
        answer = gateway.infer(function_name="steady", **SAYING_HI)
        text = text_of(answer)

    assert text == "I do"
    assert answer["usage"] == {"input_tokens": 3, "output_tokens": 2, "cost": None}
    calls = gateway.calls(answer["inference_id"])
    assert statuses(calls) == [("one", "error"), ("two", "ok")]
    assert "503" in calls[0]["error"]
    assert "output" not in calls[0]
    shown = gateway.client.get(f"/internal/model_inferences/{answer['inference_id']}").json()
    assert statuses(shown["model_inferences"]) == [("two", "ok")]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_when_all_are_down_every_cause_is_told(
    gateway: Gateway, boxes: FakeProviderThread, stream: bool
) -> None:
    """One 502 in JSON: each provider with its own cause, in the order of the routing."""
    boxes.will("first", fails(503, {"error": {"message": "on fire"}}))
    boxes.will("second", hangs())
    boxes.will("third", answers("<html>", content_type="text/html"))
    boxes.will("fourth", drops(reset=True))
    boxes.will("fifth", fails(401))

    told = failure(gateway, 502, model_name="many", stream=stream, include_raw_response=True)

    causes = re.split(r'provider "(\w+)": ', told["error"])[1:]
    assert causes[::2] == ["ill", "gone", "silent", "garbled", "cut", "key"]
    expected = ["on fire", "refused", "total_ms|ttft_ms", "openai", "openai", "fake 401"]
    for cause, words in zip(causes[1::2], expected, strict=True):
        assert any(word in cause for word in words.split("|")), cause
    bodies = [entry["data"] for entry in told["raw_response"]]
    assert [body[:6] for body in bodies] == ['{"erro', "<html>", '{"erro']
    assert all("model_inference_id" not in entry for entry in told["raw_response"])


def test_a_failed_inference_leaves_its_attempts(
    gateway: Gateway, boxes: FakeProviderThread
) -> None:
    """There is no record of it, but of what was tried, under its id and its episode's."""
    boxes.will("first", fails(500))
    boxes.will("second", fails(418))

    told = failure(gateway, 502, function_name="steady")

    assert gateway.stored(told["inference_id"]) is None
    by_inference, by_episode = (
        gateway.calls(told[name]) for name in ("inference_id", "episode_id")
    )
    assert statuses(by_inference) == [("one", "error"), ("two", "error")]
    assert by_episode == by_inference


@pytest.mark.parametrize(
    "ill",
    [fails(500), fails(408), fails(409), fails(425), fails(429), fails(529), drops(), cut_after(0)],
    ids=["500", "408", "409", "425", "429", "529", "dropped", "no JSON"],
)
def test_case_32_what_may_heal_is_tried_again(
    gateway: Gateway, boxes: FakeProviderThread, ill: Answer
) -> None:
    """Each retry is one more pass; the error shows the bodies of all of them."""
    boxes.will("first", ill)

    told = failure(gateway, 502, function_name="patient", include_raw_response=True)

    assert asked(boxes) == ["first"] * 3
    assert [f"try {number}: " in told["error"] for number in (1, 2, 3, 4)] == [True] * 3 + [False]
    entries = told.get("raw_response", [])
    assert all("model_inference_id" not in entry for entry in entries)
    if isinstance(ill, Script) and not any(isinstance(step, Fin) for step in ill.steps):
        assert len(entries) == 3


@pytest.mark.parametrize(
    "ill",
    [
        fails(400),
        fails(401),
        fails(429, QUOTA),
        fails(404),
        fails(503, headers={"x-should-retry": "false"}),
    ],
    ids=["case 32: 400", "case 32: 401", "case 32: exhausted quota", "404", "not to be retried"],
)
def test_what_will_not_heal_is_not_tried_again(
    gateway: Gateway, boxes: FakeProviderThread, ill: Answer
) -> None:
    """One pass, then the fallback model, then the other variant."""
    boxes.will("first", ill)
    boxes.will("second", ill)

    answer = gateway.infer(function_name="deep", **SAYING_HI)

    assert asked(boxes) == ["first", "second", "third"]
    assert (answer["variant_name"], text_of(answer)) == ("reserve", "third")


def test_case_32_one_error_that_may_heal_is_reason_enough(
    gateway: Gateway, boxes: FakeProviderThread
) -> None:
    """A pass is repeated as a whole: 400 and 503, three times."""
    boxes.will("first", fails(400))
    boxes.will("second", fails(503))

    failure(gateway, 502, function_name="two_boxes")

    assert asked(boxes) == ["first", "second"] * 3


def test_a_retry_that_succeeds_is_an_answer(gateway: Gateway, boxes: FakeProviderThread) -> None:
    """With its raw responses in the order of the tries."""
    script = iter([fails(500), fails(503), says("at last")])

    def in_turn(request: Any) -> Script:
        step = next(script)
        return step if isinstance(step, Script) else step(request)

    boxes.will("first", in_turn)

    answer = gateway.infer(function_name="patient", include_raw_response=True, **SAYING_HI)

    assert text_of(answer) == "at last"
    ids = [entry.get("model_inference_id") for entry in answer["raw_response"]]
    calls = gateway.calls(answer["inference_id"])
    assert ids == [None, None, calls[-1]["id"]]
    assert statuses(calls) == [("box", "error"), ("box", "error"), ("box", "ok")]


def test_case_33_no_wait_is_longer_than_the_longest(
    gateway: Gateway, boxes: FakeProviderThread
) -> None:
    """Five retries of at most 0.1 s each; doubling from one second would take half a minute."""
    boxes.will("first", fails(503))

    failure(gateway, 502, function_name="five_times")

    arrived = [request.arrived_at for request in boxes.requests]
    assert len(arrived) == 6
    assert arrived[-1] - arrived[0] < 20


def test_case_33_a_provider_may_ask_for_patience(
    gateway: Gateway, boxes: FakeProviderThread
) -> None:
    """The retry comes no earlier than it wants."""
    boxes.will("first", fails(503, headers={"Retry-After": "1"}))

    failure(gateway, 502, function_name="waits_long")

    first, second = (request.arrived_at for request in boxes.requests)
    assert second - first >= 1


def test_case_33_nobody_waits_longer_than_allowed(
    gateway: Gateway, boxes: FakeProviderThread
) -> None:
    """A provider that wants more time than a wait may take is not asked again."""
    boxes.will("first", fails(503, headers={"Retry-After": "2"}))

    failure(gateway, 502, function_name="waits_long")

    assert asked(boxes) == ["first"]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_case_35_a_fallback_model_answers_under_the_same_variant(
    gateway: Gateway, boxes: FakeProviderThread, stream: bool
) -> None:
    """The dead model twice, then the other; the record tells which model it was."""
    boxes.will("first", fails(500))

    if stream:
        answer = gateway.stream(function_name="once_more", **SAYING_HI)[-1]
    else:
        answer = gateway.infer(function_name="once_more", **SAYING_HI)

    assert asked(boxes) == ["first", "first", "second"]
    assert answer["variant_name"] == "only"
    calls = gateway.calls(answer["inference_id"])
    assert [(call["model_name"], call["status"]) for call in calls] == [
        ("first", "error"),
        ("first", "error"),
        ("second", "ok"),
    ]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_case_36_fallback_variants_are_tried_in_their_order(
    gateway: Gateway, boxes: FakeProviderThread, stream: bool
) -> None:
    """After all candidates; one of weight 0, or in neither list, is never called."""
    for name in ("first", "second", "third"):
        boxes.will(name, fails(500))

    told = failure(gateway, 502, function_name="listed", stream=stream)

    assert asked(boxes) == ["first", "third", "second"]
    places = [told["error"].index(f'variant "{name}": ') for name in ("a", "c", "b")]
    assert places == sorted(places)
    assert "unlisted" not in told["error"]
    assert "weightless" not in told["error"]


@pytest.mark.parametrize("name", ["unlisted", "weightless"])
def test_a_pin_reaches_every_variant(
    gateway: Gateway, boxes: FakeProviderThread, name: str
) -> None:
    """Whatever its weight or list."""
    answer = gateway.infer(function_name="listed", variant_name=name, **SAYING_HI)

    assert (answer["variant_name"], text_of(answer)) == (name, "fourth")


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_case_37_a_pinned_variant_has_no_other_behind_it(
    gateway: Gateway, boxes: FakeProviderThread, stream: bool
) -> None:
    """Its failure is a 500; a drawn one that fails is a 502, even if it is the only one."""
    boxes.will("first", fails(500))

    pinned = failure(gateway, 500, function_name="listed", variant_name="a", stream=stream)
    assert asked(boxes) == ["first"]
    failure(gateway, 502, function_name="patient", stream=stream)

    assert pinned["error"].startswith('variant "a": model "first": provider "box": ')


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 429, 503])
def test_case_38_a_providers_status_is_never_ours(
    gateway: Gateway, boxes: FakeProviderThread, status: int
) -> None:
    """It stands in the text; ours tells that a provider has failed."""
    boxes.will("first", fails(status))

    told = failure(gateway, 502, model_name="first")

    assert f"HTTP {status}: fake {status}" in told["error"]


def test_case_39_the_time_to_the_first_chunk_includes_what_failed_before(
    gateway: Gateway, boxes: FakeProviderThread
) -> None:
    """For the caller it does; the provider that answered is not blamed for the silent one."""
    boxes.will("first", hangs())
    boxes.will("second", streams(["a", "b"]))

    answer = gateway.stream(model_name="hasty", **SAYING_HI)[-1]

    record = gateway.stored(answer["inference_id"])
    calls = gateway.calls(answer["inference_id"])
    assert record is not None
    assert record["ttft_ms"] >= 300
    assert statuses(calls) == [("silent", "error"), ("good", "ok")]
    assert calls[1]["ttft_ms"] <= record["ttft_ms"] - 300
    assert "ttft_ms" not in calls[0]


def test_a_silent_provider_is_left_after_its_time(
    gateway: Gateway, boxes: FakeProviderThread
) -> None:
    """Its connection is closed, and the next one answers."""
    boxes.will("first", hangs())

    answer = gateway.infer(model_name="hasty", **SAYING_HI)

    assert text_of(answer) == "second"
    boxes.wait_closed(boxes.wait_for_request(1))
    (silent, _) = gateway.calls(answer["inference_id"])
    assert silent["error"] == 'provider "silent": timeouts.non_streaming.total_ms = 300 reached'


def test_a_slow_provider_within_its_time_is_waited_for(
    gateway: Gateway, boxes: FakeProviderThread
) -> None:
    """Slow is not silent."""
    boxes.will("first", says("slow", delay_ms=40))

    assert text_of(gateway.infer(model_name="waiting", **SAYING_HI)) == "slow"


def test_a_redirect_is_not_followed(gateway: Gateway, boxes: FakeProviderThread) -> None:
    """Requests and their keys go where the configuration says, or nowhere."""
    boxes.will("first", answers("", status=307, headers={"Location": boxes.url("second")}))

    told = failure(gateway, 502, model_name="first")

    assert asked(boxes) == ["first"]
    assert "307" in told["error"]


def test_a_trickling_answer_is_read(gateway: Gateway, boxes: FakeProviderThread) -> None:
    """How the bytes arrive does not matter."""
    whole = says("in drops")

    def trickling(request: Any) -> Script:
        return Script((Split(7, gap_ms=0.1), *whole(request).steps))

    boxes.will("first", trickling)

    assert text_of(gateway.infer(model_name="first", **SAYING_HI)) == "in drops"


def test_an_answer_without_usage_is_an_answer(gateway: Gateway, boxes: FakeProviderThread) -> None:
    """What is not reported is null."""
    boxes.will("first", says("hi", usage=None))

    answer = gateway.infer(model_name="first", **SAYING_HI)

    assert answer["usage"] == {"input_tokens": None, "output_tokens": None, "cost": None}
    (call,) = gateway.calls(answer["inference_id"])
    assert call.keys().isdisjoint({"input_tokens", "output_tokens", "cost"})


def test_a_failure_that_took_its_time_is_still_only_a_failure(
    gateway: Gateway, boxes: FakeProviderThread
) -> None:
    """An error after a pause counts like one at once."""
    boxes.will("first", Script((Delay(30), Header("X", "y"), *fails(502).steps)))

    assert text_of(gateway.infer(function_name="steady", **SAYING_HI)) == "second"

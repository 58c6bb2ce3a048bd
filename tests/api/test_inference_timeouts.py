"""Time limits of providers, models and variants: who is cut off when, and what callers hear."""

from typing import Any

import pytest

from tests.api.asking import SAYING_HI, Box, model, statuses, text_of
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.openai_scripts import chunk, events, fails, hangs, says
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.script import Chunked, Delay, Hang, Head, Header, Script

FUNCTIONS = """
    [functions.slow]
    type = "chat"
    variants.only.model = "three"

    [functions.opening]
    type = "chat"
    variants.only.model = "opening"

    [functions.whole]
    type = "chat"
    [functions.whole.variants.only]
    model = "free"
    retries = { num_retries = 9, max_delay_s = 0.01 }
    timeouts.non_streaming.total_ms = 2000
    timeouts.streaming.total_ms = 2000

    [functions.again]
    type = "chat"
    [functions.again.variants.only]
    model = "brief"
    retries = { num_retries = 1, max_delay_s = 0.01 }
"""

NAMES = ("first", "second", "third")

# Limits of 400 ms are there to be reached. Something has to happen within those of 2 s and more,
# and a busy machine may need one of them to make it happen.


@pytest.fixture
def boxes(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """Providers `first` to `third`; all answer, until a test slows them down."""
    shared_provider.forget()
    for name in NAMES:
        shared_provider.will(name, says(name))
    return shared_provider


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A gateway whose models differ in their limits."""
    url = shared_provider.url
    tables = [
        model(
            "three",
            *(Box(name, url(name)) for name in NAMES),
            more="timeouts.non_streaming.total_ms = 3000",
        ),
        model("opening", Box("box", url("first")), more="timeouts.streaming.ttft_ms = 400"),
        model("started", Box("box", url("first")), more="timeouts.streaming.ttft_ms = 2000"),
        model("first_only", Box("box", url("first"), "timeouts.streaming.ttft_ms = 2000")),
        model("total", Box("box", url("first"), "timeouts.streaming.total_ms = 2000")),
        model("model_total", Box("box", url("first")), more="timeouts.streaming.total_ms = 2000"),
        model("idle", Box("box", url("first"), "timeouts.streaming.idle_ms = 400")),
        model("steady", Box("box", url("first"), "timeouts.streaming.idle_ms = 2000")),
        model("brief", Box("box", url("first")), more="timeouts.non_streaming.total_ms = 2000"),
        model("free", Box("box", url("first"))),
    ]
    return start_shared("".join(tables) + FUNCTIONS)


def failure(gateway: Gateway, status: int, **body: Any) -> str:
    """The error of a failed inference, which must have this status, as JSON."""
    response = gateway.post("/inference", {**SAYING_HI, **body})
    assert response.status_code == status, f"{response.status_code}: {response.text}"
    assert response.headers["content-type"] == "application/json"
    told: str = response.json()["error"]
    return told


def trickling(*pauses_ms: float) -> Script:
    """A stream of `a`, `b`, … with these pauses before its chunks; then its end."""
    steps: list[Any] = [Header("Content-Type", "text/event-stream"), Head()]
    for place, pause_ms in enumerate(pauses_ms):
        one = events([chunk({"content": "abcdef"[place]})], done=False).steps[-1]
        steps += [Delay(pause_ms), one]
    return Script((*steps, *events([chunk({}, finish_reason="stop")]).steps[2:]))


def test_case_40_the_models_time_covers_all_of_its_providers(
    gateway: Gateway, boxes: FakeProviderThread
) -> None:
    """The third would have answered within it, had the others not taken their part."""
    for name in ("first", "second"):
        boxes.will(name, Script((Delay(300), *fails(503).steps)))
    boxes.will("third", says("too late", delay_ms=2900))

    told = failure(gateway, 408, function_name="slow", variant_name="only")

    assert 'model "three": timeouts.non_streaming.total_ms = 3000 reached' in told
    first, _, third = boxes.requests
    boxes.wait_closed(third)
    assert third.closed_at is not None
    assert third.closed_at - first.arrived_at >= 1.0
    assert [request.answered for request in boxes.requests] == [True, True, False]


@pytest.mark.parametrize(
    ("named", "status"),
    [
        ({"function_name": "opening", "variant_name": "only"}, 408),
        ({"function_name": "opening"}, 502),
        ({"model_name": "opening"}, 502),
    ],
    ids=["pinned", "drawn", "by model"],
)
@pytest.mark.parametrize("after_head", [False, True], ids=["no head", "head only"])
def test_case_41_a_stream_that_does_not_start_is_an_error(
    gateway: Gateway,
    boxes: FakeProviderThread,
    named: dict[str, Any],
    status: int,
    after_head: bool,
) -> None:
    """In JSON with a status, since nothing has been streamed yet."""
    boxes.will("first", hangs(after_head=after_head))

    told = failure(gateway, status, **named, stream=True)

    assert 'model "opening": timeouts.streaming.ttft_ms = 400 reached' in told
    boxes.wait_closed(boxes.requests[0])


def test_a_role_is_not_yet_a_start(gateway: Gateway, boxes: FakeProviderThread) -> None:
    """Keep-alives and chunks without content do not count as the first chunk."""
    role = events([chunk({"role": "assistant"}), chunk({"content": ""})], done=False).steps
    boxes.will("first", Script((*role, Chunked(b": ping\n\n"), Hang())))

    assert "ttft_ms = 400" in failure(gateway, 502, model_name="opening", stream=True)


@pytest.mark.parametrize("name", ["started", "first_only"], ids=["of model", "of provider"])
def test_case_41_the_time_to_the_first_chunk_does_not_bind_the_rest(
    gateway: Gateway, boxes: FakeProviderThread, name: str
) -> None:
    """A slow second chunk is fine."""
    boxes.will("first", trickling(0, 2200))

    chunks = gateway.stream(model_name=name, **SAYING_HI)

    assert text_of(chunks) == "ab"
    assert [chunk for chunk in chunks if "error" in chunk] == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"model_name": "total"}, 'provider "box": timeouts.streaming.total_ms = 2000 reached'),
        (
            {"model_name": "model_total"},
            'model "model_total": timeouts.streaming.total_ms = 2000 reached',
        ),
        (
            {"function_name": "whole"},
            'variant "only": timeouts.streaming.total_ms = 2000 reached',
        ),
        ({"model_name": "steady"}, 'provider "box": timeouts.streaming.idle_ms = 2000 reached'),
    ],
    ids=["case 41: total of provider", "total of model", "total of variant", "idle"],
)
def test_a_stream_that_takes_too_long_is_cut_off(
    gateway: Gateway, boxes: FakeProviderThread, body: dict[str, Any], told: str
) -> None:
    """What has arrived counts: an error event, the final chunk, the end mark, and a record."""
    boxes.will("first", trickling(0, 10, 20_000))

    a, b, error, last = gateway.stream(**body, **SAYING_HI)

    assert text_of([a, b]) == "ab"
    assert error == {"error": told}
    assert last["content"] == []
    assert "finish_reason" not in last
    boxes.wait_closed(boxes.requests[0])
    record = gateway.stored(last["inference_id"])
    assert record is not None
    assert record["status"] == "interrupted"
    assert record["output"] == [{"type": "text", "text": "ab"}]
    (call,) = gateway.calls(last["inference_id"])
    assert (call["status"], call["error"]) == ("interrupted", told)


def test_comments_are_no_sign_of_life(gateway: Gateway, boxes: FakeProviderThread) -> None:
    """A proxy that keeps a dead stream open does not keep it from being ended."""
    head = events([chunk({"content": "a"})], done=False).steps
    pings = [step for _ in range(500) for step in (Delay(20), Chunked(b": ping\n\n"))]
    boxes.will("first", Script((*head, *pings)))

    _, error, _ = gateway.stream(model_name="idle", **SAYING_HI)

    assert "timeouts.streaming.idle_ms = 400 reached" in error["error"]


def test_a_steady_stream_is_not_idle(gateway: Gateway, boxes: FakeProviderThread) -> None:
    """Only the longest silence counts, not their sum."""
    boxes.will("first", trickling(0, 700, 700, 700))

    assert text_of(gateway.stream(model_name="steady", **SAYING_HI)) == "abcd"


@pytest.mark.parametrize(("pin", "status"), [({"variant_name": "only"}, 408), ({}, 502)])
def test_the_variants_time_covers_its_retries(
    gateway: Gateway, boxes: FakeProviderThread, pin: dict[str, str], status: int
) -> None:
    """However many there would be."""
    boxes.will("first", Script((Delay(400), *fails(503).steps)))

    told = failure(gateway, status, function_name="whole", **pin)

    assert 'variant "only": timeouts.non_streaming.total_ms = 2000 reached' in told
    assert 2 <= len(boxes.requests) <= 6


def test_a_models_timeout_may_heal(gateway: Gateway, boxes: FakeProviderThread) -> None:
    """It is retried like any other transient failure."""
    slow = iter([hangs()])
    boxes.will("first", lambda request: next(slow, None) or says("well")(request))

    answer = gateway.infer(function_name="again", **SAYING_HI)

    assert text_of(answer) == "well"
    calls = gateway.calls(answer["inference_id"])
    assert statuses(calls) == [("box", "error"), ("box", "ok")]
    assert calls[0]["error"] == 'model "brief": timeouts.non_streaming.total_ms = 2000 reached'

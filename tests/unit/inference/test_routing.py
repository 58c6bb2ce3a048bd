"""From a variant's model to an answer: providers in order, retries, fallback models."""

from contextlib import suppress
from weakref import ref

import pytest
import trio
import trio.testing

from lsd.conversation import StreamEvent, StreamFault, Text
from lsd.inference.accept import Accepted
from lsd.inference.refusals import InferenceFailed, VariantFailed
from lsd.inference.variants import first_answer
from tests.unit.collector import without_collector
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import (
    Hang,
    Pause,
    Script,
    answers,
    breaks_after,
    drops,
    fails,
    hangs,
    said,
    says,
    stream_of,
    streams,
)
from tests.unit.inference.gateway import TWO_PROVIDERS, VariantRun, journal, variant_run

FALLBACK = """
[models.x]
routing = ["x1", "x2"]
providers.x1 = { type = "openai", model_name = "gpt-1" }
providers.x2 = { type = "openai", model_name = "gpt-2" }

[models.y]
routing = ["y1"]
providers.y1 = { type = "openai", model_name = "gpt-3" }

[functions.chat]
type = "chat"
[functions.chat.variants.v]
model = "x"
fallback = ["y"]
"""

RETRIES = FALLBACK + "retries = { num_retries = 2, max_delay_s = 3 }\n"

LIMITED = """
[models.m]
routing = ["one", "two", "three"]
timeouts = {{ {timeouts} }}
providers.one = {{ type = "openai", model_name = "gpt-1" }}
providers.two = {{ type = "openai", model_name = "gpt-2" }}
providers.three = {{ type = "openai", model_name = "gpt-3" }}

[functions.chat]
type = "chat"
[functions.chat.variants.v]
model = "m"
retries = {{ num_retries = {retries}, max_delay_s = 1 }}
"""


async def failure(asked: VariantRun) -> VariantFailed:
    """How a variant fails, asked for a whole answer or for a stream."""
    with pytest.raises(VariantFailed) as failed:
        await (asked.open() if asked.run.streaming else asked.answer())
    return failed.value


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(
    "first",
    [
        fails(400),
        fails(401),
        fails(404),
        fails(429),
        fails(500),
        answers(b"nonsense"),
        drops(),
        Script(body=(b"",)),
    ],
    ids=["400", "401", "404", "429", "500", "undecodable", "dropped", "empty"],
)
async def test_the_next_provider_answers_when_the_first_fails(
    start: StartGateway, first: Script, stream: bool
) -> None:
    """Whatever the error was; both calls are in the journal."""
    gateway = start(TWO_PROVIDERS)
    gateway["one"].will(first)
    gateway["two"].will(streams("Hi") if stream else says("Hi"))
    asked = variant_run(gateway, stream=stream)

    if stream:
        await (await asked.open()).aclose()
    else:
        assert (await asked.answer()).answer.output == (Text(text="Hi"),)

    assert [(each[1], each[2]) for each in journal(asked.run)] == [
        ("one", "error"),
        ("two", "open" if stream else "ok"),
    ]


@pytest.mark.parametrize("first", [fails(500), drops()], ids=["refused", "dropped"])
async def test_what_a_failed_request_held_is_freed_at_once(
    start: StartGateway, first: Script
) -> None:
    """It may be large, and when providers are down, there are many of them."""
    gateway = start(TWO_PROVIDERS)
    gateway["one"].will(first)
    gateway["two"].will(first)

    async def fail() -> "ref[Accepted]":
        accepted, run = gateway.begin()
        with suppress(InferenceFailed):
            await first_answer(run, accepted)
        return ref(accepted)

    with without_collector():
        accepted = await fail()
        assert accepted() is None


async def test_the_first_answer_ends_everything(start: StartGateway) -> None:
    """Nobody else is asked."""
    gateway = start(FALLBACK)
    gateway["x1"].will(says("Hi"))

    await variant_run(gateway).answer()

    assert gateway.providers.asked() == ["x1"]


async def test_the_models_that_follow_have_their_turn(start: StartGateway) -> None:
    """The request is the same; only the model's name differs."""
    gateway = start(FALLBACK)
    gateway["x1"].will(fails(400))
    gateway["x2"].will(fails(500))
    gateway["y1"].will(says("Hi"))
    asked = variant_run(gateway)

    call = await asked.answer()

    assert (call.variant_name, call.model_name) == ("v", "y")
    assert journal(asked.run) == [
        ("x", "x1", "error"),
        ("x", "x2", "error"),
        ("y", "y1", "ok"),
    ]
    first, last = gateway["x1"].bodies[0], gateway["y1"].bodies[0]
    assert {**first, "model": "gpt-3"} == last


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(
    ("first", "second", "passes", "waits"),
    [
        (fails(500), fails(500), 3, [1, 3]),
        (fails(400), fails(503), 3, [1, 3]),
        (fails(503), fails(400), 3, [1, 3]),
        (fails(400), fails(401), 1, []),
        (fails(429, code="insufficient_quota"), fails(400), 1, []),
        (fails(503, headers={"x-should-retry": "false"}), fails(400), 1, []),
        (fails(503, headers={"retry-after": "2"}), fails(400), 3, [2, 3]),
        (fails(503, headers={"retry-after": "4"}), fails(400), 1, []),
        (fails(503, headers={"retry-after": "4"}), fails(503), 3, [1, 3]),
        (drops(), fails(400), 3, [1, 3]),
        (answers(b"<html>"), fails(400), 3, [1, 3]),
    ],
    ids=[
        "500",
        "400 then 503",
        "503 then 400",
        "400 and 401",
        "no quota",
        "forbidden",
        "asked to wait",
        "asked to wait too long",
        "one asks for no wait",
        "dropped",
        "undecodable",
    ],
)
async def test_only_what_may_heal_is_tried_again(
    start: StartGateway,
    autojump_clock: trio.testing.MockClock,
    first: Script,
    second: Script,
    passes: int,
    waits: list[float],
    stream: bool,
) -> None:
    """A retry runs the whole routing again, after a wait; then the next model has its turn."""
    gateway = start(RETRIES)
    gateway["x1"].will(first)
    gateway["x2"].will(second)
    gateway["y1"].will(streams("Hi") if stream else says("Hi"))
    asked = variant_run(gateway, stream=stream)
    began = trio.current_time()

    await (asked.open() if stream else asked.answer())

    assert journal(asked.run)[:-1] == [("x", "x1", "error"), ("x", "x2", "error")] * passes
    took = trio.current_time() - began
    # The second back-off is 2 s and up to 2 s more, which the bound of 3 s cuts.
    assert sum(waits[:1]) <= took <= 3 * len(waits)


async def test_an_answer_on_a_retry_is_as_good_as_any(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """The fallback model is left in peace."""
    gateway = start(RETRIES)
    gateway["x1"].will(fails(500))
    gateway["x2"].will(fails(500), says("Hi"))
    asked = variant_run(gateway)

    call = await asked.answer()

    assert call.answer.output == (Text(text="Hi"),)
    assert [each[1:] for each in journal(asked.run)] == [
        ("x1", "error"),
        ("x2", "error"),
        ("x1", "error"),
        ("x2", "ok"),
    ]


async def test_each_model_has_its_own_retries(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """What the first model has used up does not count for the next."""
    gateway = start(RETRIES)
    for name in ("x1", "x2", "y1"):
        gateway[name].will(fails(500))
    asked = variant_run(gateway)

    await failure(asked)

    assert [each[0] for each in journal(asked.run)] == ["x"] * 6 + ["y"] * 3


async def test_a_failure_lists_every_cause_in_order(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """Models, tries, providers: each with what it said."""
    gateway = start(FALLBACK + "retries = { num_retries = 1 }\n")
    gateway["x1"].will(fails(500, "first"), fails(500, "second"))
    gateway["x2"].will(fails(400, "bad"))
    gateway["y1"].will(fails(401, "key"))

    failed = await failure(variant_run(gateway))

    assert failed.cause == "providers"
    assert str(failed) == (
        'model "x", try 1: '
        'provider "x1": openai returned HTTP 500: first [code: x_error]; '
        'provider "x2": openai returned HTTP 400: bad [code: x_error]; '
        'model "x", try 2: '
        'provider "x1": openai returned HTTP 500: second [code: x_error]; '
        'provider "x2": openai returned HTTP 400: bad [code: x_error]; '
        'model "y": provider "y1": openai returned HTTP 401: key [code: x_error]'
    )


async def test_a_failure_is_told_as_a_tree_too(start: StartGateway) -> None:
    """For programs that want the causes without reading prose."""
    gateway = start(FALLBACK)
    gateway["x1"].will(fails(429, "slow", code="rate_limit_exceeded"))
    gateway["x2"].will(drops())
    gateway["y1"].will(fails(400, "bad"))

    failed = await failure(variant_run(gateway))

    x, y = failed.models
    assert x == {
        "model": "x",
        "tries": [
            {
                "providers": [
                    {
                        "provider": "x1",
                        "kind": "rate_limited",
                        "status": 429,
                        "code": "rate_limit_exceeded",
                        "error": "openai returned HTTP 429: slow [code: rate_limit_exceeded]",
                    },
                    {
                        "provider": "x2",
                        "kind": "transport",
                        "status": None,
                        "code": None,
                        "error": "openai: the connection was reset",
                    },
                ],
                "timeout": None,
            }
        ],
    }
    assert (y["model"], len(y["tries"])) == ("y", 1)


async def test_a_model_has_its_time_for_all_of_its_providers(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """When it is over, the provider being asked is cut off, and the limit is named."""
    gateway = start(LIMITED.format(timeouts="non_streaming.total_ms = 1200", retries=0))
    for name in ("one", "two", "three"):
        gateway[name].will(fails(500, "slow", after_s=0.5))
    asked = variant_run(gateway)
    began = trio.current_time()

    failed = await failure(asked)

    told = 'model "m": timeouts.non_streaming.total_ms = 1200 reached'
    assert failed.cause == "timeout"
    assert str(failed).endswith(f"HTTP 500: slow [code: x_error]; {told}")
    assert trio.current_time() - began == pytest.approx(1.2)
    assert [each[1:] for each in journal(asked.run)] == [
        ("one", "error"),
        ("two", "error"),
        ("three", "error"),
    ]
    assert asked.run.journal.calls[-1].error == told
    assert asked.run.journal.calls[-1].response_time_ms == 200


async def test_a_models_time_counts_anew_for_each_try(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """Its timeout may heal like any other, so it is tried again."""
    gateway = start(LIMITED.format(timeouts="non_streaming.total_ms = 1200", retries=1))
    gateway["one"].will(hangs(), says("Hi", after_s=1))
    asked = variant_run(gateway)

    call = await asked.answer()

    assert call.answer.output == (Text(text="Hi"),)
    assert [each[1:] for each in journal(asked.run)] == [("one", "error"), ("one", "ok")]


@pytest.mark.parametrize(
    ("timeouts", "told"),
    [
        ("streaming.ttft_ms = 800", "timeouts.streaming.ttft_ms = 800"),
        ("streaming.total_ms = 700", "timeouts.streaming.total_ms = 700"),
        ("streaming = { ttft_ms = 800, total_ms = 700 }", "timeouts.streaming.total_ms = 700"),
    ],
)
async def test_a_models_stream_must_start_in_time(
    start: StartGateway, autojump_clock: trio.testing.MockClock, timeouts: str, told: str
) -> None:
    """Nothing has been told to the caller yet, so this is a failure like any other."""
    gateway = start(LIMITED.format(timeouts=timeouts, retries=0))
    gateway["one"].will(hangs())

    failed = await failure(variant_run(gateway, stream=True))

    assert failed.cause == "timeout"
    assert str(failed) == f'model "m": {told} reached'


@pytest.mark.parametrize(
    ("timeouts", "told", "after_s"),
    [
        ("streaming.total_ms = 2000", "timeouts.streaming.total_ms = 2000", 2.0),
        ("streaming.idle_ms = 2000", "timeouts.streaming.idle_ms = 2000", 2.5),
        ("streaming.ttft_ms = 1000", None, 60.5),
    ],
)
async def test_a_models_limits_go_on_within_the_stream(
    start: StartGateway,
    autojump_clock: trio.testing.MockClock,
    timeouts: str,
    told: str | None,
    after_s: float,
) -> None:
    """They count from the beginning of its pass, failed providers included."""
    gateway = start(LIMITED.format(timeouts=timeouts, retries=0))
    gateway["one"].will(fails(500, after_s=0.5))
    gateway["two"].will(stream_of(said("a"), Pause(60), said("b"), Hang()))
    asked = variant_run(gateway, stream=True)
    began = trio.current_time()

    stream = await asked.open()
    events: list[StreamEvent] = []
    events += await stream.receive()
    events += await stream.receive()

    assert trio.current_time() - began == pytest.approx(after_s)
    if told is None:
        assert not isinstance(events[-1], StreamFault)
    else:
        assert isinstance(events[-1], StreamFault)
        assert str(events[-1].failure) == f'model "m": {told} reached'


async def test_once_a_stream_has_started_there_is_no_way_back(start: StartGateway) -> None:
    """A break after the first chunk is told within the stream; nobody else is asked."""
    gateway = start(TWO_PROVIDERS)
    gateway["one"].will(breaks_after("a"))
    asked = variant_run(gateway, stream=True)

    stream = await asked.open()
    events = [*await stream.receive(), *await stream.receive()]
    await stream.settle()

    assert isinstance(events[-1], StreamFault)
    assert gateway.providers.asked() == ["one"]
    assert journal(asked.run) == [("m", "one", "interrupted")]


async def test_a_caller_that_leaves_ends_a_wait(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """Nobody is asked any more for somebody who has gone."""
    gateway = start(RETRIES)
    for name in ("x1", "x2"):
        gateway[name].will(fails(500))
    asked = variant_run(gateway)

    with trio.move_on_after(0.5) as patience:
        await asked.answer()

    assert patience.cancelled_caught
    assert len(asked.run.journal.calls) == 2


@pytest.mark.parametrize(("first", "asked"), [(0, ["one"]), (1, ["two"]), (2, ["one"])])
async def test_a_run_may_begin_further_back(
    start: StartGateway, first: int, asked: list[str]
) -> None:
    """Behind a provider that had its turn elsewhere; where there is nobody behind, with all."""
    gateway = start(TWO_PROVIDERS)
    gateway["one"].will(says("Yes"))
    gateway["two"].will(says("Yes"))
    accepted, run = gateway.begin()
    run.first_provider = first

    await first_answer(run, accepted)

    assert gateway.providers.asked() == asked

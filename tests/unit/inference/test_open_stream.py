"""A streamed answer: opened until it proves to be one, then read to its end."""

from collections.abc import MutableMapping
from decimal import Decimal
from typing import Any

import pytest
import trio
import trio.testing

from lsd.conversation import (
    AttemptFailed,
    StreamEvent,
    StreamFault,
    Text,
    TextChunk,
    ToolCall,
    Usage,
)
from lsd.inference.open_stream import StartedStream
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import (
    DONE,
    Break,
    Hang,
    Pause,
    Script,
    Step,
    answers,
    chunk,
    drops,
    event,
    fails,
    hangs,
    said,
    stream_of,
    streams,
    tool_chunk,
    usage_chunk,
)
from tests.unit.inference.gateway import PLAIN, Attempt, Gateway, attempt

LIMITS = """
[gateway]
global_outbound_http_timeout_ms = {outbound}

[models.m]
routing = ["one"]
[models.m.providers.one]
type = "openai"
model_name = "gpt-1"
timeouts.streaming = {{ {limits} }}

[functions.chat]
type = "chat"
variants.v.model = "m"
"""

COSTS = """
[models.m]
routing = ["one"]
[models.m.providers.one]
type = "openai"
model_name = "gpt-1"
cost = [
    {{ pointer = "/usage/prompt_tokens", cost_per_million = 1, required = {required} }},
    {{ pointer = "/usage/completion_tokens", cost_per_million = 2 }},
]

[functions.chat]
type = "chat"
variants.v.model = "m"
"""


def limited(start: StartGateway, limits: str, outbound: int = 900_000) -> Gateway:
    """A gateway whose provider has these limits for streams."""
    return start(LIMITS.format(limits=limits, outbound=outbound))


async def failure(asked: Attempt) -> AttemptFailed:
    """How an attempt to open a stream fails."""
    with pytest.raises(AttemptFailed) as failed:
        await asked.open()
    return failed.value


async def read(stream: StartedStream) -> list[StreamEvent]:
    """All events up to the end."""
    events: list[StreamEvent] = []
    while some := await stream.receive():
        events += some
    return events


async def read_all(asked: Attempt) -> list[StreamEvent]:
    """Opens a stream, reads it to its end, settles and closes it."""
    stream = await asked.open()
    events = await read(stream)
    await stream.settle()
    await stream.aclose()
    return events


def texts(events: list[StreamEvent]) -> list[str]:
    """The texts of the events in order; faults with their message in brackets."""
    found: list[str] = []
    for each in events:
        if isinstance(each, StreamFault):
            found.append(f"<{each.failure}>")
        else:
            found += [piece.text for piece in each.content if isinstance(piece, TextChunk)]
    return found


async def test_a_stream_is_read_to_its_end(start: StartGateway) -> None:
    """The journal's entry holds all of it: blocks, raw events, usage, finish reason."""
    gateway = start(PLAIN)
    usage = {"prompt_tokens": 41, "completion_tokens": 2}
    gateway["one"].will(streams("An old", " pond", usage=usage))
    asked = attempt(gateway, stream=True)

    events = await read_all(asked)

    call = asked.call
    assert texts(events) == ["An old", " pond"]
    assert (call.status, call.error, call.answer.finish_reason) == ("ok", None, "stop")
    assert call.answer.output == (Text(text="An old pond"),)
    assert call.answer.usage == Usage(input_tokens=41, output_tokens=2)
    assert call.raw_usage == [usage]
    assert call.raw_response is not None
    assert [line[:9] for line in call.raw_response.split("\n")] == ['{"id":"c-'] * 4
    assert gateway["one"].bodies[0]["stream"] is True
    assert gateway["one"].open_responses == 0


async def test_a_stream_starts_with_its_first_content(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """Roles, empty pieces, usage and comments before it are held back and count for nothing."""
    gateway = start(PLAIN)
    gateway["one"].will(
        stream_of(
            b": hello\n\n",
            chunk({"role": "assistant", "content": ""}),
            Pause(1),
            usage_chunk({"prompt_tokens": 5, "completion_tokens": 0}),
            Pause(1),
            said("An old"),
            chunk({}, finish_reason="stop"),
            DONE,
        )
    )
    asked = attempt(gateway, stream=True)

    events = await read_all(asked)

    assert asked.call.ttft_ms == 2000
    assert texts(events) == ["An old"]
    assert asked.call.answer.usage == Usage(input_tokens=5, output_tokens=0)


@pytest.mark.parametrize(
    "first",
    [
        said("x"),
        chunk({"reasoning_content": "hm"}),
        tool_chunk(call_id="call_1", name="f"),
        chunk({}, finish_reason="stop"),
    ],
    ids=["text", "reasoning", "start of a tool call", "regular end"],
)
async def test_a_stream_starts_with_anything_that_says_something(
    start: StartGateway, autojump_clock: trio.testing.MockClock, first: bytes
) -> None:
    """Text, reasoning, the start of a tool call, or an end in good order."""
    gateway = start(PLAIN)
    gateway["one"].will(stream_of(chunk({"role": "assistant"}), Pause(1), first, Hang()))
    asked = attempt(gateway, stream=True)

    stream = await asked.open()
    await stream.aclose()

    assert asked.call.ttft_ms == 1000
    assert asked.call.status == "open"


@pytest.mark.parametrize(
    ("script", "kind", "told"),
    [
        (fails(503, "ill"), "server", "openai returned HTTP 503: ill"),
        (fails(429, "slow"), "rate_limited", "openai returned HTTP 429: slow"),
        (drops(), "transport", "openai: the connection was reset"),
        (
            answers(b"<html>Welcome</html>", headers={"content-type": "text/html"}),
            "malformed",
            "openai sent an answer that cannot be read: found text/html; wanted text/event-stre",
        ),
        (answers(b'{"error": {"message": "sorry"}}'), "server", "openai reported an error: sorry"),
        (stream_of(), "transport", "openai: stream ended before first chunk"),
        (stream_of(DONE), "transport", "stream ended before first chunk"),
        (
            stream_of(chunk({"role": "assistant"}), DONE),
            "transport",
            "stream ended before first chunk",
        ),
        (
            stream_of(chunk({"role": "assistant"}), Break()),
            "transport",
            "openai: stream ended before first chunk; the connection broke",
        ),
        (
            stream_of(event({"error": {"message": "overloaded"}}), said("too late")),
            "server",
            "openai reported an error: overloaded",
        ),
        (stream_of(b"data: {not json\n\n", said("too late")), "malformed", "openai sent an answer"),
    ],
    ids=[
        "error status",
        "rate limit",
        "dropped",
        "no event stream",
        "error in a good answer",
        "nothing",
        "only the end mark",
        "only a role",
        "broken after the role",
        "error event first",
        "undecodable event first",
    ],
)
async def test_what_goes_wrong_before_the_first_chunk_fails_the_attempt(
    start: StartGateway, script: Script, kind: str, told: str
) -> None:
    """Nothing has been told to the caller yet, so another provider can answer."""
    gateway = start(PLAIN)
    gateway["one"].will(script)
    asked = attempt(gateway, stream=True)

    failed = await failure(asked)

    assert failed.kind == kind
    assert failed.text.startswith(told)
    assert (asked.call.status, asked.call.error) == ("error", failed.text)
    assert asked.call.ttft_ms is None
    assert gateway["one"].open_responses == 0


async def test_a_bad_event_does_not_end_a_stream(start: StartGateway) -> None:
    """It is told in its place, and reading goes on; the call is whole in the end."""
    gateway = start(PLAIN)
    gateway["one"].will(
        stream_of(
            said("a"),
            said("b"),
            b"data: {bad\n\n",
            said("c"),
            chunk({}, finish_reason="stop"),
            DONE,
        )
    )
    asked = attempt(gateway, stream=True)

    events = await read_all(asked)

    (fault,) = [each for each in events if isinstance(each, StreamFault)]
    assert (fault.fatal, fault.raw) == (False, "{bad")
    assert [text for text in texts(events) if not text.startswith("<")] == ["a", "b", "c"]
    assert asked.call.status == "ok"
    assert asked.call.answer.output == (Text(text="abc"),)
    assert "{bad" in (asked.call.raw_response or "").split("\n")


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        ((Break(),), "openai: stream ended early; the connection broke"),
        ((), "openai: stream ended early; there was neither a finish reason nor an end mark"),
    ],
    ids=["broken", "no regular end"],
)
async def test_a_stream_that_breaks_off_is_interrupted(
    start: StartGateway, rest: tuple[Step, ...], told: str
) -> None:
    """The fault is the last event; what had arrived is kept."""
    gateway = start(PLAIN)
    gateway["one"].will(stream_of(said("a"), said("b"), *rest))
    asked = attempt(gateway, stream=True)

    events = await read_all(asked)

    assert texts(events) == ["a", "b", f"<{told}>"]
    assert isinstance(events[-1], StreamFault)
    assert events[-1].fatal
    assert (asked.call.status, asked.call.error) == ("interrupted", told)
    assert asked.call.answer.output == (Text(text="ab"),)
    assert asked.call.answer.finish_reason is None


async def test_an_error_told_just_before_a_break_is_its_reason(start: StartGateway) -> None:
    """It is told once, and the call is interrupted by it."""
    gateway = start(PLAIN)
    gateway["one"].will(stream_of(said("a"), event({"error": {"message": "overloaded"}})))
    asked = attempt(gateway, stream=True)

    events = await read_all(asked)

    assert texts(events) == ["a", "<openai reported an error: overloaded>"]
    assert asked.call.status == "interrupted"
    assert asked.call.error == "openai reported an error: overloaded"


async def test_an_end_without_the_mark_is_good_after_a_finish_reason(start: StartGateway) -> None:
    """Not every server sends `[DONE]`."""
    gateway = start(PLAIN)
    gateway["one"].will(stream_of(said("a"), chunk({}, finish_reason="stop")))
    asked = attempt(gateway, stream=True)

    await read_all(asked)

    assert (asked.call.status, asked.call.answer.finish_reason) == ("ok", "stop")


async def test_an_end_mark_is_good_without_a_finish_reason(start: StartGateway) -> None:
    """Why the model stopped is not known then."""
    gateway = start(PLAIN)
    gateway["one"].will(stream_of(said("a"), DONE))
    asked = attempt(gateway, stream=True)

    await read_all(asked)

    assert (asked.call.status, asked.call.answer.finish_reason) == ("ok", None)


async def test_of_several_finish_reasons_the_last_counts(
    start: StartGateway, log: list[MutableMapping[str, Any]]
) -> None:
    """A server that changes its mind is told in the log."""
    gateway = start(PLAIN)
    gateway["one"].will(
        stream_of(
            said("a"), chunk({}, finish_reason="stop"), chunk({}, finish_reason="length"), DONE
        )
    )
    asked = attempt(gateway, stream=True)

    await read_all(asked)

    assert asked.call.answer.finish_reason == "length"
    (warning,) = [entry for entry in log if entry["event"] == "several finish reasons"]
    assert (warning["provider"], warning["first"], warning["then"]) == ("one", "stop", "length")


@pytest.mark.parametrize(
    "reports",
    [
        [(10, 7)],
        [(10, 1), (10, 3), (10, 7)],
        [(10, 7), (4, 2)],
        [(10, None), (None, 7)],
    ],
    ids=["once", "cumulative", "falling", "in parts"],
)
async def test_of_several_usage_reports_the_greatest_counts(
    start: StartGateway, reports: list[tuple[int | None, int | None]]
) -> None:
    """However a provider reports, each figure is counted once."""
    gateway = start(PLAIN)
    usages = [{"prompt_tokens": one, "completion_tokens": two} for one, two in reports]
    gateway["one"].will(
        stream_of(said("a"), *map(usage_chunk, usages), chunk({}, finish_reason="stop"), DONE)
    )
    asked = attempt(gateway, stream=True)

    await read_all(asked)

    assert asked.call.answer.usage == Usage(input_tokens=10, output_tokens=7)
    assert asked.call.raw_usage == usages


@pytest.mark.parametrize(
    ("required", "usages", "cost"),
    [
        ("false", [{"prompt_tokens": 10, "completion_tokens": 5}], Decimal("0.00002")),
        (
            "true",
            [{"prompt_tokens": 10, "completion_tokens": n} for n in (1, 5)],
            Decimal("0.00002"),
        ),
        ("false", [], Decimal(0)),
        ("true", [], None),
        ("false", [{"prompt_tokens": "many"}, {"prompt_tokens": 10}], None),
    ],
    ids=["once", "cumulative", "optional, never", "required, never", "no number"],
)
async def test_a_stream_has_its_cost(
    start: StartGateway,
    log: list[MutableMapping[str, Any]],
    required: str,
    usages: list[Any],
    cost: Decimal | None,
) -> None:
    """The greatest figure at each pointer; where one is wrong, the cost is null with a warning."""
    gateway = start(COSTS.format(required=required))
    gateway["one"].will(
        stream_of(said("a"), *map(usage_chunk, usages), chunk({}, finish_reason="stop"), DONE)
    )
    asked = attempt(gateway, stream=True)

    await read_all(asked)

    assert asked.call.cost == cost
    warnings = [entry for entry in log if entry["event"] == "cost not computable"]
    assert len(warnings) == (cost is None)


async def test_a_tool_call_is_put_together(start: StartGateway) -> None:
    """Its name and arguments may come in pieces; two calls may be streamed at once."""
    gateway = start(PLAIN)
    gateway["one"].will(
        stream_of(
            tool_chunk(index=0, call_id="c-1", name="page", arguments='{"te'),
            tool_chunk(index=1, call_id="c-2", name="mail"),
            tool_chunk(index=0, arguments='am":1}'),
            tool_chunk(index=1, arguments="{}"),
            chunk({}, finish_reason="tool_calls"),
            DONE,
        )
    )
    asked = attempt(gateway, stream=True)

    await read_all(asked)

    assert asked.call.answer.output == (
        ToolCall(id="c-1", name="page", arguments='{"team":1}'),
        ToolCall(id="c-2", name="mail", arguments="{}"),
    )


@pytest.mark.parametrize(
    ("limits", "outbound", "script", "told", "after_s"),
    [
        ("ttft_ms = 1000", 900_000, hangs(), "timeouts.streaming.ttft_ms = 1000", 1),
        ("total_ms = 1000", 900_000, hangs(), "timeouts.streaming.total_ms = 1000", 1),
        (
            "ttft_ms = 3000, total_ms = 2000",
            900_000,
            hangs(),
            "timeouts.streaming.total_ms = 2000",
            2,
        ),
        (
            "ttft_ms = 2000, total_ms = 3000",
            900_000,
            hangs(),
            "timeouts.streaming.ttft_ms = 2000",
            2,
        ),
        (
            "ttft_ms = 1000",
            900_000,
            stream_of(*[Pause(0.4), b": alive\n\n", chunk({"role": "assistant"})] * 9),
            "timeouts.streaming.ttft_ms = 1000",
            1,
        ),
        ("idle_ms = 1000", 5000, hangs(), "gateway.global_outbound_http_timeout_ms = 5000", 5),
    ],
    ids=["ttft", "total", "total first", "ttft first", "only signs of life", "gateway"],
)
async def test_a_stream_must_start_in_time(
    start: StartGateway,
    autojump_clock: trio.testing.MockClock,
    limits: str,
    outbound: int,
    script: Script,
    told: str,
    after_s: float,
) -> None:
    """The earlier of two limits counts and is named; keep-alives do not start a stream."""
    gateway = limited(start, limits, outbound)
    gateway["one"].will(script)
    asked = attempt(gateway, stream=True)

    failed = await failure(asked)

    assert failed.kind == "timeout"
    assert failed.text.endswith(f": {told} reached")
    assert asked.call.response_time_ms == after_s * 1000
    assert gateway["one"].open_responses == 0


@pytest.mark.parametrize(
    ("limits", "outbound", "steps", "told", "after_s"),
    [
        (
            "total_ms = 2000",
            900_000,
            (Pause(1), said("b"), Pause(5), said("c")),
            'provider "one": timeouts.streaming.total_ms = 2000',
            2,
        ),
        (
            "idle_ms = 2000",
            900_000,
            (Pause(1), said("b"), Pause(5), said("c")),
            'provider "one": timeouts.streaming.idle_ms = 2000',
            3,
        ),
        (
            "idle_ms = 2000, total_ms = 2500",
            900_000,
            (Pause(1), said("b"), Pause(5), said("c")),
            'provider "one": timeouts.streaming.total_ms = 2500',
            2.5,
        ),
        (
            "idle_ms = 2000",
            900_000,
            (Pause(1), said("b"), *[Pause(0.5), b": alive\n\n"] * 9, said("c")),
            'provider "one": timeouts.streaming.idle_ms = 2000',
            3,
        ),
        (
            "ttft_ms = 500",
            900_000,
            (Pause(1), said("b"), Hang()),
            'provider "one": timeouts.streaming.idle_ms = 300000',
            301,
        ),
        (
            "idle_ms = 4000",
            5000,
            (Pause(3), said("b"), Hang()),
            "gateway: gateway.global_outbound_http_timeout_ms = 5000",
            5,
        ),
    ],
    ids=["total", "idle", "total before idle", "comments are no life", "default idle", "gateway"],
)
async def test_a_stream_that_is_too_slow_is_cut_off(
    start: StartGateway,
    autojump_clock: trio.testing.MockClock,
    limits: str,
    outbound: int,
    steps: tuple[Step, ...],
    told: str,
    after_s: float,
) -> None:
    """After the first chunk a limit is a fatal fault; it is named, and what had arrived is kept."""
    gateway = limited(start, limits, outbound)
    gateway["one"].will(stream_of(said("a"), *steps))
    asked = attempt(gateway, stream=True)

    events = await read_all(asked)

    assert texts(events) == ["a", "b", f"<{told} reached>"]
    assert asked.call.status == "interrupted"
    assert asked.call.response_time_ms == after_s * 1000
    assert gateway["one"].open_responses == 0


async def test_after_the_first_chunk_its_limit_is_over(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """A slow second chunk is no matter of `ttft_ms`."""
    gateway = limited(start, "ttft_ms = 500")
    gateway["one"].will(streams("a", Pause(60), "b"))

    assert texts(await read_all(attempt(gateway, stream=True))) == ["a", "b"]


async def test_a_slow_reader_is_no_silent_provider(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """Silence is counted while the provider is waited for, not while the caller takes its time."""
    gateway = limited(start, "idle_ms = 1000")
    gateway["one"].will(streams("a", "b"))
    asked = attempt(gateway, stream=True)

    stream = await asked.open()
    events: list[StreamEvent] = []
    while some := await stream.receive():
        events += some
        await trio.sleep(60)

    assert texts(events) == ["a", "b"]


async def test_what_had_arrived_can_be_told_at_any_moment(start: StartGateway) -> None:
    """A stream that is closed in the middle leaves what was read in the journal."""
    gateway = start(PLAIN)
    gateway["one"].will(stream_of(said("a"), said("b"), Hang()))
    asked = attempt(gateway, stream=True)

    stream = await asked.open()
    await stream.receive()
    await stream.receive()
    await stream.aclose()

    assert asked.call.answer.output == (Text(text="ab"),)
    assert (asked.call.raw_response or "").count("\n") == 1
    assert asked.call.status == "open"
    assert gateway["one"].open_responses == 0


async def test_what_arrived_with_the_start_is_not_lost(start: StartGateway) -> None:
    """Also when nobody came to read it."""
    gateway = start(PLAIN)
    gateway["one"].will(stream_of(said("a") + said("b"), Hang()))
    asked = attempt(gateway, stream=True)

    stream = await asked.open()
    stream.note()
    await stream.aclose()

    assert asked.call.answer.output == (Text(text="ab"),)


async def test_chunks_that_arrive_together_are_given_together(start: StartGateway) -> None:
    """One read of the socket is one answer to whoever reads the stream."""
    gateway = start(PLAIN)
    gateway["one"].will(
        stream_of(said("a"), said("b") + said("c"), chunk({}, finish_reason="stop") + DONE)
    )

    stream = await attempt(gateway, stream=True).open()
    groups = [texts(await stream.receive()) for _ in range(4)]

    assert groups == [["a"], ["b", "c"], [], []]
    assert await stream.receive() == []


async def test_the_key_does_not_show_in_a_stream(start: StartGateway) -> None:
    """Neither in raw events nor in the message of a fault."""
    gateway = start(PLAIN)
    message = {"error": {"message": "bad header tok-98765"}}
    gateway["one"].will(stream_of(said("a"), event(message), chunk({}, finish_reason="stop"), DONE))
    asked = attempt(gateway, stream=True, extra_headers=[{"name": "x-token", "value": "tok-98765"}])

    events = await read_all(asked)

    assert texts(events) == ["a", "<openai reported an error: bad header ***>"]
    assert "tok-98765" not in (asked.call.raw_response or "")


async def test_a_whole_answer_to_a_streamed_request_is_a_stream_of_one(
    start: StartGateway,
) -> None:
    """Some servers do not stream, and answer all the same."""
    gateway = start(PLAIN)
    body = b'{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}'
    gateway["one"].will(answers(body))
    asked = attempt(gateway, stream=True)

    events = await read_all(asked)

    assert texts(events) == ["Hi"]
    assert (asked.call.status, asked.call.answer.finish_reason) == ("ok", "stop")
    assert asked.call.answer.output == (Text(text="Hi"),)
    assert asked.call.raw_response == body.decode()

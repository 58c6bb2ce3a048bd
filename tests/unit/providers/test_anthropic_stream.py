"""Streamed messages from Claude mean the same however the network cuts them."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from lsd.conversation import ModelChunk, StreamEvent, StreamFault, Usage, encode_json
from tests.unit.providers.recorded import (
    MESSAGES_TYPES,
    Fixture,
    fixtures,
    make_dialect,
    read_stream,
    shown_events,
)

STREAM = {"content-type": "text/event-stream"}
STREAMS = fixtures("streams", MESSAGES_TYPES)

START = b'data: {"type":"message_start","message":{"usage":{"input_tokens":9}}}\n\n'
HI = b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}\n\n'
STOP = b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n'
END = b'data: {"type":"message_stop"}\n\n'


@pytest.mark.parametrize("fixture", STREAMS)
def test_a_stream_means_what_the_fixture_says(fixture: Fixture) -> None:
    """Cases 16 to 20 and more: each recorded stream gives its neutral events."""
    assert read_stream(fixture, [fixture.wire]) == fixture.expected


@pytest.mark.parametrize("fixture", STREAMS)
def test_one_cut_anywhere_changes_nothing(fixture: Fixture) -> None:
    """Two reads that part at any byte give what one read gives."""
    wire = fixture.wire

    for place in range(len(wire)):
        assert read_stream(fixture, [wire[:place], wire[place:]]) == fixture.expected, place


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize(
    "fixture", [each for each in STREAMS if "events" in each.values[0].expected]
)
def test_line_ends_and_comments_change_nothing(fixture: Fixture, line_end: bytes) -> None:
    """Every line end is understood and every comment skipped, also byte by byte."""
    wire = fixture.wire.replace(b"\n\n", b"\n\n: keep-alive\n\n:\n").replace(b"\n", line_end)

    assert read_stream(fixture, [wire]) == fixture.expected
    assert read_stream(fixture, [bytes([each]) for each in wire]) == fixture.expected


def feed(*pieces: bytes, cut: bool = False) -> list[StreamEvent]:
    """All events of a stream that came in these pieces."""
    decoder = make_dialect("anthropic").stream_decoder(200, STREAM)
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.finish(cut=cut)


def faults(events: list[StreamEvent]) -> list[tuple[str, bool]]:
    """The text and fatality of each fault."""
    return [(event.failure.text, event.fatal) for event in events if isinstance(event, StreamFault)]


def test_the_end_mark_ends_the_reading() -> None:
    """After it nothing is read, and a broken connection does not matter."""
    decoder = make_dialect("anthropic").stream_decoder(200, STREAM)

    assert len(decoder.feed(START + HI)) == 2
    assert not decoder.ended
    assert len(decoder.feed(END + HI)) == 1
    assert decoder.ended
    assert decoder.feed(HI) == []
    assert decoder.finish(cut=True) == []


def test_a_cut_after_the_stop_reason_is_a_good_end() -> None:
    """What was said is complete, whatever happens to the connection then."""
    assert faults(feed(START, HI, STOP, b"data: {", cut=True)) == []


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([START, HI], "anthropic: stream ended early; the connection broke"),
        ([START], "anthropic: stream ended before first chunk; the connection broke"),
    ],
)
def test_a_cut_before_the_stop_reason_is_fatal(pieces: list[bytes], text: str) -> None:
    """Half an answer never passes for a whole one."""
    events = feed(*pieces, b"data: {", cut=True)

    assert faults(events) == [(text, True)]
    fault = events[-1]
    assert isinstance(fault, StreamFault)
    assert (fault.failure.kind, fault.failure.transient) == ("transport", True)


def test_an_error_is_told_once_and_ends_the_reading() -> None:
    """Case 20: after the provider's error there is nothing to wait for."""
    error = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n'
    decoder = make_dialect("anthropic").stream_decoder(200, {**STREAM, "request-id": "req_1"})

    *_, fault = decoder.feed(START + HI + error)

    assert decoder.ended
    assert decoder.finish(cut=True) == []
    assert isinstance(fault, StreamFault)
    assert (fault.failure.status, fault.failure.transient) == (529, True)
    assert fault.failure.request_id == "req_1"
    assert fault.raw == fault.failure.raw_response == error[19:-2].decode()


def test_every_event_leaves_its_raw_text() -> None:
    """The raw response of a stream is the payloads of its events, those that say nothing too."""
    ping = b'data: {"type":"ping"}\n\n'

    events = feed(START, ping, HI, STOP, END)

    raws = [event.raw for event in events]
    assert raws == [piece[6:-2].decode() for piece in (START, ping, HI, STOP, END)]


def test_the_sequence_that_ended_a_message_is_told_with_the_reason() -> None:
    """In the same event."""
    delta = b'{"stop_reason":"stop_sequence","stop_sequence":"X"}'
    stop = b'data: {"type":"message_delta","delta":%s}\n\n' % delta

    events = feed(START, HI, stop, END)

    told = [event.stop_sequence for event in events if isinstance(event, ModelChunk)]
    assert told == [None, None, "X", None]


def test_counts_are_told_as_they_come() -> None:
    """Case 18: each report is one entry; the greatest of each count is what was used."""
    more = b'data: {"type":"message_delta","delta":{},"usage":{"input_tokens":9,"output_tokens":4}}'

    events = feed(START, HI, more + b"\n\n", STOP, END)

    told = [event for event in events if isinstance(event, ModelChunk) and event.usage]
    assert [event.usage for event in told] == [
        Usage(input_tokens=9),
        Usage(input_tokens=9, output_tokens=4),
    ]
    assert [event.raw_usage for event in told] == [
        {"input_tokens": 9},
        {"input_tokens": 9, "output_tokens": 4},
    ]


def test_a_count_that_falls_is_logged() -> None:
    """Counts of a stream only grow; one that does not hints at a host that resets them."""
    less = b'data: {"type":"message_delta","delta":{},"usage":{"input_tokens":3}}\n\n'

    with capture_logs() as logs:
        feed(START, HI, less, STOP, END)

    assert [(each["count"], each["before"], each["after"]) for each in logs] == [
        ("input_tokens", 9, 3)
    ]


def test_a_very_long_text_comes_through() -> None:
    """Some hosts send a whole answer as one piece."""
    text = "x" * 10_000_000
    delta = {"type": "text_delta", "text": text}
    event = {"type": "content_block_delta", "index": 0, "delta": delta}

    events = feed(START, b"data: " + encode_json(event) + b"\n\n", STOP, END)

    chunk = events[1]
    assert isinstance(chunk, ModelChunk)
    assert len(shown_events([chunk])[0]["content"][0]["text"]) == 10_000_000


values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "{", "end_turn"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["content_block", "delta", "message", "index", "id", "name", "input", "type", "text",
             "thinking", "signature", "data", "error", "usage", "stop_reason", "partial_json"]
        ),
        inner,
    ),
    max_leaves=20,
)  # fmt: skip
KINDS = [
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "ping",
    "error",
]
BLOCK_KINDS = ["text", "tool_use", "thinking", "redacted_thinking", "text_delta", "thinking_delta"]
events_of_streams = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS), "index": st.integers(0, 2) | st.none()},
    optional={
        "message": values,
        "usage": values,
        "error": values,
        "delta": values
        | st.fixed_dictionaries({"type": st.sampled_from(BLOCK_KINDS), "text": values}),
        "content_block": values
        | st.fixed_dictionaries(
            {"type": st.sampled_from(BLOCK_KINDS), "id": values, "name": values, "data": values}
        ),
    },
)


@given(
    events=st.lists(events_of_streams | values, max_size=5),
    places=st.lists(st.integers(0, 300)),
    cut=st.booleans(),
)
def test_no_stream_is_too_strange(events: list[Any], places: list[int], cut: bool) -> None:
    """Whatever JSON a server streams is understood or a fault, and cuts do not matter."""
    wire = b"".join(b"data: " + encode_json(each) + b"\n\n" for each in events)
    bounds = [0, *sorted(min(place, len(wire)) for place in places), len(wire)]

    def told(pieces: list[bytes]) -> Any:
        decoder = make_dialect("anthropic").stream_decoder(200, STREAM)
        heard = [event for piece in pieces for event in decoder.feed(piece)]
        return shown_events(heard + decoder.finish(cut=cut))

    assert told([wire[start:end] for start, end in pairwise(bounds)]) == told([wire])

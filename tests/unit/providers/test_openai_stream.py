"""Streamed completions mean the same however the network cuts them."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import (
    AttemptFailed,
    ModelChunk,
    StreamEvent,
    StreamFault,
    TextChunk,
    Usage,
    encode_json,
)
from lsd.providers._event_stream import EVENT_BYTES_MAX
from tests.unit.providers.recorded import (
    CHAT_TYPES,
    Fixture,
    as_from,
    fixtures,
    make_dialect,
    read_stream,
    shown_events,
)

STREAM = {"content-type": "text/event-stream"}
HI = b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n'
STOP = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"


@pytest.mark.parametrize("fixture", fixtures("streams"))
def test_a_stream_means_what_the_fixture_says(fixture: Fixture) -> None:
    """Cases 23 to 33 and more: each recorded stream gives its neutral events."""
    assert read_stream(fixture, [fixture.wire]) == fixture.expected


@pytest.mark.parametrize("fixture", fixtures("streams"))
def test_one_cut_anywhere_changes_nothing(fixture: Fixture) -> None:
    """Two reads that part at any byte give what one read gives."""
    wire = fixture.wire

    for place in range(len(wire)):
        assert read_stream(fixture, [wire[:place], wire[place:]]) == fixture.expected, place


@pytest.mark.parametrize("provider_type", CHAT_TYPES)
def test_each_type_reads_what_openai_streams(provider_type: str) -> None:
    """One base for all, whole and byte by byte; what is each type's own has its own fixtures."""
    given = as_from(provider_type, "streams")

    assert len(given) > 25
    for fixture in given:
        bytewise = [bytes([each]) for each in fixture.wire]
        assert read_stream(fixture, [fixture.wire]) == fixture.expected, fixture.name
        assert read_stream(fixture, bytewise) == fixture.expected, fixture.name


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("fixture", fixtures("streams"))
def test_line_ends_and_comments_change_nothing(fixture: Fixture, line_end: bytes) -> None:
    """Every line end is understood and every comment skipped, also byte by byte."""
    if not fixture.headers["content-type"].startswith("text/event-stream"):
        return
    if "failure" in fixture.expected:
        return
    wire = fixture.wire.replace(b"\n\n", b"\n\n: keep-alive\n\n:\n").replace(b"\n", line_end)

    assert read_stream(fixture, [wire]) == fixture.expected
    assert read_stream(fixture, [bytes([each]) for each in wire]) == fixture.expected


def feed(*pieces: bytes, cut: bool = False) -> list[StreamEvent]:
    """All events of a stream that came in these pieces."""
    decoder = make_dialect().stream_decoder(200, STREAM)
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.finish(cut=cut)


def faults(events: list[StreamEvent]) -> list[tuple[str, bool]]:
    """The text and fatality of each fault."""
    return [(event.failure.text, event.fatal) for event in events if isinstance(event, StreamFault)]


def test_the_end_mark_ends_the_reading() -> None:
    """After `[DONE]` nothing is read, and a broken connection does not matter."""
    decoder = make_dialect().stream_decoder(200, STREAM)

    assert not decoder.ended
    events = decoder.feed(HI + STOP + DONE + HI)
    assert decoder.ended
    assert len(events) == 2
    assert decoder.feed(HI) == []
    assert decoder.finish(cut=True) == []
    assert decoder.finish(cut=False) == []


def test_a_character_that_was_cut_in_two_is_whole_again() -> None:
    """Some servers cut their text between the two halves of an emoji."""
    halves = (b'{"content":"a\\ud83d"}', b'{"content":"\\udc38b"}')

    events = feed(*(b'data: {"choices":[{"delta":%b}]}\n\n' % half for half in halves), STOP, DONE)

    assert faults(events) == []
    texts = [each.content for each in events if isinstance(each, ModelChunk)]
    assert texts == [[TextChunk(id="0", text="a")], [TextChunk(id="0", text="🐸b")], []]


def test_a_cut_after_the_finish_reason_is_a_good_end() -> None:
    """Case 32: what was said is complete, whatever happens to the connection then."""
    assert faults(feed(HI, STOP, b"data: {", cut=True)) == []


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([HI], "openai: stream ended early; the connection broke"),
        ([], "openai: stream ended before first chunk; the connection broke"),
    ],
)
def test_a_cut_before_the_finish_reason_is_fatal(
    pieces: list[bytes],
    text: str,
) -> None:
    """Case 32: half an answer never passes for a whole one."""
    events = feed(*pieces, b"data: [DO", cut=True)

    assert faults(events) == [(text, True)]
    fault = events[-1]
    assert isinstance(fault, StreamFault)
    assert (fault.failure.kind, fault.failure.transient) == ("transport", True)


def test_a_cut_after_a_reported_error_is_not_reported_again() -> None:
    """Case 33: the client hears the provider's error once, not the broken connection too."""
    error = b'data: {"error":{"message":"gone","code":500}}\n\n'

    events = feed(HI, HI, HI, error, cut=True)

    assert faults(events) == [("openai returned HTTP 500: gone [code: 500]", False)]


def test_an_oversized_event_is_fatal() -> None:
    """A server that never ends its event cannot fill the memory."""
    decoder = make_dialect().stream_decoder(200, STREAM)
    events = decoder.feed(HI)
    for _ in range(EVENT_BYTES_MAX // 1_000_000 + 1):
        events += decoder.feed(b"data: " + b"x" * 1_000_000)
    assert decoder.ended

    events += decoder.finish(cut=False)

    text = (
        "openai sent an answer that cannot be read: "
        f"found an event of more than {EVENT_BYTES_MAX} bytes"
    )
    assert faults(events) == [(text, True)]


def test_a_fault_shows_the_event_that_was_bad() -> None:
    """The raw text goes to whoever debugs, and is told once."""
    events = feed(HI, b"data: {oops\n\n", STOP, DONE)

    fault = events[1]
    assert isinstance(fault, StreamFault)
    assert fault.raw == fault.failure.raw_response == "{oops"
    assert [event.raw for event in events] == [HI[6:-2].decode(), "{oops", STOP[6:-2].decode()]


def test_chunks_carry_the_event_as_text_and_decoded() -> None:
    """The raw response of a stream can be put together from its chunks."""
    (chunk, _) = feed(HI, STOP)

    assert isinstance(chunk, ModelChunk)
    assert chunk.raw == '{"choices":[{"delta":{"content":"Hi"}}]}'
    assert chunk.document == {"choices": [{"delta": {"content": "Hi"}}]}
    assert chunk.content == [TextChunk(id="0", text="Hi")]


def test_usage_after_the_finish_reason_counts() -> None:
    """Case 31: the usage chunk comes last, and the greatest count is kept by the caller."""
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4}}\n\n'

    events = feed(HI, STOP, usage, usage, DONE)

    told = [event.usage for event in events if isinstance(event, ModelChunk) and event.usage]
    assert told == [Usage(input_tokens=9, output_tokens=4)] * 2
    assert told[0].maximum(told[1]) == told[0]


def test_the_request_id_of_the_stream_is_in_its_errors() -> None:
    """Case 35: an operator can ask the provider about a stream that failed."""
    headers = {**STREAM, "x-request-id": "r-1"}
    decoder = make_dialect().stream_decoder(200, headers)

    events = decoder.feed(b'data: {"error":{"message":"no"}}\n\ndata: {\n\n') + decoder.feed(HI)
    events += decoder.finish(cut=True)

    ids = [event.failure.request_id for event in events if isinstance(event, StreamFault)]
    assert ids == ["r-1"] * 3


def test_a_cut_whole_answer_fails_as_transport() -> None:
    """A completion that came whole instead of streamed must come whole."""
    decoder = make_dialect().stream_decoder(200, {"content-type": "Application/JSON"})
    decoder.feed(b'{"choices":[{"message":{"content":"H')

    with pytest.raises(AttemptFailed) as failed:
        decoder.finish(cut=True)

    assert failed.value.kind == "transport"
    assert failed.value.text.startswith("openai: stream ended before first chunk")


@pytest.mark.parametrize("kind", ["TEXT/Event-Stream", "text/event-stream; charset=utf-8"])
def test_event_streams_are_known_in_any_case(kind: str) -> None:
    """The content type may be written in any case and have parameters."""
    decoder = make_dialect().stream_decoder(200, {"content-type": kind})

    assert len(decoder.feed(HI)) == 1


values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "stop", "<think>"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["choices", "delta", "message", "content", "tool_calls", "index", "id", "function",
             "name", "arguments", "type", "text", "error", "usage", "finish_reason", "reasoning"]
        ),
        inner,
    ),
    max_leaves=20,
)  # fmt: skip


@given(events=st.lists(values, max_size=4), places=st.lists(st.integers(0, 300)), cut=st.booleans())
def test_no_stream_is_too_strange(events: list[Any], places: list[int], cut: bool) -> None:
    """Whatever JSON a server streams is understood or a fault, and cuts do not matter."""
    wire = b"".join(b"data: " + encode_json(each) + b"\n\n" for each in events)
    bounds = [0, *sorted(min(place, len(wire)) for place in places), len(wire)]

    def told(pieces: list[bytes]) -> Any:
        decoder = make_dialect(parse_think_blocks=True).stream_decoder(200, STREAM)
        heard = [event for piece in pieces for event in decoder.feed(piece)]
        return shown_events(heard + decoder.finish(cut=cut))

    assert told([wire[start:end] for start, end in pairwise(bounds)]) == told([wire])

"""Streamed answers of Gemini mean the same however the network cuts them."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import ModelChunk, StreamEvent, StreamFault, Usage, decode_json, encode_json
from tests.unit.providers.recorded import (
    GEMINI_TYPES,
    Fixture,
    fixtures,
    make_dialect,
    read_stream,
    shown_events,
)

STREAM = {"content-type": "text/event-stream"}
STREAMS = fixtures("streams", GEMINI_TYPES)
KIND = "google_ai_studio_gemini"


def event(*parts: Any, finish: str | None = None, usage: Any = None) -> bytes:
    """One event with these parts."""
    candidate = {"content": {"role": "model", "parts": list(parts)}, "finishReason": finish}
    return b"data: " + encode_json({"candidates": [candidate], "usageMetadata": usage}) + b"\n\n"


HI = event({"text": "Hi"})
STOP = event(finish="STOP")
BARE_ERROR = b'{\n  "error": {"code": 503, "message": "high demand", "status": "UNAVAILABLE"}\n}\n'


@pytest.mark.parametrize("fixture", STREAMS)
def test_a_stream_means_what_the_fixture_says(fixture: Fixture) -> None:
    """Cases 30, 31, 33, 34 and more: each recorded stream gives its neutral events."""
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
    decoder = make_dialect(KIND).stream_decoder(200, STREAM)
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.finish(cut=cut)


def faults(events: list[StreamEvent]) -> list[tuple[str, bool]]:
    """The text and fatality of each fault."""
    return [(event.failure.text, event.fatal) for event in events if isinstance(event, StreamFault)]


def test_the_end_of_the_bytes_ends_the_reading() -> None:
    """There is no end mark; after the finish reason more may come, and nothing need."""
    decoder = make_dialect(KIND).stream_decoder(200, STREAM)

    decoder.feed(HI + STOP)

    assert not decoder.ended
    assert decoder.finish(cut=False) == []
    assert decoder.ended


def test_a_cut_after_the_finish_reason_is_a_good_end() -> None:
    """What was said is complete, whatever happens to the connection then."""
    assert faults(feed(HI, STOP, b"data: {", cut=True)) == []


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([HI], f"{KIND}: stream ended early; the connection broke"),
        ([], f"{KIND}: stream ended before first chunk; the connection broke"),
    ],
)
def test_a_cut_before_the_finish_reason_is_fatal(pieces: list[bytes], text: str) -> None:
    """Half an answer never passes for a whole one."""
    events = feed(*pieces, b"data: {", cut=True)

    assert faults(events) == [(text, True)]
    fault = events[-1]
    assert isinstance(fault, StreamFault)
    assert (fault.failure.kind, fault.failure.transient) == ("transport", True)


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize(
    "error",
    [
        BARE_ERROR,
        BARE_ERROR.replace(b"\n", b"\r\n"),
        BARE_ERROR.replace(b"\n", b""),
        b"[" + BARE_ERROR + b"]",
    ],
    ids=["many lines", "CRLF", "unfinished line", "array"],
)
def test_an_error_outside_of_all_events(error: bytes, cut: bool) -> None:
    """Case 34: a strict reader would skip these lines and take half an answer for a whole one."""
    *_, fault = feed(HI, error, cut=cut)

    assert isinstance(fault, StreamFault)
    assert fault.fatal
    failure = fault.failure
    assert (failure.status, failure.code, failure.transient) == (503, "UNAVAILABLE", True)
    assert decode_json(fault.raw or "") == decode_json(error)
    assert fault.raw == failure.raw_response


def test_an_error_is_told_once_and_ends_the_reading() -> None:
    """After the provider's error there is nothing to wait for."""
    decoder = make_dialect(KIND).stream_decoder(200, STREAM)

    events = decoder.feed(HI + b"data: " + BARE_ERROR.replace(b"\n", b"") + b"\n\n" + STOP)

    assert decoder.ended
    assert len(faults(events)) == 1
    assert decoder.feed(STOP) == []
    assert decoder.finish(cut=True) == []


def test_every_event_leaves_its_raw_text() -> None:
    """The raw response of a stream is the payloads of its events, those that say nothing too."""
    nothing = event(usage={"promptTokenCount": 1})

    events = feed(HI, nothing, STOP)

    raws = [event.raw for event in events]
    assert raws == [piece[6:-2].decode() for piece in (HI, nothing, STOP)]


def test_usage_is_told_once() -> None:
    """Case 33: each event counts all that came before, so only the last report is one."""
    pieces = [
        event({"text": str(number)}, usage={"promptTokenCount": 9, "candidatesTokenCount": number})
        for number in range(5)
    ]
    last = {"promptTokenCount": 9, "candidatesTokenCount": 7, "cachedContentTokenCount": 3}

    events = feed(*pieces, event(finish="STOP", usage=last))

    told = [each for each in events if isinstance(each, ModelChunk) and each.usage]
    assert [(each.usage, each.raw_usage) for each in told] == [
        (Usage(input_tokens=9, output_tokens=7, provider_cache_read_input_tokens=3), last)
    ]


def test_what_was_used_until_a_fault_is_told() -> None:
    """A broken stream has cost something all the same."""
    *_, counted, fault = feed(event({"text": "Hi"}, usage={"promptTokenCount": 9}))

    assert isinstance(counted, ModelChunk)
    assert isinstance(fault, StreamFault)
    assert counted.usage == Usage(input_tokens=9)


def test_a_very_long_text_comes_through() -> None:
    """Gemini may send an image, or a whole answer, as one piece."""
    events = feed(event({"text": "x" * 10_000_000}), STOP)

    chunk = events[0]
    assert isinstance(chunk, ModelChunk)
    assert len(shown_events([chunk])[0]["content"][0]["text"]) == 10_000_000


def test_endless_lines_are_not_kept() -> None:
    """A host that talks of something else for ever does not fill the memory."""
    decoder = make_dialect(KIND).stream_decoder(200, STREAM)
    for _ in range(40):
        decoder.feed(b"x" * 99_999 + b"\n\n")

    (fault,) = decoder.finish(cut=False)

    assert isinstance(fault, StreamFault)
    assert "ended before first chunk" in fault.failure.text


values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "STOP"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["candidates", "content", "parts", "text", "thought", "thoughtSignature", "code",
             "args", "functionCall", "name", "id", "finishReason", "usageMetadata",
             "promptTokenCount", "promptFeedback", "blockReason", "error", "message", "status",
             "details"]
        ),
        inner,
    ),
    max_leaves=20,
)  # fmt: skip
events_of_streams = st.fixed_dictionaries(
    {
        "candidates": values
        | st.lists(
            st.fixed_dictionaries(
                {"content": values | st.fixed_dictionaries({"parts": st.lists(values)})},
                optional={"finishReason": values},
            ),
            max_size=2,
        )
    },
    optional={"usageMetadata": values, "promptFeedback": values, "error": values},
)


@given(
    events=st.lists(events_of_streams | values, max_size=5),
    places=st.lists(st.integers(0, 300)),
    bare=values,
    cut=st.booleans(),
)
def test_no_stream_is_too_strange(
    events: list[Any], places: list[int], bare: Any, cut: bool
) -> None:
    """Whatever JSON a server streams is understood or a fault, and cuts do not matter."""
    wire = b"".join(b"data: " + encode_json(each) + b"\n\n" for each in events)
    wire += encode_json(bare)
    bounds = [0, *sorted(min(place, len(wire)) for place in places), len(wire)]

    def told(pieces: list[bytes]) -> Any:
        decoder = make_dialect(KIND).stream_decoder(200, STREAM)
        heard = [event for piece in pieces for event in decoder.feed(piece)]
        return shown_events(heard + decoder.finish(cut=cut))

    assert told([wire[start:end] for start, end in pairwise(bounds)]) == told([wire])

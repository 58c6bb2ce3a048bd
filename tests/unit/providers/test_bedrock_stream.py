"""Streamed messages from Bedrock mean the same however the network cuts them."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from lsd.conversation import ModelChunk, StreamEvent, StreamFault, Usage
from tests.fakes.aws_frames import event, exception
from tests.unit.providers.recorded import FIXTURES, Fixture, fixtures, make_dialect, read_stream

EVENT_STREAM = {"content-type": "application/vnd.amazon.eventstream"}
STREAMS = fixtures("streams", ("aws_bedrock",))

START = event("messageStart", {"role": "assistant"})
HI = event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hi"}})
STOP = event("messageStop", {"stopReason": "end_turn"})
COUNTS = event("metadata", {"usage": {"inputTokens": 3, "outputTokens": 2}})


@pytest.mark.parametrize("fixture", STREAMS)
def test_a_stream_means_what_the_fixture_says(fixture: Fixture) -> None:
    """Each recorded stream gives its neutral events."""
    assert read_stream(fixture, [fixture.wire]) == fixture.expected


@pytest.mark.parametrize("fixture", STREAMS)
def test_byte_by_byte(fixture: Fixture) -> None:
    """Case 49: the smallest pieces give the same events."""
    assert read_stream(fixture, [bytes([each]) for each in fixture.wire]) == fixture.expected


@pytest.mark.parametrize("fixture", STREAMS)
def test_one_cut_anywhere_changes_nothing(fixture: Fixture) -> None:
    """Case 49: two reads that part at any byte give what one read gives."""
    wire = fixture.wire

    for place in range(len(wire)):
        assert read_stream(fixture, [wire[:place], wire[place:]]) == fixture.expected, place


def test_the_fixtures_are_what_the_wire_has() -> None:
    """The lines in which fixtures are written stand for the bytes of a recorded stream."""
    (twin,) = (each.values[0] for each in STREAMS if each.values[0].name == "plain_text")

    assert twin.wire == (FIXTURES / "aws_bedrock" / "plain_text.bin").read_bytes()


def feed(*pieces: bytes, cut: bool = False) -> list[StreamEvent]:
    """All events of a stream that came in these pieces."""
    decoder = make_dialect("aws_bedrock").stream_decoder(200, EVENT_STREAM)
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.finish(cut=cut)


def faults(events: list[StreamEvent]) -> list[StreamFault]:
    """The faults alone."""
    return [each for each in events if isinstance(each, StreamFault)]


def usages(events: list[StreamEvent]) -> list[Usage]:
    """The counts that were told."""
    return [each.usage for each in events if isinstance(each, ModelChunk) and each.usage]


@pytest.mark.parametrize("cut", [False, True])
def test_a_message_without_counts_is_whole(cut: bool) -> None:
    """Case 46: what was said is complete, however the connection ends then."""
    events = feed(START, HI, STOP, cut=cut)

    assert faults(events) == []
    assert usages(events) == []


def test_counts_are_told_once() -> None:
    """Case 47: they are the last that is read; nothing is made of what follows."""
    decoder = make_dialect("aws_bedrock").stream_decoder(200, EVENT_STREAM)

    events = decoder.feed(START + HI + STOP)
    assert not decoder.ended
    events += decoder.feed(COUNTS + COUNTS)

    assert decoder.ended
    assert usages(events) == [Usage(input_tokens=3, output_tokens=2)]
    assert decoder.feed(HI) == []
    assert decoder.finish(cut=True) == []


def test_counts_may_come_before_the_end() -> None:
    """Then the end is still awaited."""
    events = feed(START, HI, COUNTS, STOP)

    assert usages(events) == [Usage(input_tokens=3, output_tokens=2)]
    assert faults(events) == []


def test_an_exception_has_its_name_and_its_payload() -> None:
    """Case 48: it is told once, ends the reading, and is kept as it came."""
    decoder = make_dialect("aws_bedrock").stream_decoder(200, EVENT_STREAM)
    slow_down = exception("throttlingException", {"message": "slow down"})

    *_, fault = decoder.feed(START + HI + slow_down + HI)

    assert decoder.ended
    assert decoder.finish(cut=False) == []
    assert isinstance(fault, StreamFault)
    assert fault.fatal
    assert "throttlingException" in fault.failure.text
    assert (fault.failure.status, fault.failure.transient) == (429, True)
    assert fault.raw == fault.failure.raw_response == '{"message":"slow down"}'


@pytest.mark.parametrize(
    ("pieces", "cut", "text"),
    [
        ([START, HI], True, "aws_bedrock: stream ended early; the connection broke"),
        ([START], True, "aws_bedrock: stream ended before first chunk; the connection broke"),
        ([START, HI], False, "aws_bedrock: stream ended early; there was no stop reason"),
        (
            [START, HI, HI[:30]],
            True,
            "aws_bedrock: stream ended early; the connection broke, in the middle of a frame",
        ),
    ],
)
def test_half_an_answer_never_passes_for_a_whole_one(
    pieces: list[bytes], cut: bool, text: str
) -> None:
    """Without a stop reason the end is no good one."""
    (fault,) = faults(feed(*pieces, cut=cut))

    assert (fault.failure.text, fault.fatal) == (text, True)
    assert (fault.failure.kind, fault.failure.transient) == ("transport", True)


def test_every_event_leaves_its_raw_text() -> None:
    """The raw response of a stream is the payloads of its events, never the frames around them."""
    raws = [each.raw for each in feed(START, HI, STOP, COUNTS)]

    assert raws == [
        '{"role":"assistant"}',
        '{"contentBlockIndex":0,"delta":{"text":"Hi"}}',
        '{"stopReason":"end_turn"}',
        '{"usage":{"inputTokens":3,"outputTokens":2}}',
    ]


def test_what_is_unknown_is_dropped_with_a_warning() -> None:
    """New kinds of events and blocks may come any day."""
    piece = event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"citation": {}}})

    with capture_logs() as logs:
        events = feed(START, event("novel", {}), piece, HI, STOP)

    assert faults(events) == []
    assert [each["part"] for each in logs] == ["event 'novel'", "piece of unknown kind"]


@pytest.mark.parametrize("index", [None, [], {"a": 1}, "0"])
def test_a_block_without_its_place(index: Any) -> None:
    """It is taken for the first one, whatever stands there."""
    place = {"contentBlockIndex": index}
    start = {"toolUse": {"toolUseId": "t", "name": "now"}}

    events = feed(
        event("contentBlockStart", {**place, "start": start}),
        event("contentBlockDelta", {**place, "delta": {"toolUse": {"input": "{}"}}}),
        event("contentBlockStop", place),
        STOP,
    )

    assert faults(events) == []


def test_a_very_long_text_comes_through() -> None:
    """A model may be streamed as one piece."""
    text = "x" * 10_000_000

    events = feed(event("contentBlockDelta", {"delta": {"text": text}}), STOP)

    assert isinstance(events[0], ModelChunk)
    assert events[0].content[0].text == text  # type: ignore[union-attr]


values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "{", "end_turn"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "contentBlockIndex",
                    "delta",
                    "input",
                    "name",
                    "reasoningContent",
                    "signature",
                    "start",
                    "stopReason",
                    "text",
                    "toolUse",
                    "toolUseId",
                    "usage",
                    "inputTokens",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
kinds = st.sampled_from(
    [
        "contentBlockStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStart",
        "messageStop",
        "metadata",
    ]
)


@given(told=st.lists(st.tuples(kinds, values), max_size=6), places=st.lists(st.integers(0, 400)))
def test_events_of_any_shape_are_read_or_told_to_be_bad(
    told: list[tuple[str, Any]], places: list[int]
) -> None:
    """Whatever a payload holds, nothing is raised, and pieces do not matter."""
    wire = b"".join(event(kind, payload) for kind, payload in told)
    cuts = [0, *sorted(min(place, len(wire)) for place in places), len(wire)]

    whole = [str(each) for each in feed(wire)]

    assert [str(each) for each in feed(*(wire[a:b] for a, b in pairwise(cuts)))] == whole

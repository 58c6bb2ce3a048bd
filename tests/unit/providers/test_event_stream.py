"""Server-sent events come out the same, however bytes were cut and lines were ended."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lsd.providers._event_stream import BrokenEvent, EventStream, ServerSentEvent

STORY = (
    b"\xef\xbb\xbfdata: one\n\n"
    b": a comment\n"
    b"event: message\nid: 7\nretry: 10\ndata:two\n\n"
    b"data: three\ndata:  and more\n\n"
    b"data: \xc3\xa9t\xc3\xa9 \xf0\x9f\x8c\x8a\n\n"
    b"data\n\n"
    b"data:   \n\n"
    b"event: error\ndata: ill\n\n"
    b'error: {"code":500}\n\n'
    b"data: \xff\xfe\n\n"
    b"data: last"
)
TOLD = [
    ServerSentEvent("", "one"),
    ServerSentEvent("message", "two"),
    ServerSentEvent("", "three\n and more"),
    ServerSentEvent("", "été 🌊"),
    ServerSentEvent("error", "ill"),
    ServerSentEvent("error", '{"code":500}'),
    BrokenEvent("found bytes that are not UTF-8 in an event", "��", False),
    ServerSentEvent("", "last"),
]

Events = list[ServerSentEvent | BrokenEvent]


def read(pieces: list[bytes], *, bytes_max: int = 1000, cut: bool = False) -> Events:
    """All events of a stream that came in these pieces."""
    stream = EventStream(bytes_max)
    return [event for piece in pieces for event in stream.feed(piece)] + stream.end(cut=cut)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_line_ends_of_all_kinds_end_lines(line_end: bytes) -> None:
    """LF, CRLF and a lone CR end a line, with whole reads and with one byte a read."""
    wire = STORY.replace(b"\n", line_end)

    assert read([wire]) == TOLD
    assert read([bytes([each]) for each in wire]) == TOLD


@given(
    places=st.lists(st.integers(0, len(STORY) * 2)),
    line_end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
)
def test_where_the_network_cuts_the_bytes_does_not_matter(
    places: list[int], line_end: bytes
) -> None:
    """Any cut of the same bytes gives the same events."""
    wire = STORY.replace(b"\n", line_end)
    bounds = [0, *sorted(min(place, len(wire)) for place in places), len(wire)]

    pieces = [wire[start:end] for start, end in pairwise(bounds)]

    assert read(pieces) == TOLD


@given(
    wire=st.lists(
        st.sampled_from([b"data:", b"a" * 9, b":", b"\n", b"\r", b" ", b"\xef\xbb\xbf", b"\xff"])
    ).map(b"".join),
    bytes_max=st.integers(1, 60),
    cut=st.booleans(),
)
@example(wire=b"\xef\xbb\xbf\n", bytes_max=1, cut=False)
@example(wire=b"\xef\xbb\xbfdata:a\n\n", bytes_max=6, cut=False)
def test_hostile_bytes_give_the_same_events_whole_and_byte_by_byte(
    wire: bytes, bytes_max: int, cut: bool
) -> None:
    """Nothing that a server can send makes the parser fail, or depend on the cuts."""
    whole = read([wire], bytes_max=bytes_max, cut=cut)

    assert read([bytes([each]) for each in wire], bytes_max=bytes_max, cut=cut) == whole


@given(
    data=st.lists(
        st.text(
            st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), min_size=1
        ).map(lambda text: text + ".")
    )
)
def test_what_was_written_is_read(data: list[str]) -> None:
    """Each text that is sent as an event comes back as it was."""
    wire = b"".join(b"data: " + each.encode() + b"\n\n" for each in data)

    assert read([wire]) == [ServerSentEvent("", each) for each in data]


def test_a_broken_connection_drops_the_event_in_progress() -> None:
    """An event without its blank line counts after a clean end only."""
    assert read([b"data: a\n\ndata: b\n"], cut=False)[1:] == [ServerSentEvent("", "b")]
    assert read([b"data: a\n\ndata: b\n"], cut=True)[1:] == []


def test_an_event_beyond_the_bound_ends_the_reading() -> None:
    """Events before an oversized one are told, nothing after it is."""
    wire = b"data: a\n\n" + b"data: " + b"x" * 100 + b"\n\n" + b"data: b\n\n"

    events = read([wire], bytes_max=50)

    assert events == [
        ServerSentEvent("", "a"),
        BrokenEvent("found an event of more than 50 bytes", "", True),
    ]


def test_many_short_lines_of_one_event_count_together() -> None:
    """The bound is on the event, not on its lines."""
    events = read([b"data: 12345\n" * 10], bytes_max=50)

    assert events == [BrokenEvent("found an event of more than 50 bytes", "", True)]


def test_comments_are_not_part_of_an_event() -> None:
    """A megabyte of comments within an event does not use up its bound."""
    wire = b"data: a\n" + b": keep-alive\n" * 80_000 + b"data: b\n\n"

    assert read([wire], bytes_max=50) == [ServerSentEvent("", "a\nb")]


def test_a_name_belongs_to_one_event_only() -> None:
    """A blank line forgets the name, also when there was no data."""
    assert read([b"event: error\n\ndata: a\n\n"]) == [ServerSentEvent("", "a")]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_lines_that_are_no_fields_can_be_kept(size: int) -> None:
    """Those that hosts write when they drop out of the protocol; all else is what it was."""
    wire = b'data: 1\n\n{\n "error": {\n\n "code": 5}\nid: 7\nretry\n: comment\n}'
    stream = EventStream(keeps_strays=True)

    events = [
        event for at in range(0, len(wire), size) for event in stream.feed(wire[at : at + size])
    ]

    assert events == [ServerSentEvent("", "1")]
    assert stream.strays() == '{\n "error": {\n "code": 5}\n}'


def test_an_unfinished_field_is_no_stray() -> None:
    """An event that was cut off is nothing to show."""
    stream = EventStream(keeps_strays=True)

    stream.feed(b'{"a":1}\ndata: {"b"')

    assert stream.strays() == '{"a":1}'

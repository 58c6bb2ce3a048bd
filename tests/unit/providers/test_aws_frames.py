"""Messages of event streams are the same however the network cuts them; broken ones are told."""

import struct
from collections.abc import Sequence
from itertools import pairwise
from uuid import UUID
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from lsd.providers._aws_frames import (
    FRAME_BYTES_MAX,
    HEADERS_BYTES_MAX,
    BrokenFrame,
    Frame,
    FrameReader,
)
from tests.fakes.aws_frames import event, exception, frame, packed_frame

EMPTY = bytes.fromhex("000000100000000005c248eb7d98c8ff")
DELTA = bytes.fromhex(
    "0000009d00000057b9bbf89f0b3a6576656e742d74797065070011636f6e74656e74426c6f636b44656c7461"
    "0d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d74"
    "7970650700056576656e747b22636f6e74656e74426c6f636b496e646578223a302c2264656c7461223a7b22"
    "74657874223a224869227d2c2270223a226162227d8b38b268"
)
THROTTLING = bytes.fromhex(
    "0000008800000061de0175f40f3a657863657074696f6e2d747970650700137468726f74746c696e67457863"
    "657074696f6e0d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573"
    "736167652d74797065070009657863657074696f6e7b226d657373616765223a22736c6f7720646f776e227d"
    "832ee072"
)

ALL_HEADERS = (
    "0474727565000566616c736501{byte}02320573686f7274034e2003696e74040007a120046c6f6e670500000"
    "00ba43b740005627974657306000a736f6d6520627974657303737472{str}736f6d65207374720474696d650"
    "8000000012a05f200047575696409b79bc914de214e13b8b2bc47e85b7f0b"
)
"""Headers of every type, in hexadecimal, with room for what may be wrong in them."""

BYTE, STR = "0462797465", "070008"


def published(prelude: str, end: str, **changes: str) -> bytes:
    """A vector that was published with AWS's own implementation, or a change of it."""
    headers = ALL_HEADERS.format(**{"byte": BYTE, "str": STR, **changes})
    return bytes.fromhex(prelude + headers + "736f6d65207061796c6f6164" + end)


GOOD = "000000960000007a8bb495fb", "01a05860"
WITH_ALL_HEADERS = published(*GOOD)


def read(*pieces: bytes) -> list[Frame | BrokenFrame]:
    """What comes out of these pieces."""
    reader = FrameReader()
    return [found for piece in pieces for found in reader.feed(piece)]


def reason(data: bytes) -> str:
    """Why a message is broken."""
    (broken,) = read(data)
    assert isinstance(broken, BrokenFrame)
    return broken.reason.removeprefix("found a broken frame: ")


def test_messages_of_the_specification() -> None:
    """An empty one, an event and an exception, as AWS sends them."""
    empty, delta, throttling = read(EMPTY + DELTA + THROTTLING)

    assert empty == Frame({}, b"")
    assert isinstance(delta, Frame)
    assert delta.text(":event-type") == "contentBlockDelta"
    assert delta.payload == b'{"contentBlockIndex":0,"delta":{"text":"Hi"},"p":"ab"}'
    assert throttling == Frame(
        {
            ":exception-type": "throttlingException",
            ":content-type": "application/json",
            ":message-type": "exception",
        },
        b'{"message":"slow down"}',
    )


def test_a_header_of_every_type() -> None:
    """Case 50: numbers, bytes, texts, times and ids are told apart."""
    assert read(WITH_ALL_HEADERS) == [
        Frame(
            {
                "true": True,
                "false": False,
                "byte": 50,
                "short": 20_000,
                "int": 500_000,
                "long": 50_000_000_000,
                "bytes": b"some bytes",
                "str": "some str",
                "time": 5_000_000_000,
                "uuid": UUID("b79bc914-de21-4e13-b8b2-bc47e85b7f0b"),
            },
            b"some payload",
        )
    ]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("0000001f0000000f172dc2ab0b736f6d652d6865616465720301f4933c5cad", b""),
        (
            "0000002400000000516356ad616e6f746865722074657374207061796c6f61648df80e65",
            b"another test payload",
        ),
    ],
    ids=["valid_empty_payload", "valid_no_headers"],
)
def test_published_messages(data: str, expected: bytes) -> None:
    """Neither headers nor a payload need be there."""
    (found,) = read(bytes.fromhex(data))

    assert isinstance(found, Frame)
    assert found.payload == expected


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (published("000000960000007adeadbeef", GOOD[1]), "the checksum of its lengths is wrong"),
        (published(GOOD[0], "deadbeef"), "its checksum is wrong"),
        (DELTA[:-1] + bytes([DELTA[-1] ^ 1]), "its checksum is wrong"),
        (DELTA[:60] + bytes([DELTA[60] ^ 1]) + DELTA[61:], "its checksum is wrong"),
    ],
    ids=["invalid_prelude_checksum", "invalid_message_checksum", "flipped end", "flipped middle"],
)
def test_checksums(data: bytes, told: str) -> None:
    """A bit that was lost on the way is not overlooked."""
    assert reason(data) == told


def test_headers_longer_than_the_message() -> None:
    """invalid_headers_length: a length that cannot be is not believed, though its checksum is."""
    prelude = struct.pack(">II", 89, 77)

    assert reason(prelude + struct.pack(">I", crc32(prelude))).startswith("its headers have 77")


def headers_of(hexadecimal: str) -> bytes:
    """A message with these bytes for headers."""
    return packed_frame(bytes.fromhex(hexadecimal), b"x")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (headers_of("ff74727565" + "00"), "a header goes beyond its place"),
        (headers_of("0474727565"), "a header goes beyond its place"),
        (headers_of("03737472" + "07ffff" + "61"), "a header goes beyond its place"),
        (headers_of("03737472" + "07ff"), "a header goes beyond its place"),
        (headers_of("04696e7432" + "04" + "0001"), "a header goes beyond its place"),
        (headers_of("0475756964" + "09" + "0001"), "a header goes beyond its place"),
        (headers_of("0462797465" + "60"), "a header has a value of the unknown type 96"),
        (headers_of("00" + "00"), "a header has no name"),
        (headers_of("01ff" + "00"), "a header is not UTF-8"),
        (headers_of("0161" + "070001ff"), "a header is not UTF-8"),
    ],
    ids=[
        "invalid_header_name_length",
        "no value",
        "invalid_header_string_value_length",
        "invalid_header_string_length_cut_off",
        "number cut off",
        "id cut off",
        "invalid_header_value_type",
        "no name",
        "name no text",
        "value no text",
    ],
)
def test_broken_headers(data: bytes, told: str) -> None:
    """Right checksums do not make a header right."""
    assert reason(data) == told


@pytest.mark.parametrize("total", [15, FRAME_BYTES_MAX + 1, 2**32 - 1])
def test_the_length_of_a_message_is_bounded(total: int) -> None:
    """A stream that announces four gigabytes is not waited for."""
    lengths = struct.pack(">II", total, 0)

    assert reason(lengths + struct.pack(">I", crc32(lengths))).startswith(f"it has {total} bytes")


def test_the_length_of_headers_is_bounded() -> None:
    """Even within the message they may not take all the room."""
    lengths = struct.pack(">II", FRAME_BYTES_MAX, HEADERS_BYTES_MAX + 1)

    assert "its headers have" in reason(lengths + struct.pack(">I", crc32(lengths)))


def test_nothing_is_read_behind_a_broken_message() -> None:
    """What came before it counts; where the next one would begin nobody knows."""
    reader = FrameReader()
    broken = DELTA[:-1] + b"\0"

    found = reader.feed(EMPTY + broken + DELTA)

    assert [type(each) for each in found] == [Frame, BrokenFrame]
    assert reader.feed(DELTA) == []
    assert not reader.has_rest


def test_a_message_that_has_begun() -> None:
    """So a stream that ends here was cut."""
    reader = FrameReader()

    assert not reader.has_rest
    reader.feed(DELTA[:5])
    assert reader.has_rest
    reader.feed(DELTA[5:])
    assert not reader.has_rest


STREAM = DELTA + EMPTY + WITH_ALL_HEADERS + THROTTLING
WHOLE = read(STREAM)


def test_byte_by_byte() -> None:
    """Case 49: the smallest pieces give the same messages."""
    assert read(*(bytes([each]) for each in STREAM)) == WHOLE


@given(places=st.lists(st.integers(0, len(STREAM))))
def test_where_the_network_cuts_the_stream_does_not_matter(places: Sequence[int]) -> None:
    """Case 49: any pieces give the same messages."""
    cuts = [0, *sorted(places), len(STREAM)]

    assert read(*(STREAM[start:end] for start, end in pairwise(cuts))) == WHOLE


@given(data=st.binary(max_size=200), place=st.integers(0, len(STREAM)))
def test_any_bytes_are_messages_or_told_to_be_none(data: bytes, place: int) -> None:
    """Whatever comes, nothing is raised."""
    found = read(STREAM[:place] + data)

    assert all(isinstance(each, Frame) for each in found[:-1])


@given(kind=st.text(max_size=30), payload=st.binary(max_size=100))
def test_aws_itself_reads_the_same(kind: str, payload: bytes) -> None:
    """Its own library finds the same headers and payloads in the same bytes."""
    data = event(kind, payload) + exception(kind, payload) + frame({"a": kind}, b"")
    theirs = EventStreamBuffer()
    theirs.add_data(data)

    ours = read(data)

    assert [(each.headers, each.payload) for each in ours if isinstance(each, Frame)] == [
        (each.headers, each.payload) for each in theirs
    ]


def test_a_very_long_payload() -> None:
    """A whole answer may come as one message, in small pieces."""
    payload = b"x" * 10_000_000
    data = event("contentBlockDelta", payload)
    pieces = [data[place : place + 65_536] for place in range(0, len(data), 65_536)]

    (found,) = read(*pieces)

    assert isinstance(found, Frame)
    assert len(found.payload) == 10_000_000

"""Request bodies: read whole, inflated, and never beyond the limit."""

import gzip
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.api import bodies
from lsd.api.bodies import (
    BodyTooLarge,
    ClientGone,
    CodingBroken,
    CodingUnknown,
    beside_the_loop,
    parse_body,
    read_body,
)

LIMIT = 1000
DOCUMENT = b'{"input":{"messages":[{"role":"user","content":"An old silent pond"}]}}'


@attrs.define(eq=False)
class Arriving:
    """What a server hands over, piece by piece; `is_cut`: the client leaves before the end."""

    pieces: list[bytes]
    is_cut: bool = False
    received: int = 0

    async def __call__(self) -> Any:
        if not self.pieces:
            return {"type": "http.disconnect"}
        self.received += 1
        piece = self.pieces.pop(0)
        return {
            "type": "http.request",
            "body": piece,
            "more_body": bool(self.pieces) or self.is_cut,
        }


async def read(
    *pieces: bytes, headers: Mapping[str, str] | None = None, bytes_max: int = LIMIT
) -> bytes:
    """The body that arrives in these pieces."""
    return await read_body(Arriving(list(pieces)), headers or {}, bytes_max)


def raw_deflate(data: bytes) -> bytes:
    """What some clients call deflate: without the zlib head and sum."""
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(data) + deflater.flush()


CODED: Sequence[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("GZip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
    ("identity, gzip", gzip.compress),
    ("gzip,", gzip.compress),
]


@pytest.mark.parametrize(
    "pieces",
    [
        [DOCUMENT],
        [DOCUMENT[:10], DOCUMENT[10:]],
        [bytes([each]) for each in DOCUMENT],
        [DOCUMENT, b""],
        [b"", DOCUMENT],
        [b""],
    ],
    ids=["whole", "halves", "bytes", "an empty end", "an empty start", "nothing"],
)
async def test_a_body_is_whole_however_it_arrives(pieces: list[bytes]) -> None:
    """The pieces of a body are put together in their order."""
    wanted = b"".join(pieces)

    assert await read(*pieces) == wanted


async def test_a_piece_without_a_body_is_empty() -> None:
    """A server may leave out what is empty."""

    async def receive() -> Any:
        return {"type": "http.request"}

    assert await read_body(receive, {}, LIMIT) == b""


@pytest.mark.parametrize(("coding", "compress"), CODED)
async def test_a_compressed_body_is_what_was_meant(
    coding: str, compress: Callable[[bytes], bytes]
) -> None:
    """Gzip and deflate are undone, with and without the zlib head, and one after the other."""
    headers = {"content-encoding": coding}

    assert await read(compress(DOCUMENT), headers=headers) == DOCUMENT


@pytest.mark.parametrize("coding", ["identity", "", " "])
async def test_no_coding_changes_nothing(coding: str) -> None:
    """A header that names no coding leaves the body alone."""
    assert await read(DOCUMENT, headers={"content-encoding": coding}) == DOCUMENT


@pytest.mark.parametrize("length", [LIMIT - 1, LIMIT])
async def test_a_body_may_have_the_length_of_the_limit(length: int) -> None:
    """The limit is the greatest length, compressed or not."""
    body = bytes(length)

    assert await read(body) == body
    assert await read(gzip.compress(body), headers={"content-encoding": "gzip"}) == body


@pytest.mark.parametrize(
    "pieces", [[bytes(LIMIT + 1)], [bytes(LIMIT), b"x"], [bytes(LIMIT), b"x", b"more"]]
)
async def test_reading_stops_at_the_limit(pieces: list[bytes]) -> None:
    """What goes beyond the limit is refused when it arrives; nothing more is waited for."""
    arriving = Arriving(list(pieces), is_cut=True)
    beyond = min(len(pieces), 2)

    with pytest.raises(BodyTooLarge) as refused:
        await read_body(arriving, {}, LIMIT)

    assert arriving.received == beyond
    assert str(refused.value) == (
        "body: found more than 1000 bytes; wanted at most gateway.max_request_bytes"
    )


@pytest.mark.parametrize("length", [str(LIMIT + 1), "9" * 19])
async def test_a_body_announced_as_too_large_is_not_read(length: str) -> None:
    """A client that says what is coming is refused before it comes."""
    arriving = Arriving([DOCUMENT])

    with pytest.raises(BodyTooLarge):
        await read_body(arriving, {"content-length": length}, LIMIT)

    assert arriving.received == 0


@pytest.mark.parametrize("length", ["", "-1", "many", "²", "9" * 5000, str(len(DOCUMENT))])
async def test_a_strange_length_is_not_believed(length: str) -> None:
    """What counts is what arrives."""
    assert await read(DOCUMENT, headers={"content-length": length}) == DOCUMENT


@pytest.mark.parametrize(("coding", "compress"), CODED)
async def test_a_bomb_is_refused_at_the_limit(
    coding: str, compress: Callable[[bytes], bytes]
) -> None:
    """Inflating stops where the body becomes too large, however small it was on the way."""
    bomb = compress(bytes(LIMIT + 1))
    assert len(bomb) < LIMIT

    with pytest.raises(BodyTooLarge):
        await read(bomb, headers={"content-encoding": coding})


async def test_a_bomb_is_inflated_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """What may become large is inflated in a thread, and by far not whole."""
    used: list[bool] = []
    inflated = bodies._inflated

    def noting(body: bytes, coding: str, bytes_max: int) -> bytes:
        used.append(threading.current_thread() is threading.main_thread())
        return inflated(body, coding, bytes_max)

    monkeypatch.setattr(bodies, "_inflated", noting)
    bomb = gzip.compress(bytes(10 << 20))

    with pytest.raises(BodyTooLarge):
        await read(bomb, headers={"content-encoding": "gzip"}, bytes_max=4 << 20)
    await read(gzip.compress(DOCUMENT), headers={"content-encoding": "gzip"})

    assert used == [False, True]


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", b"no gzip"),
        ("gzip", b""),
        ("gzip", zlib.compress(DOCUMENT)),
        ("gzip", gzip.compress(DOCUMENT)[:-1]),
        ("gzip", gzip.compress(DOCUMENT) + b"tail"),
        ("gzip", gzip.compress(DOCUMENT) + gzip.compress(DOCUMENT)),
        ("deflate", gzip.compress(DOCUMENT)),
        ("deflate", b"\xff\xff\xff"),
        ("deflate", zlib.compress(DOCUMENT)[:-1]),
        ("deflate", raw_deflate(DOCUMENT)[:-1]),
        ("gzip, gzip", gzip.compress(DOCUMENT)),
    ],
    ids=[
        "plain",
        "nothing",
        "zlib for gzip",
        "gzip without its end",
        "a tail",
        "two members",
        "gzip for deflate",
        "noise",
        "zlib without its end",
        "deflate without its end",
        "once for twice",
    ],
)
async def test_broken_data_is_told(coding: str, body: bytes) -> None:
    """What cannot be inflated to its very end is refused, never taken for a shorter body."""
    with pytest.raises(CodingBroken) as refused:
        await read(body, headers={"content-encoding": coding})

    name = coding.partition(",")[0]
    assert str(refused.value) == f"body: found data that is not valid {name}"


@pytest.mark.parametrize("coding", ["br", "zstd", "rot13", "gzip, br", "gzip;q=1", "*"])
async def test_an_unknown_coding_is_told_before_the_body_is_read(coding: str) -> None:
    """The client learns what it can use instead."""
    arriving = Arriving([DOCUMENT])

    with pytest.raises(CodingUnknown) as refused:
        await read_body(arriving, {"content-encoding": coding}, LIMIT)

    assert arriving.received == 0
    assert str(refused.value).startswith("content-encoding: found '")
    assert str(refused.value).endswith("'; wanted gzip, deflate or none")


async def test_nobody_has_a_body_inflated_without_end() -> None:
    """A long list of codings is refused, and not repeated at length."""
    body = DOCUMENT
    for _ in range(5):
        body = gzip.compress(body)

    with pytest.raises(CodingUnknown) as refused:
        await read(body, headers={"content-encoding": ", ".join(["gzip"] * 5)})
    with pytest.raises(CodingUnknown) as long:
        await read(body, headers={"content-encoding": "gzip," * 10_000})

    assert "'gzip, gzip, gzip, gzip, gzip'" in str(refused.value)
    assert len(str(long.value)) < 200


@pytest.mark.parametrize("pieces", [[], [b""], [DOCUMENT], [DOCUMENT, b"more"]])
async def test_a_body_without_its_end_is_none(pieces: list[bytes]) -> None:
    """A client that leaves in the middle has not asked anything."""
    with pytest.raises(ClientGone):
        await read_body(Arriving(list(pieces), is_cut=True), {}, LIMIT)


@given(data=st.binary(max_size=LIMIT), at=st.integers(0, LIMIT), which=st.sampled_from(CODED))
async def test_every_body_survives_its_coding(
    data: bytes, at: int, which: tuple[str, Callable[[bytes], bytes]]
) -> None:
    """Whatever was compressed comes out as it was, wherever the network has cut it."""
    coding, compress = which
    body = compress(data)
    headers = {"content-encoding": coding}

    assert await read(body[:at], body[at:], headers=headers, bytes_max=2 * LIMIT) == data


@given(body=st.binary(max_size=200), coding=st.sampled_from(["gzip", "deflate"]))
def test_noise_is_refused_or_read_and_nothing_else(body: bytes, coding: str) -> None:
    """No bytes under a coding bring up anything but the refusals that are made for them."""
    try:
        inflated = bodies._inflated(body, coding, LIMIT)
    except (BodyTooLarge, CodingBroken):
        return
    assert len(inflated) <= LIMIT


@pytest.mark.parametrize(("length", "is_beside"), [(100, False), (101, True)])
async def test_callers_know_what_is_large(length: int, is_beside: bool) -> None:
    """A list of small things is so much earlier than one long text."""
    own = threading.get_ident()

    read = parse_body(lambda _: threading.get_ident(), b"x" * length, inline_bytes_max=100)

    assert (await read != own) is is_beside


@pytest.mark.parametrize(("length", "is_beside"), [(1 << 20, False), ((1 << 20) + 1, True)])
async def test_what_large_bodies_hold_is_read_in_a_thread(length: int, is_beside: bool) -> None:
    """So that nobody else waits for it."""
    own = threading.get_ident()

    thread = await beside_the_loop(b"x" * length, lambda _: threading.get_ident(), {})

    assert (thread != own) is is_beside

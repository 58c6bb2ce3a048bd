"""Compressed bodies."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.network.content_coding import PIECE_BYTES_MAX, Inflater, Undecodable, inflater_for

PLAIN = b"An old silent pond. " * 50
BARE = zlib.compressobj(wbits=-15)
PACKED = {
    "gzip": gzip.compress(PLAIN),
    "x-gzip": gzip.compress(PLAIN),
    "Deflate ": zlib.compress(PLAIN),
    "deflate": BARE.compress(PLAIN) + BARE.flush(),
}


def inflater(coding: str) -> Inflater:
    """What undoes the coding."""
    made = inflater_for({"content-encoding": coding})
    assert made is not None
    return made


@pytest.mark.parametrize("coding", PACKED)
@given(places=st.lists(st.integers(0, 200), max_size=8))
def test_where_the_network_cuts_a_body_does_not_matter(coding: str, places: list[int]) -> None:
    """Each coding gives the plain bytes, whatever the pieces; bare deflate, too."""
    packed = PACKED[coding]
    # The way of deflate shows in the first two bytes, which any first packet holds.
    cuts = sorted({2 + place for place in places if 2 + place < len(packed)})
    undo = inflater(coding)

    plain = b"".join(
        undo.feed(packed[start:end])
        for start, end in zip([0, *cuts], [*cuts, len(packed)], strict=True)
    )

    assert plain == PLAIN
    assert undo.is_hungry
    undo.end()


def test_a_bomb_goes_off_slowly() -> None:
    """However much a few bytes stand for, one step gives at most so much."""
    undo = inflater("gzip")
    size = 5 * PIECE_BYTES_MAX + 1

    pieces = [undo.feed(gzip.compress(bytes(size)))]
    while not undo.is_hungry:
        pieces.append(undo.feed(b""))

    assert max(map(len, pieces)) == PIECE_BYTES_MAX
    assert sum(map(len, pieces)) == size
    undo.end()


@pytest.mark.parametrize("coding", ["", "identity", " Identity "])
def test_plain_bodies_need_nothing(coding: str) -> None:
    """Without a coding there is nothing to undo."""
    assert inflater_for({"content-encoding": coding}) is None
    assert inflater_for({}) is None


def test_an_unknown_coding_is_named() -> None:
    """A coding that nobody asked for is refused."""
    with pytest.raises(Undecodable, match="found the content coding 'br'; wanted gzip"):
        inflater_for({"content-encoding": "br"})


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_what_is_not_compressed_is_undecodable(coding: str) -> None:
    """Plain bytes under a coding's name are an error."""
    undo = inflater(coding)

    with pytest.raises(Undecodable):
        undo.feed(b"\xffplain")


def test_a_cut_body_is_undecodable() -> None:
    """The end of the compressed data must have come; of no data at all, nothing is missing."""
    undo = inflater("gzip")

    undo.end()
    undo.feed(PACKED["gzip"][:-1])

    with pytest.raises(Undecodable, match="without its end"):
        undo.end()

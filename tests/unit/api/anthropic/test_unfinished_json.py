"""Whether an object is whole is known with its last brace, and not before."""

from itertools import pairwise
from time import process_time

import orjson
from hypothesis import given
from hypothesis import strategies as st

from lsd.api.anthropic.unfinished_json import UnfinishedObject
from tests.unit.conversation.json_values import JSON_OBJECTS


@given(value=JSON_OBJECTS, places=st.lists(st.integers(0, 200)))
def test_where_the_text_is_cut_does_not_matter(value: dict[str, object], places: list[int]) -> None:
    """Quotes, braces in texts and escapes are understood across any cut."""
    text = orjson.dumps(value).decode()
    cuts = sorted({0, len(text) - 1, *(place % len(text) for place in places)})
    unfinished = UnfinishedObject()

    for start, end in pairwise(cuts):
        unfinished.add(text[start:end])
        assert not unfinished.is_whole
    unfinished.add(text[-1:])

    assert unfinished.is_whole


def test_nothing_is_not_whole() -> None:
    """A call may still get its arguments."""
    unfinished = UnfinishedObject()

    unfinished.add("")
    unfinished.add(" ")

    assert not unfinished.is_whole


def test_a_long_text_in_small_pieces_is_looked_at_once() -> None:
    """Case 52: a megabyte costs what its characters cost, not their square."""
    unfinished = UnfinishedObject()
    pieces = ['{"text":"', *["x{" * 16] * 32_768, '"}']

    began = process_time()
    for piece in pieces:
        unfinished.add(piece)

    assert unfinished.is_whole
    assert process_time() - began < 5

"""Characters whose halves come in two events."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import NotJson
from lsd.providers._split_characters import EventDecoder

POND = "\\ud83c\\udf0a"


def decoded(*data: str) -> list[object]:
    """The values of these events, one after the other."""
    decoder = EventDecoder()
    return [decoder.decode(each) for each in data]


def test_two_halves_make_a_character() -> None:
    """It stands where its second half came."""
    assert decoded('{"a":"x\\ud83c"}', '{"a":"\\udf0ay"}') == [{"a": "x"}, {"a": "🌊y"}]


def test_a_half_waits_for_events_without_text() -> None:
    """A server may send its usage in between."""
    assert decoded('["\\ud83c"]', "[1]", '["\\udf0a"]') == [[""], [1], ["🌊"]]


def test_whole_characters_stay_beside_halves() -> None:
    """Also where an escaped backslash stands before what looks like a half."""
    assert decoded(f'["{POND}\\ud83c"]', f'["\\udf0a{POND}"]') == [["🌊"], ["🌊🌊"]]
    assert decoded('["\\\\ud83c \\ud83c"]', '["\\udf0a \\\\udf0a"]') == [
        ["\\ud83c "],
        ["🌊 \\udf0a"],
    ]


def test_a_second_half_alone_is_replaced() -> None:
    """One character is lost, and the rest of its event is not."""
    assert decoded('["a\\udf0ab"]', '["\\ud83c"]', '["x"]') == [["a\ufffdb"], [""], ["x"]]


@pytest.mark.parametrize("data", ["{", '["\\ud83c"', "nothing", '["\\uZZZZ"]'])
def test_what_is_broken_otherwise_stays_so(data: str) -> None:
    """Only halves of characters are mended."""
    with pytest.raises(NotJson):
        decoded(data)


@given(text=st.text(), place=st.integers(0, 50))
def test_no_cut_loses_anything(text: str, place: int) -> None:
    """Wherever a text is cut between its escapes, its pieces make the text again."""
    escapes = json.dumps("".join(text))[1:-1].replace("\\u", "\n\\u").split("\n")
    head, tail = "".join(escapes[:place]), "".join(escapes[place:])

    pieces = decoded(f'"{head}"', f'"{tail}"')

    assert "".join(map(str, pieces)) == text

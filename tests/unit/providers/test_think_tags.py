"""Reasoning in `<think>` tags is told from the text around it, wherever deltas end."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.providers._think_tags import Part, ThinkTags


def read(*pieces: str) -> dict[Part, str]:
    """The text of each part, after these deltas."""
    tags = ThinkTags()
    told: dict[Part, str] = {}
    for part, text in [told for piece in pieces for told in tags.feed(piece)] + tags.end():
        assert text
        told[part] = told.get(part, "") + text
    return told


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", {}),
        ("Hello", {"before": "Hello"}),
        ("<think>a</think>b", {"thought": "a", "after": "b"}),
        ("x<think>a</think>b", {"before": "x", "thought": "a", "after": "b"}),
        (" \n<think>\na\n</think>\n\nb", {"thought": "\na\n", "after": "\n\nb"}),
        ("<think></think>b", {"after": "b"}),
        ("<think>a", {"thought": "a"}),
        ("<think>a</thi", {"thought": "a</thi"}),
        ("<thi", {"before": "<thi"}),
        (" \n", {"before": " \n"}),
        (" \nHello ", {"before": " \nHello "}),
        ("  <thin>x", {"before": "  <thin>x"}),
        ("<<think>a", {"before": "<", "thought": "a"}),
        ("a <b>bold</b> 1 < 2", {"before": "a <b>bold</b> 1 < 2"}),
        (
            "<think>a</think>b<think>c</think>",
            {"thought": "a", "after": "b<think>c</think>"},
        ),
        ("</think>b", {"before": "</think>b"}),
    ],
)
def test_the_first_thought_is_separated(text: str, parts: dict[Part, str]) -> None:
    """Case 29 among others: the text around a thought is kept, an open thought is a thought."""
    assert read(text) == parts
    assert read(*text) == parts


def test_a_tag_may_be_cut() -> None:
    """Case 28: a tag that is spread over deltas is still a tag."""
    tags = ThinkTags()

    assert tags.feed("<th") == []
    assert tags.feed("ink>a</thi") == [("thought", "a")]
    assert tags.feed("nk>b") == [("after", "b")]
    assert tags.end() == []


def test_other_tags_are_not_held_back() -> None:
    """Case 28: `<b>` in a text waits for one more character at most."""
    tags = ThinkTags()

    assert tags.feed("see <") == [("before", "see ")]
    assert tags.feed("b>this") == [("before", "<b>this")]


@given(
    text=st.lists(
        st.sampled_from(["<think>", "</think>", "<", "th", "ink>", "/", " ", "\n", "a", "é"])
    ).map("".join),
    places=st.lists(st.integers(0, 60)),
)
def test_where_deltas_end_does_not_matter(text: str, places: list[int]) -> None:
    """Any cut of a text gives the parts that a look at the whole text shows."""
    bounds = [0, *sorted(min(place, len(text)) for place in places), len(text)]
    pieces = [text[start:end] for start, end in pairwise(bounds)]

    before, opening, rest = text.partition("<think>")
    thought, _, after = rest.partition("</think>")
    parts: dict[Part, str] = {
        "before": "" if opening and before.isspace() else before,
        "thought": thought,
        "after": after,
    }
    assert read(*pieces) == {part: each for part, each in parts.items() if each}

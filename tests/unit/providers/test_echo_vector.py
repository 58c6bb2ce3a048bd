"""Vectors of texts, without a model."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.providers.echo_vector import embedding_of


def likeness(one: str, other: str) -> float:
    """The cosine of two texts' vectors."""
    pairs = zip(embedding_of(one, 64), embedding_of(other, 64), strict=True)
    return sum(first * second for first, second in pairs)


@given(
    content=st.text() | st.lists(st.integers(0, 100_000)),
    dimensions=st.integers(1, 300),
)
def test_a_vector_has_length_one(content: str | Sequence[int], dimensions: int) -> None:
    """Whatever is embedded, the vector has the wanted size and length 1."""
    vector = embedding_of(content, dimensions)

    assert len(vector) == dimensions
    assert math.isclose(math.hypot(*vector), 1.0)


@given(text=st.text())
def test_equal_texts_have_equal_vectors(text: str) -> None:
    """Nothing in a vector depends on time or chance."""
    assert embedding_of(text, 64) == embedding_of(text, 64)


def test_shared_words_make_vectors_near() -> None:
    """Case, order and punctuation do not matter; a common word brings texts closer."""
    assert likeness("An old pond", "pond, OLD... an!") == pytest.approx(1)
    assert likeness("old silent pond", "old silent frog") > 0.5
    assert abs(likeness("old silent pond", "fast car")) < 0.5


@pytest.mark.parametrize("content", ["", " ... ", []])
def test_nothing_has_a_vector_too(content: str | Sequence[int]) -> None:
    """Without a word, the first number is 1."""
    assert embedding_of(content, 3) == [1.0, 0.0, 0.0]


def test_words_that_cancel_out_have_a_vector_too() -> None:
    """In one dimension, a word may undo another; the vector still has length 1."""
    words = ("old", "silent", "pond", "frog", "water", "sound")
    signs = {embedding_of(word, 1)[0]: word for word in words}

    assert set(signs) == {1.0, -1.0}
    assert embedding_of(" ".join(signs.values()), 1) == [1.0]


def test_token_ids_are_words() -> None:
    """Token ids are embedded as the texts of their numbers."""
    assert embedding_of([15, 3], 16) == embedding_of("15 3", 16)

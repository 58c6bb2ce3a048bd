"""Demonstrations as text."""

import pytest

from lsd.feedback import BadFeedback
from lsd.feedback.stored_text import stored_text


def test_the_text_is_compact_and_keeps_the_order_of_keys() -> None:
    """What was sent can be recognised."""
    assert stored_text({"b": [1, 2.5], "a": "é"}) == '{"b":[1,2.5],"a":"é"}'


def test_a_value_can_nest_too_deeply() -> None:
    """JSON can be read deeper than it can be written; that is the sender's to mend."""
    value: list[object] = []
    for _ in range(400):
        value = [value]

    with pytest.raises(BadFeedback, match="value: found more levels of nesting"):
        stored_text(value)

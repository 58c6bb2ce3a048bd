"""Counts and finish reasons are taken as servers send them, nonsense is not."""

from typing import Any

import pytest

from lsd.conversation import FinishReason, Usage
from lsd.providers._openai_delta import count_of, finish_reason_of, stop_sequence_of, usage_of


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (0, 0),
        (7, 7),
        (7.0, 7),
        (None, None),
        (True, None),
        ("7", None),
        (-1, None),
        (1e300, None),
        ([], None),
    ],
)
def test_a_count_is_a_number_of_tokens_or_unknown(value: Any, count: int | None) -> None:
    """Zero is a count, and nothing else is made one."""
    assert count_of(value) == count


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("eos_token", "stop"),
        ("stop_sequence", "stop_sequence"),
        ("length", "length"),
        ("model_length", "length"),
        ("tool_calls", "tool_call"),
        ("function_call", "tool_call"),
        ("content_filter", "content_filter"),
        ("insufficient_system_resource", "unknown"),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_each_word_for_the_end_has_its_meaning(word: Any, reason: FinishReason | None) -> None:
    """Case 26: no word is no reason, and never taken for `stop`."""
    assert finish_reason_of(word) == reason


@pytest.mark.parametrize(
    ("choice", "sequence"),
    [
        ({"stop_reason": "END"}, "END"),
        ({"matched_stop": "END"}, "END"),
        ({"stop_reason": 128_009}, None),
        ({"stop_reason": None, "matched_stop": 2}, None),
        ({}, None),
    ],
)
def test_the_sequence_that_ended_an_answer(choice: dict[str, Any], sequence: str | None) -> None:
    """Some servers tell it, others the number of the token that was the end."""
    assert stop_sequence_of(choice) == sequence


def test_reasoning_is_counted_where_it_is_told() -> None:
    """Whatever is no count is nothing."""
    counted = usage_of(
        {"completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 4}}
    )

    assert counted == Usage(output_tokens=9, reasoning_tokens=4)
    assert usage_of({"completion_tokens_details": "many"}) == Usage()

"""Tokens of several calls, and of several reports about one."""

import pytest

from lsd.conversation import Usage

CALL = Usage(input_tokens=10, output_tokens=3)
CACHED = Usage(input_tokens=5, output_tokens=2, provider_cache_read_input_tokens=4)
SILENT = Usage()


def test_tokens_of_calls_are_added() -> None:
    """Counts of the provider's cache are added where there are some."""
    assert CALL.plus(CACHED) == Usage(
        input_tokens=15, output_tokens=5, provider_cache_read_input_tokens=4
    )
    assert CACHED.plus(CACHED).provider_cache_read_input_tokens == 8


@pytest.mark.parametrize("reversed_order", [False, True])
def test_a_sum_with_an_unknown_part_is_unknown(*, reversed_order: bool) -> None:
    """Not reported is not 0; the provider's cache is the exception."""
    first, second = (SILENT, CACHED) if reversed_order else (CACHED, SILENT)

    assert first.plus(second) == Usage(provider_cache_read_input_tokens=4)


def test_nothing_is_not_unknown() -> None:
    """A provider that reports 0 has reported."""
    nothing = Usage(input_tokens=0, output_tokens=0)

    assert nothing.plus(CALL) == CALL


def test_what_is_a_part_of_the_rest_is_added_where_it_is_told() -> None:
    """Tokens of reasoning are among the output tokens; not every provider tells them apart."""
    thinking = Usage(input_tokens=1, output_tokens=9, reasoning_tokens=6)

    assert thinking.plus(CALL).reasoning_tokens == 6
    assert thinking.plus(thinking).reasoning_tokens == 12
    assert thinking.maximum(Usage(reasoning_tokens=8)).reasoning_tokens == 8


def test_of_several_reports_the_greatest_counts() -> None:
    """Whether a stream reports once, at the end, or sums that grow, the outcome is the same."""
    early = Usage(input_tokens=10, output_tokens=1, provider_cache_write_input_tokens=7)
    late = Usage(output_tokens=30)

    expected = Usage(input_tokens=10, output_tokens=30, provider_cache_write_input_tokens=7)
    assert early.maximum(late) == expected
    assert late.maximum(early) == expected
    assert SILENT.maximum(SILENT) == SILENT

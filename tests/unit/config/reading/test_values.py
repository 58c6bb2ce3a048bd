"""Single values, taken exactly."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from lsd.config.reading.values import (
    NotThis,
    as_boolean,
    as_decimal,
    as_integer,
    as_json,
    as_number,
    as_size,
    as_text,
    shown,
)


@pytest.mark.parametrize(
    ("convert", "value", "result"),
    [
        (as_integer, 5, 5),
        (as_number, 5, 5.0),
        (as_number, Decimal("0.5"), 0.5),
        (as_decimal, Decimal("0.10"), Decimal("0.10")),
        (as_decimal, -3, Decimal(-3)),
        (as_size, 10, 10),
        (as_size, "2 KiB", 2048),
        (as_size, "3MiB", 3 * 2**20),
        (as_size, "1 TiB", 2**40),
        (as_boolean, False, False),
        (as_text, "", ""),
        (as_json, {"a": [Decimal("1.5"), True, 3]}, {"a": [1.5, True, 3]}),
        (as_json, datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        (as_json, date(2026, 1, 2), "2026-01-02"),
    ],
)
def test_values_of_the_right_type_are_taken(
    convert: Callable[[object], Any], value: object, result: object
) -> None:
    """Integers are numbers, dates travel as text."""
    made = convert(value)

    assert made == result
    assert type(made) is type(result)


@pytest.mark.parametrize(
    ("convert", "values"),
    [
        (as_integer, [Decimal("5.0"), "5", True, 2**63, None]),
        (as_number, ["5", True, Decimal("NaN"), Decimal("Infinity"), Decimal("1e999"), 10**400]),
        (as_decimal, ["1", True, Decimal("NaN"), Decimal("Infinity"), Decimal("1e31")]),
        (as_decimal, [Decimal("1e-31")]),
        (as_size, ["5", "5 MB", "5 mib", "-1 KiB", "1.5 GiB", Decimal(5), True, "9999999999 TiB"]),
        (as_boolean, [1, 0, "true", None]),
        (as_text, [5, True, ["a"], None]),
        (as_json, [Decimal("NaN"), 2**64, {"a": [Decimal("inf")]}, None]),
    ],
)
def test_nothing_is_turned_into_something_else(
    convert: Callable[[object], Any], values: list[object]
) -> None:
    """A text is no number, and a number no text."""
    for value in values:  # case 8
        with pytest.raises(NotThis):
            convert(value)


def test_wrong_values_are_shown_as_far_as_that_helps() -> None:
    """Long ones and collections would bury the message."""
    assert shown("x" * 100) == f'"{"x" * 60}…"'
    assert shown(Decimal("NaN")) == "nan"
    assert shown(True) == "true"
    assert shown([1, 2]) == "an array"

"""Checks of the types of fields, with the path in what they say."""

from typing import Any

import pytest

from lsd.api.compat.field_checks import (
    Check,
    check_all,
    flag,
    integer,
    items_of,
    model_name,
    number,
    object_,
    string,
    whole,
)
from lsd.conversation import Malformed

STRINGS = items_of(string, "an array of strings")


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5), (5.0, 5), (5.5, None), (1e30, None), (True, None), ("5", None), (None, None)],
)
def test_a_number_without_a_fraction_is_an_integer(value: object, number: int | None) -> None:
    """Some languages have but one kind of number; texts are never numbers."""
    assert whole(value) == number


@pytest.mark.parametrize(
    ("check", "good", "bad", "told"),
    [
        (string, "", 1, "x: found 1; wanted a string"),
        (object_, {}, [], "x: found an array of 0; wanted an object"),
        (number, 1.5, True, "x: found true; wanted a number"),
        (number, 1, "1", 'x: found "1"; wanted a number'),
        (flag, False, 0, "x: found 0; wanted true or false"),
        (integer(), -3, 0.5, "x: found 0.5; wanted an integer"),
        (integer(1), 1.0, 0, "x: found 0; wanted an integer ≥ 1"),
        (model_name, "m", "", 'x: found ""; wanted the name of a model'),
        (model_name, "m", 5, "x: found 5; wanted the name of a model"),
        (STRINGS, ["a"], "a", 'x: found "a"; wanted an array of strings'),
        (STRINGS, [], ["a", 1], "x[1]: found 1; wanted a string"),
    ],
)
def test_a_check_tells_what_is_wrong(check: Check, good: Any, bad: Any, told: str) -> None:
    """Nothing of what is right, and the path of what is not."""
    assert check(good, "x") == []
    assert [str(problem) for problem in check(bad, "x")] == [told]


def test_all_problems_of_a_body_are_told_at_once() -> None:
    """First what is missing, then what is wrong; unknown fields are let through."""
    checks = {"a": string, "b": flag, "c": number}

    check_all({"a": "", "x": 1}, checks, {"a": "missing"})
    with pytest.raises(Malformed) as caught:
        check_all({"b": 1, "c": "1"}, checks, {"a": "missing"})

    assert [str(problem) for problem in caught.value.problems] == [
        "a: missing",
        "b: found 1; wanted true or false",
        'c: found "1"; wanted a number',
    ]

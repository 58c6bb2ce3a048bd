"""Checks of the types of fields in compatible bodies, where only some fields are known.

A check gives the problems of a value at a path. Types are exact: text is never taken for a number.
"""

from collections.abc import Callable, Mapping
from typing import Any

from lsd.conversation import Malformed, Problem, describe_json

Check = Callable[[Any, str], list[Problem]]

_EXACT_MAX = 2**53
"""Up to here every integer has a number of its own; longer ones are read as numbers, too."""


def check_all(
    body: Mapping[str, Any], checks: Mapping[str, Check], missing: Mapping[str, str]
) -> None:
    """Checks the fields of a body that `checks` names.

    `missing` names those that must be there, with what is said if not. Raises Malformed with all
    problems.
    """
    problems: dict[str, list[Problem]] = {}
    for name, value in body.items():
        check = checks.get(name)
        if check is not None and (found := check(value, name)):
            problems[name] = found
    if problems or not body.keys() >= missing.keys():
        absent = [Problem(name, missing[name]) for name in missing if name not in body]
        wrong_ones = [each for name in checks for each in problems.get(name, ())]
        raise Malformed((*absent, *wrong_ones))


def whole(value: Any) -> int | None:
    """The integer that a number is, `100.0` included; None if it is none, or beyond 64 bits."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT_MAX:
        return int(value)
    return value if type(value) is int else None


def wrong(path: str, value: Any, wanted: str) -> Problem:
    """The problem of a value that is something else than `wanted`."""
    return Problem(path, f"found {describe_json(value)}; wanted {wanted}")


def of_type(kind: type | tuple[type, ...], wanted: str) -> Check:
    """Values of exactly these types."""
    kinds = kind if isinstance(kind, tuple) else (kind,)

    def check(value: Any, path: str) -> list[Problem]:
        # Exactly these types: for Python, true is an integer.
        return [] if type(value) in kinds else [wrong(path, value, wanted)]

    return check


def integer(least: int | None = None) -> Check:
    """Integers, from `least` on."""
    wanted = "an integer" if least is None else f"an integer ≥ {least}"

    def check(value: Any, path: str) -> list[Problem]:
        number = whole(value)
        fits = number is not None and (least is None or number >= least)
        return [] if fits else [wrong(path, value, wanted)]

    return check


def items_of(check: Check, wanted: str) -> Check:
    """Arrays whose items pass `check`."""

    def check_items(value: Any, path: str) -> list[Problem]:
        if type(value) is not list:
            return [wrong(path, value, wanted)]
        problems: list[Problem] = []
        for place, item in enumerate(value):
            # Paths are only made for items that have a problem.
            if check(item, path):
                problems += check(item, f"{path}[{place}]")
        return problems

    return check_items


def model_name(value: Any, path: str) -> list[Problem]:
    """A name, which is not empty."""
    is_name = type(value) is str and value
    return [] if is_name else [wrong(path, value, "the name of a model")]


string = of_type(str, "a string")
object_ = of_type(dict, "an object")
number = of_type((int, float), "a number")
flag = of_type(bool, "true or false")

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
    problems = [Problem(name, reason) for name, reason in missing.items() if name not in body]
    for name, check in checks.items():
        if name in body:
            problems += check(body[name], name)
    if problems:
        raise Malformed(tuple(problems))


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
        return [
            each for place, item in enumerate(value) for each in check(item, f"{path}[{place}]")
        ]

    return check_items


def model_name(value: Any, path: str) -> list[Problem]:
    """A name, which is not empty."""
    is_name = type(value) is str and value
    return [] if is_name else [wrong(path, value, "the name of a model")]


string = of_type(str, "a string")
object_ = of_type(dict, "an object")
number = of_type((int, float), "a number")
flag = of_type(bool, "true or false")

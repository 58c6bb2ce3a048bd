"""The template engine, set up so that values print as MiniJinja prints them.

The engine's Python build prints Python values in Python's way (`None`, `True`, `['a']`); prompts
are written for the way of the engine's other builds (`none`, `true`, `["a"]`). What is printed by
itself, joined or made a string is corrected here. One gap is left: the operator `~` joins inside
the engine, out of reach, so that `{{ none ~ "" }}` prints `None`.
"""

from collections.abc import Iterable
from typing import Any

import minijinja
import orjson


def new_template_environment() -> minijinja.Environment:
    """An engine without templates.

    Undefined variables are errors, white space is kept but for one newline at the end of a
    template, and only HTML and JSON templates are escaped.
    """
    environment = minijinja.Environment(undefined_behavior="strict")
    environment.finalizer = _finalized
    environment.add_filter("string", _string)
    environment.add_filter("join", _joined)
    return environment


def printed(value: Any) -> str:
    """How a value looks when a template prints it."""
    if isinstance(value, str):
        return value
    return _within(value)


def _within(value: Any) -> str:
    """The same inside of a list or map, where strings have quotes."""
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case str():
            return orjson.dumps(value).decode()
        case dict():
            items = (f"{_within(key)}: {_within(each)}" for key, each in value.items())
            return "{" + ", ".join(items) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_within, value)) + "]"
        case _:
            return str(value)


def _finalized(value: Any) -> Any:
    # Text goes through untouched: it may be marked as safe, which a new string would lose.
    return value if isinstance(value, str) else printed(value)


def _string(value: Any) -> Any:
    return _finalized(value)


def _joined(values: Iterable[Any], separator: str = "", attribute: str | None = None) -> str:
    items = values if attribute is None else (each[attribute] for each in values)
    return separator.join(printed(each) for each in items)

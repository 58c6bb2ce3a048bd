"""The template engine, set up so that values print as MiniJinja prints them.

The engine's Python build prints Python values in Python's way (`None`, `True`, `['a']`); prompts
are written for the way of the engine's other builds (`none`, `true`, `["a"]`). What is printed by
itself or joined is corrected here. Two gaps are left, where values are handled inside the engine:
the operator `~` and the filter `string` write `None`; and a number like 1.0 that stands in a list
which the template itself has made prints as 1.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from math import isfinite
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
    environment.add_filter("join", _join)
    return environment


def render_template(
    environment: minijinja.Environment, name: str, variables: Mapping[str, Any]
) -> str:
    """What the template `name` makes of some JSON values, which stay as they are.

    Raises TemplateError for whatever goes wrong.
    """
    # Templates may call methods of Python's lists and maps, those that change them as well.
    own = {key: _own_copy(value) for key, value in variables.items()}
    try:
        return environment.render_template(name, **own)
    except minijinja.TemplateError:
        raise
    except Exception as error:
        raise minijinja.TemplateError(f"{type(error).__name__}: {error}") from error


def _own_copy(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value)) if isinstance(value, dict | list) else value


def printed(value: Any) -> str:
    """How a value looks when a template prints it."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and isfinite(value):
        digits = format(Decimal(repr(value)), "f")
        return digits if "." in digits else f"{digits}.0"
    return _within(value)


def _within(value: Any) -> str:
    """The same inside of a list or map, where texts have quotes and numbers may have exponents."""
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case str():
            return orjson.dumps(value).decode()
        case float():
            return repr(value).replace("e+", "e").replace("e-0", "e-")
        case dict():
            items = (f"{_within(key)}: {_within(each)}" for key, each in value.items())
            return "{" + ", ".join(items) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_within, value)) + "]"
        case _:
            return str(value)


@minijinja.pass_state
def _finalized(state: Any, value: Any) -> Any:
    # Texts may be marked as safe, numbers have lost a `.0` on their way here, and JSON templates
    # want JSON: all that is the engine's to print.
    if state.auto_escape == "json" or type(value) in (int, float) or isinstance(value, str):
        return NotImplemented
    return printed(value)


def _join(values: Iterable[Any] | None, d: Any = "", attribute: Any = None) -> str:
    # The parameters have the engine's names. It hands over what is undefined as None, and itself
    # joins nothing to nothing.
    if values is None:
        return ""
    items = values if attribute is None else (_attribute(each, attribute) for each in values)
    return printed("" if d is None else d).join(map(printed, items))


def _attribute(value: Any, path: Any) -> Any:
    """What lies below `value` at a dotted path; nothing to be seen if it is not there."""
    if not isinstance(path, str):
        raise TypeError("`attribute` is not a string")
    for part in path.split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list | tuple) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return ""
    return value

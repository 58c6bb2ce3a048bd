"""TOML as the configuration takes it: exact decimals, and errors with line and column."""

import re
import tomllib
from decimal import Decimal, InvalidOperation
from typing import Any

from lsd.config.problem import Problem
from lsd.config.reading.globs import ConfigFile

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)")


def read_toml(file: ConfigFile) -> dict[str, Any] | Problem:
    """The tables of a file, or what is wrong with it."""
    try:
        data = file.path.read_bytes()
    except OSError as error:
        return Problem(file=file.shown, found=f"cannot be read: {error.strerror}")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _place_of(data[: error.start].decode("utf-8"))
        return Problem(file=file.shown, found=f"line {line}, column {column}: not UTF-8 text")
    try:
        return tomllib.loads(text, parse_float=_exact)
    except RecursionError:
        return Problem(file=file.shown, found="values are nested too deeply")
    except ValueError as error:
        return Problem(file=file.shown, found=_with_place(str(error), text))


def _exact(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond all bounds
        return Decimal("Infinity")


def _with_place(message: str, text: str) -> str:
    found = _PLACE.search(message)
    line, column = (found[1], found[2]) if found and found[1] else _place_of(text)
    return f"line {line}, column {column}: {_PLACE.sub('', message)}"


def _place_of(before: str) -> tuple[int, int]:
    """Line and column of what follows `before`, counted from 1."""
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1

"""`extra_body` and `extra_headers`, wherever they stand."""

import re

from lsd.config.findings import Findings
from lsd.config.key_path import KeyPath, quote
from lsd.config.tables.extra import ExtraBodyEntry, ExtraHeaderEntry


def check_extras(
    path: KeyPath,
    body: tuple[ExtraBodyEntry, ...],
    headers: tuple[ExtraHeaderEntry, ...],
    findings: Findings,
) -> None:
    """The entries of one table, as far as they can be checked without a request."""
    for at, entry in enumerate(body):
        place = (*path, "extra_body", at)
        _check_action(place, entry, findings)
        problem = _edit_problem(entry.pointer, is_deletion=bool(entry.delete))
        if problem is not None:
            findings.refuse((*place, "pointer"), problem)
    for at, header in enumerate(headers):
        _check_action((*path, "extra_headers", at), header, findings)


def pointer_problem(pointer: str) -> str | None:
    """What is wrong with a JSON pointer that has to lead somewhere below the top.

    Source: RFC 6901, sections 3 and 5.
    """
    if not pointer.startswith("/"):
        return f"found {quote(pointer)}; wanted a pointer that starts with /, such as /usage/tokens"
    if re.search(r"~(?![01])", pointer):
        return f"found {quote(pointer)}; wanted ~0 for ~ and ~1 for / within a part"
    return None


def _edit_problem(pointer: str, *, is_deletion: bool) -> str | None:
    problem = pointer_problem(pointer)
    if problem is not None:
        return problem
    parts = pointer.split("/")[1:]
    if parts[-1] == "":
        return f"found {quote(pointer)}; wanted no / at the end"
    if "-" in parts[:-1]:
        return f"found {quote(pointer)}; wanted - only as the last part, where it appends"
    if is_deletion and parts[-1] == "-":
        return f"found {quote(pointer)}; there is nothing to delete behind the end"
    return None


def _check_action(
    path: KeyPath, entry: ExtraBodyEntry | ExtraHeaderEntry, findings: Findings
) -> None:
    if entry.delete is False:
        findings.refuse((*path, "delete"), "found false", "wanted true, or no such key")
    elif (entry.value is None) == (entry.delete is None):
        found = "neither" if entry.value is None else "both"
        found = f"found {found} of value and delete"
        findings.refuse(path, found, "wanted exactly one of them")

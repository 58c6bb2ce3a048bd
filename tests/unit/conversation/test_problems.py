"""Paths, and how much is told of a document that is wrong."""

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import (
    LsdError,
    Malformed,
    Mismatch,
    Problem,
    Structurer,
    at,
    join_path,
    unknown_key,
    wrong_tag,
)
from lsd.conversation.problems import PART_LENGTH_MAX, PROBLEMS_MAX, collected, problems_of
from tests.unit.conversation.reading import problems

FLAW = Mismatch("5", "a string")


@attrs.frozen(kw_only=True)
class Row:
    name: str


@attrs.frozen(kw_only=True)
class Table:
    rows: tuple[Row, ...] = ()


def told(error: Exception, path: str = "") -> list[str]:
    """The problems of an error, as text."""
    return [str(problem) for problem in problems_of(error, path)]


@pytest.mark.parametrize(
    ("path", "part", "joined"),
    [
        ("", "input", "input"),
        ("input", "messages", "input.messages"),
        ("input.messages", 2, "input.messages[2]"),
        ("", 0, "[0]"),
        ("[0]", "role", "[0].role"),
        ("models", "gpt-4.1", 'models."gpt-4.1"'),
        ("tags", "a b", 'tags."a b"'),
        ("tags", "", 'tags.""'),
        ("tags", 'say "hi"\n', 'tags."say \\"hi\\"\\n"'),
        ("tags", "é", 'tags."é"'),
    ],
)
def test_a_path_reads_like_the_document(path: str, part: str | int, joined: str) -> None:
    """Keys are joined by dots, list indexes are in brackets, and other than bare keys quoted."""
    assert join_path(path, part) == joined


def test_a_long_key_is_cut_in_a_path() -> None:
    """A message does not grow with what somebody sends."""
    assert join_path("tags", "k" * PART_LENGTH_MAX) == f"tags.{'k' * PART_LENGTH_MAX}"
    assert join_path("", "k" * 10**6) == f'"{"k" * (PART_LENGTH_MAX - 1)}…"'


@given(st.lists(st.text(max_size=5) | st.integers(0, 99), max_size=4))
def test_a_path_is_one_line(parts: list[str | int]) -> None:
    """Whatever keys a document has, they break no log."""
    path = ""
    for part in parts:
        path = join_path(path, part)

    assert "\n" not in path
    assert "\r" not in path


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (FLAW, ["here: found 5; wanted a string"]),
        (at("id", FLAW), ["here.id: found 5; wanted a string"]),
        (at("calls", at(1, at("id", FLAW))), ["here.calls[1].id: found 5; wanted a string"]),
        (Malformed((Problem("a.b", "x"), Problem("[0]", "y"), Problem("", "z"))),
         ["here.a.b: x", "here[0]: y", "here: z"]),
        (at(2, Malformed((Problem("a", "x"),))), ["here[2].a: x"]),
        (wrong_tag(None, ("a", "b")), ["here: found nothing; wanted one of a, b"]),
        (wrong_tag(5, iter("ab")), ["here: found 5; wanted one of a, b"]),
    ],
)  # fmt: skip
def test_errors_within_errors_become_a_flat_list(error: Exception, expected: list[str]) -> None:
    """Each problem has its whole path, wherever it was found."""
    assert told(error, "here") == expected


def test_a_document_may_lie_nowhere() -> None:
    """Without a path of its own, paths begin with the first key."""
    assert told(at("id", FLAW)) == ["id: found 5; wanted a string"]
    assert told(Malformed((Problem("[0]", "y"),))) == ["[0]: y"]


def test_a_bug_is_not_a_problem() -> None:
    """An error that nobody raises on purpose is raised again."""
    with pytest.raises(ZeroDivisionError):
        problems_of(at("id", ZeroDivisionError()), "here")


@pytest.mark.parametrize(
    ("key", "known", "reason"),
    [
        ("nmae", ["role", "name"], "unknown key; did you mean name? known keys: name, role"),
        ("colour", ["role", "name"], "unknown key; known keys: name, role"),
        ("colour", [], "unknown key; no keys are known here"),
    ],
)
def test_an_unknown_key_is_told_with_the_known_ones(
    key: str, known: list[str], reason: str
) -> None:
    """And with the one that was probably meant."""
    assert unknown_key("row", key, known) == Problem(f"row.{key}", reason)


def test_what_can_be_made_is_made() -> None:
    """Items are made in their order, or all that cannot be made are told."""

    def doubled(value: Any) -> int:
        if type(value) is not int:
            raise FLAW
        return 2 * value

    assert collected(enumerate([1, 2, 3]), doubled) == [2, 4, 6]
    with pytest.raises(LsdError) as caught:
        collected({"a": 1, "b": "x", "c": "y"}.items(), doubled)
    assert told(caught.value) == ["b: found 5; wanted a string", "c: found 5; wanted a string"]


@pytest.mark.parametrize("flaws", [PROBLEMS_MAX, PROBLEMS_MAX + 1, 10 * PROBLEMS_MAX])
def test_no_more_is_told_than_can_be_read(flaws: int) -> None:
    """The last line says that there is more; nothing is looked at beyond the bound."""
    rows = problems(Structurer(), {"rows": [{} for _ in range(flaws)]}, Table, "table")
    keys = problems(Structurer(), {f"key-{place:03}": 1 for place in range(flaws)}, Table, "table")

    for lines in (rows, keys):
        assert len(lines) == min(flaws, PROBLEMS_MAX + 1)
        assert (lines[-1] == f"table: more than {PROBLEMS_MAX} problems") == (flaws > PROBLEMS_MAX)
    assert rows[0] == "table.rows[0].name: missing; it is required"
    assert keys[0] == "table.key-000: unknown key; known keys: rows"

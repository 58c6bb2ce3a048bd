"""Several files as one document."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lsd.config.reading.document import Document, kind_of, merge
from lsd.config.reading.globs import ConfigFile


def merged(**tables: Mapping[str, Any]) -> tuple[Document, list[str]]:
    """The document of files with these names, and its clashes."""
    parts = [(ConfigFile(name, Path(f"/{name}/{name}")), each) for name, each in tables.items()]
    document, problems = merge(parts, Path("/home"))
    return document, [str(problem) for problem in problems]


def test_tables_are_merged_key_by_key() -> None:
    """Each key remembers its file, and a table that of its first key."""
    document, clashes = merged(
        one={"models": {"m": {"routing": ["p"]}}},
        two={"models": {"m": {"providers": {}}, "n": {}}},
    )

    assert clashes == []
    assert document.tree == {"models": {"m": {"routing": ["p"], "providers": {}}, "n": {}}}
    assert document.file_of(("models", "m", "routing", 0)) == "one"
    assert document.file_of(("models", "m", "providers", "p", "type")) == "two"
    assert document.file_of(("models", "m", "namespace")) == "one"
    assert document.file_of(("gateway",)) == ""
    assert document.folder_of(("models", "n")) == Path("/two")
    assert document.folder_of(("gateway",)) == Path("/home")


def test_a_value_may_stand_in_one_file_only() -> None:
    """Even equal ones, and never are arrays joined."""
    _, clashes = merged(one={"a": 1, "b": [1]}, two={"a": 1, "b": [2]})  # case 3

    assert clashes == [
        "two: a: also set in one; a key may stand in one file only",
        "two: b: also set in one; a key may stand in one file only",
    ]


def test_a_table_is_no_value() -> None:
    """The message tells what was found where."""
    _, clashes = merged(one={"a": {"b": 1}, "c": "x"}, two={"a": 5, "c": {}})

    assert clashes == [
        "two: a: found an integer here and a table in one",
        "two: c: found a table here and a string in one",
    ]


trees = st.recursive(
    st.integers(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner), max_leaves=9
)


@given(st.dictionaries(st.sampled_from("abc"), trees))
def test_one_file_gives_what_it_holds(tree: dict[str, Any]) -> None:
    """Merging changes nothing about a single file."""
    document, clashes = merged(only=tree)

    assert document.tree == tree
    assert clashes == []


def test_values_are_called_by_their_type() -> None:
    """In the words of TOML."""
    values = [True, 1, 1.5, Decimal(1), "x", {}, [], (), date(2026, 1, 1), None]

    assert [kind_of(value).split()[-1] for value in values] == [
        *("boolean", "integer", "float", "float", "string", "table", "array", "array"),
        *("time", "nothing"),
    ]

"""What the classes of the tables say about themselves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import pytest

from lsd.config import EchoProvider, Gateway, Metric, Tool
from lsd.config.annotations import (
    checks_of,
    find_mark,
    is_union,
    keys_of,
    members_of,
    split_marks,
    tag_of,
    words_for,
)
from lsd.config.kinds import ByteSize, Count, JsonFile, KeptAsWritten, NameOfTable, SizeInBytes
from lsd.config.tables.config import Config
from lsd.config.tables.credentials import Credential


def test_the_attributes_of_a_class_are_its_keys() -> None:
    """What is added after reading is none."""
    names = [key.name for key in keys_of(Config)]

    assert names[:2] == ["gateway", "storage"]
    assert "template_files" not in names
    required = [key.name for key in keys_of(Tool) if key.is_required]
    assert required == ["name", "description", "parameters"]


def test_marks_are_found_within_unions() -> None:
    """`| None` hides nothing."""
    by_name = {key.name: key for key in keys_of(Tool)}

    assert by_name["name"].mark(NameOfTable) is not None
    assert by_name["strict"].mark(NameOfTable) is None
    assert find_mark(Annotated[Path, KeptAsWritten()] | None, KeptAsWritten) is not None
    assert find_mark(ByteSize, JsonFile) is None


def test_annotations_come_apart() -> None:
    """Type, marks, members, demands."""
    inner, marks = split_marks(ByteSize)

    assert inner is int
    assert isinstance(marks[0], SizeInBytes)
    assert [check.wanted for check in checks_of(Count)] == ["at least 1"]
    assert members_of(int | str | None) == (int, str)
    assert members_of(int) == (int,)
    assert is_union(int | None)
    assert not is_union(int)


def test_a_tag_is_the_only_value_of_type() -> None:
    """A `type` with several values is a key like others."""
    assert tag_of(EchoProvider) == "echo"
    assert tag_of(Metric) is None
    assert tag_of(Gateway) is None


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (int, "an integer"),
        (float | None, "a number"),
        (tuple[str, ...], "a list of strings"),
        (tuple[Metric, ...], "a list of tables"),
        (Mapping[str, int], "a table"),
        (Literal["a", "b"], '"a" or "b"'),
        (Count | Literal["auto"], 'an integer or "auto"'),
        (Credential | None, "a credential location or a table"),
        (ByteSize, 'a size: an integer, or a string such as "64 MiB"'),
    ],
)
def test_every_type_has_words(annotation: object, words: str) -> None:
    """For "wanted …" in messages."""
    assert words_for(annotation) == words

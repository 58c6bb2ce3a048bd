"""Included templates, read once."""

import pytest

from tests.unit.config.folder import Folder

VARIANT = """
[functions.f]
type = "chat"
[functions.f.variants.v]
model = "echo::x"
templates.system.path = "t.txt"
"""
ACCESS = "[gateway.template_filesystem_access]\nbase_path = 'shared'\n"
PATH = "functions.f.variants.v.templates.system"


def test_included_files_are_loaded_with_all_that_they_include(folder: Folder) -> None:
    """By the names under which templates ask for them; each byte counts in the hash."""
    folder.write("t.txt", "{% include 'a.txt' %}")  # case 14
    folder.write("shared/a.txt", "{% import 'deep/b.txt' as b %}")
    folder.write("shared/deep/b.txt", "B{% include 'a.txt' %}")
    folder.write("shared/unused.txt", "")

    before = folder.load(ACCESS + VARIANT)
    folder.write("shared/deep/b.txt", "C{% include 'a.txt' %}")
    after = folder.load(ACCESS + VARIANT)

    assert before.config.template_files == {
        "a.txt": "{% import 'deep/b.txt' as b %}",
        "deep/b.txt": "B{% include 'a.txt' %}",
    }
    assert before.hash != after.hash


def test_without_a_base_path_nothing_is_included(folder: Folder) -> None:
    """The message names the key to set."""
    folder.write("t.txt", "{% include 'a.txt' %}")

    told = folder.problem(VARIANT)  # case 14

    assert told == (
        f"{PATH}: \"t.txt\" line 1, column 12: includes 'a.txt'; "
        "includes need gateway.template_filesystem_access.base_path"
    )


def test_a_computed_include_is_refused_with_its_place(folder: Folder) -> None:
    """In included files, too."""
    folder.write("t.txt", "x\n{% include 'a.txt' %}")
    folder.write("shared/a.txt", "\n\n  {% include name ~ '.txt' %}")

    told = folder.problem(ACCESS + VARIANT)  # case 14

    assert told == (
        f'{PATH}: "a.txt" line 3, column 14: the included template is computed: '
        "name ~ '.txt'; write its path as a string"
    )


@pytest.mark.parametrize(
    "name", ["absent.txt", ".hidden", "../t.txt", "a//b.txt", "/a.txt", "a\\\\..\\\\b", "dir"]
)
def test_files_must_exist_below_the_base(folder: Folder, name: str) -> None:
    """Hidden parts, ways up and backslashes lead nowhere."""
    folder.write("t.txt", f"{{% include '{name}' %}}")
    for file in (".hidden", "a/b.txt", "a.txt", "dir/x"):
        folder.write(f"shared/{file}", "x")

    told = folder.problem(ACCESS + VARIANT)

    assert "there is no template" in told


def test_of_a_list_one_file_is_enough(folder: Folder) -> None:
    """And an optional one may be missing; of a choice each is needed."""
    folder.write("shared/b.txt", "B")
    folder.write("t.txt", "{% include ['a.txt', 'b.txt'] %}{% include 'c.txt' ignore missing %}")

    assert list(folder.load(ACCESS + VARIANT).config.template_files) == ["b.txt"]

    folder.write("t.txt", "{% include 'a.txt' if x else 'b.txt' %}")
    assert "there is no template a.txt" in folder.problem(ACCESS + VARIANT)


def test_a_template_that_does_not_parse_is_told_with_its_line(folder: Folder) -> None:
    """In included files, too, under the name of the included one."""
    folder.write("t.txt", "one\n{% if %}")
    told = folder.problem(VARIANT)
    assert told.startswith(f'{PATH}: "t.txt" line 2: ')

    folder.write("t.txt", "{% include 'a.txt' %}")
    folder.write("shared/a.txt", "{{")
    assert folder.problem(ACCESS + VARIANT).startswith(f'{PATH}: "a.txt" line 1: ')


def test_a_base_path_that_is_no_folder_is_refused(folder: Folder) -> None:
    """Even where nothing is included yet."""
    told = folder.problem(ACCESS)

    assert told == (
        f"gateway.template_filesystem_access.base_path: {folder.path}/shared is not a folder"
    )


def test_an_included_file_must_be_text(folder: Folder) -> None:
    """It is told like any other."""
    folder.write("t.txt", "{% include 'a.txt' %}")
    (folder.path / "shared").mkdir()
    (folder.path / "shared" / "a.txt").write_bytes(b"\xff")

    assert 'cannot read "a.txt": not UTF-8' in folder.problem(ACCESS + VARIANT)

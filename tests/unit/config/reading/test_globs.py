"""Which files a value of --config names."""

import os
from pathlib import Path

import pytest

from lsd.config.reading.globs import find_files


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Some files in some folders."""
    for name in (
        "a.toml",
        "b.toml",
        "c.txt",
        ".hidden.toml",
        "sub/d.toml",
        "sub/deep/e.toml",
        ".git/f.toml",
        "we[i]rd.toml",
        "{x}.toml",
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    return tmp_path


def names(tree: Path, *patterns: str) -> list[str]:
    """The files that patterns name, as messages show them."""
    files, problems = find_files(patterns, tree)
    assert problems == []
    return [file.shown for file in files]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a.toml", ["a.toml"]),
        ("./a.toml", ["./a.toml"]),
        ("[ab].toml", ["a.toml", "b.toml"]),
        ("[!ab].t?ml", []),
        ("[!b].toml", ["a.toml"]),
        ("?.toml", ["a.toml", "b.toml"]),
        ("{a,b}.toml", ["a.toml", "b.toml"]),
        ("{a,sub/d}.toml", []),
        ("{a,{b,c}}.{toml,txt}", ["a.toml", "b.toml", "c.txt"]),
        ("sub/*.toml", ["sub/d.toml"]),
        ("s*/*.toml", ["sub/d.toml"]),
        ("*/*/*.toml", ["sub/deep/e.toml"]),
        ("sub/**/*.toml", ["sub/d.toml", "sub/deep/e.toml"]),
        ("sub/**", ["sub/d.toml", "sub/deep/e.toml"]),
        (".*.toml", [".hidden.toml"]),
        (".git/*.toml", [".git/f.toml"]),
        ("we[i]rd.toml", ["we[i]rd.toml"]),
        ("{x}.toml", ["{x}.toml"]),
    ],
)
def test_a_pattern_names_files(tree: Path, pattern: str, expected: list[str]) -> None:
    """Wildcards stay within one part of a path, and an existing file is meant literally."""
    files, _ = find_files((pattern,), tree)

    assert [file.shown for file in files] == expected


def test_a_star_does_not_enter_folders_and_two_do(tree: Path) -> None:
    """Hidden files and folders are passed over by both."""
    top = ["a.toml", "b.toml", "we[i]rd.toml", "{x}.toml"]  # case 2

    assert names(tree, "*.toml") == top
    assert names(tree, "**/*.toml") == sorted([*top, "sub/d.toml", "sub/deep/e.toml"])


def test_a_pattern_without_match_is_told(tree: Path) -> None:
    """So a typing error does not start a gateway without configuration."""
    _, problems = find_files(("*.tml", "x.toml", "a.toml"), tree)

    assert [str(problem) for problem in problems] == [
        "*.tml: no file matches this pattern",
        "x.toml: no such file",
    ]


def test_a_folder_is_told_with_what_was_probably_meant(tree: Path) -> None:
    """The pattern can be copied from the message."""
    _, (problem,) = find_files(("sub/",), tree)

    assert str(problem).endswith("write sub/*.toml")


def test_the_same_file_is_read_once(tree: Path) -> None:
    """Whether matched twice or reached by two names."""
    (tree / "link.toml").symlink_to(tree / "a.toml")

    assert names(tree, "a.toml", "?.toml", "link.toml") == ["a.toml", "b.toml"]


def test_mounted_configuration_is_not_read_twice(tmp_path: Path) -> None:
    """A mounted config map shows links into a hidden folder that has a date for its name."""
    copy = tmp_path / "..2026_02_01"
    copy.mkdir()
    (copy / "lsd.toml").write_text("")
    (tmp_path / "..data").symlink_to(copy)
    (tmp_path / "lsd.toml").symlink_to(Path("..data") / "lsd.toml")
    (tmp_path / "loop").symlink_to(tmp_path)

    assert names(tmp_path, "**/*.toml") == ["lsd.toml"]


def test_the_order_of_patterns_does_not_matter(tree: Path) -> None:
    """Files come sorted by path."""
    assert names(tree, "b.toml", "a.toml") == names(tree, "a.toml", "b.toml")


def test_an_absolute_pattern_is_taken_from_the_root(tree: Path) -> None:
    """Messages then show the absolute path."""
    assert names(Path("/"), f"{tree}/?.toml") == [f"{tree}/a.toml", f"{tree}/b.toml"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter every folder")
def test_a_folder_that_may_not_be_entered_holds_nothing(tree: Path) -> None:
    """The others are walked all the same."""
    (tree / "sub").chmod(0)
    try:
        assert "a.toml" in names(tree, "**/*.toml")
    finally:
        (tree / "sub").chmod(0o755)

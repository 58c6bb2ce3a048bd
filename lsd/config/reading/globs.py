"""The files that `--config` names: paths and globs."""

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePath

import attrs

from lsd.config.problem import Problem

_WILDCARDS = frozenset("*?[{")


@attrs.frozen
class ConfigFile:
    """A file of the configuration: as messages show it, and where it really is."""

    shown: str
    path: Path


def find_files(
    patterns: tuple[str, ...], working_directory: Path
) -> tuple[list[ConfigFile], list[Problem]]:
    """The files that the patterns name, sorted by path, each real file once."""
    found: dict[Path, ConfigFile] = {}
    problems: list[Problem] = []
    for pattern in patterns:
        files, problem = _files_of(pattern, working_directory)
        problems += [problem] if problem else []
        for each in files:
            found.setdefault(each.path.resolve(), each)
    return sorted(found.values(), key=lambda each: each.path.parts), problems


def _files_of(pattern: str, working_directory: Path) -> tuple[list[ConfigFile], Problem | None]:
    path = working_directory / pattern
    if path.is_dir():
        found, wanted = "this is a folder", f"to read the files in it, write {pattern.rstrip('/')}"
        return [], Problem(file=pattern, found=found, wanted=f"{wanted}/*.toml")
    if path.exists():
        return [ConfigFile(pattern, path)], None
    if not _WILDCARDS & set(pattern):
        return [], Problem(file=pattern, found="no such file")
    parts = PurePath(pattern).parts
    files = [
        ConfigFile(str(PurePath(*match)), working_directory.joinpath(*match))
        for match in sorted(set(_walk(working_directory, parts, ())))
    ]
    return files, None if files else Problem(file=pattern, found="no file matches this pattern")


def _walk(root: Path, parts: tuple[str, ...], done: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The files below `root` that match `parts`, as parts of a path.

    Where a pattern has to be walked, links to folders are not followed, and what starts with a
    dot is matched only by a pattern that starts with one: mounted configuration keeps a second,
    hidden copy of its files behind such links.
    """
    folder, (part, *rest) = root.joinpath(*done), parts
    if part == "**":
        yield from _walk(root, tuple(rest) or ("*",), done)
        for entry in _entries(folder):
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                yield from _walk(root, parts, (*done, entry.name))
    elif not _WILDCARDS & set(part):
        yield from _follow(root, tuple(rest), (*done, part))
    else:
        matches = re.compile(_translate(part), re.DOTALL).fullmatch
        for entry in _entries(folder):
            if entry.name.startswith(".") and not part.startswith("."):
                continue
            if rest and not entry.is_dir(follow_symlinks=False):
                continue
            if matches(entry.name):
                yield from _follow(root, tuple(rest), (*done, entry.name))


def _follow(root: Path, rest: tuple[str, ...], done: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if rest:
        yield from _walk(root, rest, done)
    elif root.joinpath(*done).is_file():
        yield done


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def _translate(part: str) -> str:
    """A regular expression for one component of a pattern."""
    pieces: list[str] = []
    position = 0
    while position < len(part):
        each = part[position]
        closing = {"[": "]", "{": "}"}.get(each)
        end = _end_of(part, position, closing) if closing else -1
        if end > 0:
            inner = part[position + 1 : end]
            pieces.append(_one_of_characters(inner) if each == "[" else _one_of_texts(inner))
            position = end
        else:
            pieces.append({"*": ".*", "?": "."}.get(each) or re.escape(each))
        position += 1
    return "".join(pieces)


def _end_of(part: str, start: int, closing: str) -> int:
    """Where the group that opens at `start` ends; -1 where it does not, so that it is literal."""
    if closing == "]":
        after = start + 2 if part[start + 1 : start + 2] in ("!", "^") else start + 1
        return part.find("]", after + 1)
    depth = 0
    for position in range(start, len(part)):
        depth += {"{": 1, "}": -1}.get(part[position], 0)
        if depth == 0:
            return position
    return -1


def _one_of_characters(inner: str) -> str:
    negated = inner[0] in "!^"
    shown = inner[1:] if negated else inner
    escaped = re.sub(r"([\\\[\]^&~|])", r"\\\1", shown)
    return f"[{'^' if negated else ''}{escaped}]"


def _one_of_texts(inner: str) -> str:
    texts: list[str] = [""]
    depth = 0
    for each in inner:
        depth += {"{": 1, "}": -1}.get(each, 0)
        if each == "," and depth == 0:
            texts.append("")
        else:
            texts[-1] += each
    return f"(?:{'|'.join(map(_translate, texts))})"

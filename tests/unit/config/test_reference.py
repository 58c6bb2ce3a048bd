"""The reference of `lsd.toml` names every key that can be set, and no other.

On the page, a heading holds the paths of tables in brackets, with a capital letter where the
operator chooses a name; the tables below it that begin with `| key |` list their keys. `[]` after
a key stands for any entry of an array.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import attrs
import pytest

from lsd.config import ConfigRefused, KeyDescription, Sources, describe, load
from lsd.config.locations import BUILT_IN
from lsd.config.tables.credentials import EnvLocation
from lsd.config.tables.rate_limiting import Interval
from lsd.config.unsupported import LATER, Later

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = ROOT / "docs" / "configuration.md"
EXAMPLE_FILES = ROOT / "docs" / "example"
PAGES = ("configuration.md", "operations.md", "providers.md")

NOT_YET_HEADING = "## Known, and not supported yet"

BY_TYPE = "by type"
"""Stands for a default on the page of providers, where a test compares it type by type."""

DEFAULTS_BY_TYPE = {
    "embedding_models.*.providers.*.api_base",
    "embedding_models.*.providers.*.model_name",
    "models.*.providers.*.api_base",
    "models.*.providers.*.beta_structured_outputs",
    "models.*.providers.*.model_name",
    "models.*.providers.*.parse_think_blocks",
}

CODE = re.compile(r"`([^`]+)`")


@attrs.frozen(kw_only=True)
class Row:
    """One key of one table of the page."""

    line: int
    path: str
    default: str
    types: frozenset[str] | None = None
    """The values of `type` with which the key exists, where the page says so."""


@attrs.frozen(kw_only=True)
class Waiting:
    """One entry of the list of what is not supported yet: a key, or one of its values."""

    line: int
    path: str
    tag: str | None = None


def described() -> list[KeyDescription]:
    """All keys; the provider types that have tables of their own are one."""
    found: dict[str, KeyDescription] = {}
    for key in describe():
        parts = key.path.split(".")
        path = ".".join((parts[0], "*", *parts[2:])) if parts[0] == "provider_types" else key.path
        found[path] = attrs.evolve(key, path=path)
    return list(found.values())


def is_refused(key: KeyDescription) -> bool:
    """Whether no configuration with this key, other than its default, is accepted today."""
    return any(refuses(later, key) for later in LATER)


def refuses(later: Later, key: KeyDescription) -> bool:
    """Whether one of the features that are still to come keeps a key from being used."""
    parent, _, last = later.path.rpartition(".")
    if last == "type":
        tags = [tag for tag in key.tables if is_tag_of(tag, parent)]
        return key.path.startswith(f"{parent}.") and bool(tags) and all(map(later.is_on, tags))
    anything = object()
    return later.is_on(anything) and f"{key.path}.".startswith(f"{later.path}.")


def is_tag_of(tag: str, parent: str) -> bool:
    """Whether a table at `parent` may have this `type`."""
    return any(key.path == f"{parent}.type" and tag in key.tables for key in DESCRIBED)


def supported_types(key: KeyDescription) -> frozenset[str]:
    """The values of `type` with which a key can be set today."""
    later = [each for each in LATER if each.path.rpartition(".")[2] == "type"]
    refusing = [each for each in later if key.path.startswith(each.path.removesuffix("type"))]
    return frozenset(tag for tag in key.tables if not any(each.is_on(tag) for each in refusing))


DESCRIBED = described()
REFUSED = {key.path: key for key in DESCRIBED if is_refused(key)}
SETTABLE = {key.path: key for key in DESCRIBED if key.path not in REFUSED}


def as_pattern(written: str) -> str:
    """`models.M.providers.P` as `describe` writes it: `models.*.providers.*`."""
    parts = written.replace("[]", ".*").split(".")
    return ".".join("*" if re.fullmatch(r"[A-Z]", part) else part for part in parts)


def cells_of(line: str) -> list[str]:
    """The cells of a table's row."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def rows() -> Iterator[Row]:
    """All keys of the page."""
    paths: list[str] = []
    columns: list[str] = []
    types: frozenset[str] | None = None
    for number, line in enumerate(REFERENCE.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#"):
            paths = [as_pattern(each) for each in re.findall(r"\[+([^\[\]]+)\]+", line)]
            types = frozenset(re.findall(r'type = "(\w+)"', line)) or None
        if not line.startswith("|"):
            columns = []
        elif line.startswith("| key |"):
            columns = cells_of(line)
        elif columns and not line.startswith("|---"):
            cells = dict(zip(columns, cells_of(line), strict=True))
            if "default" in cells:
                yield from rows_of(cells, paths, types, number)


def rows_of(
    cells: dict[str, str], paths: list[str], types: frozenset[str] | None, number: int
) -> Iterator[Row]:
    """The keys of one row, in each table of its heading."""
    assert paths, f"line {number}: a table of keys below a heading without brackets"
    for path in paths:
        for key in CODE.findall(cells["key"]):
            for interval in get_args(Interval) if "INTERVAL" in key else ("",):
                place = f"{path}.{as_pattern(key.replace('INTERVAL', interval))}"
                told = types if "for" not in cells else types_in(cells["for"], place)
                yield Row(line=number, path=place, default=cells["default"], types=told)


def types_in(cell: str, path: str) -> frozenset[str]:
    """`all`, `all but …` or a list."""
    named = frozenset(CODE.findall(cell))
    if not cell.startswith("all"):
        return named
    parent = path[: path.index(".*.providers.*") + len(".*.providers.*")]
    return supported_types(SETTABLE[f"{parent}.type"]) - named


def waiting() -> Iterator[Waiting]:
    """The list of what is not supported yet."""
    text = REFERENCE.read_text(encoding="utf-8")
    before, found, after = text.partition(NOT_YET_HEADING)
    assert found
    first = before.count("\n") + 1
    for number, line in enumerate(after.split("\n## ")[0].splitlines(), first):
        if line.startswith("| `"):
            for written in CODE.findall(cells_of(line)[0]):
                path, _, tag = written.partition(" = ")
                yield Waiting(line=number, path=as_pattern(path), tag=tag.strip('"') or None)


def covers(entry: Waiting, key: KeyDescription, refused_tags: frozenset[str]) -> bool:
    """Whether an entry of that list is about a key."""
    if entry.tag is None:
        return f"{key.path}.".startswith(f"{entry.path}.")
    parent = entry.path.removesuffix("type")
    if not key.path.startswith(parent):
        return False
    return entry.tag in key.tables and frozenset(key.tables) <= refused_tags


ROWS = list(rows())
WAITING = list(waiting())


def test_every_key_that_can_be_set_is_on_the_page() -> None:
    """An operator need not read the code to find a setting."""
    told = {row.path for row in ROWS}

    assert sorted(SETTABLE.keys() - told) == [], "not documented in docs/configuration.md"


def test_the_page_names_no_key_that_cannot_be_set() -> None:
    """What the page shows, the daemon takes."""
    strange = [f"line {row.line}: {row.path}" for row in ROWS if row.path not in SETTABLE]

    assert strange == [], "no such key, or not supported yet: docs/configuration.md"


def test_no_key_stands_on_the_page_twice() -> None:
    """Two places that tell of one key will one day tell two things."""
    seen: dict[str, Row] = {}
    twice = []
    for row in ROWS:
        first = seen.setdefault(row.path, row)
        if first is not row and (row.types is None or first.types is None):
            twice.append(f"lines {first.line} and {row.line}: {row.path}")

    assert twice == []


def test_the_page_shows_the_defaults() -> None:
    """Whoever leaves a key out knows what counts."""
    wrong = [
        f"line {row.line}: {row.path}: {row.default}; wanted {default_of(SETTABLE[row.path])}"
        for row in ROWS
        if row.path in SETTABLE and not shows_default(row, SETTABLE[row.path])
    ]

    assert wrong == []


def default_of(key: KeyDescription) -> str:
    """How the page shows a default."""
    if key.path in DEFAULTS_BY_TYPE:
        return BY_TYPE
    if key.is_required:
        return "required"
    return "–, or words" if key.default is None else f"`{key.default}`"


def shows_default(row: Row, key: KeyDescription) -> bool:
    """Whether the page has the default of a key; words may follow it."""
    wanted = default_of(key)
    if wanted == "–, or words":
        return not row.default.startswith("`") and row.default not in ("required", BY_TYPE)
    return row.default == wanted or (wanted[0] == "`" and row.default.startswith(f"{wanted} ("))


def test_the_page_says_with_which_types_a_key_exists() -> None:
    """A key of one provider type is unknown in the table of another."""
    told: dict[str, frozenset[str]] = {}
    for row in ROWS:
        if row.types is not None:
            told[row.path] = told.get(row.path, frozenset()) | row.types
    wrong = {
        path: f"{sorted(types)}; wanted {sorted(supported_types(SETTABLE[path]))}"
        for path, types in told.items()
        if path in SETTABLE and types != supported_types(SETTABLE[path])
    }

    assert wrong == {}


def test_what_is_not_supported_yet_is_listed() -> None:
    """Somebody who finds a key refused can look up that it is known, and what it will do."""
    missing = [
        key.path
        for key in REFUSED.values()
        if not any(covers(entry, key, refused_tags_of(key)) for entry in WAITING)
    ]

    assert missing == [], f'not below "{NOT_YET_HEADING}" in docs/configuration.md'


def refused_tags_of(key: KeyDescription) -> frozenset[str]:
    """The values of `type` with which this key is refused."""
    return frozenset(key.tables) - supported_types(key)


def test_nothing_that_works_is_listed_as_missing() -> None:
    """A feature that has arrived leaves the list."""
    wrong = [
        f"line {entry.line}: {entry.path}"
        for entry in WAITING
        if entry.tag is None
        and (
            any(covers(entry, key, frozenset()) for key in SETTABLE.values())
            or not any(covers(entry, key, frozenset()) for key in REFUSED.values())
        )
    ]
    wrong += [
        f'line {entry.line}: {entry.path} = "{entry.tag}"'
        for entry in WAITING
        if entry.tag is not None and not is_refused_value(entry)
    ]

    assert wrong == [], f'works, or is unknown: remove it from "{NOT_YET_HEADING}"'


def is_refused_value(entry: Waiting) -> bool:
    """Whether a listed value is one that waits."""
    return any(later.path == entry.path and later.is_on(entry.tag) for later in LATER)


@pytest.mark.parametrize("page", PAGES)
def test_every_configuration_on_the_pages_can_be_used(page: str, tmp_path: Path) -> None:
    """Whoever copies a piece of configuration has one that starts."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    shutil.copytree(EXAMPLE_FILES, tmp_path, dirs_exist_ok=True)
    keys = {each.name for each in BUILT_IN.values() if isinstance(each, EnvLocation)}
    environment = dict.fromkeys([*keys, "SOME_KEY"], "made up")
    pieces = list(re.finditer(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))

    problems = []
    for piece in pieces:
        (tmp_path / "lsd.toml").write_text(piece[1], encoding="utf-8")
        try:
            load(Sources(environment=environment, working_directory=tmp_path))
        except ConfigRefused as refused:
            problems.append(f"line {text.count(chr(10), 0, piece.start()) + 1}: {refused}")

    assert pieces
    assert problems == []

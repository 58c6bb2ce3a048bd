"""The rules of the house, read from the tree itself, so that no reviewer spends a word on them."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "lsd"
UNIT_TESTS = ROOT / "tests" / "unit"

MODULES = sorted(path.relative_to(ROOT) for path in PACKAGE.rglob("*.py"))
FACES = [path for path in MODULES if path.name == "__init__.py"]
TESTED = [path for path in MODULES if not path.name.startswith("_")]
"""What is private to a room may be tested through what the room shows."""

VAGUE_NAMES = frozenset(
    {"base", "common", "helper", "helpers", "misc", "more", "shared", "stuff", "util", "utils"}
)

MODULE_LINES_MAX = 400
MODULE_LINES_USUAL = 300
LONG_MODULES: dict[str, str] = {}
"""Modules that may have more lines, each with the reason why it is still one thing."""

FUNCTION_LINES_MAX = 70
FUNCTION_LINES_USUAL = 30
USUAL_SHARE = 0.9

UNTESTED_MODULES: dict[str, str] = {
    "lsd/server/worker.py": "tests/api/test_workers.py: a process of its own",
    "lsd/server/worker_process.py": "tests/api/test_workers.py: it starts a real one",
}
"""Modules without a test file of their own, each with the place that tests it instead."""


def parse(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions of a module, methods and inner ones included."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(parse(path)) if isinstance(node, kinds)]


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many lines a function has, the docstring left out."""
    last = function.end_lineno or function.lineno
    docstring = function.body[0] if ast.get_docstring(function) is not None else None
    told = (docstring.end_lineno or 0) - docstring.lineno + 1 if docstring is not None else 0
    return last - function.lineno + 1 - told


def imported_modules(path: Path) -> list[str]:
    """The modules that a module imports, wherever in the file; `a.b` for `from a import b`, too."""
    found: list[str] = []
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            found.append(node.module)
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [name for name in inner if is_module(name)]
    return found


def is_module(name: str) -> bool:
    """Whether a dotted name is a module of ours."""
    place = ROOT.joinpath(*name.split("."))
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


def places_of_tests(path: Path) -> list[Path]:
    """Where the tests of a module may be: its mirror, or beside those of its room."""
    inner = path.relative_to("lsd")
    name = f"test_{path.stem.removeprefix('_')}.py"
    return [UNIT_TESTS / inner.parent / name, UNIT_TESTS / inner.parts[0] / name]


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_is_named_for_what_it_is(path: Path) -> None:
    """A file called helpers holds things nobody has understood yet."""
    words = {path.stem.strip("_"), *path.stem.strip("_").split("_")}

    assert VAGUE_NAMES.isdisjoint(words)
    assert not re.search(r"(_part|_)\d+$", path.stem)


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    """The first thing in a file is a sentence for the reader who has just opened it."""
    docstring = ast.get_docstring(parse(path))

    assert docstring
    assert docstring.splitlines()[0].strip()


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_is_one_thing(path: Path) -> None:
    """When a file grows past its bound, there is a second noun in it."""
    lines = len((ROOT / path).read_text(encoding="utf-8").splitlines())

    assert lines <= MODULE_LINES_MAX or str(path) in LONG_MODULES


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    """A reader sees the whole function at once."""
    long = {f.name: lines_of(f) for f in functions(path) if lines_of(f) > FUNCTION_LINES_MAX}

    assert long == {}


def test_most_functions_and_modules_are_short() -> None:
    """The bounds are for the few; nine in ten stay far below."""
    function_lines = [lines_of(function) for path in MODULES for function in functions(path)]
    module_lines = [len((ROOT / path).read_text().splitlines()) for path in MODULES]

    short_functions = sum(lines <= FUNCTION_LINES_USUAL for lines in function_lines)
    short_modules = sum(lines <= MODULE_LINES_USUAL for lines in module_lines)

    assert short_functions >= USUAL_SHARE * len(function_lines)
    assert short_modules >= USUAL_SHARE * len(module_lines)


@pytest.mark.parametrize("path", FACES, ids=str)
def test_a_face_has_no_logic(path: Path) -> None:
    """A room's `__init__` names what others may use, and does nothing."""
    _docstring, *statements = parse(path).body

    for statement in statements:
        if isinstance(statement, ast.Assign):
            (target,) = statement.targets
            assert isinstance(target, ast.Name)
            assert target.id in ("__all__", "__version__")
        else:
            assert isinstance(statement, ast.Import | ast.ImportFrom)


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_room_is_entered_through_its_face(path: Path) -> None:
    """What a room does not show in its `__init__` it may change without asking anybody."""
    own_room = path.parts[1]

    strangers = [name.split(".") for name in imported_modules(path) if name.startswith("lsd.")]

    assert [n for n in strangers if n[1] != own_room and len(n) > 2] == []


@pytest.mark.parametrize("path", TESTED, ids=str)
def test_a_module_has_its_tests(path: Path) -> None:
    """Whoever changes a module knows where its tests are; plain values have nothing to test."""
    has_behaviour = any(functions(path))

    has_tests = any(place.is_file() for place in places_of_tests(path))

    assert has_tests or not has_behaviour or str(path) in UNTESTED_MODULES


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_an_ignored_lint_rule_has_its_reason_beside_it(path: Path) -> None:
    """Nobody has to guess whether an exception still holds."""
    bare = re.compile(r"# noqa(?!: [A-Z]+\d+(, [A-Z]+\d+)* *(- |\()\S)")

    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()

    unexplained = [
        line
        for above, line in pairwise(["", *lines])
        if bare.search(line) and not above.strip().startswith("#")
    ]
    assert unexplained == []


def test_the_lists_of_exceptions_are_sorted_and_true() -> None:
    """An exception goes when its reason does."""
    for listed in (LONG_MODULES, UNTESTED_MODULES):
        assert all(first < second for first, second in pairwise(listed))
        assert [name for name in listed if not (ROOT / name).is_file()] == []
    for name in UNTESTED_MODULES:
        assert not any(place.is_file() for place in places_of_tests(Path(name)))

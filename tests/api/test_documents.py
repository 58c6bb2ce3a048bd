"""What the README and the pages below `docs` say is tried out against a running daemon.

In these documents a block of the language `console` holds commands after `$ `, each followed by
what it prints. `…` stands for anything: inside a text, for a whole JSON value, or alone on a line
for any number of lines. JSON is compared as JSON, however it is wrapped.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

from lsd.feedback import FeedbackRequest
from lsd.inference import InferenceRequest
from tests.api.conftest import StartGateway

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "lsd.toml.example"
EXAMPLE_FILES = ROOT / "docs" / "example"
"""What the example configuration reads beside itself."""

DOCUMENTS = ("README.md", "docs/api.md", "docs/configuration.md")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
WRITTEN_URL = "http://127.0.0.1:3000"
WRITTEN_PROGRAM = "python3 lsd.pyz"
PROGRAM = f"{shlex.quote(sys.executable)} -P -m lsd"
ANYTHING = "…"
BARE_ELLIPSIS = re.compile(rf"(?<=[:,\[])\s*{ANYTHING}(?=[,\s\]}}])")
END_OF_COMMAND = "\x1e"
CODE = re.compile(r"`([^`]+)`")

DOCUMENT_S_MAX = 120
"""For all commands of one document, on a machine that is busy with everything else."""


@attrs.frozen(kw_only=True)
class Example:
    """One command of a document and what it should print."""

    line: int
    command: str
    expected: str


def examples(text: str) -> list[Example]:
    """The commands of all console blocks, in order."""
    found: list[Example] = []
    for block in re.finditer(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        first_line = text.count("\n", 0, block.start()) + 2
        found += examples_of_block(block[1].split("\n")[:-1], first_line)
    return found


def examples_of_block(lines: list[str], first_line: int) -> list[Example]:
    """Cuts a block: a command starts with `$ ` and goes on while a quote is open."""
    found: list[Example] = []
    place = 0
    while place < len(lines):
        start = place
        assert lines[place].startswith("$ "), f"line {first_line + place}: no command"
        command = lines[place].removeprefix("$ ")
        while not is_whole(command):
            place += 1
            command += "\n" + lines[place]
        place += 1
        output_start = place
        while place < len(lines) and not lines[place].startswith("$ "):
            place += 1
        expected = "\n".join(lines[output_start:place])
        found.append(Example(line=first_line + start, command=command, expected=expected))
    return found


def is_whole(command: str) -> bool:
    """Whether a shell would run this, rather than wait for the next line."""
    try:
        shlex.split(command)
    except ValueError:
        return False
    return not command.endswith("\\")


def fits(expected: str, actual: str) -> bool:
    """Whether an output is what a document says."""
    as_json = json_fits(expected, actual)
    if as_json is None:
        return lines_fit(expected.strip().split("\n"), actual.strip().split("\n"))
    return as_json


def json_fits(expected: str, actual: str) -> bool | None:
    """Compares two JSON texts; None if the expected one is none."""
    try:
        wanted = json.loads(BARE_ELLIPSIS.sub(f'"{ANYTHING}"', expected))
    except ValueError:
        return None
    try:
        return value_fits(wanted, json.loads(actual))
    except ValueError:
        return False


def lines_fit(expected: list[str], actual: list[str]) -> bool:
    """Compares line by line; `…` alone takes as many lines as needed."""
    if not expected:
        return not actual
    if expected[0] == ANYTHING:
        return any(lines_fit(expected[1:], actual[n:]) for n in range(len(actual) + 1))
    if not actual:
        return False
    prefix = "data: "
    wanted, found = expected[0].removeprefix(prefix), actual[0].removeprefix(prefix)
    same_kind = expected[0].startswith(prefix) == actual[0].startswith(prefix)
    same = json_fits(wanted, found) if wanted.startswith("{") else None
    if same is None:
        same = value_fits(wanted, found)
    return same_kind and same and lines_fit(expected[1:], actual[1:])


def value_fits(expected: Any, actual: Any) -> bool:
    """Compares JSON values; objects have the same keys, in any order."""
    match expected:
        case "…":
            return True
        case str():
            pattern = ".*".join(re.escape(part) for part in expected.split(ANYTHING))
            return isinstance(actual, str) and re.fullmatch(pattern, actual, re.DOTALL) is not None
        case dict():
            return (
                isinstance(actual, dict)
                and expected.keys() == actual.keys()
                and all(value_fits(value, actual[key]) for key, value in expected.items())
            )
        case list():
            return (
                isinstance(actual, list)
                and len(expected) == len(actual)
                and all(map(value_fits, expected, actual))
            )
        case _:
            return type(expected) is type(actual) and expected == actual


def outputs(commands: list[str], folder: Path) -> list[str]:
    """What the commands print, run one after the other in one shell, as a reader would."""
    script = "".join(f"{command}\nprintf '{END_OF_COMMAND}'\n" for command in commands)
    ended = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=DOCUMENT_S_MAX,
    )
    assert ended.stderr == ""
    return ended.stdout.split(END_OF_COMMAND)[:-1]


@pytest.mark.skipif(shutil.which("curl") is None, reason="the documents speak to people with curl")
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_tells_the_truth(name: str, start_gateway: StartGateway, tmp_path: Path) -> None:
    """Whoever copies a command from the documents sees what the documents say."""
    gateway = start_gateway("", "--config", str(EXAMPLE))
    told = examples((ROOT / name).read_text(encoding="utf-8"))
    assert told
    shutil.copy(EXAMPLE, tmp_path)
    shutil.copytree(EXAMPLE_FILES, tmp_path / EXAMPLE_FILES.relative_to(ROOT))

    commands = [each.command.replace(WRITTEN_URL, gateway.url) for each in told]
    commands = [each.replace(WRITTEN_PROGRAM, PROGRAM) for each in commands]
    printed = outputs(commands, tmp_path)

    wrong = [
        f"{name}:{each.line}: $ {each.command}\nsays:\n{each.expected}\nprinted:\n{actual}\n"
        for each, actual in zip(told, printed, strict=True)
        if not fits(each.expected, actual)
    ]
    assert wrong == [], "\n".join(wrong)
    assert gateway.stop() == 0


@pytest.mark.parametrize(
    ("heading", "request_type"),
    [("## POST /inference", InferenceRequest), ("## POST /feedback", FeedbackRequest)],
)
def test_every_field_of_a_request_is_documented(heading: str, request_type: type) -> None:
    """The page on the HTTP interface names all that a request may hold, and nothing else."""
    _, _, rest = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").partition(heading)
    table, _, _ = rest.strip().partition("\n\n")

    fields = {name for row in first_cells(table) for name in CODE.findall(row)}

    assert fields == {field.name for field in attrs.fields(request_type)}


def test_every_metric_is_documented(start_gateway: StartGateway) -> None:
    """A dashboard can be built from the page."""
    gateway = start_gateway("", "--config", str(EXAMPLE))
    inference = gateway.infer(function_name="answer", input={})
    gateway.feedback(inference_id=inference["inference_id"], metric_name="helpful", value=True)

    shown = gateway.client.get("/metrics").text

    _, _, rest = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").partition("| metric | type")
    told = {name for row in first_cells(rest) for name in CODE.findall(row)}
    assert told == set(re.findall(r"^# TYPE (\S+)", shown, re.MULTILINE))


def test_every_option_and_variable_is_documented() -> None:
    """The page on the configuration has the whole command line and environment of LSD."""
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    command_line, _, environment = page.partition("## Environment")
    helped = subprocess.run(
        [*shlex.split(PROGRAM), "--help"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "lsd").rglob("*.py"))

    options = {
        option
        for row in first_cells(command_line.partition("## Command line")[2])
        for option in re.findall(r"--[a-z-]+", row)
    }
    variables = {name for row in first_cells(environment) for name in re.findall(r"LSD_\w+", row)}

    assert options == set(re.findall(r"--[a-z-]+", helped.stdout))
    assert variables == set(re.findall(r"[\"`](LSD_[A-Z_]+)[\"`]", sources))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """A link to a page or a heading that was renamed is found here, not by a reader."""
    broken = []
    for target in re.findall(r"\]\(([^()]+)\)", page.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        file = (page.parent / name) if name else page
        is_there = target.startswith("https://") or (
            file.exists() and (not anchor or anchor in anchors(file))
        )
        broken += [] if is_there else [target]

    assert broken == []


def anchors(page: Path) -> set[str]:
    """The names of the headings of a page, as those who show Markdown make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def first_cells(text: str) -> list[str]:
    """The first cells of the rows of tables, up to the next heading."""
    lines = text.partition("\n## ")[0].splitlines()
    return [line.split("|")[1] for line in lines if line.startswith("| `")]


def test_what_the_example_shows_as_comments_can_be_uncommented(tmp_path: Path) -> None:
    """A commented line is an offer, and the daemon keeps it."""
    offers = re.compile(r"^# ((?:\[|[a-z_.]+ = |         \{).*)$", re.MULTILINE)
    text, count = offers.subn(r"\1", EXAMPLE.read_text(encoding="utf-8"))
    config = tmp_path / "lsd.toml"
    config.write_text(text, encoding="utf-8")
    shutil.copytree(EXAMPLE_FILES, tmp_path / EXAMPLE_FILES.relative_to(ROOT))

    ended = subprocess.run(
        [sys.executable, "-m", "lsd", "--check", "--config", str(config)],
        cwd=ROOT,
        env={"OPENAI_API_KEY": "made up", "ANTHROPIC_API_KEY": "made up"},
        capture_output=True,
        text=True,
        check=False,
        timeout=DOCUMENT_S_MAX,
    )

    assert count > 20
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("valid ")


def test_a_block_is_cut_into_commands_and_what_they_print() -> None:
    """A command goes on as long as a quote is open; several may stand in one block."""
    text = "Text\n```console\n$ A=1\n$ curl -d '{\n  }' x\n{\n}\n```\n```sh\nrm -r\n```\n"

    found = examples(text)

    assert [(each.line, each.command, each.expected) for each in found] == [
        (3, "A=1", ""),
        (4, "curl -d '{\n  }' x", "{\n}"),
    ]


@pytest.mark.parametrize(
    ("expected", "actual", "fit"),
    [
        ('{"id": "0…",\n "n": …}', '{"id":"0199","n":3}', True),
        ('{"id": "0…"}', '{"id":"1199"}', False),
        ('{"id": "0…"}', '{"id":"0199","more":1}', False),
        ('{"n": 1}', '{"n":true}', False),
        ("[1, …]", '[1,{"any":"thing"}]', True),
        ('data: {"a":"…"}\n\ndata: [DONE]\n', 'data: {"a":"b"}\n\ndata: [DONE]\n\n', True),
        ('data: {"a":"…"}', '{"a":"b"}', False),
        ("first\n…\nlast", "first\nsecond\nthird\nlast", True),
        ("first\n…\nlast", "first\nsecond", False),
        ("", "", True),
        ("", "unexpected", False),
        ('{"a": 1}', "no JSON at all", False),
        ('…\ndata: {"a":1}', 'data: {"b":2}\n\ndata: {"a":1}', True),
        ("{no JSON}", "{no JSON}", True),
    ],
)
def test_an_ellipsis_stands_for_anything_and_nothing_else_does(
    expected: str, actual: str, fit: bool
) -> None:
    """A document may be vague only where it says so."""
    assert fits(expected, actual) is fit

"""The command line: what it does, what it prints where, and how it ends."""

import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import orjson
import pytest
from click.testing import CliRunner, Result

import lsd.server
from lsd import __version__
from lsd.cli.command import lsd as command
from lsd.config import Loaded, Sources, load
from lsd.server import StartRefused
from lsd.telemetry import LogSettings

ROOT = Path(__file__).resolve().parents[3]

WELL = '[models.m]\nrouting = ["p"]\nproviders.p = { type = "echo" }\n'
ILL = '[models.m]\nrouting = ["a", "b"]\nproviders = {}\n'
"""Two problems that are told together."""


@attrs.define(eq=False)
class FakeDaemon:
    """Takes what it should serve, and ends as the test has told it."""

    ends: Callable[[], int] = lambda: 0
    served: list[tuple[Loaded, Path | None]] = attrs.field(factory=list, init=False)
    levels: list[int] = attrs.field(factory=list, init=False)

    def __call__(
        self, loaded: Loaded, *, sources: Sources, logs: LogSettings, pid_file: Path | None
    ) -> int:
        assert loaded.files == load(sources).files
        self.served.append((loaded, pid_file))
        self.levels.append(logging.getLogger("lsd.api").getEffectiveLevel())
        return self.ends()

    @property
    def loaded(self) -> Loaded:
        """The only configuration that was served."""
        ((loaded, _),) = self.served
        return loaded


@pytest.fixture(autouse=True)
def daemon(monkeypatch: pytest.MonkeyPatch) -> FakeDaemon:
    """A daemon in place of the real one."""
    fake = FakeDaemon()
    monkeypatch.setattr(lsd.server, "run_daemon", fake)
    return fake


def run(*words: str, **environment: str) -> Result:
    """What the command line with these words does."""
    return CliRunner().invoke(command, words, env=environment, prog_name="lsd")


def configured(folder: Path, text: str = WELL, name: str = "lsd.toml") -> Path:
    """A configuration in the folder."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def records(result: Result) -> list[dict[str, Any]]:
    """The lines of stderr, which must all be JSON."""
    return [orjson.loads(line) for line in result.stderr.splitlines()]


def test_the_version_is_told(daemon: FakeDaemon) -> None:
    """And nothing is served."""
    result = run("--version")

    assert (result.exit_code, result.stdout) == (0, f"lsd, version {__version__}\n")
    assert daemon.served == []


@pytest.mark.parametrize("words", [("--check", "--version"), ("--version", "--validate")])
def test_one_command_at_a_time_is_run(words: tuple[str, ...]) -> None:
    """Two of them are a bad command line, and neither prints its result."""
    result = run(*words)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "--check and --version exclude each other" in result.stderr


def test_help_names_all_options(daemon: FakeDaemon) -> None:
    """On lines that fit a terminal."""
    result = run("--help")

    assert result.exit_code == 0
    for option in ("--config", "--default-config", "--bind-address", "--workers", "--data-dir"):
        assert option in result.stdout
    for option in ("--log-format", "--log-level", "--pid-file", "--skip-credential-validation"):
        assert option in result.stdout
    assert "--check, --validate" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100
    assert daemon.served == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--ghost"], "--ghost"),
        (["serve"], "No such command 'serve'"),
        (["--config"], "--config"),
        (["--config", "lsd.toml", "--default-config"], "exclude each other"),
        (["--check", "--config", "lsd.toml", "--default-config"], "exclude each other"),
        (["--log-format", "xml"], "--log-format"),
        (["--log-level", "loud"], "found log level 'loud'"),
    ],
    ids=" ".join,
)
def test_a_bad_command_line_ends_with_2(
    folder: Path, daemon: FakeDaemon, words: list[str], told: str
) -> None:
    """Case 1 among others: it is told on stderr; nothing is served, nothing is created."""
    configured(folder)

    result = run(*words)

    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr
    assert daemon.served == []
    assert [path.name for path in folder.iterdir()] == ["lsd.toml"]


@pytest.mark.parametrize("option", ["--check", "--validate"])
def test_a_valid_configuration_is_told_by_its_hash(
    folder: Path, daemon: FakeDaemon, option: str
) -> None:
    """Case 32: one line on stdout, and no file created."""
    configured(folder)

    result = run(option)

    assert result.exit_code == 0
    assert re.fullmatch(r"valid [0-9a-f]{64}\n", result.stdout)
    assert result.stderr == ""
    assert daemon.served == []
    assert [path.name for path in folder.iterdir()] == ["lsd.toml"]


@pytest.mark.parametrize("form", ["pretty", "json"])
def test_problems_are_checked_in_plain_lines(folder: Path, form: str) -> None:
    """Case 32: one each, and how many there are; the same for eyes and for programs."""
    configured(folder, ILL)

    result = run("--check", "--log-format", form)

    assert (result.exit_code, result.stdout) == (1, "")
    *problems, summary = result.stderr.splitlines()
    assert [line.rpartition(": ")[0] for line in problems] == [
        "lsd.toml: models.m.routing[0]",
        "lsd.toml: models.m.routing[1]",
    ]
    assert summary == "configuration refused: 2 problems"
    assert [path.name for path in folder.iterdir()] == ["lsd.toml"]


def test_problems_keep_the_daemon_from_serving(folder: Path, daemon: FakeDaemon) -> None:
    """The same lines, and exit code 1."""
    configured(folder, ILL)

    checked, started = run("--check"), run()

    assert (started.exit_code, started.stdout) == (1, "")
    assert started.stderr == checked.stderr
    assert daemon.served == []


def test_problems_are_records_of_a_log_in_json(folder: Path) -> None:
    """Whoever collects the log gets one record each, and nothing else."""
    configured(folder, ILL)

    plain, result = run("--check"), run("--log-format", "json")

    assert result.exit_code == 1
    assert [each["level"] for each in records(result)] == ["error"] * len(records(result))
    assert [each["message"] for each in records(result)] == plain.stderr.splitlines()
    assert "exception" not in result.stderr


def test_warnings_are_logged_and_stop_nothing(folder: Path, daemon: FakeDaemon) -> None:
    """Without any configuration the daemon serves, and says how to give it one."""
    result = run("--log-format", "json")

    assert result.exit_code == 0
    (warning,) = records(result)
    assert warning["level"] == "warning"
    assert "--config" in warning["message"]
    assert str(daemon.loaded.config.gateway.bind_address) == "127.0.0.1:3000"


def test_notes_are_logged(folder: Path) -> None:
    """An empty file is fine, and perhaps a mistake."""
    configured(folder, "")

    result = run("--log-format", "json")

    assert [each["level"] for each in records(result)] == ["info"]


def test_the_file_in_the_folder_is_served(folder: Path, daemon: FakeDaemon) -> None:
    """Unless another one is named, or none is wanted."""
    here = configured(folder)
    there = configured(folder, "", "other.toml")

    for words, environment in (
        ([], {}),
        (["--config", "other.toml"], {}),
        (["--config", "lsd.toml", "--config", "other.toml"], {}),
        (["--config", "lsd.toml"], {"LSD_CONFIG": "other.toml"}),
        ([], {"LSD_CONFIG": "other.toml"}),
        (["--default-config"], {"LSD_CONFIG": "other.toml"}),
    ):
        assert run(*words, **environment).exit_code == 0

    files = [loaded.files for loaded, _ in daemon.served]
    assert files == [(here,), (there,), (here, there), (here,), (there,), ()]


def test_options_overrule_the_configuration(folder: Path, daemon: FakeDaemon) -> None:
    """Address and data folder are those of the line, or else of the environment."""
    configured(folder)

    run("--bind-address", "127.0.0.1:0", "--data-dir", "a", LSD_DATA_DIR="b")
    run(LSD_BIND_ADDRESS="[::1]:5", LSD_DATA_DIR="b")
    run()

    gateways = [loaded.config.gateway for loaded, _ in daemon.served]
    assert [str(each.bind_address) for each in gateways] == [
        "127.0.0.1:0",
        "[::1]:5",
        "127.0.0.1:3000",
    ]
    paths = [loaded.config.storage.path for loaded, _ in daemon.served]
    assert paths == [folder / "a", folder / "b", folder / "lsd-data"]


def test_an_address_is_set_in_one_way(folder: Path, daemon: FakeDaemon) -> None:
    """Two ways are refused, with all three named."""
    configured(folder, '[gateway]\nbind_address = "127.0.0.1:1"\n')

    result = run("--bind-address", "127.0.0.1:2")

    assert result.exit_code == 1
    for way in ("gateway.bind_address", "--bind-address", "LSD_BIND_ADDRESS"):
        assert way in result.stderr
    assert daemon.served == []


@pytest.mark.parametrize(("words", "code"), [([], 1), (["--skip-credential-validation"], 0)])
def test_missing_credentials_may_be_skipped(folder: Path, words: list[str], code: int) -> None:
    """To check a configuration where its keys are not at hand."""
    text = (
        '[models.m]\nrouting = ["p"]\n'
        'providers.p = { type = "openai", model_name = "gpt", api_key_location = "env::NO_KEY" }\n'
    )
    configured(folder, text)

    assert run("--check", *words).exit_code == code


@pytest.mark.parametrize(
    ("words", "path"), [([], None), (["--pid-file", "run/lsd.pid"], Path("run/lsd.pid"))]
)
def test_the_pid_file_is_handed_on(
    folder: Path, daemon: FakeDaemon, words: list[str], path: Path | None
) -> None:
    """The daemon writes it when it serves."""
    run(*words)

    assert [pid_file for _, pid_file in daemon.served] == [path]


@pytest.mark.parametrize("code", [0, 1, 130, 143])
def test_the_exit_code_is_the_daemons(daemon: FakeDaemon, code: int) -> None:
    """How it has ended is told to whoever has started it."""
    daemon.ends = lambda: code

    assert run().exit_code == code


def refuse() -> int:
    """A daemon that cannot start."""
    raise StartRefused("cannot listen on 127.0.0.1:3000: it is in use")


def test_a_refused_start_is_told_in_one_line(folder: Path, daemon: FakeDaemon) -> None:
    """No traceback; exit code 1."""
    configured(folder)
    daemon.ends = refuse

    result = run()

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "lsd: cannot listen on 127.0.0.1:3000: it is in use\n"


def test_a_refused_start_is_a_record_of_a_log_in_json(folder: Path, daemon: FakeDaemon) -> None:
    """Every line of such a log is JSON."""
    configured(folder)
    daemon.ends = refuse

    result = run(LSD_LOG_FORMAT="json")

    (record,) = records(result)
    assert result.exit_code == 1
    assert record["level"] == "error"
    assert record["message"] == "lsd: cannot listen on 127.0.0.1:3000: it is in use"


@pytest.mark.parametrize(
    ("debug", "words", "environment", "level"),
    [
        ("false", [], {}, logging.INFO),
        ("true", [], {}, logging.DEBUG),
        ("true", ["--log-level", "warn"], {}, logging.WARNING),
        ("true", ["--log-level", "warn"], {"LSD_LOG": "error"}, logging.ERROR),
    ],
)
def test_the_daemon_logs_at_the_level_that_was_asked_for(
    folder: Path,
    daemon: FakeDaemon,
    debug: str,
    words: list[str],
    environment: dict[str, str],
    level: int,
) -> None:
    """The environment beats the line, and the line the configuration."""
    configured(folder, f"[gateway]\ndebug = {debug}\n")

    run(*words, **environment)

    assert daemon.levels == [level]


def python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What Python does with these words in the folder, the package at hand."""
    return subprocess.run(
        [sys.executable, "-P", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_module_is_the_command_line(folder: Path) -> None:
    """`python -m lsd` ends its process with the exit code."""
    configured(folder, ILL)

    result = python(folder, "-m", "lsd", "--check")

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.splitlines()[-1].startswith("configuration refused: ")
    assert [path.name for path in folder.iterdir()] == ["lsd.toml"]


def test_a_check_needs_no_web_server(folder: Path) -> None:
    """It is quick, because what serves is not even imported."""
    configured(folder)
    program = (
        "import sys\n"
        "from lsd.cli.command import lsd\n"
        "lsd(['--check'], standalone_mode=False)\n"
        "print(sorted({'hypercorn', 'quart', 'lmdb', 'lsd.server'} & set(sys.modules)))\n"
    )

    result = python(folder, "-c", program)

    assert result.stderr == ""
    assert result.stdout.splitlines()[1:] == ["[]"]

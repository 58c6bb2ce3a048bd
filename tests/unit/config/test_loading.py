"""From the sources to a configuration, or to all that is wrong with it."""

import re
from pathlib import Path

import pytest

from lsd.config import (
    ChatCompletionVariant,
    ChatFunction,
    EchoProvider,
    Gateway,
    NoneLocation,
    OpenAIProvider,
)
from tests.unit.config.folder import Folder

EVERYTHING = """
[gateway]
bind_address = "[::1]:4000"
base_path = "/llm/"
max_request_bytes = "2 MiB"

[gateway.observability]
async_writes = false
batch_writes = { enabled = true, max_rows = 5 }

[models.local]
routing = ["box"]
[models.local.providers.box]
type = "openai"
api_base = "http://127.0.0.1:11434/v1"
model_name = "qwen3:8b"
api_key_location = "none"
timeouts = { non_streaming.total_ms = 300000, streaming.ttft_ms = 120000 }

[models.demo]
routing = ["flaky", "steady"]
providers.flaky = { type = "echo", statuses = [503, 200] }
providers.steady = { type = "echo", reply = "You said: {{ text }}", chunk_delay_ms = 20 }

[functions.talk]
type = "chat"
tools = ["find"]
system_schema = "schemas/system.json"
[functions.talk.variants.plain]
model = "local"
fallback = ["demo"]
templates.system.path = "prompts/system.txt"
temperature = 1

[tools.find]
description = "Finds things"
parameters = "schemas/find.json"

[metrics.solved]
type = "boolean"
optimize = "max"
level = "episode"
"""


def write_files(folder: Folder) -> None:
    """The files that EVERYTHING names."""
    folder.write("schemas/system.json", '{"type": "object"}')
    folder.write("schemas/find.json", '{"type": "object"}')
    folder.write("prompts/system.txt", "You know {{ topic }}.")


def test_attributes_have_the_names_of_the_keys(folder: Folder) -> None:
    """Who knows the file knows the objects."""
    write_files(folder)

    config = folder.load(EVERYTHING).config

    assert str(config.gateway.bind_address) == "[::1]:4000"
    assert config.gateway.base_path == "/llm"
    assert config.gateway.max_request_bytes == 2 * 1024 * 1024
    assert config.gateway.observability.batch_writes.max_rows == 5
    box = config.models["local"].providers["box"]
    assert isinstance(box, OpenAIProvider)
    assert box.api_key_location == NoneLocation()
    assert box.timeouts.streaming.ttft_ms == 120_000
    talk = config.functions["talk"]
    assert isinstance(talk, ChatFunction)
    plain = talk.variants["plain"]
    assert isinstance(plain, ChatCompletionVariant)
    assert plain.templates["system"].text == "You know {{ topic }}."
    assert talk.schemas["system"].accepts({"topic": "ponds"})
    assert config.tools["find"].name == "find"
    assert config.metrics["solved"].level == "episode"


def test_without_arguments_and_without_a_file_everything_is_default(folder: Folder) -> None:
    """A first-time user gets a gateway on the loopback address, and a word about --config."""
    loaded = folder.load()  # case 1

    assert loaded.config.gateway == Gateway()
    assert loaded.config.storage.path == folder.path / "lsd-data"
    assert loaded.files == ()
    assert len(loaded.warnings) == 1
    assert "--config" in loaded.warnings[0]


def test_a_file_in_the_working_directory_is_used(folder: Folder) -> None:
    """Who writes lsd.toml need not name it."""
    loaded = folder.load("[gateway]\nbase_path = '/a'")

    assert loaded.config.gateway.base_path == "/a"
    assert loaded.warnings == ()
    assert loaded.files == (folder.path / "lsd.toml",)


def test_the_default_configuration_can_be_asked_for(folder: Folder) -> None:
    """Then a file in the working directory does not count, and nothing is warned of."""
    loaded = folder.load("[gateway]\nbase_path = '/a'", default=True)

    assert loaded.config.gateway.base_path == "/"
    assert loaded.warnings == ()


def test_the_environment_names_the_file_when_the_command_line_does_not(folder: Folder) -> None:
    """The command line comes first, then LSD_CONFIG, then lsd.toml."""
    for name in ("one", "two"):
        folder.write(f"{name}.toml", f"[gateway]\nbase_path = '/{name}'")
    folder.write("lsd.toml", "[gateway]\nbase_path = '/default'")
    folder.environment["LSD_CONFIG"] = "one.toml"

    assert folder.load().config.gateway.base_path == "/one"
    assert folder.load(config=("two.toml",)).config.gateway.base_path == "/two"


def test_an_empty_file_is_fine(folder: Folder) -> None:
    """It is said that there is little to call."""
    loaded = folder.load("# nothing yet")

    assert loaded.warnings == ()
    assert "shorthand" in loaded.notes[0]


def test_a_function_can_lie_in_several_files(folder: Folder) -> None:
    """Tables are merged; a relative path starts at the folder of the file that holds it."""
    folder.write("a/f.toml", '[functions.f]\ntype = "chat"\n[models]')  # case 3
    folder.write("b/v.toml", '[functions.f.variants.v]\nmodel="echo::x"\nsystem_template="s.txt"')
    folder.write("b/s.txt", "{{ system_text }}")

    config = folder.load(config=("*/*.toml",)).config

    variant = config.functions["f"].variants["v"]
    assert isinstance(variant, ChatCompletionVariant)
    assert variant.templates["system"].text == "{{ system_text }}"


def test_the_store_lies_next_to_the_first_file(folder: Folder) -> None:
    """Not where the daemon happens to be started."""
    folder.write("conf/a.toml", "")

    config = folder.load(config=("conf/a.toml",)).config

    assert config.storage.path == folder.path / "conf" / "lsd-data"


def test_clashes_and_unreadable_files_are_told_together(folder: Folder) -> None:
    """The first phase ends the run, but with all that it has found."""
    folder.write("1.toml", "[gateway]\ndebug = true")
    folder.write("2.toml", "[gateway]\ndebug = true")
    folder.write("3.toml", "[gateway\n")

    lines = folder.refused(config=("*.toml",))

    assert [line.partition(":")[0] for line in lines] == ["3.toml", "2.toml"]


def test_problems_of_shape_end_the_run(folder: Folder) -> None:
    """A wrong type is told without the rules that it would break as well."""
    lines = folder.refused("[gateway]\nworkers = 'many'\nbase_path = 'llm'")

    assert lines == [
        'lsd.toml: gateway.workers: found "many"; wanted an integer or "auto"',
    ]


def test_all_later_problems_are_told_together(folder: Folder) -> None:
    """Rules, files and credentials in one list, sorted by path."""
    lines = folder.refused(
        """
        [models.b]
        routing = ["p"]
        providers.p = { type = "openai", model_name = "x" }
        [models.a]
        routing = ["ghost"]
        providers = {}
        [tools.t]
        description = "x"
        parameters = "missing.json"
        """
    )  # case 7

    assert [line.split(": ")[1] for line in lines] == [
        "models.a.routing[0]",
        "models.b.providers.p",
        "tools.t.parameters",
    ]


def test_the_snapshot_does_not_depend_on_how_the_file_is_written(folder: Folder) -> None:
    """Order of keys, comments, notation and the split into files leave the hash alone."""
    first = folder.load(
        """
        [models.m]
        routing = ["p"]
        providers.p = { type = "echo", delay_ms = 5 }
        [gateway]
        max_request_bytes = "1 KiB"
        """
    )  # case 26
    second = folder.load(
        """
        # the same
        gateway.max_request_bytes = 1024
        [models.m.providers.p]
        delay_ms = 5
        type = "echo"
        [models.m]
        routing = ["p"]
        """
    )
    folder.write("x/1.toml", "gateway.max_request_bytes = 1024\n[models.m]\nrouting=['p']")
    folder.write("x/2.toml", "[models.m.providers.p]\ntype='echo'\ndelay_ms=5")
    third = folder.load(config=("x/*.toml",))

    assert first.hash == second.hash == third.hash
    assert re.fullmatch("[0-9a-f]{64}", first.hash)
    assert first.snapshot == second.snapshot


@pytest.mark.parametrize("file", ["schemas/system.json", "schemas/find.json", "prompts/system.txt"])
def test_each_byte_of_a_file_counts(folder: Folder, file: str) -> None:
    """A changed prompt or schema is another configuration."""
    write_files(folder)
    before = folder.load(EVERYTHING).hash

    with (folder.path / file).open("a") as opened:
        opened.write(" ")

    assert folder.load(EVERYTHING).hash != before


def test_command_line_and_environment_are_not_in_the_hash(folder: Folder) -> None:
    """Where a gateway listens and keeps its data says nothing about what it answers."""
    before = folder.load("")
    folder.environment["LSD_BIND_ADDRESS"] = "127.0.0.1:1"

    after = folder.load("", data_dir="elsewhere")

    assert after.hash == before.hash
    assert after.config.storage.path == folder.path / "elsewhere"


def test_the_same_text_gives_the_same_hash_in_another_folder(folder: Folder) -> None:
    """Paths count as they are written, not where they lead."""
    here = folder.load("[storage]\npath = 'data'")
    other = Folder(folder.path / "other")

    there = other.load("[storage]\npath = 'data'")

    assert here.hash == there.hash
    assert here.config.storage.path != there.config.storage.path


def test_secrets_are_in_no_snapshot_and_no_repr(folder: Folder) -> None:
    """Locations are kept, what lies there is not."""
    folder.environment["MY_KEY"] = "sk-very-secret"
    loaded = folder.load(
        """
        [models.m]
        routing = ["p"]
        [models.m.providers.p]
        type = "openai"
        model_name = "x"
        api_key_location = "env::MY_KEY"
        """
    )

    assert b"sk-very-secret" not in loaded.snapshot
    assert "sk-very-secret" not in repr(loaded)
    assert b"env::MY_KEY" in loaded.snapshot


def test_config_files_can_be_absolute(folder: Folder, tmp_path: Path) -> None:
    """A service manager starts the daemon anywhere."""
    file = folder.write("etc/lsd.toml", "[models.e]\nrouting=['p']\nproviders.p={type='echo'}")

    loaded = folder.load(config=(str(file),), working_directory=Path("/"))

    assert isinstance(loaded.config.models["e"].providers["p"], EchoProvider)
    assert loaded.files == (tmp_path / "etc" / "lsd.toml",)

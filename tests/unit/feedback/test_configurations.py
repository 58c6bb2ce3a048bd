"""The configuration of a record's day."""

from pathlib import Path
from typing import Any

import pytest

from lsd.config import ChatFunction, Sources, load
from lsd.conversation import Fragment, encode_json
from lsd.feedback.configurations import OPEN_MAX, Configurations
from tests.unit.feedback.desk import CONFIG_HASH, Desk, desk_config

RUNNING = desk_config()

OLD_TOML = """
[models.m]
routing = ["e"]
providers.e = { type = "echo" }

[functions.support]
type = "chat"
tools = ["lookup"]
variants.terse = { type = "chat_completion", model = "m" }

[tools.lookup]
name = "find"
description = "Finds an order"
parameters = "lookup.json"
"""


def old_config(parameters: Any = None) -> dict[str, Any]:
    """A configuration as snapshots hold it: one function with one tool."""
    schema = encode_json({"type": "object"} if parameters is None else parameters).decode()
    return {
        "functions": {"support": {"type": "chat", "tools": ["lookup"], "variants": {}}},
        "tools": {
            "lookup": {
                "name": "find",
                "description": "Finds an order",
                "parameters": {"path": "lookup.json", "text": schema},
            }
        },
    }


@pytest.fixture
async def configurations(desk: Desk) -> Configurations:
    """Those of the desk's store."""
    return Configurations(running=RUNNING, running_hash=CONFIG_HASH, snapshots=desk.store.snapshots)


@pytest.mark.parametrize("hash", [CONFIG_HASH, None])
async def test_the_running_configuration_is_at_hand(
    configurations: Configurations,
    hash: str | None,  # noqa: A002
) -> None:
    """A record that names none is judged by it."""
    assert await configurations.get(hash) is RUNNING


async def test_an_older_one_is_opened_from_its_snapshot(
    desk: Desk, configurations: Configurations, tmp_path: Path
) -> None:
    """It has the tools of its day, whatever has become of the files; and stays open."""
    (tmp_path / "lookup.json").write_text('{"type": "object"}')
    (tmp_path / "lsd.toml").write_text(OLD_TOML)
    sources = Sources(environment={}, working_directory=tmp_path, config=("lsd.toml",))
    loaded = load(sources)
    write = desk.store.snapshots.record(
        hash=loaded.hash,
        config=Fragment(loaded.snapshot),
        extra_templates={},
        tags={},
        now_ms=1,
    )
    await desk.writer.commit(write)
    (tmp_path / "lookup.json").unlink()

    config = await configurations.get(loaded.hash)

    assert config is not None
    support = config.functions["support"]
    assert isinstance(support, ChatFunction)
    assert support.tools == ("lookup",)
    assert config.tools["lookup"].name == "find"
    assert config.tools["lookup"].parameters.value == {"type": "object"}
    assert await configurations.get(loaded.hash) is config


async def test_only_a_few_stay_open(desk: Desk, configurations: Configurations) -> None:
    """The oldest makes room, and is opened again when it is asked for."""
    hashes = [f"{place:02x}" * 32 for place in range(OPEN_MAX + 1)]
    for each in hashes:
        await desk.keep_snapshot(each, old_config())

    opened = [await configurations.get(each) for each in hashes]

    assert await configurations.get(hashes[-1]) is opened[-1]
    again = await configurations.get(hashes[0])
    assert again is not None
    assert again is not opened[0]


async def test_a_snapshot_may_be_missing_or_unreadable(
    desk: Desk, configurations: Configurations
) -> None:
    """Then there is no configuration."""
    await desk.keep_snapshot("ba" * 32, old_config(parameters={"type": "no type"}))

    assert await configurations.get("ba" * 32) is None
    assert await configurations.get("ee" * 32) is None
    assert await configurations.get("no hash") is None

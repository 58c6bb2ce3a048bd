"""Reloads: all or nothing, one at a time, and none that is forgotten."""

from collections.abc import Awaitable, Callable

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from lsd.config import ConfigRefused, Loaded
from lsd.server.refusals import ReloadRefused
from lsd.server.reloading import REFUSED, Reloading
from tests.unit.captured_log import Log
from tests.unit.config.folder import Folder

FIRST = 'models.m = { routing = ["p"], providers.p = { type = "echo" } }\n'
SECOND = 'models.m = { routing = ["p"], providers.p = { type = "echo", reply = "hi" } }\n'
WAIT_S_MAX = 30.0

BROKEN = 'models.m = { routing = ["ghost"], providers.p = { type = "echo" } }\n'


@attrs.define(eq=False)
class Daemon:
    """Takes configurations, or refuses them; each reload waits for `may_end`."""

    refusal: str | None = None
    in_force: list[str] = attrs.field(factory=list)
    results: list[str] = attrs.field(factory=list)
    has_begun: trio.Event = attrs.field(factory=trio.Event)
    may_end: trio.Event = attrs.field(factory=trio.Event)

    async def put_in_force(self, loaded: Loaded) -> None:
        self.has_begun.set()
        await self.may_end.wait()
        if self.refusal is not None:
            raise ReloadRefused(self.refusal)
        self.in_force.append(loaded.hash)


@attrs.define(eq=False)
class Case:
    """A daemon that has been started with one configuration."""

    folder: Folder
    daemon: Daemon
    reloading: Reloading

    async def reload(self, text: str) -> None:
        """Asks for a reload of another file, and waits for its end."""
        self.folder.write("lsd.toml", text)
        self.daemon.may_end.set()
        before = len(self.daemon.results)
        self.reloading.ask()
        with trio.fail_after(WAIT_S_MAX):
            while len(self.daemon.results) == before:  # noqa: ASYNC110 (a list tells nobody)
                await trio.sleep(0.01)
        await wait_all_tasks_blocked()

    def refusal(self) -> str:
        """What a start with the file as it is would be told."""
        with pytest.raises(ConfigRefused) as refused:
            self.folder.load()
        return str(refused.value)


Make = Callable[..., Awaitable[Case]]


@pytest.fixture
def make(folder: Folder, nursery: trio.Nursery) -> Make:
    """Makes the case of a daemon that was started with this text."""

    async def case(text: str | None = FIRST) -> Case:
        daemon = Daemon()
        reloading = Reloading(
            sources=folder.sources(),
            active=folder.load(text),
            put_in_force=daemon.put_in_force,
            on_result=daemon.results.append,
        )
        await nursery.start(reloading.run)
        return Case(folder, daemon, reloading)

    return case


async def test_a_changed_configuration_is_put_in_force(make: Make, log: Log) -> None:
    """The log tells the old hash and the new one."""
    case = await make()
    old = case.reloading.active.hash

    await case.reload(SECOND)

    (new,) = case.daemon.in_force
    assert case.daemon.results == ["success"]
    assert case.reloading.active.hash == new != old
    assert (log[-1]["log_level"], log[-1]["old_hash"], log[-1]["new_hash"]) == ("info", old, new)


async def test_a_broken_configuration_changes_nothing(make: Make, log: Log) -> None:
    """Case 28: every problem is told as at a start, and the old configuration goes on."""
    case = await make()
    old = case.reloading.active.hash

    await case.reload(BROKEN)

    assert (case.daemon.in_force, case.daemon.results) == ([], ["refused"])
    assert case.reloading.active.hash == old
    assert {entry["log_level"] for entry in log} == {"error"}
    *problems, last = [entry["event"] for entry in log]
    assert "\n".join(problems) == case.refusal()
    assert last == REFUSED


async def test_what_only_a_restart_can_change_refuses_all(make: Make, log: Log) -> None:
    """Case 29: the keys are named."""
    case = await make()

    await case.reload(SECOND + "gateway.bind_address = '127.0.0.1:4000'\n")

    assert (case.daemon.in_force, case.daemon.results) == ([], ["refused"])
    assert log[0]["event"].startswith("gateway.bind_address: changed; wanted a restart")


async def test_a_daemon_that_cannot_take_it_refuses(make: Make, log: Log) -> None:
    """Nothing has changed then, either."""
    case = await make()
    case.daemon.refusal = "worker 2 has no room"

    await case.reload(SECOND)

    assert case.daemon.results == ["refused"]
    assert log[0]["event"] == "worker 2 has no room"


async def test_a_configuration_that_is_the_same_is_left_alone(make: Make, log: Log) -> None:
    """Comments change nothing."""
    case = await make()
    case.folder.write("lsd.toml", f"# a comment\n{FIRST}")
    case.reloading.ask()
    while not log:  # noqa: ASYNC110 (the log tells nobody)
        await trio.sleep(0.01)

    assert (case.daemon.in_force, case.daemon.results) == ([], [])
    assert (log[0]["log_level"], log[0]["event"]) == ("info", "configuration unchanged")


async def test_another_credential_is_a_change(make: Make, folder: Folder) -> None:
    """Its file has no part in the hash."""
    key = folder.write("key", "sk-1\n")
    provider = f'type = "openai", model_name = "x", api_key_location = "path::{key}"'
    text = f'models.m = {{ routing = ["p"], providers.p = {{ {provider} }} }}\n'
    case = await make(text)
    key.write_text("sk-2\n")

    await case.reload(text)

    assert case.daemon.in_force == [case.reloading.active.hash]


async def test_without_any_file_there_is_nothing_to_reload(
    folder: Folder, nursery: trio.Nursery, log: Log
) -> None:
    """The built-in default stays what it is."""
    daemon = Daemon()
    reloading = Reloading(
        sources=folder.sources(),
        active=folder.load(),
        put_in_force=daemon.put_in_force,
        on_result=daemon.results.append,
    )
    await nursery.start(reloading.run)
    folder.write("lsd.toml", SECOND)
    reloading.ask()
    await wait_all_tasks_blocked()

    assert daemon.in_force == []
    assert [entry["log_level"] for entry in log] == ["warning"]


async def test_what_asks_during_a_reload_leads_to_one_more(make: Make) -> None:
    """However often it asks."""
    case = await make()
    case.folder.write("lsd.toml", SECOND)
    case.reloading.ask()
    await case.daemon.has_begun.wait()
    case.folder.write("lsd.toml", FIRST + "gateway.debug = true\n")
    for _ in range(5):
        case.reloading.ask()

    case.daemon.may_end.set()
    while len(case.daemon.results) < 2:  # noqa: ASYNC110 (a list tells nobody)
        await trio.sleep(0.01)
    await wait_all_tasks_blocked()

    assert len(case.daemon.in_force) == 2
    assert case.reloading.active.config.gateway.debug

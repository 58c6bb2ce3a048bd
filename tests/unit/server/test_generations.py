"""The configuration in force: swapped for all that begins, kept for what has begun."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from lsd.config import Loaded
from lsd.server.equipment import Equipment
from lsd.server.generations import Generations
from lsd.server.refusals import ReloadRefused, StartRefused
from lsd.telemetry import Metrics, SystemClock
from tests.unit.api.gateways import post
from tests.unit.config.folder import Folder

OFF = "[gateway.observability]\nenabled = false\n"
BODY = {"model_name": "m", "input": {"messages": [{"role": "user", "content": "hi"}]}}


def saying(reply: str, delay_ms: int = 0) -> str:
    """A model that says nothing else."""
    provider = f'{{ type = "echo", reply = "{reply}", delay_ms = {delay_ms} }}'
    return f'models.m = {{ routing = ["p"], providers.p = {provider} }}\n{OFF}'


def begun_with(loaded: Loaded) -> Generations:
    """A daemon without a store."""
    return Generations.first(loaded, Equipment.of(loaded, None, SystemClock(), Metrics(())))


async def said(generations: Generations) -> str:
    """What the model says now."""
    answer = (await post(generations.app, "/inference", BODY)).json()
    return str(answer["content"][0]["text"])


async def test_a_prepared_configuration_waits_to_be_activated(folder: Folder) -> None:
    """Then every request that begins has it."""
    generations = begun_with(folder.load(saying("one")))

    await generations.prepare(folder.load(saying("two")))
    before = await said(generations)
    generations.activate()

    assert (before, await said(generations)) == ("one", "two")


async def test_a_request_ends_under_the_configuration_it_began_with(
    folder: Folder, mock_clock: MockClock
) -> None:
    """Whatever comes in between."""
    generations = begun_with(folder.load(saying("one", delay_ms=1500)))
    await generations.prepare(folder.load(saying("two")))
    heard: list[str] = []

    async def ask() -> None:
        heard.append(await said(generations))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        await wait_all_tasks_blocked()
        generations.activate()
        heard.append(await said(generations))
        mock_clock.jump(1.5)

    assert heard == ["two", "one"]


async def test_who_follows_the_configuration_is_told(folder: Folder) -> None:
    """Once it is in force."""
    heard: list[str] = []
    first, second = folder.load(saying("one")), folder.load(saying("two"))
    equipment = Equipment.of(first, None, SystemClock(), Metrics(()))
    generations = Generations.first(first, equipment, lambda loaded: heard.append(loaded.hash))

    await generations.prepare(second)
    before = list(heard)
    generations.activate()

    assert (before, heard) == ([], [second.hash])


async def test_what_needs_a_store_is_refused_without_one(folder: Folder) -> None:
    """A reload opens none."""
    generations = begun_with(folder.load(saying("one")))
    insisting = folder.load(saying("two").replace(OFF, "gateway.auth.enabled = true\n"))

    with pytest.raises(ReloadRefused, match=r"gateway\.auth\.enabled = true needs the store"):
        await generations.prepare(insisting)

    assert await said(generations) == "one"


def test_certificates_are_those_of_the_configuration(folder: Folder) -> None:
    """Plain HTTP without one."""
    assert begun_with(folder.load(saying("one"))).tls() is None


def test_a_certificate_that_has_gone_is_refused(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was there when the configuration was checked."""

    def gone(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file or directory", "cert.pem")

    monkeypatch.setattr("lsd.server.assembly.tls_context", gone)

    with pytest.raises(StartRefused, match=r"cert\.pem"):
        begun_with(folder.load(saying("one")))

"""The jobs of a batch: begun, begun elsewhere, given up."""

from itertools import count

import attrs
import pytest

from lsd.batches import NativeCalls, native_lines
from lsd.batches.native_lines import NativeLine
from lsd.batches.native_start import JobStart
from lsd.batches.refusals import NativeStartsFailed
from lsd.conversation import encode_json
from lsd.store import NewItem
from tests.unit.batches.desk import Desk
from tests.unit.batches.lines import line_of
from tests.unit.inference.fake_providers import Break, Script
from tests.unit.store.makers import Maker

FILE = Script(body=(b'{"id":"f"}',))
ILL = Script(status=500)


def job(job_id: str) -> Script:
    """A job has begun."""
    return Script(body=(encode_json({"id": job_id, "status": "validating"}),))


def twice(line: NativeLine, place: int = 0) -> NativeLine:
    """The line, with a routing that names its provider twice."""
    model = attrs.evolve(line.model, providers=line.model.providers * 2)
    return attrs.evolve(line, model=model, place=place)


def start_of(desk: Desk, *items: NewItem) -> JobStart:
    """The start of a batch of these items, whose routing names the provider twice."""

    async def line_at(new: NewItem, place: int) -> NativeLine:
        return twice(await line_of(desk, new), place)

    return JobStart(
        calls=NativeCalls(desk.gateway.prepared),
        batch_id="x",
        now_ms=5,
        shard=3,
        items=list(items),
        numbers=count(),
        line_at=line_at,
    )


async def test_each_file_is_a_job(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a part, with what its answers cost."""
    monkeypatch.setattr(native_lines, "LINES_MAX", 2)
    desk.provider.will(FILE, job("a"), FILE, job("b"))
    items = [Maker().new_item() for _ in range(3)]
    start = start_of(desk, *items)

    await start.start({index: await line_of(desk, new) for index, new in enumerate(items)})

    assert [new.item.part for new in start.items] == [0, 0, 1]
    assert {new.item.state for new in start.items} == {"running"}
    assert [part.job_id for part in start.parts] == ["a", "b"]
    assert len(desk.provider.requests) == 4


async def test_a_provider_that_refuses_is_followed_by_the_next(desk: Desk) -> None:
    """As a job again, if it has jobs."""
    desk.provider.will(ILL, FILE, job("b"))
    new = Maker().new_item()
    start = start_of(desk, new)

    await start.start({0: twice(await line_of(desk, new))})

    assert (start.items[0].item.part, [part.job_id for part in start.parts]) == (0, ["b"])
    assert not start.is_uncertain


async def test_lsd_goes_on_where_there_is_no_line(desk: Desk) -> None:
    """At the next place of the routing."""
    desk.provider.will(ILL)
    new = Maker().new_item()

    async def no_line(_new: NewItem, _place: int) -> None:
        pass

    start = attrs.evolve(start_of(desk, new), line_at=no_line)

    await start.start({0: twice(await line_of(desk, new))})

    assert (start.items[0].item.state, start.items[0].item.first_provider) == ("pending", 1)
    assert start.parts == []


async def test_without_another_provider_the_start_fails(desk: Desk) -> None:
    """With the causes of all; what has begun can be given up."""
    desk.provider.will(FILE, job("a"))
    items = [Maker().new_item(), Maker().new_item()]
    start = start_of(desk, *items)
    await start.start({0: await line_of(desk, items[0])})
    desk.provider.will(ILL)

    with pytest.raises(NativeStartsFailed, match=r"500.*500"):
        await start.start({1: twice(await line_of(desk, items[1]))})
    desk.provider.will(job("a"))
    await start.give_up()

    assert desk.provider.requests[-1].url.endswith("/batches/a/cancel")
    assert not start.is_uncertain


@pytest.mark.parametrize(
    ("create", "is_uncertain"), [(Script(before=(Break(),)), True), (Script(status=400), False)]
)
async def test_a_job_may_have_begun_unheard(
    desk: Desk, create: Script, *, is_uncertain: bool
) -> None:
    """Where the connection broke; a refusal leaves no doubt."""
    desk.provider.will(FILE, create)
    new = Maker().new_item()
    start = start_of(desk, new)

    with pytest.raises(NativeStartsFailed):
        await start.start({0: await line_of(desk, new)})

    assert start.is_uncertain is is_uncertain

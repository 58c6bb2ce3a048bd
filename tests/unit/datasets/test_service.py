"""The service of datasets: the order of its work, and what a failing store means."""

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from lsd.conversation import encode_json
from lsd.datasets import DatasetUnchanged, read_patches, read_renamings
from lsd.inference import BadRequest
from lsd.store import Datapoint, DatapointQuery, StoreFull, UnknownDatapoint, Write, Writer
from tests.unit.datasets.workbench import Workbench
from tests.unit.store.makers import Maker


@attrs.frozen
class FullWriter:
    """The writer of a store on a full disk."""

    async def commit(self, _write: Write) -> None:
        await trio.lowlevel.checkpoint()
        raise StoreFull("store", "disk", 1)


@attrs.frozen
class LateWriter:
    """A writer that commits something of somebody else's first."""

    first: Write
    writer: Writer

    async def commit(self, write: Write) -> None:
        await self.writer.commit(self.first)
        await self.writer.commit(write)


async def test_a_large_call_lets_others_pass(bench: Workbench) -> None:
    """After every few items there is room for another request."""
    passes = 0

    async def pass_by() -> None:
        nonlocal passes
        while True:
            await trio.lowlevel.checkpoint()
            passes += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(pass_by)
        await bench.create(*[{}] * 200)
        nursery.cancel_scope.cancel()

    assert passes >= 200 / 8
    assert bench.store.datapoints.count("gold") == 200


@pytest.mark.parametrize("change", ["create", "update", "rename", "delete", "clone"])
async def test_what_the_store_cannot_keep_is_not_made(bench: Workbench, change: str) -> None:
    """The refusal says so, whatever was to be changed."""
    (own_id,) = await bench.create({})
    item = encode_json({"datapoints": [{"type": "chat", "id": own_id, "name": "n"}]})
    changes = {
        "create": lambda: bench.create({}),
        "update": lambda: bench.service.update("gold", read_patches(item)),
        "rename": lambda: bench.service.rename("gold", read_renamings(item)),
        "delete": lambda: bench.service.delete("gold", [own_id]),
        "clone": lambda: bench.service.clone("gold", [own_id]),
    }

    bench.service._writer = FullWriter()  # type: ignore[assignment]

    with pytest.raises(DatasetUnchanged, match=r"nothing was stored.*the disk is full"):
        await changes[change]()


async def test_a_version_that_goes_meanwhile_is_not_replaced(
    bench: Workbench,
) -> None:
    """What was looked up before the change is looked up again in its transaction."""
    (own_id,) = await bench.create({})
    delete = bench.store.datapoints.delete("gold", [own_id], [], now_us=0)
    bench.service._writer = LateWriter(delete, bench.service._writer)  # type: ignore[assignment]

    with pytest.raises(UnknownDatapoint, match=own_id):
        await bench.patch({"id": own_id})
    assert await bench.service.select(DatapointQuery(dataset_name="gold")) == []


async def test_slow_items_do_not_wait_for_each_other(bench: Workbench) -> None:
    """A few are made at once; their ids rise with their places, and the first mistake is told."""
    bad: set[int] = set()
    running: set[int] = set()
    most = 0

    async def make(place: int, own_id: str) -> Datapoint:
        nonlocal most
        running.add(place)
        most = max(most, len(running))
        await wait_all_tasks_blocked()
        running.remove(place)
        if place in bad:
            raise BadRequest("input", "bad")
        return Maker().datapoint(id=own_id)

    ids = [each.id for each in await bench.service._each(20, make)]
    bad |= {12, 9}
    with pytest.raises(BadRequest, match=r"^datapoints\[9\]\.input: bad$"):
        await bench.service._each(20, make)

    assert ids == sorted(ids)
    assert most == 8


async def test_items_are_checked_in_their_order(bench: Workbench) -> None:
    """Of each first whether it is there, then what is asked."""
    (own_id,) = await bench.create({})
    unknown = {"id": own_id.replace("01", "02", 1)}
    bad = {"id": own_id, "allowed_tools": ["nothing"]}

    with pytest.raises(BadRequest, match=r"^datapoints\[0\]\.allowed_tools"):
        await bench.patch(bad, unknown)
    with pytest.raises(UnknownDatapoint):
        await bench.patch(unknown, bad)


async def test_what_is_read_by_id_was_changed_last_first(bench: Workbench) -> None:
    """Then the greater id comes first."""
    first, second = await bench.create({}, {})
    (third,) = await bench.create({})
    await bench.service.rename(
        "gold", read_renamings(encode_json({"datapoints": [{"id": first, "name": "n"}]}))
    )

    found = await bench.service.get([second, third, first])

    assert [each.id for each in found] == [first, third, second]
    assert await bench.service.get([first], dataset_name="silver") == []

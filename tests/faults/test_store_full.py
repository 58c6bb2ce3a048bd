"""No room: in the map, and on the disk."""

from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest
import trio

from lsd.store import InferenceBody, InferenceRecord, Selection, Store, StoreFull, Writer, verify
from lsd.store.layout import INFERENCE_BODIES
from tests.faults.small_disk import small_disk
from tests.unit.store.makers import SMALL, HandClock, Maker, open_store, stored

SMALL_MAP = attrs.evolve(SMALL, max_map_size=2 << 20)


def great(make: Maker) -> InferenceRecord:
    """An inference with a body of 100 000 bytes."""
    return make.inference(body=InferenceBody(input={"text": "x" * 100_000}, output=[]))


@asynccontextmanager
async def running(store: Store) -> Any:
    """A writer that runs, and is closed at the end."""
    writer: Writer = store.writer(HandClock())
    async with trio.open_nursery() as nursery:
        await nursery.start(writer.run)
        yield writer
        await writer.close()


def fill_at_once(store: Store, make: Maker) -> InferenceRecord:
    """Stores inferences until there is no room; gives the last one that is stored."""
    while True:
        record = great(make)
        try:
            last = stored(store, record)
        except StoreFull:
            return last


async def fill(writer: Writer, store: Store, make: Maker) -> None:
    """Queues inferences until the store drops one."""
    while not writer.statistics().rows_dropped:
        writer.queue_nowait(store.inferences.record(great(make)))
        await writer.settle()


async def test_a_full_map_drops_inferences_and_refuses_feedback(tmp_path: Path) -> None:
    """What nobody waits for is dropped with a count; who waits is told; reads go on."""
    store, make = open_store(tmp_path, SMALL_MAP), Maker()
    target = stored(store, make.inference()).inference_id
    long = make.feedback(target, kind="comment", metric_name="comment", value="x" * 200_000)

    async with running(store) as writer:
        await fill(writer, store, make)
        with pytest.raises(StoreFull) as full:
            await writer.commit(store.feedback.record(long))

    assert (full.value.bound, full.value.bytes_max) == ("max_map_size", 2 << 20)
    assert not writer.statistics().last_commit_ok
    assert store.inferences.exists(target)
    assert len(store.inferences.page(Selection(), limit=100)) > 5
    assert verify(store) == []
    store.close()


async def test_room_that_was_made_is_used(tmp_path: Path) -> None:
    """When bodies have expired, records are stored again, without a restart."""
    store, make = open_store(tmp_path, SMALL_MAP), Maker()

    def expire(transaction: Any) -> None:
        for key in [key for key, _ in transaction.range(INFERENCE_BODIES, limit=5)]:
            transaction.delete(INFERENCE_BODIES, key)

    async with running(store) as writer:
        await fill(writer, store, make)
        await trio.to_thread.run_sync(store.data.write, expire)
        await writer.commit(store.inferences.record(make.inference()))
        record = great(make)
        await writer.commit(store.inferences.record(record))

    assert writer.statistics().last_commit_ok
    assert store.inferences.get([record.inference_id]) == [record]
    assert verify(store) == []
    store.close()


def test_a_full_store_can_be_opened_again(tmp_path: Path) -> None:
    """A restart of a full store serves its records, and a greater bound makes room."""
    store, make = open_store(tmp_path, SMALL_MAP), Maker()
    last = fill_at_once(store, make)
    store.close()

    again = open_store(tmp_path, SMALL_MAP)
    assert again.inferences.exists(last.inference_id)
    with pytest.raises(StoreFull):
        stored(again, great(make))
    again.close()

    greater = open_store(tmp_path, SMALL)
    stored(greater, great(make))
    assert verify(greater) == []
    greater.close()


@pytest.mark.parametrize("durability", ["sync", "lazy", "none"])
def test_a_full_disk_is_a_full_store(
    tmp_path: Path, durability: Literal["sync", "lazy", "none"]
) -> None:
    """A disk without room is told like a map without room, and harms nothing stored before."""
    make, refusals = Maker(), 5
    with small_disk(tmp_path, "3m") as disk:
        settings, folder = attrs.evolve(SMALL, durability=durability), disk.path / "lsd-data"
        store = open_store(folder, settings)
        whole, bounds = [], []
        while len(bounds) < refusals:
            try:
                whole.append(stored(store, great(make)))
            except StoreFull as full:
                bounds.append(full.bound)
        problems = verify(store)
        store.close()
        again = open_store(folder, settings)
        found = [again.inferences.get([each.inference_id]) for each in whole]
        problems += verify(again)
        again.close()

    assert bounds == ["disk"] * refusals
    assert len(whole) > 5
    assert found == [[each] for each in whole]
    assert problems == []

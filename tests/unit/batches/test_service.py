"""Submitting, asking, cancelling."""

import pytest

from lsd.batches import (
    BatchNotStored,
    ItemRefused,
    RecordsAreOff,
    UnknownBatch,
    UnknownItem,
    read_submission,
)
from lsd.conversation import encode_json
from lsd.store import StoreFailed
from tests.unit.batches.desk import ITEM, Desk

UNKNOWN = "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"


async def test_a_batch_is_stored_when_it_is_answered(desk: Desk) -> None:
    """With ids in the order of its items."""
    answer = await desk.submit(ITEM, ITEM)

    ids = [answer["batch_id"], *answer["inference_ids"]]
    assert ids == sorted(set(ids))
    assert desk.shown(answer["batch_id"])["progress"]["pending"] == 2
    told = await desk.service.item(answer["batch_id"], answer["inference_ids"][1])
    assert told["status"] == "pending"


async def test_the_first_wrong_item_is_named(desk: Desk) -> None:
    """And nothing is stored."""
    with pytest.raises(ItemRefused, match=r"^1: stream"):
        await desk.submit(ITEM, {**ITEM, "stream": True}, {})

    assert desk.store.greatest_id() is None


async def test_columns_draw_one_variant(desk: Desk) -> None:
    """By the first episode; a variant that is pinned needs no draw."""
    columns = {"function_name": "chat", "inputs": [ITEM["input"]] * 2}
    drawn = await desk.service.submit(read_submission(encode_json(columns), 9))
    pinned = await desk.service.submit(
        read_submission(encode_json({**columns, "variant_name": "v"}), 9)
    )

    def variants(batch_id: str) -> list[str | None]:
        return [each.item.drawn_variant for each in desk.store.batches.results(batch_id, 0, 2)]

    assert variants(drawn["batch_id"]) == ["v", "v"]
    assert variants(pinned["batch_id"]) == [None, None]


async def test_credentials_stay_in_memory(desk: Desk) -> None:
    """The store has no byte of them, only who holds them."""
    answer = await desk.submit({**ITEM, "credentials": {"k": "sk-very-secret"}})
    (inference_id,) = answer["inference_ids"]

    assert desk.queue.credentials.fields_for(inference_id) == {
        "credentials": {"k": "sk-very-secret"}
    }
    files = [path.read_bytes() for path in desk.store.path.rglob("*.mdb")]
    assert not any(b"sk-very-secret" in data for data in files)


async def test_a_store_that_fails_takes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even the credentials."""

    async def fail(_writer: object, _write: object) -> None:
        raise StoreFailed("store", "no luck")

    monkeypatch.setattr(type(desk.writer), "commit", fail)
    with pytest.raises(BatchNotStored, match=r"nothing was accepted.*no luck"):
        await desk.submit({**ITEM, "credentials": {"k": "v"}})

    assert desk.queue.credentials.batch_ids() == set()


async def test_without_records_there_are_no_batches(desk: Desk) -> None:
    """Those that are there can be asked for."""
    answer = await desk.submit(ITEM)
    desk.service.inferences.recorder = None

    with pytest.raises(RecordsAreOff):
        await desk.submit(ITEM)
    assert desk.shown(answer["batch_id"])["status"] == "pending"


async def test_a_batch_is_cancelled(desk: Desk) -> None:
    """Once and for all."""
    answer = await desk.submit(ITEM, ITEM)

    first = await desk.service.cancel(answer["batch_id"])
    second = await desk.service.cancel(answer["batch_id"])

    assert first == second
    shown = desk.shown(answer["batch_id"])
    assert (shown["status"], shown["inferences"]) == ("cancelled", [])
    assert [each["status"] for each in shown["errors"]] == [499, 499]


async def test_unknown_ids_are_not_found(desk: Desk) -> None:
    """Of batches, and of items in a batch."""
    answer = await desk.submit(ITEM)

    with pytest.raises(UnknownBatch):
        desk.service.get(UNKNOWN)
    with pytest.raises(UnknownBatch):
        await desk.service.cancel(UNKNOWN)
    with pytest.raises(UnknownItem):
        await desk.service.item(answer["batch_id"], UNKNOWN)

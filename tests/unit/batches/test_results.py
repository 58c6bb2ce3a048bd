"""Batches and items as JSON."""

from pathlib import Path

import attrs
import pytest

from lsd.batches import results
from lsd.batches.results import batch_head, batch_pieces, inference_json, item_json
from lsd.conversation import decode_json
from lsd.store import BatchItem, ItemCounts, ItemError, ItemResult, Store
from tests.unit.store.makers import Maker, open_store, put

ITEM = BatchItem(
    inference_id="i",
    episode_id="e",
    function_name="f",
    function_type="chat",
    state="completed",
    variant_name="v",
    usage='{"cost":0.10}',
)


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        (ItemCounts(pending=1, completed=1), "pending"),
        (ItemCounts(running=1, cancelled=1), "pending"),
        (ItemCounts(cancelled=1, completed=1), "cancelled"),
        (ItemCounts(completed=1, failed=1), "completed"),
        (ItemCounts(failed=1), "failed"),
    ],
)
def test_the_status_follows_from_the_counts(counts: ItemCounts, status: str) -> None:
    """A batch is over when all its items are."""
    head = batch_head(Maker().batch(counts=counts, cancel_requested=True))

    assert head["status"] == status
    assert ("cancel_requested" in head) == (status == "pending")
    progress = head["progress"]
    assert progress.pop("total") == sum(progress.values())


def test_what_has_expired_is_shown_as_empty() -> None:
    """The output first, then with the record its usage."""
    chat = ItemResult(index=0, item=ITEM, output=None, has_record=True)
    gone = ItemResult(
        index=0, item=attrs.evolve(ITEM, function_type="json"), output=None, has_record=False
    )

    assert inference_json(chat)["content"] == []
    assert inference_json(gone)["output"] == {"raw": None, "parsed": None}
    assert inference_json(gone)["usage"] is None


@pytest.mark.parametrize("state", ["pending", "running", "completed", "failed", "cancelled"])
def test_an_item_tells_its_own_state(state: str) -> None:
    """Whatever the batch is."""
    item = attrs.evolve(ITEM, state=state, error=ItemError(status=502, message="all failed"))
    told = item_json("b", ItemResult(index=0, item=item))

    assert told["status"] == ("pending" if state == "running" else state)
    assert told["batch_id"] == "b"
    assert ("error" in told) == (state in ("failed", "cancelled"))
    assert ("inferences" in told) == (state == "completed")


def test_pieces_make_one_document(
    tmp_path: Path, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many items are read at a time."""
    store = open_store(tmp_path / "store")
    batch = make.batch()
    items = [make.new_item() for _ in range(7)]
    put(store, store.batches.submit(batch, items))
    _end_in_turn(store, make)

    whole = {}
    for at_a_time in (1, 3, 100):
        monkeypatch.setattr(results, "ITEMS_PER_READ", at_a_time)
        found = store.batches.get(batch.batch_id)
        assert found is not None
        pieces = list(batch_pieces(store.batches, found))
        assert b"" not in pieces
        whole[at_a_time] = decode_json(b"".join(pieces))
    store.close()

    assert whole[1] == whole[3] == whole[100]
    ids = [each.item.inference_id for each in items]
    assert [each["inference_id"] for each in whole[1]["inferences"]] == ids[::2]
    assert [each["index"] for each in whole[1]["errors"]] == [1, 3, 5]


def _end_in_turn(store: Store, make: Maker) -> None:
    """Every second item fails."""
    claim = store.batches.claim(items_max=9, running_max=9, now_ms=0)
    store.data.write(claim.apply)
    for item in claim.items:
        if item.index % 2:
            error = ItemError(status=502, message="all failed")
            after = attrs.evolve(item.item, state="failed", error=error)
            put(store, store.batches.finish(item, after, None))
        else:
            record = make.inference(inference_id=item.item.inference_id)
            after = attrs.evolve(item.item, state="completed", usage="{}")
            put(store, store.batches.finish(item, after, store.inferences.record(record)))


@pytest.fixture
def make() -> Maker:
    """Makes records."""
    return Maker()

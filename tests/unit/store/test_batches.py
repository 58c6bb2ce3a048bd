"""Batches in the store: whose turn it is, and that every item ends once, with its inference."""

from collections.abc import Sequence

import attrs
import pytest

from lsd.store import (
    Batches,
    BatchPart,
    BatchRecord,
    ClaimedItem,
    EndedItem,
    ItemCounts,
    ItemError,
    ItemNotHeld,
    Store,
    _batch_queue,
)
from tests.unit.store.makers import Maker, put

POISON = ItemError(status=500, message="died")
LOST = ItemError(status=400, message="lost")


def submitted(store: Store, make: Maker, count: int, **fields: object) -> BatchRecord:
    """A batch of so many items."""
    batch = make.batch()
    put(store, store.batches.submit(batch, [make.new_item(**fields) for _ in range(count)]))
    return batch


def claimed(
    batches: Batches,
    store: Store,
    count: int,
    *,
    running_max: int = 100,
    now_ms: int = 0,
    after: bytes = b"",
) -> Sequence[ClaimedItem]:
    """What a process gets that asks for so many items."""
    claim = batches.claim(
        items_max=count, running_max=running_max, now_ms=now_ms, after_batch=after
    )
    store.data.write(claim.apply)
    return claim.items


def counts_of(store: Store, batch: BatchRecord) -> ItemCounts:
    """How many items of a batch are in each state."""
    found = store.batches.get(batch.batch_id)
    assert found is not None
    return found.counts


def recover(store: Store, shard: int | None = None, crash_limit: int = 3) -> None:
    """As if a process had died."""
    write = store.batches.recover(
        shard, crash_limit=crash_limit, now_ms=9, on_crash_limit=POISON, on_credentials_lost=LOST
    )
    put(store, write)


def test_jobs_lose_the_credentials_that_a_dead_process_had(store: Store, make: Maker) -> None:
    """Whoever asks for them later knows why there are none; jobs of other processes keep theirs."""
    batch = make.batch()
    parts = [make.part(holder=holder) for holder in (7, 8, None)]
    items = [make.new_item(state="running", part=number) for number in range(3)]
    put(store, store.batches.submit(batch, items, parts))

    recover(store, shard=7)
    first = store.batches.parts(batch.batch_id)
    recover(store)
    second = store.batches.parts(batch.batch_id)

    assert [(each.holder, each.lost_credentials) for each in first] == [
        (None, True),
        (8, False),
        (None, False),
    ]
    assert [each.lost_credentials for each in second] == [True, True, False]


def test_batches_take_turns(store: Store, make: Maker) -> None:
    """An item of each in turn, and within a batch in their order."""
    first, second = submitted(store, make, 3), submitted(store, make, 1)

    order = [(each.batch_id, each.index) for each in claimed(store.batches, store, 4)]

    assert order == [
        (first.batch_id, 0),
        (second.batch_id, 0),
        (first.batch_id, 1),
        (first.batch_id, 2),
    ]


def test_the_turn_goes_on_from_one_claim_to_the_next(store: Store, make: Maker) -> None:
    """A claim of one item does not begin with the first batch each time."""
    first, second = submitted(store, make, 2), submitted(store, make, 2)
    claim = store.batches.claim(items_max=1, running_max=9, now_ms=0)
    store.data.write(claim.apply)

    (item,) = claimed(store.batches, store, 1, after=claim.after_batch)

    assert (claim.items[0].batch_id, item.batch_id) == (first.batch_id, second.batch_id)


def test_a_resting_batch_is_passed_over(store: Store, make: Maker) -> None:
    """Nothing else is."""
    first, second = submitted(store, make, 2), submitted(store, make, 2)
    claim = store.batches.claim(
        items_max=9, running_max=9, now_ms=0, resting=[first.batch_id], after_batch=b""
    )
    store.data.write(claim.apply)

    assert [each.batch_id for each in claim.items] == [second.batch_id] * 2
    assert [each.batch_id for each in claimed(store.batches, store, 9)] == [first.batch_id] * 2


def test_all_processes_together_run_no_more_than_there_is_room_for(
    store: Store, make: Maker
) -> None:
    """Whoever asks; and nobody gets what another has."""
    submitted(store, make, 9)
    other = Batches(data=store.data, shard=1)

    mine = claimed(store.batches, store, 2, running_max=3)
    theirs = claimed(other, store, 2, running_max=3)

    assert [each.index for each in (*mine, *theirs)] == [0, 1, 2]


def test_a_model_has_no_more_to_do_than_it_can(store: Store, make: Maker) -> None:
    """Its items are passed over meanwhile, in their own batch and in favour of others."""
    first = submitted(store, make, 3, model_name="slow")
    second = submitted(store, make, 2, model_name="slow")
    third = submitted(store, make, 1, model_name="quick")
    fourth = submitted(store, make, 1)

    def take() -> list[tuple[str, int]]:
        claim = store.batches.claim(items_max=9, running_max=9, model_running_max=2, now_ms=0)
        store.data.write(claim.apply)
        taken.extend(claim.items)
        return [(each.batch_id, each.index) for each in claim.items]

    taken: list[ClaimedItem] = []
    assert take() == [
        (first.batch_id, 0),
        (second.batch_id, 0),
        (third.batch_id, 0),
        (fourth.batch_id, 0),
    ]
    assert take() == []
    ended = attrs.evolve(taken[0].item, state="failed", error=POISON)
    put(store, store.batches.finish(taken[0], ended, None))
    assert take() == [(first.batch_id, 1)]


def test_many_items_of_a_busy_model_do_not_hide_those_behind_them(
    store: Store, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only so many are looked at before it is the turn of the next batch."""
    monkeypatch.setattr(_batch_queue, "PASSED_OVER_MAX", 2)
    submitted(store, make, 9, model_name="slow")
    behind = submitted(store, make, 1, model_name="quick")
    claim = store.batches.claim(items_max=9, running_max=9, model_running_max=1, now_ms=0)
    store.data.write(claim.apply)

    assert [each.index for each in claim.items] == [0, 0]
    assert claim.items[1].batch_id == behind.batch_id


def test_an_item_ends_with_its_inference(store: Store, make: Maker) -> None:
    """Both are there, or neither; the request is not kept any longer."""
    batch = submitted(store, make, 1)
    (item,) = claimed(store.batches, store, 1)
    record = make.inference(inference_id=item.item.inference_id)
    after = attrs.evolve(item.item, state="completed", variant_name="terse", usage="{}")

    put(store, store.batches.finish(item, after, store.inferences.record(record)))

    result = store.batches.item(batch.batch_id, record.inference_id)
    assert result is not None
    assert (result.item.state, result.output) == ("completed", record.body and record.body.output)
    assert counts_of(store, batch) == ItemCounts(completed=1)


def test_only_the_last_claim_can_end_an_item(store: Store, make: Maker) -> None:
    """What an earlier run gives is refused, with its inference."""
    submitted(store, make, 1)
    (early,) = claimed(store.batches, store, 1)
    put(store, store.batches.put_back())
    (late,) = claimed(store.batches, store, 1)
    record = make.inference(inference_id=early.item.inference_id)
    after = attrs.evolve(early.item, state="completed", usage="{}")

    with pytest.raises(ItemNotHeld, match="item 0 of batch"):
        put(store, store.batches.finish(early, after, store.inferences.record(record)))

    assert not store.inferences.exists(record.inference_id)
    assert (late.item.run, late.item.attempts) == (2, 1)


def test_an_item_waits_for_its_time(store: Store, make: Maker) -> None:
    """Until then nothing is due."""
    submitted(store, make, 1)
    (item,) = claimed(store.batches, store, 1)
    again = attrs.evolve(item.item, state="pending", not_before_ms=5_000)
    put(store, store.batches.finish(item, again, None))

    assert store.batches.next_time_ms() == 5_000
    assert not store.batches.is_something_due(4_999)
    assert claimed(store.batches, store, 1, now_ms=4_999) == []
    assert store.batches.is_something_due(5_000)
    assert [each.index for each in claimed(store.batches, store, 1, now_ms=5_000)] == [0]


def test_suspects_run_singly(store: Store, make: Maker) -> None:
    """After a crash one of those that were running runs at a time; others go on beside it."""
    batch = submitted(store, make, 3)
    claimed(store.batches, store, 2)
    recover(store)

    first = claimed(store.batches, store, 9)
    second = claimed(store.batches, store, 9)
    put(store, store.batches.put_back())
    recover(store, crash_limit=2)

    assert [each.index for each in first] == [0, 2]
    assert second == []
    assert counts_of(store, batch) == ItemCounts(pending=3)


def test_an_item_at_which_processes_die_fails(store: Store, make: Maker) -> None:
    """At the limit, and its neighbours do not."""
    batch = submitted(store, make, 2)
    for _ in range(2):
        claimed(store.batches, store, 1)
        recover(store, crash_limit=2)

    results = store.batches.results(batch.batch_id, 0, 2)
    assert [each.item.state for each in results] == ["failed", "pending"]
    assert results[0].item.error == POISON


def test_credentials_die_with_their_process(store: Store, make: Maker) -> None:
    """Only that process runs such items; when it is gone, they fail."""
    batch = submitted(store, make, 2, holder=7)
    holder = Batches(data=store.data, shard=7)
    others = claimed(store.batches, store, 2)
    own = claimed(holder, store, 1)

    recover(store, shard=7)

    assert (others, [each.index for each in own]) == ([], [0])
    results = store.batches.results(batch.batch_id, 0, 2)
    assert [each.item.error for each in results] == [LOST, LOST]


def test_a_cancelled_batch_runs_nothing_more(store: Store, make: Maker) -> None:
    """What is pending is cancelled at once, and what runs is never put in line again."""
    batch = submitted(store, make, 3)
    finished, crashed = claimed(store.batches, store, 2)
    put(store, store.batches.cancel(batch.batch_id))
    after = attrs.evolve(finished.item, state="failed", error=POISON)
    put(store, store.batches.finish(finished, after, None))
    recover(store)
    put(store, store.batches.cancel(batch.batch_id))

    assert crashed.index == 1
    assert counts_of(store, batch) == ItemCounts(failed=1, cancelled=2)


def test_what_is_not_there_is_not_found(store: Store, make: Maker) -> None:
    """Neither batches nor items of other batches."""
    first, second = submitted(store, make, 1), submitted(store, make, 1)
    (result,) = store.batches.results(first.batch_id, 0, 1)

    assert store.batches.get(make.id()) is None
    assert store.batches.item(second.batch_id, result.item.inference_id) is None
    put(store, store.batches.cancel(make.id()))


def test_ids_of_batches_are_known_as_issued(store: Store, make: Maker) -> None:
    """The generator of the next process goes on behind them."""
    batch = submitted(store, make, 2)

    greatest = store.greatest_id()

    assert greatest is not None
    assert greatest > batch.batch_id


def test_what_goes_along_is_stored_with_the_batch(store: Store, make: Maker) -> None:
    """In one commit."""
    record, batch = make.inference(), make.batch()
    beside = store.inferences.record(record)

    put(store, store.batches.submit(batch, [make.new_item()], (), [beside]))

    assert store.inferences.exists(record.inference_id)


def test_one_process_asks_for_a_job_at_a_time(store: Store, make: Maker) -> None:
    """The next one may do so some time later, whoever's clock is a little behind."""
    batch = make.batch()
    part = BatchPart(model_name="m", provider_name="p", variant_name="v", job_id="j")
    put(store, store.batches.submit(batch, [make.new_item(part=0)], [part]))

    def is_its_turn(shard: int, now_ms: int) -> bool:
        turn = Batches(data=store.data, shard=shard).ask_turn(
            batch.batch_id, 0, now_ms=now_ms, every_ms=1000
        )
        store.data.write(turn.apply)
        return turn.is_mine

    asked = [is_its_turn(0, 5000), is_its_turn(1, 4998), is_its_turn(2, 5999)]
    assert asked == [True, False, False]
    assert is_its_turn(1, 6000)
    assert is_its_turn(0, 2000)


def test_whoever_collects_results_has_the_turn(store: Store, make: Maker) -> None:
    """No other process fetches the same meanwhile."""
    batch, new = make.batch(), make.new_item(state="running", part=0)
    put(store, store.batches.submit(batch, [new], [make.part()]))
    ended = EndedItem(index=0, after=attrs.evolve(new.item, state="cancelled"))

    put(store, store.batches.end_native(batch.batch_id, [ended], now_ms=9000))

    for now_ms, is_its_turn in ((9500, False), (10_000, True)):
        turn = store.batches.ask_turn(batch.batch_id, 0, now_ms=now_ms, every_ms=1000)
        store.data.write(turn.apply)
        assert turn.is_mine == is_its_turn

"""Inferences: stored whole, and read back one by one."""

import weakref
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from lsd.store import (
    AlreadyRecorded,
    EmbeddingRecord,
    Episode,
    InferenceRecord,
    ModelInferenceRecord,
    Selection,
    Store,
    VariantCount,
    WriteFailed,
    new_calls,
)
from lsd.store._group_commit import commit_group
from lsd.store.layout import INFERENCE_BODIES, id_key
from lsd.store.new_inference import NewInference, new_inference
from lsd.store.transaction import Transaction
from tests.unit.store.makers import Maker, open_store, stored


def without_body(record: InferenceRecord) -> InferenceRecord:
    """What a list shows of a record."""
    return attrs.evolve(record, body=None)


def test_an_inference_is_read_back_as_it_was_recorded(store: Store, make: Maker) -> None:
    """Every field of an inference and of its calls comes back."""
    record = make.inference(tags={"tenant": "acme"})
    calls = [make.call(record.inference_id), make.call(record.inference_id, cost=None)]

    stored(store, record, *calls)

    assert store.inferences.get([record.inference_id]) == [record]
    assert store.inferences.head(record.inference_id) == without_body(record)
    assert store.inferences.body(record.inference_id) == record.body
    assert store.inferences.model_inferences(record.inference_id) == calls
    assert store.inferences.exists(record.inference_id)


def test_what_was_never_recorded_is_not_there(store: Store, make: Maker) -> None:
    """Unknown ids give empty answers from every read."""
    unknown = make.id()

    assert not store.inferences.exists(unknown)
    assert not store.episodes.exists(unknown)
    assert store.inferences.head(unknown) is None
    assert store.inferences.body(unknown) is None
    assert store.inferences.get([unknown]) == []
    assert store.inferences.model_inferences(unknown) == []
    assert store.inferences.failed_attempts(unknown) == []


def test_get_gives_each_id_once_newest_first(store: Store, make: Maker) -> None:
    """Duplicates and unknown ids do not matter, nor does the order of asking."""
    first, second = (stored(store, make.inference()) for _ in range(2))

    found = store.inferences.get(
        [first.inference_id, make.id(), second.inference_id, first.inference_id]
    )

    assert found == [second, first]


def test_an_inference_is_recorded_once(store: Store, make: Maker) -> None:
    """The second record with an id is refused, and counts nowhere."""
    record = stored(store, make.inference())
    again = attrs.evolve(record, variant_name="warm")

    with pytest.raises(AlreadyRecorded):
        stored(store, again)

    assert store.inferences.get([record.inference_id]) == [record]
    assert [count.inferences for count in store.inferences.counts()] == [1]


def test_the_id_of_a_call_is_used_once(store: Store, make: Maker) -> None:
    """An inference whose call bears a used id is not stored, not even in part."""
    first = make.inference()
    call = make.call(first.inference_id)
    stored(store, first, call)
    second = make.inference()

    with pytest.raises(WriteFailed, match="found a record with this id"):
        stored(store, second, attrs.evolve(call, inference_id=second.inference_id))

    assert not store.inferences.exists(second.inference_id)


def test_what_an_inference_is_made_of_is_let_go_before_the_commit(
    store: Store, make: Maker
) -> None:
    """It is made once, however often its transaction begins anew."""
    record, times = make.inference(), []

    def made() -> NewInference:
        times.append(1)
        return new_inference(record, [])

    write = store.inferences.record_made(made, 1)
    alive = weakref.ref(made)
    del made

    def apply_and_fail(transaction: Transaction) -> None:
        write.apply(transaction)
        raise ValueError("taken back")

    with pytest.raises(ValueError, match="taken back"):
        store.data.write(apply_and_fail)
    assert (times, alive()) == ([1], None)
    store.data.write(write.apply)
    assert times == [1]
    assert store.inferences.get([record.inference_id]) == [record]


def test_many_inferences_of_one_commit_are_stored_like_each_alone(
    store: Store, make: Maker
) -> None:
    """Of several variants, in new episodes and old ones, in one episode twice."""
    old = stored(store, make.inference())
    shared = make.id()
    records = [
        make.inference(episode_id=old.episode_id),
        make.inference(episode_id=shared, variant_name="warm"),
        make.inference(tags={"lsd::namespace": "eu", "tenant": "acme"}),
        make.inference(episode_id=shared),
        make.inference(episode_id=shared, variant_name="warm"),
        make.inference(episode_id=old.episode_id, tags={"lsd::namespace": "eu"}),
    ]

    outcomes = commit_group(
        store.data,
        [store.inferences.record(each, [make.call(each.inference_id)]) for each in records],
    )

    assert outcomes == [None] * len(records)
    for each in records:
        assert store.inferences.get([each.inference_id]) == [each]
    found = store.episodes.get(shared)
    assert found is not None
    assert found.count == 3


def test_an_inference_that_cannot_be_encoded_is_not_stored_in_part(
    store: Store, make: Maker
) -> None:
    """A value that is no JSON fails its own write, wherever in the record it stands."""
    good, bad = make.inference(), make.inference()
    call = make.call(bad.inference_id, body=None, error=object())

    outcomes = commit_group(
        store.data, [store.inferences.record(bad, [call]), store.inferences.record(good)]
    )

    assert [type(outcome) for outcome in outcomes] == [WriteFailed, type(None)]
    assert not store.inferences.exists(bad.inference_id)
    assert store.inferences.exists(good.inference_id)


def test_failed_attempts_are_shown_when_asked_for(store: Store, make: Maker) -> None:
    """The calls of an inference are those that gave something, unless one asks for all."""
    record = make.inference()
    failed = make.call(record.inference_id, status="error", error="503", cost=None, body=None)
    cut_off = make.call(record.inference_id, status="interrupted")
    stored(store, record, failed, cut_off)

    usual = store.inferences.model_inferences(record.inference_id)
    every = store.inferences.model_inferences(record.inference_id, include_failed=True)

    assert (usual, every) == ([cut_off], [failed, cut_off])


def test_heads_of_calls_can_be_read_alone(store: Store, make: Maker) -> None:
    """Who wants figures need not read texts."""
    record = make.inference()
    call = make.call(record.inference_id)
    stored(store, record, call)

    found = store.inferences.model_inferences(record.inference_id, with_bodies=False)

    assert found == [attrs.evolve(call, body=None)]


def test_the_attempts_of_a_failed_inference_remain(store: Store, make: Maker) -> None:
    """An inference that failed as a whole is no inference, but its calls can be found."""
    inference_id, episode_id = make.id(), make.id()
    attempts = [
        make.call(inference_id, status="error", error="503", cost=None),
        make.call(inference_id, status="error", error="the variant failed", cost=Decimal("0.5")),
    ]
    store.data.write(
        store.inferences.record_attempts(inference_id, episode_id, new_calls(attempts)).apply
    )
    marked = [attrs.evolve(attempt, episode_id=episode_id) for attempt in attempts]

    assert not store.inferences.exists(inference_id)
    assert not store.episodes.exists(episode_id)
    assert store.inferences.model_inferences(inference_id) == []
    assert store.inferences.model_inferences(inference_id, include_failed=True) == marked
    assert store.inferences.failed_attempts(episode_id) == marked


def test_no_attempts_leave_no_trace(store: Store, make: Maker) -> None:
    """An inference that failed before any call needs no entry."""
    store.data.write(store.inferences.record_attempts(make.id(), make.id(), []).apply)

    assert store.greatest_id() is None


def test_an_episode_is_the_set_of_its_inferences(store: Store, make: Maker) -> None:
    """It exists from the first one stored; first and last go by id, not by commit."""
    episode_id = make.id()
    early, late = make.inference(episode_id=episode_id), make.inference(episode_id=episode_id)

    before = store.episodes.get(episode_id)
    stored(store, late)
    stored(store, early)

    assert before is None
    assert store.episodes.get(episode_id) == Episode(
        episode_id=episode_id,
        count=2,
        first_inference_id=early.inference_id,
        last_inference_id=late.inference_id,
    )


def test_inferences_are_counted_per_variant(store: Store, make: Maker) -> None:
    """Counts are exact at every commit, per function and variant."""
    names = [("haiku", "terse"), ("haiku", "warm"), ("haiku", "terse"), ("triage", "terse")]
    records = [
        stored(store, make.inference(function_name=function, variant_name=variant))
        for function, variant in names
    ]

    of_haiku = store.inferences.counts("haiku")
    everything = store.inferences.counts()

    terse = VariantCount(
        function_name="haiku",
        variant_name="terse",
        inferences=2,
        last_inference_id=records[2].inference_id,
    )
    assert terse in of_haiku
    assert len(of_haiku) == 2
    assert sum(count.inferences for count in everything) == 4
    assert store.inferences.counts("unknown") == []


def test_counts_of_several_processes_add_up(tmp_path: Path, make: Maker) -> None:
    """Each process counts in a place of its own; a reader sees the sum."""
    folder = tmp_path / "lsd-data"
    for shard in (1, 2):
        store = open_store(folder, shard=shard)
        last = stored(store, make.inference())
        store.close()

    store = open_store(folder)

    assert store.inferences.counts() == [
        VariantCount(
            function_name="write_haiku",
            variant_name="terse",
            inferences=2,
            last_inference_id=last.inference_id,
        )
    ]
    store.close()


def test_an_expired_body_leaves_the_head(store: Store, make: Maker) -> None:
    """Bodies may go first; everything that works on heads goes on."""
    record = stored(store, make.inference())
    key = id_key(record.inference_id)
    store.data.write(lambda transaction: transaction.delete(INFERENCE_BODIES, key))

    assert store.inferences.get([record.inference_id]) == [without_body(record)]
    assert store.inferences.body(record.inference_id) is None
    assert store.inferences.page(Selection(), limit=5) == [without_body(record)]


def test_the_weight_of_a_write_is_its_records(store: Store, make: Maker) -> None:
    """The queue counts an inference and its calls as rows."""
    record = make.inference()
    calls: list[ModelInferenceRecord] = [make.call(record.inference_id) for _ in range(3)]

    assert store.inferences.record(record, calls).rows == 4
    assert (
        store.inferences.record_attempts(record.inference_id, make.id(), new_calls(calls)).rows == 3
    )


def test_embeddings_are_recorded_with_their_calls(store: Store, make: Maker) -> None:
    """They are no inference of a function, and cannot be a target; their calls are shown."""
    record = EmbeddingRecord(
        id=make.id(), model_name="emb", input_count=3, dimensions=64, tags={"user": "u"}
    )
    calls = [
        make.call(record.id, function_name=None, variant_name=None, output_tokens=None, status=each)
        for each in ("error", "ok")
    ]

    store.data.write(store.inferences.record_embedding(record, new_calls(calls)).apply)

    assert store.inferences.embedding(record.id) == record
    assert store.inferences.model_inferences(record.id, include_failed=True) == calls
    assert not store.inferences.exists(record.id)
    assert store.inferences.page(Selection(), limit=5) == []
    assert store.inferences.embedding(make.id()) is None
    with pytest.raises(AlreadyRecorded):
        store.data.write(store.inferences.record_embedding(record, []).apply)

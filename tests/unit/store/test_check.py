"""The check finds whatever does not belong together."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lsd.store import (
    EmbeddingRecord,
    Example,
    Store,
    Verdict,
    _check_list,
    layout,
    new_calls,
    verify,
)
from tests.unit.store.makers import Maker, given, open_store, put, stored

DEMONSTRATION = '[{"type":"text","text":"Frog jumps in"}]'


@pytest.fixture
def full_store(tmp_path: Path, make: Maker) -> Any:
    """A store that has something in every database; nobody checks it afterwards."""
    store = open_store(tmp_path / "full")
    record = make.inference(tags={"tenant": "acme"})
    stored(store, record, make.call(record.inference_id))
    target = record.inference_id
    verdict = Verdict(datapoint_id=make.id(), evaluator_inference_id=make.id())
    given(store, make.feedback(target), verdict=verdict)
    given(
        store,
        make.feedback(
            target, kind="demonstration", metric_name="demonstration", value=DEMONSTRATION
        ),
    )
    failed = make.id()
    attempts = [make.call(failed, status="error", error="503", cost=None)]
    store.data.write(store.inferences.record_attempts(failed, make.id(), new_calls(attempts)).apply)
    embedding = EmbeddingRecord(id=make.id(), model_name="emb", input_count=1)
    call = make.call(embedding.id, function_name=None, variant_name=None)
    store.data.write(store.inferences.record_embedding(embedding, new_calls([call])).apply)
    store.data.write(
        store.snapshots.record(
            hash="5e" * 32, config={}, extra_templates={}, tags={}, now_ms=1000
        ).apply
    )
    example = Example(id=make.id(), input="{}", output="[]", vector=bytes(4))
    put(store, store.examples.add("write_haiku", "near", [example]))
    datapoint = make.datapoint(tags={"split": "test"})
    put(store, store.datapoints.add("gold", [datapoint], now_us=make.now_us()))
    store.inference_cache(ttl_s=10, max_bytes=10_000).put(bytes(32), b"entry", now_ms=1000)
    for _ in range(2):
        put(store, store.batches.submit(make.batch(), [make.new_item()]))
    store.data.write(store.batches.claim(items_max=1, running_max=1, now_ms=1000).apply)
    yield store
    store.close()


def environment_of(store: Store, database: str) -> Any:
    """Where a database lies."""
    return store.state if database in layout.STATE_DATABASES else store.data


def test_a_good_store_has_no_problems(full_store: Store) -> None:
    """The check says nothing about a store that is as it should be."""
    assert verify(full_store) == []


ALONE = (
    layout.SNAPSHOTS,
    layout.API_KEYS,
    layout.BUCKETS,
    layout.JUDGEMENTS,
    layout.LEASES,
    layout.PUBLISHED_METRICS,
    layout.ASSIGNMENTS,
    layout.TURNS,
    layout.STANDINGS,
    layout.BATCH_PARTS,
    layout.BATCH_STARTS,
)
"""Databases whose rows nothing else knows of, and which know of nothing else."""

NEEDED = [
    name
    for name in (*layout.DATA_DATABASES, *layout.STATE_DATABASES)
    # Bodies may expire; the others stand for themselves.
    if name
    not in (
        layout.INFERENCE_BODIES,
        layout.MODEL_INFERENCE_BODIES,
        *ALONE,
    )
]


@pytest.mark.parametrize("database", NEEDED)
def test_a_missing_key_is_found(full_store: Store, database: str) -> None:
    """Whatever is taken out of any database, the check notices."""
    environment = environment_of(full_store, database)
    with environment.read() as transaction:
        key, _ = next(transaction.range(database, reverse=True))

    environment.write(lambda transaction: transaction.delete(database, key))

    assert verify(full_store) != []


@pytest.mark.parametrize("database", [name for name in layout.DATA_DATABASES if name not in ALONE])
def test_a_leftover_key_is_found(full_store: Store, database: str) -> None:
    """Whatever is put into any database without its counterpart, the check notices."""
    with full_store.data.read() as transaction:
        key, value = next(transaction.range(database, reverse=True))
    stray = key[:-1] + bytes((key[-1] ^ 1,))

    full_store.data.write(lambda transaction: transaction.put(database, stray, value))

    assert verify(full_store) != []


@pytest.mark.parametrize(
    "database",
    [
        layout.BY_ID,
        layout.BY_FUNCTION,
        layout.BY_EPISODE,
        layout.EPISODES,
        layout.EPISODE_VARIANTS,
        layout.DEMONSTRATED,
        layout.LATEST_FEEDBACK,
        layout.FEEDBACK_BY_VARIANT,
        layout.VARIANT_COUNTS,
        layout.VARIANT_USAGE,
        layout.MODEL_USAGE_BY_MINUTE,
        layout.DATAPOINT_COUNTS,
        layout.BATCH_COUNTS,
        layout.BATCH_ITEMS_BY_INFERENCE,
        layout.CACHE_SIZE,
    ],
)
def test_a_wrong_value_is_found(full_store: Store, database: str) -> None:
    """A counter or pointer that is off is as bad as a missing one."""
    environment = environment_of(full_store, database)
    with environment.read() as transaction:
        key, value = next(transaction.range(database))
    wrong = value[:3] + bytes((value[3] ^ 1,)) + value[4:]

    environment.write(lambda transaction: transaction.put(database, key, wrong))

    (problem, *_) = verify(full_store)
    assert problem.startswith(f"{database}: ")
    assert "; wanted " in problem


def test_the_list_of_problems_is_bounded(
    full_store: Store, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store in ruins does not fill the memory with words about it."""
    monkeypatch.setattr(_check_list, "_PROBLEMS_MAX", 3)
    for _ in range(10):
        stored(full_store, make.inference())

    def delete_all(database: str) -> Callable[[Any], None]:
        def apply(transaction: Any) -> None:
            for key in [key for key, _ in transaction.range(database)]:
                transaction.delete(database, key)

        return apply

    full_store.data.write(delete_all(layout.BY_FUNCTION))

    assert len(verify(full_store)) == 3

"""Old bodies and old records leave the store, and with them everything that they counted for."""

from pathlib import Path
from random import Random

import pytest

from lsd.store import (
    Assigned,
    Experiment,
    Retention,
    Selection,
    Store,
    Verdict,
    layout,
    new_calls,
    verify,
)
from lsd.store import retention as module
from tests.unit.store.makers import HandClock, Maker, given, open_store, put, stored
from tests.unit.store.random_store import Filler
from tests.unit.store.statistics_agree import check_feedback, check_usage

DAY_S = 86_400


def swept(retention: Retention, clock: HandClock) -> int:
    """How much goes in all."""
    removed = 0
    while some := retention.sweep(now_ms=clock.milliseconds):
        removed += some
    return removed


def test_a_body_goes_before_its_record(store: Store, make: Maker, clock: HandClock) -> None:
    """By the time of the id: exactly as old is not too old."""
    old = make.inference()
    stored(store, old, make.call(old.inference_id))
    clock.advance_s(DAY_S)
    young = stored(store, make.inference())
    retention = store.retention(bodies_days=1, records_days=2)

    assert swept(retention, clock) == 0
    clock.milliseconds += 1
    assert swept(retention, clock) == 2

    first, second = store.inferences.get([old.inference_id, young.inference_id])
    assert (first.body, second.body) == (young.body, None)
    (call,) = store.inferences.model_inferences(old.inference_id)
    assert call.body is None
    assert store.inferences.count(Selection()) == 2
    clock.advance_s(DAY_S)
    swept(retention, clock)
    assert store.inferences.get([old.inference_id]) == []
    assert store.inferences.model_inferences(old.inference_id) == []


def test_nothing_is_kept_of_an_old_record(store: Store, make: Maker, clock: HandClock) -> None:
    """Not in any database, but its names, its emptied counters, and what people have judged."""
    record = make.inference(tags={"tenant": "acme", "lsd::namespace": "blue"})
    stored(store, record, make.call(record.inference_id))
    verdict = Verdict(datapoint_id=make.id(), evaluator_inference_id=make.id())
    given(store, make.feedback(record.inference_id), verdict=verdict)
    given(store, make.feedback(record.inference_id, kind="comment", metric_name="comment"))
    entry = {"kind": "demonstration", "metric_name": "demonstration", "value": "[]"}
    given(store, make.feedback(record.inference_id, **entry))
    given(store, make.feedback(record.episode_id, target_type="episode", metric_name="solved"))
    failed = make.call(make.id(), status="error", cost=None, input_tokens=None, output_tokens=None)
    write = store.inferences.record_attempts(failed.inference_id, make.id(), new_calls([failed]))
    store.data.write(write.apply)
    clock.advance_s(3 * DAY_S)

    swept(store.retention(bodies_days=None, records_days=2), clock)

    with store.data.read() as transaction:
        left = {name for name in layout.DATA_DATABASES if transaction.count(name)}
    assert left == {
        layout.NAMES,
        layout.NAMES_BY_NUMBER,
        layout.JUDGEMENTS,
        layout.VARIANT_COUNTS,
    }
    assert store.inferences.counts() == []
    body = record.body
    assert body is not None
    asked = {"metric_name": "resolved", "datapoint_id": verdict.datapoint_id}
    assert store.feedback.judgement(**asked, output=body.output) is not None


def test_an_episode_lives_as_long_as_an_inference_of_it(
    store: Store, make: Maker, clock: HandClock
) -> None:
    """What is left of it speaks for itself: here for the only variant that is still there."""
    episode = make.id()
    stored(store, make.inference(episode_id=episode, variant_name="warm"))
    given(store, make.feedback(episode, target_type="episode"))
    clock.advance_s(2 * DAY_S)
    last = stored(store, make.inference(episode_id=episode))
    assert store.feedback_statistics.by_variant("write_haiku", "resolved") == []

    swept(store.retention(bodies_days=None, records_days=1), clock)

    (found,) = store.feedback_statistics.by_variant("write_haiku", "resolved")
    assert (found.variant_name, found.moments.count) == ("terse", 1)
    row = store.episodes.get(episode)
    assert row is not None
    assert (row.count, row.first_inference_id) == (1, last.inference_id)
    clock.advance_s(2 * DAY_S)
    swept(store.retention(bodies_days=None, records_days=1), clock)
    assert store.episodes.get(episode) is None
    assert store.feedback.count(episode) == 0


@pytest.mark.parametrize("per_commit", [1, 7])
def test_what_is_left_is_what_was_never_too_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, per_commit: int
) -> None:
    """After removals by one process of what others have counted, at every step."""
    monkeypatch.setattr(module, "_REMOVED_PER_COMMIT", per_commit)
    filler = Filler(Random(1))
    for shard in range(2):
        store = open_store(tmp_path, shard=shard)
        filler.fill(store, 20)
        store.close()
    store = open_store(tmp_path)
    now_ms = filler.make.clock.milliseconds
    for days in (4, 3, 2):
        retention = store.retention(bodies_days=1, records_days=days)
        while retention.sweep(now_ms=now_ms):
            assert verify(store) == []
        filler.plain.expire(now_ms, 1, days)

        for function in ("haiku", "triage"):
            check_usage(store, filler.plain, function, now_ms)
            for metric in ("of_episode", "of_inference"):
                check_feedback(store, filler.plain, function, metric)
    assert store.inferences.count(Selection()) == len(filler.plain.inferences)
    store.close()


def test_without_an_age_nothing_goes(store: Store, make: Maker, clock: HandClock) -> None:
    """For ever is the default; and nothing is older than time."""
    stored(store, make.inference())
    clock.advance_s(1000 * DAY_S)

    assert swept(store.retention(bodies_days=None, records_days=None), clock) == 0
    assert swept(store.retention(bodies_days=10**6, records_days=10**6), clock) == 0


def test_an_episode_loses_its_variants_with_its_last_record(
    store: Store, make: Maker, clock: HandClock
) -> None:
    """Be it an inference or one that failed as a whole."""
    record, failed = make.inference(), make.id()
    experiment = Experiment(function_name="f", namespace=None)
    stored(store, record)
    attempt = make.call(make.id(), status="error", cost=None)
    put(store, store.inferences.record_attempts(attempt.inference_id, failed, new_calls([attempt])))
    for episode_id in (record.episode_id, failed):
        write = store.assignments.assign(
            experiment,
            episode_id,
            variants=("a",),
            choose=lambda _: Assigned(variant_name="a", takes_turn=True),
            learn=lambda _: None,
        )
        put(store, write)
    clock.advance_s(2 * DAY_S)

    swept(store.retention(bodies_days=None, records_days=1), clock)

    assert store.assignments.get(experiment, record.episode_id) is None
    assert store.assignments.get(experiment, failed) is None
    assert store.assignments.turn(experiment) == 2

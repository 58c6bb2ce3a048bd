"""Feedback: entries that stay, and the latest one that counts."""

import attrs
import pytest

from lsd.store import (
    AlreadyRecorded,
    FeedbackRecord,
    LatestValue,
    Store,
    UnknownTarget,
    Write,
)
from lsd.store._group_commit import commit_group
from tests.unit.store.makers import Maker, given, stored

DEMONSTRATION = '[{"type":"text","text":"Frog jumps in"}]'


def test_every_entry_stays_readable(store: Store, make: Maker) -> None:
    """Feedback is never replaced: all kinds are listed, newest first."""
    target = stored(store, make.inference()).inference_id
    entries = [
        given(store, make.feedback(target, value=False)),
        given(store, make.feedback(target, value=True)),
        given(store, make.feedback(target, kind="float", metric_name="price", value=0.5)),
        given(store, make.feedback(target, kind="comment", metric_name="comment", value="so so")),
        given(store, demonstration(make, target)),
    ]

    assert store.feedback.page(target, limit=100) == entries[::-1]
    assert store.feedback.count(target) == 5


def demonstration(make: Maker, target: str) -> FeedbackRecord:
    """The output that should have been given."""
    return make.feedback(
        target, kind="demonstration", metric_name="demonstration", value=DEMONSTRATION
    )


def test_pages_of_feedback_lie_next_to_the_cursor(store: Store, make: Maker) -> None:
    """`before` and `after` are exclusive, and the page is newest first."""
    target = stored(store, make.inference()).inference_id
    entries = [given(store, make.feedback(target)) for _ in range(5)]

    older = store.feedback.page(target, before=entries[2].id, limit=1)
    newer = store.feedback.page(target, after=entries[2].id, limit=1)

    assert (older, newer) == ([entries[1]], [entries[3]])
    assert store.feedback.page(target, limit=0) == []


def test_one_kind_can_be_listed_alone(store: Store, make: Maker) -> None:
    """The demonstrations of an inference are not crowded out by its metrics."""
    target = stored(store, make.inference()).inference_id
    wanted = given(store, demonstration(make, target))
    for _ in range(3):
        given(store, make.feedback(target))

    assert store.feedback.page(target, limit=1, kinds=("demonstration",)) == [wanted]


def test_feedback_belongs_to_its_target_alone(store: Store, make: Maker) -> None:
    """Feedback on an episode is not listed under its inferences, nor the reverse."""
    record = stored(store, make.inference())
    on_inference = given(store, make.feedback(record.inference_id))
    on_episode = given(store, make.feedback(record.episode_id, target_type="episode"))

    assert store.feedback.page(record.inference_id, limit=9) == [on_inference]
    assert store.feedback.page(record.episode_id, limit=9) == [on_episode]


def test_the_latest_entry_counts(store: Store, make: Maker) -> None:
    """A correction replaces the value that filters and statistics see."""
    target = stored(store, make.inference()).inference_id
    given(store, make.feedback(target, value=False))
    latest = given(store, make.feedback(target, value=True))
    price = given(store, make.feedback(target, kind="float", metric_name="price", value=3))
    given(store, make.feedback(target, kind="comment", metric_name="comment", value=""))

    resolved = store.feedback.latest(target, "resolved")
    by_metric = store.feedback.latest_by_metric(target)

    assert resolved == LatestValue(feedback_id=latest.id, value=True)
    assert by_metric == {
        "resolved": resolved,
        "price": LatestValue(feedback_id=price.id, value=3.0),
    }
    assert store.feedback.latest(target, "unknown") is None
    assert store.feedback.latest(make.id(), "resolved") is None


def test_the_latest_goes_by_id_and_not_by_commit(store: Store, make: Maker) -> None:
    """Two processes may commit in another order than the one in which ids were issued."""
    target = stored(store, make.inference()).inference_id
    first, second = make.feedback(target, value=False), make.feedback(target, value=True)
    demonstrated = [demonstration(make, target) for _ in range(2)]

    for record in (second, first, *reversed(demonstrated)):
        given(store, record)

    latest = store.feedback.latest(target, "resolved")
    assert latest == LatestValue(feedback_id=second.id, value=True)
    assert store.feedback.latest_demonstration(target) == demonstrated[1]


def test_an_inference_without_demonstration_has_none(store: Store, make: Maker) -> None:
    """No demonstration is an answer, for known inferences and for others."""
    target = stored(store, make.inference()).inference_id

    assert store.feedback.latest_demonstration(target) is None
    assert store.feedback.latest_demonstration(make.id()) is None


@pytest.mark.parametrize("target_type", ["inference", "episode"])
def test_an_unknown_target_is_refused(store: Store, make: Maker, target_type: str) -> None:
    """Nothing of a refused entry is stored, and the refusal names the target."""
    record = make.feedback(make.id(), target_type=target_type)

    with pytest.raises(UnknownTarget) as refused:
        given(store, record)

    assert (refused.value.target_type, refused.value.target_id) == (target_type, record.target_id)
    assert store.feedback.count(record.target_id) == 0


def test_an_id_of_the_other_level_is_no_target(store: Store, make: Maker) -> None:
    """An inference id sent as an episode's is unknown, and the reverse."""
    record = stored(store, make.inference())

    for target, target_type in (
        (record.inference_id, "episode"),
        (record.episode_id, "inference"),
    ):
        with pytest.raises(UnknownTarget):
            given(store, make.feedback(target, target_type=target_type))


def test_feedback_sees_the_inference_of_its_own_commit(store: Store, make: Maker) -> None:
    """An answer and the feedback on it may be stored in one transaction."""
    record = make.inference()
    writes: list[Write] = [
        store.inferences.record(record),
        store.feedback.record(make.feedback(record.inference_id)),
    ]

    assert commit_group(store.data, writes) == [None, None]


def test_without_validation_any_target_will_do(store: Store, make: Maker) -> None:
    """Entries on unknown targets can be kept, but never demonstrations of nothing."""
    target = make.id()
    entry = given(store, make.feedback(target), must_exist=False)

    with pytest.raises(UnknownTarget):
        given(store, demonstration(make, target), must_exist=False)

    assert store.feedback.page(target, limit=9) == [entry]
    assert store.feedback.latest(target, "resolved") is not None


def test_an_entry_is_recorded_once(store: Store, make: Maker) -> None:
    """The second entry with an id is refused."""
    target = stored(store, make.inference()).inference_id
    entry = given(store, make.feedback(target, value=True))

    with pytest.raises(AlreadyRecorded):
        given(store, attrs.evolve(entry, value=False))

    assert store.feedback.page(target, limit=9) == [entry]

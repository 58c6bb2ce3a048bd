"""Statistics of feedback: what is summed up as things happen is what adding everything up gives."""

from pathlib import Path
from random import Random

import pytest

from lsd.store import Store, verify
from tests.unit.store.makers import Maker, given, open_store, stored
from tests.unit.store.random_store import Filler
from tests.unit.store.statistics_agree import check_feedback


@pytest.mark.parametrize("seed", range(3))
def test_statistics_are_those_of_the_records(tmp_path: Path, seed: int) -> None:
    """Also when several processes have counted, one after the other."""
    filler = Filler(Random(seed))
    for shard in range(3):
        store = open_store(tmp_path, shard=shard)
        filler.fill(store, 25)
        store.close()
    store = open_store(tmp_path)

    for function in ("haiku", "triage", "unknown"):
        for metric in ("of_episode", "of_inference", "unknown"):
            check_feedback(store, filler.plain, function, metric)

    assert verify(store) == []
    store.close()


def test_feedback_may_come_before_what_it_is_about(store: Store, make: Maker) -> None:
    """Where nobody checks targets: it counts as soon as there is a variant to count for."""
    inference, episode = make.id(), make.id()
    given(store, make.feedback(inference), must_exist=False)
    given(store, make.feedback(episode, target_type="episode"), must_exist=False)
    assert store.feedback_statistics.by_variant("write_haiku", "resolved") == []

    stored(store, make.inference(inference_id=inference, episode_id=episode))

    (found,) = store.feedback_statistics.by_variant("write_haiku", "resolved")
    assert (found.variant_name, found.moments.count) == ("terse", 2)


def test_demonstrated_inferences_are_counted(store: Store, make: Maker) -> None:
    """Each once, however many demonstrations it has."""
    first, _ = (stored(store, make.inference()).inference_id for _ in range(2))
    for _ in range(3):
        entry = make.feedback(first, kind="demonstration", metric_name="demonstration", value="[]")
        given(store, entry)

    assert store.feedback_statistics.count_demonstrated("write_haiku") == 1
    assert store.feedback_statistics.count_demonstrated("unknown") == 0
    (count,) = store.feedback_statistics.metric_counts("write_haiku")
    assert (count.metric_name, count.entries) == ("demonstration", 3)

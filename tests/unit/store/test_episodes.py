"""Episodes: pages by their ids, of a function, with such an inference."""

import pytest

from lsd.store import EpisodeBounds, MetricIs, Store, TagIs
from lsd.store import episodes as module
from tests.unit.store.makers import Maker, given, stored


@pytest.fixture
def episodes(store: Store, make: Maker) -> list[str]:
    """Seven, every third of another function, every second with a tag."""
    ids = [make.id() for _ in range(7)]
    for number, episode in enumerate(ids):
        record = make.inference(
            episode_id=episode,
            function_name="triage" if number % 3 == 0 else "haiku",
            tags={"tenant": "acme"} if number % 2 == 0 else {},
        )
        stored(store, record)
    return ids


def test_bounds_are_of_ids(store: Store, make: Maker) -> None:
    """However many inferences there are."""
    assert store.episodes.bounds() == EpisodeBounds(first_id=None, last_id=None, count=0)
    first = make.id()
    for episode in (make.id(), first, first):
        stored(store, make.inference(episode_id=episode))

    bounds = store.episodes.bounds()

    assert bounds.count == 2
    assert bounds.first_id == first


@pytest.mark.parametrize("per_read", [500, 2])
def test_a_page_lies_next_to_its_cursor(
    store: Store, episodes: list[str], monkeypatch: pytest.MonkeyPatch, per_read: int
) -> None:
    """In however many reads it is found."""
    monkeypatch.setattr(module, "_EPISODES_PER_READ", per_read)

    def ids(**asked: object) -> list[int]:
        page = store.episodes.page(**{"limit": 3, **asked})  # type: ignore[arg-type]
        return [episodes.index(each.episode_id) for each in page]

    assert ids() == [6, 5, 4]
    assert ids(before=episodes[2]) == [1, 0]
    assert ids(after=episodes[2]) == [5, 4, 3]
    assert ids(function_name="haiku") == [5, 4, 2]
    assert ids(function_name="haiku", after=episodes[1]) == [5, 4, 2]
    acme = TagIs(key="tenant", value="acme")
    assert ids(filter=acme, limit=9) == [6, 4, 2, 0]
    assert ids(filter=acme, function_name="triage", limit=9) == [6, 0]
    assert ids(function_name="unknown") == []


def test_feedback_on_an_episode_chooses_it(store: Store, make: Maker, episodes: list[str]) -> None:
    """By its latest value."""
    given(store, make.feedback(episodes[3], target_type="episode"))
    resolved = MetricIs(metric_name="resolved", level="episode", value=True)

    page = store.episodes.page(filter=resolved, limit=9)

    assert [each.episode_id for each in page] == [episodes[3]]

"""How adaptive experiments stand, for all processes."""

from pathlib import Path

from lsd.conversation import reread_json
from lsd.store import Store
from tests.unit.store.makers import open_store


def test_a_standing_is_read_by_all_processes(store: Store) -> None:
    """As it was put last; who puts one learns what was there before."""
    key = store.standings.key("f", None, {"delta": 0.05})

    before = store.standings.put(key, {"phase": "a"})
    again = store.standings.put(key, {"phase": "b"})

    assert (before, again) == (None, {"phase": "a"})
    found = store.standings.get(key)
    assert found is not None
    assert reread_json(found) == {"phase": "b"}


def test_each_experiment_has_a_key_of_its_own(store: Store) -> None:
    """By function, namespace and settings: old settings do not speak for new ones."""
    keys = {
        store.standings.key("f", None, {"delta": 0.05}),
        store.standings.key("f", "lab", {"delta": 0.05}),
        store.standings.key("g", None, {"delta": 0.05}),
        store.standings.key("f", None, {"delta": 0.1}),
    }

    assert len(keys) == 4
    assert all(store.standings.get(key) is None for key in keys)


def test_one_process_makes_an_update_that_is_due(store: Store) -> None:
    """The others find it claimed, until most of the period is over; a clock that steps back too."""
    key = store.standings.key("f", None, {})

    def claims(now_ms: int) -> bool:
        return store.standings.claim(key, now_ms=now_ms, period_ms=1_000)

    claimed = [claims(now_ms) for now_ms in (10_000, 10_000, 10_899, 10_900, 10_950, 5_000, 5_001)]

    assert claimed == [True, False, False, True, False, True, False]


def test_standings_survive_a_restart(tmp_path: Path) -> None:
    """They are lost only with the whole environment."""
    store = open_store(tmp_path / "store")
    key = store.standings.key("f", None, {})
    store.standings.put(key, {"phase": "a"})
    store.close()

    again = open_store(tmp_path / "store")

    assert again.standings.get(key) is not None
    again.close()

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


def test_standings_survive_a_restart(tmp_path: Path) -> None:
    """They are lost only with the whole environment."""
    store = open_store(tmp_path / "store")
    key = store.standings.key("f", None, {})
    store.standings.put(key, {"phase": "a"})
    store.close()

    again = open_store(tmp_path / "store")

    assert again.standings.get(key) is not None
    again.close()

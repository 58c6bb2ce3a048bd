"""Configuration snapshots: kept once, found by hash."""

import pytest

from lsd.store import Snapshot, Store
from tests.unit.store.makers import SNAPSHOT_HASH


def test_a_snapshot_is_kept_once_with_its_first_and_last_use(store: Store) -> None:
    """A start with a known configuration only moves its last use."""
    fields = {
        "config": {"functions": {"write_haiku": {"type": "chat"}}},
        "extra_templates": {"a.minijinja": "Hello"},
        "tags": {"stage": "test"},
    }
    for now_ms in (1000, 2000):
        store.data.write(store.snapshots.record(hash=SNAPSHOT_HASH, **fields, now_ms=now_ms).apply)

    found = store.snapshots.get(SNAPSHOT_HASH.upper())

    assert found == Snapshot(hash=SNAPSHOT_HASH, **fields, first_used_ms=1000, last_used_ms=2000)


@pytest.mark.parametrize("text", ["", "zz", "ab" * 31, "ab" * 33, "ff" * 32, "g" * 64, "é" * 64])
def test_what_is_no_known_hash_has_no_snapshot(store: Store, text: str) -> None:
    """An unknown hash and a malformed one are the same: there is nothing."""
    assert store.snapshots.get(text) is None

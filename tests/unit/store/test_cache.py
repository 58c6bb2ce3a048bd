"""The inference cache: young entries, the newest write, and a bound on the bytes."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lsd.store import InferenceCache, Store
from tests.unit.store.makers import open_store

NOW_MS = 1_770_000_000_000
KEY = sha256(b"prepared request").digest()


@pytest.fixture
def cache(store: Store) -> Iterator[InferenceCache]:
    """A cache of ten seconds and 10 000 bytes."""
    return store.inference_cache(ttl_s=10, max_bytes=10_000)


def test_an_entry_is_found_at_once(cache: InferenceCache) -> None:
    """The very next request sees what was put."""
    cache.put(KEY, b"entry", now_ms=NOW_MS)

    assert cache.get(KEY, max_age_s=None, now_ms=NOW_MS) == b"entry"
    assert cache.get(bytes(32), max_age_s=None, now_ms=NOW_MS) is None


@pytest.mark.parametrize(
    ("age_ms", "max_age_s", "is_hit"),
    [
        (0, 0, False),
        (0, 1, True),
        (999, 1, True),
        (1000, 1, False),
        (9_999, None, True),
        (10_000, None, False),
        (10_000, 3600, False),
        (-5_000, 1, True),
    ],
)
def test_only_young_entries_hit(
    cache: InferenceCache, age_ms: int, max_age_s: int | None, is_hit: bool
) -> None:
    """An entry must be younger than asked for, and than the cache's own bound."""
    cache.put(KEY, b"entry", now_ms=NOW_MS)

    found = cache.get(KEY, max_age_s=max_age_s, now_ms=NOW_MS + age_ms)

    assert (found is not None) == is_hit


def test_the_newest_write_replaces_the_old_entry(cache: InferenceCache) -> None:
    """An entry put again is new, in content and age, and counted once."""
    cache.put(KEY, b"old", now_ms=NOW_MS)
    size = cache.size_bytes()
    cache.put(KEY, b"new", now_ms=NOW_MS + 9_000)

    assert cache.get(KEY, max_age_s=None, now_ms=NOW_MS + 12_000) == b"new"
    assert cache.size_bytes() == size


def test_the_oldest_make_room(cache: InferenceCache) -> None:
    """Beyond the bound the oldest entries go, as many as must."""
    keys = [sha256(bytes((number,))).digest() for number in range(8)]
    for number, key in enumerate(keys):
        cache.put(key, bytes(2_000), now_ms=NOW_MS + number)

    found = [cache.get(key, max_age_s=None, now_ms=NOW_MS + 8) is not None for key in keys]

    assert found == [False] * 4 + [True] * 4
    assert cache.size_bytes() <= 10_000


def test_a_clock_that_steps_back_does_not_turn_the_order_round(cache: InferenceCache) -> None:
    """The oldest is what was put first, whatever the clock said then."""
    keys = [sha256(bytes((number,))).digest() for number in range(8)]
    for number, key in enumerate(keys):
        cache.put(key, bytes(2_000), now_ms=NOW_MS - 1000 * number)

    found = [cache.get(key, max_age_s=None, now_ms=NOW_MS) is not None for key in keys]

    assert found == [False] * 4 + [True] * 4


def test_an_entry_greater_than_the_cache_is_not_kept(cache: InferenceCache) -> None:
    """It would drive out everything else and still not fit."""
    cache.put(KEY, b"entry", now_ms=NOW_MS)
    cache.put(sha256(b"great").digest(), bytes(20_000), now_ms=NOW_MS)

    assert cache.get(KEY, max_age_s=None, now_ms=NOW_MS) == b"entry"


def test_a_sweep_takes_what_has_expired(cache: InferenceCache) -> None:
    """Old entries leave the disk, too, without a new one having to come."""
    for number in range(3):
        cache.put(sha256(bytes((number,))).digest(), b"entry", now_ms=NOW_MS + 1000 * number)

    removed = cache.sweep(now_ms=NOW_MS + 11_000)

    assert removed == 2
    assert cache.sweep(now_ms=NOW_MS + 30_000) == 1
    assert cache.size_bytes() == 0


def test_a_put_takes_expired_entries_along(cache: InferenceCache) -> None:
    """A busy cache stays free of old entries by itself."""
    cache.put(KEY, b"entry", now_ms=NOW_MS)
    size = cache.size_bytes()

    cache.put(sha256(b"another").digest(), b"entry", now_ms=NOW_MS + 60_000)

    assert cache.size_bytes() == size


def test_the_cache_is_shared_and_outlives_the_process(tmp_path: Path) -> None:
    """Entries of an earlier run hit, and the bytes of all processes count together."""
    folder = tmp_path / "lsd-data"
    for shard in (1, 2):
        store = open_store(folder, shard=shard)
        cache = store.inference_cache(ttl_s=10, max_bytes=10_000)
        cache.put(KEY, b"entry", now_ms=NOW_MS)
        size = cache.size_bytes()
        store.close()

    store = open_store(folder)
    cache = store.inference_cache(ttl_s=10, max_bytes=10_000)

    assert cache.get(KEY, max_age_s=None, now_ms=NOW_MS) == b"entry"
    assert cache.size_bytes() == size == 16 + 5 + 128
    store.close()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    puts=st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 3_000), st.integers(-9_000, 3_000)),
        max_size=20,
    )
)
def test_the_bound_holds_whatever_is_put(
    cache: InferenceCache, puts: list[tuple[int, int, int]]
) -> None:
    """After each put the cache is within its bytes and holds what was put last.

    That goes for a clock that steps back, too.
    """
    now_ms = NOW_MS
    for number, size, wait_ms in puts:
        now_ms += wait_ms
        key = sha256(bytes((number,))).digest()
        cache.put(key, bytes(size), now_ms=now_ms)

        assert cache.get(key, max_age_s=None, now_ms=now_ms) == bytes(size)
        assert cache.size_bytes() <= 10_000

"""What is kept of API keys."""

import attrs
import pytest

from lsd.store import ApiKey, Store

KEY = ApiKey(public_id="abcDEF012345", secret_hash="5e" * 32, created_ms=1000)


def test_a_key_is_found_by_its_public_id(store: Store) -> None:
    """With everything that was kept of it."""
    full = attrs.evolve(KEY, description="CI", expires_ms=9000)

    assert store.api_keys.add(full)

    assert store.api_keys.get("abcDEF012345") == full
    assert store.api_keys.get("unknown00000") is None


def test_a_public_id_is_given_once(store: Store) -> None:
    """The second key with it is not stored."""
    store.api_keys.add(KEY)

    assert not store.api_keys.add(attrs.evolve(KEY, description="the second"))

    assert store.api_keys.all() == [KEY]


def test_a_key_stays_disabled_since_the_first_time(store: Store) -> None:
    """Disabling it again is no mistake, and changes nothing."""
    store.api_keys.add(KEY)

    assert store.api_keys.disable(KEY.public_id, now_ms=2000)
    assert store.api_keys.disable(KEY.public_id, now_ms=3000)

    assert store.api_keys.get(KEY.public_id) == attrs.evolve(KEY, disabled_ms=2000)


def test_an_unknown_key_cannot_be_disabled(store: Store) -> None:
    """And nothing is made of it."""
    assert not store.api_keys.disable("unknown00000", now_ms=2000)

    assert store.api_keys.all() == []


def test_every_change_has_a_generation_of_its_own(store: Store) -> None:
    """What changes nothing has none."""
    keys = store.api_keys
    seen = [keys.generation()]
    keys.add(KEY)
    seen.append(keys.generation())
    keys.disable(KEY.public_id, now_ms=2000)
    seen.append(keys.generation())
    keys.add(KEY)
    keys.disable(KEY.public_id, now_ms=3000)
    keys.disable("unknown00000", now_ms=3000)
    seen.append(keys.generation())

    assert seen == [0, 1, 2, 2]


def test_the_oldest_key_comes_first(store: Store) -> None:
    """Whatever their ids."""
    younger = attrs.evolve(KEY, public_id="aaaaaaaaaaaa", created_ms=2000)
    store.api_keys.add(younger)
    store.api_keys.add(KEY)

    assert store.api_keys.all() == [KEY, younger]


@pytest.mark.parametrize(
    ("key", "is_usable"),
    [
        (KEY, True),
        (attrs.evolve(KEY, expires_ms=5001), True),
        (attrs.evolve(KEY, expires_ms=5000), False),
        (attrs.evolve(KEY, disabled_ms=1), False),
    ],
)
def test_a_key_opens_something_until_it_expires_or_is_disabled(
    key: ApiKey, is_usable: bool
) -> None:
    """At the very time at which it expires it does not."""
    assert key.is_usable(5000) == is_usable


def test_a_key_does_not_show_its_hash() -> None:
    """What is printed of it by accident is harmless."""
    assert KEY.secret_hash not in repr(KEY)

"""Whether a key may be used now."""

import attrs
import pytest

from lsd.access import Authenticator, NotAuthenticated, new_api_key
from lsd.store import ApiKey, Store
from tests.unit.store.makers import HandClock


@attrs.define(eq=False)
class Door:
    """An authenticator with keys that the test makes."""

    store: Store
    clock: HandClock
    ttl_s: float | None
    authenticator: Authenticator = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.authenticator = Authenticator(self.store.api_keys, self.clock, self.ttl_s)

    def new_key(self, *, expires_s: int | None = None) -> str:
        made = new_api_key()
        now_ms = self.clock.now_ms()
        kept = ApiKey(
            public_id=made.public_id,
            secret_hash=made.secret_hash,
            created_ms=now_ms,
            expires_ms=None if expires_s is None else now_ms + 1000 * expires_s,
        )
        assert self.store.api_keys.add(kept)
        return made.text

    def disable(self, key: str) -> None:
        assert self.store.api_keys.disable(key[7:19], now_ms=self.clock.now_ms())

    def ask(self, key: str) -> str:
        return self.authenticator.public_id(f"Bearer {key}")

    def refusal(self, authorization: str | None, x_api_key: str | None = None) -> str:
        with pytest.raises(NotAuthenticated) as caught:
            self.authenticator.public_id(authorization, x_api_key)
        return str(caught.value)


@pytest.fixture(params=[None, 1.0], ids=["always reads", "remembers"])
def door(store: Store, clock: HandClock, request: pytest.FixtureRequest) -> Door:
    """With and without a memory there is no difference to be seen."""
    return Door(store, clock, request.param)


def test_a_good_key_is_known_by_its_public_id(door: Door) -> None:
    """The first time, and the next."""
    key = door.new_key()

    assert [door.ask(key), door.ask(key)] == [key[7:19]] * 2


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_may_be_written_in_any_case(door: Door, scheme: str) -> None:
    """As HTTP says of all schemes."""
    key = door.new_key()

    assert door.authenticator.public_id(f"{scheme} {key}") == key[7:19]


def test_each_way_to_show_no_good_key_is_told_apart(door: Door, clock: HandClock) -> None:
    """Case 38: eight texts; after the lookup an unknown id and a wrong secret are one."""
    key, short_lived, disabled = door.new_key(), door.new_key(expires_s=1), door.new_key()
    door.disable(disabled)
    clock.advance_s(2)

    told = [
        door.refusal(None),
        door.refusal("Bearer schlüssel"),
        door.refusal("Basic x"),
        door.refusal("Bearer sk-lsd-three"),
        door.refusal(f"Bearer sk-xyz{key[6:]}"),
        door.refusal(f"Bearer {key[:15]}{key[19:]}"),
        door.refusal(f"Bearer {key[:-1]}!"),
        door.refusal(f"Bearer {short_lived}"),
        door.refusal(f"Bearer {disabled}"),
        door.refusal(f"Bearer {key[:20]}{'0' * 48}"),
    ]

    assert len(set(told)) == len(told)
    assert all(text.startswith("LSD authentication error: ") for text in told)
    assert not any(part in text for text in told for part in (key[20:], key[7:19]))
    assert told[-1] == door.refusal(f"Bearer sk-lsd-{'0' * 12}-{key[20:]}")
    assert told[-2].endswith("disabled at 2026-02-02T02:40:00.000Z")
    assert told[-3].endswith("expired at 2026-02-02T02:40:01.000Z")


def test_the_right_id_with_a_wrong_secret_never_passes(door: Door) -> None:
    """Also right after the right secret has passed."""
    key = door.new_key()
    door.ask(key)

    assert door.refusal(f"Bearer {key[:-1]}{'a' if key[-1] != 'a' else 'b'}").endswith("not exist")


def test_a_disabled_key_opens_nothing_from_the_next_request_on(door: Door) -> None:
    """Case 34: whatever is remembered."""
    key, other = door.new_key(), door.new_key()
    door.ask(key)

    door.disable(key)

    assert "disabled at" in door.refusal(f"Bearer {key}")
    assert door.ask(other) == other[7:19]


def test_a_key_expires_at_its_time(door: Door, clock: HandClock) -> None:
    """Case 40: between two requests, and sooner than the memory would have it."""
    key = door.new_key(expires_s=10)
    clock.advance_s(9.9)
    door.ask(key)

    clock.advance_s(0.1)

    assert "expired at" in door.refusal(f"Bearer {key}")


def test_the_first_header_that_holds_a_key_counts(door: Door) -> None:
    """Clients of some providers send a foreign token in the other one."""
    key, other = door.new_key(), door.new_key()
    ask = door.authenticator.public_id

    assert ask("Bearer eyJhbGciOi", key) == key[7:19]
    assert ask(f"Bearer {key}", "sk-ant-foreign") == key[7:19]
    assert ask(None, key) == key[7:19]
    assert ask(f"Bearer {key}", other) == key[7:19]
    assert "x-api-key" in door.refusal("Bearer foreign", "sk-ant-foreign")
    assert "does not exist" in door.refusal(f"Bearer {key[:20]}{'0' * 48}", key)


def test_what_is_remembered_is_read_anew_in_time(store: Store, clock: HandClock) -> None:
    """Even if nobody has changed a key in the meantime."""
    door = Door(store, clock, 1.0)
    key = door.new_key()
    door.ask(key)
    reads: list[str] = []
    keys = store.api_keys

    class Counted:
        generation = staticmethod(keys.generation)

        @staticmethod
        def get(public_id: str) -> ApiKey | None:
            reads.append(public_id)
            return keys.get(public_id)

    door.authenticator._keys = Counted()  # type: ignore[assignment]

    door.ask(key)
    clock.advance_s(1)
    door.ask(key)
    door.ask(key)

    assert reads == [key[7:19]]

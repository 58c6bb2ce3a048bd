"""API keys: what is kept of each to know it again, which is never the key itself."""

from typing import Final

import attrs

from lsd.conversation import encode_json, reread_json
from lsd.store.engine import Environment
from lsd.store.layout import API_KEYS, META, UNSIGNED
from lsd.store.transaction import Transaction

_GENERATION: Final = b"api_keys"
"""In `meta`: goes up with every change of any key."""


@attrs.frozen(kw_only=True)
class ApiKey:
    """One key. Times are milliseconds since 1970; `secret_hash` is SHA-256 in hex."""

    public_id: str
    secret_hash: str = attrs.field(repr=False)
    description: str | None = None
    created_ms: int
    expires_ms: int | None = None
    disabled_ms: int | None = None

    def is_usable(self, now_ms: int) -> bool:
        """Whether the key opens anything."""
        is_over = self.expires_ms is not None and self.expires_ms <= now_ms
        return self.disabled_ms is None and not is_over


@attrs.define(eq=False)
class ApiKeys:
    """The keys of a store. Changes are seen by every process with their commit."""

    _data: Environment

    def add(self, key: ApiKey) -> bool:
        """Stores a new key; False if there is one with its public id. In a thread.

        Raises StoreFull and StoreFailed.
        """

        def apply(transaction: Transaction) -> bool:
            is_new = transaction.add(API_KEYS, key.public_id.encode(), _encoded(key))
            if is_new:
                _count_change(transaction)
            return is_new

        return self._data.write(apply)

    def disable(self, public_id: str, *, now_ms: int) -> bool:
        """Disables a key; False if there is none. The first time counts. In a thread.

        Raises StoreFull and StoreFailed.
        """

        def apply(transaction: Transaction) -> bool:
            known = _read(transaction, public_id)
            if known is not None and known.disabled_ms is None:
                changed = attrs.evolve(known, disabled_ms=now_ms)
                transaction.put(API_KEYS, public_id.encode(), _encoded(changed))
                _count_change(transaction)
            return known is not None

        return self._data.write(apply)

    def get(self, public_id: str) -> ApiKey | None:
        """The key with this id, which is 1 to 511 bytes. A get. Raises StoreFailed."""
        with self._data.read() as transaction:
            return _read(transaction, public_id)

    def generation(self) -> int:
        """A number that is another one after every change of any key. A get."""
        with self._data.read() as transaction:
            return _generation(transaction)

    def all(self) -> list[ApiKey]:
        """Every key, the oldest first."""
        with self._data.read() as transaction:
            found = [_decoded(key, value) for key, value in transaction.range(API_KEYS)]
        return sorted(found, key=lambda each: (each.created_ms, each.public_id))


def _read(transaction: Transaction, public_id: str) -> ApiKey | None:
    key = public_id.encode()
    value = transaction.get(API_KEYS, key)
    return None if value is None else _decoded(key, value)


def _encoded(key: ApiKey) -> bytes:
    fields = attrs.asdict(key)
    del fields["public_id"]
    return encode_json(fields)


def _decoded(key: bytes, value: bytes) -> ApiKey:
    return ApiKey(public_id=key.decode(), **reread_json(value))


def _generation(transaction: Transaction) -> int:
    number = transaction.get(META, _GENERATION)
    return 0 if number is None else int(UNSIGNED.unpack(number)[0])


def _count_change(transaction: Transaction) -> None:
    transaction.put(META, _GENERATION, UNSIGNED.pack(_generation(transaction) + 1))

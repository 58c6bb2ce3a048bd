"""Interned names: a short number in keys for the name of a function, a model, a metric."""

from functools import partial
from hashlib import blake2b
from typing import Final

import attrs

from lsd.store.layout import NAMES, NAMES_BY_NUMBER, end_of
from lsd.store.transaction import Transaction

FUNCTION: Final = b"f"
VARIANT: Final = b"v"
METRIC: Final = b"m"
NAMESPACE: Final = b"n"
MODEL: Final = b"M"
PROVIDER: Final = b"P"
DATASET: Final = b"d"

VARIANT_OF_FUNCTION: Final = FUNCTION + VARIANT
PROVIDER_OF_MODEL: Final = MODEL + PROVIDER
"""Kinds of pairs."""

_NAME_BYTES_MAX = 200
"""Longer names stand in the key as a hash: keys of the engine end at 511 bytes, and the names of
models called without configuration are whatever a client sends."""

_KNOWN_MAX = 65_536
"""Names held in memory, some 10 MB. Beyond, they are forgotten, and read again when needed."""


@attrs.define(eq=False)
class Names:
    """Both directions between (kind, name) and number. A number is never changed or reused."""

    _numbers: dict[tuple[bytes, str], bytes] = attrs.field(factory=dict, init=False)
    _names: dict[bytes, str] = attrs.field(factory=dict, init=False)
    _pairs: dict[tuple[bytes, str, str], bytes] = attrs.field(factory=dict, init=False)

    def number(self, transaction: Transaction, kind: bytes, name: str) -> bytes:
        """The number of `name`; inside a write, a new name gets one."""
        known = self._numbers.get((kind, name))
        if known is not None:
            return known
        key = _key(kind, name)
        number = transaction.get(NAMES, key)
        if number is None:
            number = _next_number(transaction, kind)
            transaction.put(NAMES, key, number)
            transaction.put(NAMES_BY_NUMBER, kind + number, name.encode())
        # Not known before the commit: a number from a transaction taken back goes to another name.
        transaction.after_commit(partial(self._learn, kind, name, number))
        return number

    def pair(self, transaction: Transaction, kinds: bytes, first: str, second: str) -> bytes:
        """The numbers of two names that go together, of both `kinds`; in a write, as `number`."""
        known = self._pairs.get((kinds, first, second))
        if known is not None:
            return known
        pair = self.number(transaction, kinds[:1], first)
        pair += self.number(transaction, kinds[1:], second)
        transaction.after_commit(partial(self._learn_pair, kinds, first, second, pair))
        return pair

    def find(self, transaction: Transaction, kind: bytes, name: str) -> bytes | None:
        """The number of `name`, if it has one. For reads."""
        known = self._numbers.get((kind, name))
        if known is not None:
            return known
        number = transaction.get(NAMES, _key(kind, name))
        if number is not None:
            self._learn(kind, name, number)
        return number

    def name(self, transaction: Transaction, kind: bytes, number: bytes) -> str:
        """The name behind a number that stands in a key. For reads."""
        known = self._names.get(kind + number)
        if known is not None:
            return known
        found = transaction.get(NAMES_BY_NUMBER, kind + number)
        assert found is not None, "a key holds a number that no name has"
        self._learn(kind, found.decode(), number)
        return found.decode()

    def _learn_pair(self, kinds: bytes, first: str, second: str, pair: bytes) -> None:
        if len(self._pairs) >= _KNOWN_MAX:
            self._pairs.clear()
        self._pairs[kinds, first, second] = pair

    def _learn(self, kind: bytes, name: str, number: bytes) -> None:
        if len(self._numbers) >= _KNOWN_MAX:
            self._numbers.clear()
            self._names.clear()
        self._numbers[kind, name] = number
        self._names[kind + number] = name


def _key(kind: bytes, name: str) -> bytes:
    encoded = name.encode()
    if len(encoded) <= _NAME_BYTES_MAX:
        return kind + encoded
    # No UTF-8 text holds the byte 0xff, so no short name can look like a hash.
    return kind + b"\xff" + blake2b(encoded, digest_size=32).digest()


def _next_number(transaction: Transaction, kind: bytes) -> bytes:
    last = transaction.range(NAMES_BY_NUMBER, kind, end_of(kind), reverse=True, limit=1)
    highest = max((int.from_bytes(key[1:], "big") for key, _ in last), default=0)
    return (highest + 1).to_bytes(4, "big")

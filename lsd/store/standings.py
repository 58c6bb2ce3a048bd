"""How adaptive experiments stand, for all processes: worked out by one of them, read by the others.

They follow from what is in `data`, so they are cheap to lose.
"""

import attrs

from lsd.conversation import JsonValue, encode_json, reread_json
from lsd.store.engine import Environment
from lsd.store.layout import STANDINGS, hash_key
from lsd.store.transaction import Transaction


@attrs.define(eq=False)
class Standings:
    """The standings of a store, under keys made of whatever they depend on."""

    _state: Environment

    @staticmethod
    def key(function_name: str, namespace: str | None, settings: JsonValue) -> bytes:
        """The key of an experiment with these settings."""
        parts = (function_name.encode(), (namespace or "").encode(), encode_json(settings))
        return hash_key(*parts)

    def get(self, key: bytes) -> bytes | None:
        """The standing, as it was put. A get."""
        with self._state.read() as transaction:
            return transaction.get(STANDINGS, key)

    def put(self, key: bytes, standing: JsonValue) -> JsonValue:
        """Stores a standing, and gives back the one before it. Waits: in a thread."""

        def apply(transaction: Transaction) -> JsonValue:
            before = transaction.get(STANDINGS, key)
            transaction.put(STANDINGS, key, encode_json(standing))
            return None if before is None else reread_json(before)

        return self._state.write(apply)

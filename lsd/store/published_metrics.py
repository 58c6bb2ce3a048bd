"""What each process has counted, so that any of them can show the sums."""

import attrs

from lsd.store.engine import Environment
from lsd.store.layout import PUBLISHED_METRICS, SHARD
from lsd.store.transaction import Transaction


@attrs.define(eq=False)
class PublishedMetrics:
    """One row of bytes for each process. Rows of the dead stay: what was counted was counted."""

    _state: Environment
    _shard: int

    def put(self, row: bytes) -> None:
        """Publishes what this process has counted. Waits for other writers: in a thread."""
        key = SHARD.pack(self._shard)
        self._state.write(lambda transaction: transaction.put(PUBLISHED_METRICS, key, row))

    def own(self) -> bytes | None:
        """What the process before this one, of the same number, has published at last."""
        with self._state.read() as transaction:
            return transaction.get(PUBLISHED_METRICS, SHARD.pack(self._shard))

    def others(self) -> dict[int, bytes]:
        """The rows of all other processes, by their numbers."""
        with self._state.read() as transaction:
            rows = {SHARD.unpack(key)[0]: row for key, row in transaction.range(PUBLISHED_METRICS)}
        rows.pop(self._shard, None)
        return rows

    def clear(self) -> None:
        """Removes all rows: for the start of a server, which counts from 0."""
        keys = [SHARD.pack(shard) for shard in (*self.others(), self._shard)]

        def apply(transaction: Transaction) -> None:
            for key in keys:
                transaction.delete(PUBLISHED_METRICS, key)

        self._state.write(apply)

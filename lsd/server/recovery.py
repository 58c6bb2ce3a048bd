"""Batch items that a dead process has left behind."""

from lsd.api import status_of
from lsd.batches import CredentialsLost
from lsd.store import ItemError, Store
from lsd.telemetry import Clock


def recover_batches(store: Store, crash_limit: int, clock: Clock, shard: int | None = None) -> None:
    """Makes good for a process that has died in the middle of batch items; None: for all.

    Blocks. Raises StoreFull and StoreFailed.
    """
    lost = CredentialsLost()
    write = store.batches.recover(
        shard,
        crash_limit=crash_limit,
        now_ms=clock.now_ms(),
        on_crash_limit=ItemError(
            status=500, message=f"daemon died {crash_limit} times while running this item"
        ),
        on_credentials_lost=ItemError(status=status_of(lost), message=str(lost)),
    )
    starts = store.batch_starts.recover(shard)
    store.data.write(write.apply)
    store.data.write(starts.apply)

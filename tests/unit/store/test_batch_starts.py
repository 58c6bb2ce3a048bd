"""Batches on their way to providers."""

from lsd.store import BatchStarts, Store
from tests.unit.store.makers import Maker, put


def test_a_start_is_left_when_its_process_has_died(store: Store, make: Maker) -> None:
    """Those of others go on."""
    mine, theirs = make.id(), make.id()
    other = BatchStarts(data=store.data, shard=1)
    put(store, store.batch_starts.begin(mine, 5, ("a", "b")))
    put(store, other.begin(theirs, 6, ("c",)))
    assert store.batch_starts.left() == []

    put(store, store.batch_starts.recover(1))

    ((batch_id, start),) = store.batch_starts.left()
    assert (batch_id, start.created_ms, start.models) == (theirs, 6, ("c",))
    put(store, store.batch_starts.recover(None))
    assert [batch_id for batch_id, _ in store.batch_starts.left()] == [mine, theirs]


def test_a_start_ends_once(store: Store, make: Maker) -> None:
    """One that is left after its end is not there again."""
    batch_id = make.id()
    put(store, store.batch_starts.begin(batch_id, 5, ("a",)))
    put(store, store.batch_starts.end(batch_id))

    put(store, store.batch_starts.leave(batch_id))

    assert store.batch_starts.left() == []

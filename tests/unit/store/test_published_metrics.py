"""Rows of counts, one for each process."""

from lsd.store import PublishedMetrics, Store


def test_each_process_reads_the_rows_of_the_others(store: Store) -> None:
    """And its own, which the one before it has left."""
    first, second = (PublishedMetrics(state=store.state, shard=shard) for shard in (1, 2))
    first.put(b"one")
    second.put(b"old")
    second.put(b"two")

    assert (first.own(), first.others()) == (b"one", {2: b"two"})
    assert (second.own(), second.others()) == (b"two", {1: b"one"})


def test_a_server_begins_without_rows(store: Store) -> None:
    """It counts from 0."""
    first = PublishedMetrics(state=store.state, shard=1)
    first.put(b"one")

    store.published_metrics().clear()

    assert (first.own(), first.others()) == (None, {})

"""The counts of several workers as one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from lsd.server.metrics_exchange import MetricsExchange
from lsd.store import PublishedMetrics, Store, WorkerTable
from lsd.telemetry import Metrics, StoreReadings
from tests.unit.store.makers import open_store

WAITING = StoreReadings(rows_waiting=3, rows_dropped=1, write_errors=0, bytes_by_environment={})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    opened = open_store(tmp_path / "lsd-data")
    yield opened
    opened.close()


@pytest.fixture
def table(store: Store) -> WorkerTable:
    """Two workers."""
    return WorkerTable.create(store.state.path, 2)


def worker(store: Store, table: WorkerTable, number: int) -> tuple[Metrics, MetricsExchange]:
    """A worker that has just begun."""
    metrics = Metrics(())
    metrics.watch_store(lambda: WAITING)
    table.enter(number)
    published = PublishedMetrics(state=store.state, shard=number)
    exchange = MetricsExchange(metrics, published, table)
    exchange.begin()
    return metrics, exchange


async def published(exchange: MetricsExchange) -> None:
    """Lets a worker publish, as at its end."""
    async with trio.open_nursery() as nursery:
        await nursery.start(exchange.run)
        nursery.cancel_scope.cancel()


def shown(metrics: Metrics) -> dict[str, float]:
    """The values by their series."""
    lines = metrics.text().decode().splitlines()
    return {line.split()[0]: float(line.split()[1]) for line in lines if not line.startswith("#")}


async def test_a_worker_shows_what_another_has_published(store: Store, table: WorkerTable) -> None:
    """Beside what it has counted itself."""
    (first, _), (second, exchange) = worker(store, table, 1), worker(store, table, 2)
    first.count_feedback("m")
    second.count_feedback("m")
    await published(exchange)

    found = shown(first)

    assert found['lsd_requests_total{endpoint="feedback",metric_name="m"}'] == 2
    assert found["lsd_write_queue_rows"] == 6
    assert found["lsd_workers"] == 2


async def test_what_the_dead_have_counted_stays(store: Store, table: WorkerTable) -> None:
    """In the sums at once, and in the counts of the successor; nothing waits in a dead one."""
    (first, _), (second, exchange) = worker(store, table, 1), worker(store, table, 2)
    second.count_feedback("m")
    await published(exchange)
    table.strike_out(2)
    without = shown(first)
    successor, exchange = worker(store, table, 2)
    successor.count_feedback("m")
    await published(exchange)

    series = 'lsd_requests_total{endpoint="feedback",metric_name="m"}'
    assert (without[series], without["lsd_write_queue_rows"], without["lsd_workers"]) == (1, 3, 1)
    assert shown(first)[series] == 2
    assert shown(successor)["lsd_write_queue_dropped_total"] == 2


async def test_a_worker_without_its_main_process_is_silent(
    store: Store, table: WorkerTable
) -> None:
    """The counts of the next server are not its own."""
    (first, _), (second, exchange) = worker(store, table, 1), worker(store, table, 2)
    second.count_feedback("m")
    exchange.fall_silent()
    await published(exchange)

    assert 'lsd_requests_total{endpoint="feedback",metric_name="m"}' not in shown(first)

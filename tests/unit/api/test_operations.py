"""How the daemon is: told to anybody, whatever its state."""

import threading
from collections.abc import Callable

import pytest

from lsd import __version__
from lsd.api import InFlight, Operations
from lsd.store import StoreFailed
from lsd.telemetry import Metrics
from tests.unit.api.endpoints import quart_of
from tests.unit.api.in_memory import Exchange, ask

HASH = "c0" * 32


def well() -> None:
    """A store that can be used."""


def ill() -> None:
    """A store that cannot."""
    raise StoreFailed("/data", "input/output error")


def operations(check: Callable[[], None] | None = well) -> Operations:
    """The operations of a daemon whose store is checked so."""
    return Operations(HASH, Metrics((0.001,)), check, InFlight())


async def got(shown: Operations, path: str) -> Exchange:
    """The answer to a GET."""
    return await ask(quart_of(*shown.endpoints()), "GET", path)


@pytest.mark.parametrize("check", [well, ill, None])
async def test_the_status_tells_what_runs_and_touches_nothing(
    check: Callable[[], None] | None,
) -> None:
    """4.13, 23: version and configuration are there with a broken store, too."""
    asked = await got(operations(check), "/status")

    assert asked.status == 200
    assert asked.json() == {"status": "ok", "version": __version__, "config_hash": HASH}


@pytest.mark.parametrize(
    ("check", "draining", "status", "shown"),
    [
        (well, False, 200, {"gateway": "ok", "store": "ok"}),
        (ill, False, 503, {"gateway": "ok", "store": "error"}),
        (None, False, 200, {"gateway": "ok", "store": "disabled"}),
        (well, True, 503, {"gateway": "draining", "store": "ok"}),
        (ill, True, 503, {"gateway": "draining", "store": "error"}),
        (None, True, 503, {"gateway": "draining", "store": "disabled"}),
    ],
)
async def test_health_is_whether_requests_are_welcome(
    check: Callable[[], None] | None, draining: bool, status: int, shown: dict[str, str]
) -> None:
    """4.13, 23: a load balancer sends requests as long as it gets 200."""
    in_flight = InFlight()
    in_flight.is_draining = draining
    looked_at = Operations(HASH, Metrics(()), check, in_flight)

    asked = await got(looked_at, "/health")

    assert (asked.status, asked.json()) == (status, shown)


async def test_the_store_is_checked_beside_the_event_loop() -> None:
    """A hanging disk does not hold up the daemon."""
    threads: list[threading.Thread] = []

    await got(operations(lambda: threads.append(threading.current_thread())), "/health")

    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


async def test_metrics_are_in_the_text_format() -> None:
    """As Prometheus reads it."""
    metrics = Metrics(())
    metrics.count_inference("write_haiku", None)

    asked = await got(Operations(HASH, metrics, None, InFlight()), "/metrics")

    assert asked.status == 200
    assert asked.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    line = 'lsd_requests_total{endpoint="inference",function_name="write_haiku"} 1.0'
    assert line in asked.body.decode().splitlines()


@pytest.mark.parametrize("path", ["/status", "/health", "/metrics"])
async def test_all_of_them_can_be_asked_for_their_heads(path: str) -> None:
    """For whoever only wants the status."""
    app = quart_of(*operations().endpoints())

    head = await ask(app, "HEAD", path)

    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-type"] == (await ask(app, "GET", path)).headers["content-type"]


async def test_looking_leaves_no_trace() -> None:
    """However often it is asked, nothing is counted."""
    app = quart_of(*operations().endpoints())
    first = (await ask(app, "GET", "/metrics")).body

    for path in ("/status", "/health", "/metrics"):
        await ask(app, "GET", path)

    assert (await ask(app, "GET", "/metrics")).body == first

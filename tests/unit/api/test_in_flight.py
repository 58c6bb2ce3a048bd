"""The requests that are being served: counted by route, and cut off together."""

import trio
from trio.testing import wait_all_tasks_blocked

from lsd.api import InFlight


async def test_requests_are_counted_by_route(nursery: trio.Nursery) -> None:
    """The counts are those of the moment."""
    in_flight = InFlight()
    may_end = trio.Event()

    async def serve(route: str) -> None:
        with trio.CancelScope() as scope:
            in_flight.begin(scope, route)
            await may_end.wait()
            in_flight.end(scope)

    for route in ("POST /inference", "GET /status", "POST /inference"):
        nursery.start_soon(serve, route)
    await wait_all_tasks_blocked()
    begun = in_flight.by_route()
    may_end.set()
    await wait_all_tasks_blocked()

    assert begun == {"POST /inference": 2, "GET /status": 1}
    assert in_flight.by_route() == {}
    assert not in_flight.is_stopping


async def test_all_requests_are_cut_off_at_once() -> None:
    """Those that are running end where they are; those that come later do not begin."""
    in_flight = InFlight()
    reached: list[str] = []

    async def serve(name: str) -> None:
        with trio.CancelScope() as scope:
            in_flight.begin(scope, name)
            reached.append(name)
            await trio.sleep_forever()
        assert scope.cancelled_caught
        in_flight.end(scope)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, "first")
        nursery.start_soon(serve, "second")
        await wait_all_tasks_blocked()
        in_flight.cut_off()
    await serve("late")

    assert in_flight.is_stopping
    assert sorted(reached) == ["first", "late", "second"]
    assert in_flight.by_route() == {}

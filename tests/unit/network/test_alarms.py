"""One timer for the deadlines of many sleepers."""

from math import inf

import attrs
import pytest
import trio
from trio.testing import MockClock

from lsd.network._alarms import STALE_MAX, Alarms


@attrs.define(eq=False)
class Sleeper:
    """Notes when it was late."""

    deadline: float = inf
    alarm_at: float = inf
    late_at: list[float] = attrs.Factory(list)

    def be_late(self) -> None:
        self.late_at.append(trio.current_time())

    def keep(self, alarms: Alarms, deadline: float) -> None:
        """As sockets do."""
        self.deadline = deadline
        if deadline < self.alarm_at:
            alarms.set(self)


@pytest.fixture
async def alarms(nursery: trio.Nursery) -> Alarms:
    """Working alarms."""
    made = Alarms()
    nursery.start_soon(made.run)
    return made


async def test_everybody_is_late_at_the_own_deadline(
    alarms: Alarms, autojump_clock: MockClock
) -> None:
    """In whatever order the deadlines were set; those without one sleep on."""
    sleepers = {deadline: Sleeper() for deadline in (3.0, 1.0, 2.0, inf)}
    for deadline, sleeper in sleepers.items():
        sleeper.keep(alarms, deadline)

    await trio.sleep(5)

    told = {deadline: sleeper.late_at for deadline, sleeper in sleepers.items()}
    assert told == {1.0: [1.0], 2.0: [2.0], 3.0: [3.0], inf: []}


async def test_a_deadline_may_move_on_and_back(alarms: Alarms, autojump_clock: MockClock) -> None:
    """The last one counts, before and after its alarm has gone off."""
    sleeper = Sleeper()
    for deadline in (2.0, 7.0, 4.0, 6.0):
        sleeper.keep(alarms, deadline)
    await trio.sleep(3)
    sleeper.keep(alarms, 3.5)
    await trio.sleep(1)
    assert sleeper.late_at == [3.5]

    sleeper.keep(alarms, 9.0)
    await trio.sleep(4)
    sleeper.deadline = inf
    await trio.sleep(4)

    assert sleeper.late_at == [3.5]


async def test_a_deadline_may_be_over_already(alarms: Alarms, autojump_clock: MockClock) -> None:
    """Then it has come."""
    sleeper = Sleeper()
    await trio.sleep(2)

    sleeper.keep(alarms, 1.0)
    await trio.sleep(1)

    assert sleeper.late_at == [2.0]


async def test_whoever_is_gone_is_forgotten(alarms: Alarms, autojump_clock: MockClock) -> None:
    """Long before the deadlines come; those who are left are woken."""
    left = Sleeper()
    left.keep(alarms, 100.0)
    for _ in range(10 * STALE_MAX):
        gone = Sleeper()
        gone.keep(alarms, 900.0)
        alarms.unset(gone)
        alarms.unset(gone)
        assert len(alarms._heap) <= 2 * STALE_MAX

    await trio.sleep(200)

    assert left.late_at == [100.0]

"""Who is connected: their time limits, the date of their answers, and how they are sent home."""

import sys
from email.utils import formatdate
from typing import Protocol

import attrs
import trio

from lsd.telemetry import Clock

NEVER = sys.maxsize

_TICK_S = 1
"""Limits are kept this exactly. A timer of its own for each wait would cost some microseconds per
request; one look at all connections costs some nanoseconds for each."""


class Guest(Protocol):
    """A connection as its host sees it."""

    expires_at: int
    """When it has waited for too long, in `Attendance.seconds`; NEVER while it is served."""

    def expire(self) -> None:
        """What it waits for does not come in time."""

    def leave_if_idle(self) -> None:
        """Nothing more is served, so it need not wait for its client's next request."""


@attrs.define(eq=False, repr=False)
class Attendance:
    """The connections of one server. `seconds` goes on, and limits are kept, while `run` does."""

    _clock: Clock
    seconds: int = attrs.field(default=0, init=False)
    date_line: bytes = attrs.field(init=False)
    is_draining: bool = attrs.field(default=False, init=False)
    _guests: set[Guest] = attrs.field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        self.date_line = self._date_line()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await trio.sleep(_TICK_S)
            self.seconds += _TICK_S
            self.date_line = self._date_line()
            for guest in list(self._guests):
                if guest.expires_at <= self.seconds:
                    guest.expires_at = NEVER
                    guest.expire()

    def after(self, seconds: int) -> int:
        """When so much time will have passed; not before."""
        return self.seconds + seconds + _TICK_S

    def welcome(self, guest: Guest) -> None:
        """From now on its limits are kept."""
        self._guests.add(guest)

    def forget(self, guest: Guest) -> None:
        """It is closed."""
        self._guests.discard(guest)

    def drain(self) -> None:
        """Idle connections end now; all others after the answer that they are waiting for."""
        self.is_draining = True
        for guest in list(self._guests):
            guest.leave_if_idle()

    def _date_line(self) -> bytes:
        date = formatdate(self._clock.now_ms() / 1000, usegmt=True)
        return f"date: {date}".encode()

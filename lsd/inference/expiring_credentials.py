"""Credentials with an end: each fetched once for all who wait for it, and renewed in time."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, Protocol, TypeVar

import attrs
import trio

from lsd.conversation import AttemptFailed
from lsd.telemetry import Clock, logger

log = logger(__name__)

RENEWAL_S_MAX = 300.0
RENEWAL_SHARE = 0.1
"""A credential is renewed this long before its end, or in this last part of its life if that is
shorter: time enough to try again while the old one still serves."""

EARLY_S_MAX = 3.0
"""While a credential still serves, nobody waits longer for the next one."""

EARLY_PAUSE_S = 10.0
"""After a renewal that failed, the old credential serves for so long before the next try."""

CREDENTIALS_MAX = 256
"""Callers who name models by themselves name their locations, too, so there must be an end."""


class Expiring(Protocol):
    """What is kept here. Times are seconds since 1970; `value` is what requests show of it."""

    @property
    def value(self) -> str: ...

    @property
    def issued_at_s(self) -> float: ...

    @property
    def expires_at_s(self) -> float: ...


CredentialT = TypeVar("CredentialT", bound=Expiring)


@attrs.define(eq=False)
class _Flight:
    """A credential on its way."""

    landed: trio.Event = attrs.field(factory=trio.Event)
    failure: AttemptFailed | None = None


@attrs.define(eq=False)
class _Place(Generic[CredentialT]):
    """The credential of one key, none at first, and whoever is fetching it."""

    held: CredentialT | None = None
    renew_at_s: float = 0.0
    flight: _Flight | None = None


@attrs.define(eq=False)
class ExpiringCredentials(Generic[CredentialT]):
    """The credentials of one kind by key. One serves all tasks.

    `renewal_share` bounds how long before its end a credential is renewed, by its life.
    """

    _clock: Clock
    _renewal_share: float = RENEWAL_SHARE
    _places: OrderedDict[Hashable, _Place[CredentialT]] = attrs.field(
        factory=OrderedDict, init=False
    )

    async def get(self, key: Hashable, fetch: Callable[[], Awaitable[CredentialT]]) -> CredentialT:
        """The credential of `key`, from `fetch` if there is none that is good for a while.

        Of several tasks one fetches, and all others get what it gets, be it a failure. If that one
        is cancelled, another one fetches. Raises AttemptFailed.
        """
        while True:
            place = self._place(key)
            now_s = self._now_s()
            held = place.held
            if held is not None and now_s < place.renew_at_s:
                return held
            still_good = held if held is not None and now_s < held.expires_at_s else None
            flight = place.flight
            if flight is None:
                return await self._fetch(place, fetch, still_good)
            if still_good is not None:
                return still_good
            await flight.landed.wait()
            if flight.failure is not None:
                # Each waiter may write into its own failure.
                raise attrs.evolve(flight.failure)

    def forget(self, value: str) -> Hashable | None:
        """Drops the credential with this value, wherever it is; its key, None if there is none."""
        for key, place in self._places.items():
            if place.held is not None and place.held.value == value:
                place.held = None
                return key
        return None

    def _place(self, key: Hashable) -> _Place[CredentialT]:
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _Place()
            if len(self._places) > CREDENTIALS_MAX:
                self._places.popitem(last=False)
        return place

    async def _fetch(
        self,
        place: _Place[CredentialT],
        fetch: Callable[[], Awaitable[CredentialT]],
        still_good: CredentialT | None,
    ) -> CredentialT:
        flight = place.flight = _Flight()
        try:
            held = await (fetch() if still_good is None else _at_once(fetch))
        except AttemptFailed as failure:
            if still_good is not None:
                log.warning("credential not renewed yet", reason=str(failure))
                place.renew_at_s = self._now_s() + EARLY_PAUSE_S
                return still_good
            flight.failure = failure
            raise
        else:
            place.held = held
            lifetime_s = held.expires_at_s - held.issued_at_s
            early_s = min(RENEWAL_S_MAX, self._renewal_share * lifetime_s)
            place.renew_at_s = held.expires_at_s - early_s
            return held
        finally:
            place.flight = None
            flight.landed.set()

    def _now_s(self) -> float:
        return self._clock.now_ms() / 1000


async def _at_once(fetch: Callable[[], Awaitable[CredentialT]]) -> CredentialT:
    with trio.move_on_after(EARLY_S_MAX):
        return await fetch()
    text = f"nothing new within {EARLY_S_MAX} s"
    raise AttemptFailed(kind="timeout", text=text)

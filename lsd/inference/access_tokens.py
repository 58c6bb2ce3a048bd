"""Access tokens in use: each fetched once for all who wait for it, and renewed before its end."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable

import attrs
import trio

from lsd.conversation import AttemptFailed
from lsd.providers import AccessToken
from lsd.telemetry import Clock, logger

log = logger(__name__)

RENEWAL_S_MAX = 300.0
RENEWAL_SHARE = 0.1
"""A token is renewed this long before its end, or in this last part of its life if that is
shorter: time enough to try again while the old one still serves."""

EARLY_S_MAX = 3.0
"""While a token still serves, nobody waits longer for the next one."""

EARLY_PAUSE_S = 10.0
"""After a renewal that failed, the old token serves for so long before the next try."""

TOKENS_MAX = 256
"""Callers who name models by themselves name their locations, too, so there must be an end."""

Fetch = Callable[[], Awaitable[AccessToken]]


@attrs.define(eq=False)
class _Flight:
    """A token on its way."""

    landed: trio.Event = attrs.field(factory=trio.Event)
    failure: AttemptFailed | None = None


@attrs.define(eq=False)
class _Place:
    """The token of one key, none at first, and whoever is fetching it."""

    token: AccessToken | None = None
    renew_at_s: float = 0.0
    flight: _Flight | None = None


@attrs.define(eq=False)
class AccessTokens:
    """The tokens of a process by key. One serves all tasks."""

    _clock: Clock
    _places: OrderedDict[Hashable, _Place] = attrs.field(factory=OrderedDict, init=False)

    async def get(self, key: Hashable, fetch: Fetch) -> AccessToken:
        """The token of `key`, from `fetch` if there is none that is good for a while.

        Of several tasks one fetches, and all others get what it gets, be it a failure. If that one
        is cancelled, another one fetches. Raises AttemptFailed.
        """
        while True:
            place = self._place(key)
            now_s = self._now_s()
            token = place.token
            if token is not None and now_s < place.renew_at_s:
                return token
            still_good = token if token is not None and now_s < token.expires_at_s else None
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
        """Drops the token with this value, wherever it is; its key, None if nobody has it."""
        for key, place in self._places.items():
            if place.token is not None and place.token.value == value:
                place.token = None
                return key
        return None

    def _place(self, key: Hashable) -> _Place:
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _Place()
            if len(self._places) > TOKENS_MAX:
                self._places.popitem(last=False)
        return place

    async def _fetch(
        self, place: _Place, fetch: Fetch, still_good: AccessToken | None
    ) -> AccessToken:
        flight = place.flight = _Flight()
        try:
            token = await (fetch() if still_good is None else _at_once(fetch))
        except AttemptFailed as failure:
            if still_good is not None:
                log.warning("access token not renewed yet", reason=str(failure))
                place.renew_at_s = self._now_s() + EARLY_PAUSE_S
                return still_good
            flight.failure = failure
            raise
        else:
            place.token = token
            lifetime_s = token.expires_at_s - token.issued_at_s
            early_s = min(RENEWAL_S_MAX, RENEWAL_SHARE * lifetime_s)
            place.renew_at_s = token.expires_at_s - early_s
            return token
        finally:
            place.flight = None
            flight.landed.set()

    def _now_s(self) -> float:
        return self._clock.now_ms() / 1000


async def _at_once(fetch: Fetch) -> AccessToken:
    with trio.move_on_after(EARLY_S_MAX):
        return await fetch()
    text = f"no new token within {EARLY_S_MAX} s"
    raise AttemptFailed(kind="timeout", text=text)

"""Rate limits on the way of a call: reserve before it, settle when it is known what it has used."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import attrs

from lsd.access.rate_rules import ActiveLimit, RateRules, dollars, shown_units, units
from lsd.config import RateLimiting, Resource
from lsd.conversation import AttemptFailed, LsdError, Usage
from lsd.store import BucketLimit, Buckets, Shortage
from lsd.telemetry import Clock, logger

log = logger(__name__)


@attrs.frozen(kw_only=True)
class Used:
    """What a call has used as far as that is known.

    `tokens` is all that was reported; without `has_all_tokens` there may be more. `is_whole`: the
    call has ended well, so that what it has not used can be given back.
    """

    tokens: int
    has_all_tokens: bool
    cost: Decimal | None
    is_whole: bool

    @classmethod
    def of(cls, usage: Usage, cost: Decimal | None, *, is_whole: bool) -> "Used":
        """As a provider has reported it."""
        counts = (usage.input_tokens, usage.output_tokens)
        return cls(
            tokens=sum(each or 0 for each in counts),
            has_all_tokens=None not in counts,
            cost=cost,
            is_whole=is_whole,
        )

    def amount(self, resource: Resource) -> tuple[int, bool]:
        """What is known of one resource, and whether that is all."""
        match resource:
            case "model_inference":
                return 1, True
            case "token":
                return self.tokens, self.is_whole and self.has_all_tokens
            case "cost":
                known = Decimal(0) if self.cost is None else self.cost
                return units("cost", known), self.is_whole and self.cost is not None


@attrs.define(eq=False)
class RateLimiter:
    """The limits of a configuration. One serves all requests of a process.

    `on_refused` hears the resource of each limit that has refused a call.
    """

    _rules: RateRules
    _default_cost: int
    _buckets: Buckets
    _clock: Clock
    _on_refused: Callable[[Resource], None]

    @classmethod
    def of(
        cls,
        table: RateLimiting,
        buckets: Buckets,
        clock: Clock,
        on_refused: Callable[[Resource], None] = lambda _resource: None,
    ) -> "RateLimiter | None":
        """None if nothing is limited."""
        if not table.enabled or not table.rules:
            return None
        default_cost = units("cost", table.default_cost)
        return cls(RateRules.of(table.rules), default_cost, buckets, clock, on_refused)

    def limits_for(
        self, tags: Mapping[str, str], api_key_public_id: str | None
    ) -> "CallLimits | None":
        """What limits each call of an inference with these tags; None if nothing does."""
        active = self._rules.limits_for(tags, api_key_public_id)
        return CallLimits(self, active, tags, api_key_public_id) if active else None

    async def reserve(
        self, active: Sequence[ActiveLimit], amounts: Mapping[Resource, int]
    ) -> "Ticket":
        """Takes the amounts from all buckets. Raises AttemptFailed, and takes nothing then."""
        reserved = [(limit, amounts[limit.resource]) for limit in active]
        wanted = [(limit.bucket, amount) for limit, amount in reserved]
        try:
            short = await self._buckets.reserve(wanted, now_ms=self._clock.now_ms())
        except LsdError as error:
            text = f"the rate limits cannot be read or written: {error}"
            raise AttemptFailed(kind="limits_unavailable", text=text) from error
        if short:
            raise self._refusal(active, short)
        return Ticket(reserved, self._buckets, self._clock)

    def _refusal(self, active: Sequence[ActiveLimit], short: Sequence[Shortage]) -> AttemptFailed:
        by_key = {limit.bucket.key: limit for limit in active}
        violated = [(by_key[each.limit.key], each) for each in short]
        for resource in dict.fromkeys(limit.resource for limit, _ in violated):
            self._on_refused(resource)
        told = ", and ".join(_told(limit, shortage) for limit, shortage in violated)
        waits_ms = [shortage.wait_ms for shortage in short if shortage.wait_ms is not None]
        comes_back = len(waits_ms) == len(short)
        return AttemptFailed(
            kind="own_limit",
            text=f"LSD rate limit exceeded: {told}",
            resource=violated[0][0].resource,
            retry_after_s=max(waits_ms) / 1000 if comes_back else None,
        )

    @property
    def default_cost(self) -> int:
        """What a call reserves where cost is limited, in billionths of a dollar."""
        return self._default_cost


@attrs.frozen
class CallLimits:
    """What limits each call of one inference, which has these tags and was asked for with this key.

    The last two are for whoever wants to know why.
    """

    _limiter: RateLimiter
    _active: Sequence[ActiveLimit]
    tags: Mapping[str, str]
    api_key_public_id: str | None

    async def reserve(self, tokens: Callable[[], int | None]) -> "Ticket":
        """A place for one call; `tokens` estimates what it may use, None: nobody can tell.

        Raises AttemptFailed if there is none, or if that cannot be found out.
        """
        amounts: dict[Resource, int] = {
            "model_inference": 1,
            "cost": self._limiter.default_cost,
        }
        if any(limit.resource == "token" for limit in self._active):
            estimate = tokens()
            if estimate is None:
                # As if a provider had refused the request for it.
                raise AttemptFailed(
                    kind="client_fault",
                    status=400,
                    text="`max_tokens` is missing; wanted it, because a rate limit counts tokens",
                )
            amounts["token"] = estimate
        return await self._limiter.reserve(self._active, amounts)

    @property
    def reserved_cost(self) -> Decimal | None:
        """The dollars that are reserved for a call; None if no limit counts them."""
        if all(limit.resource != "cost" for limit in self._active):
            return None
        return dollars(self._limiter.default_cost)


@attrs.define(eq=False)
class Ticket:
    """What was reserved for one call."""

    _reserved: Sequence[tuple[ActiveLimit, int]]
    _buckets: Buckets
    _clock: Clock
    is_settled: bool = attrs.field(default=False, init=False)

    @property
    def resources(self) -> Sequence[Resource]:
        """What is limited, once for each limit."""
        return [limit.resource for limit, _ in self._reserved]

    async def settle(self, used: Used) -> None:
        """Gives back what the call has not used, and takes what it has used beyond.

        Waits until every process sees it. A failure is told in the log: the call was made.
        """
        changes = self._changes(used)
        if not changes:
            return
        try:
            await self._buckets.change(changes, now_ms=self._clock.now_ms())
        except LsdError as error:
            log.error(  # noqa: TRY400 (a full disk is no bug; its traceback tells nothing)
                "rate limits not settled", reason=str(error)
            )

    def settle_nowait(self, used: Used) -> None:
        """The same for a call that nobody waits for any more; nothing if it was settled."""
        changes = self._changes(used)
        if changes:
            self._buckets.change_nowait(changes, now_ms=self._clock.now_ms())

    def give_back_nowait(self) -> None:
        """Everything comes back: nothing was sent."""
        if not self.is_settled:
            self.is_settled = True
            changes = [(limit.bucket, amount) for limit, amount in self._reserved]
            self._buckets.change_nowait(changes, now_ms=self._clock.now_ms())

    def _changes(self, used: Used) -> list[tuple[BucketLimit, int]]:
        if self.is_settled:
            return []
        self.is_settled = True
        changes = [(limit.bucket, _change(limit, amount, used)) for limit, amount in self._reserved]
        return [(bucket, change) for bucket, change in changes if change]


def _change(limit: ActiveLimit, reserved: int, used: Used) -> int:
    """What settling adds to a balance; below zero it takes more."""
    amount, is_all = used.amount(limit.resource)
    if amount > reserved:
        log.warning(
            "a call has used more than was reserved for it",
            resource=limit.resource,
            interval=limit.interval,
            reserved=shown_units(limit.resource, reserved),
            used=shown_units(limit.resource, amount),
        )
    elif limit.resource == "cost" and used.is_whole and not is_all:
        log.warning("cost unknown: what was reserved for the call stays reserved")
    return reserved - amount if is_all or amount > reserved else 0


def _told(limit: ActiveLimit, shortage: Shortage) -> str:
    resource = limit.resource
    told = (
        f"resource `{resource}` per {limit.interval}; scope {limit.scope};"
        f" requested {shown_units(resource, shortage.requested)},"
        f" available {shown_units(resource, max(0, shortage.balance))}"
    )
    return told if shortage.wait_ms is not None else f"{told} (which will never be enough)"

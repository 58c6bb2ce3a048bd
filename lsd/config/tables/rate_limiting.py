"""`[rate_limiting]`: how much may be used, by whom, in what time."""

from decimal import Decimal
from typing import Annotated, Final, Literal

import attrs

from lsd.config.kinds import Bounds, LimitKeys, Money, Natural, OneOrMany

EACH: Final = "lsd::each"
"""As a value: whatever it is, each one has buckets of its own."""

TOTAL: Final = "lsd::total"
"""As a value: whatever it is, all have one together."""

Resource = Literal["model_inference", "token", "cost"]
Interval = Literal["second", "minute", "hour", "day", "week", "month"]


@attrs.frozen(kw_only=True)
class TagScope:
    """Requests with this tag: one value, each value apart, or all values together."""

    tag_key: str
    tag_value: str


@attrs.frozen(kw_only=True)
class ApiKeyScope:
    """Requests with this API key, or each key apart."""

    api_key_public_id: str


ScopeEntry = TagScope | ApiKeyScope


@attrs.frozen(kw_only=True)
class Limit:
    """A bucket: what it holds, and what is put back after each interval.

    Model inferences and tokens are whole numbers, cost is in dollars.
    """

    resource: Resource
    interval: Interval
    capacity: Annotated[Decimal, Money()]
    refill_rate: Annotated[Decimal, Money()]


@attrs.frozen(kw_only=True)
class RateLimitRule:
    """Limits for the requests that match all entries of `scope`.

    Either `always` is true or `priority` is set.
    """

    scope: Annotated[tuple[ScopeEntry, ...], OneOrMany()] = ()
    priority: Natural | None = None
    always: bool = False
    limits: Annotated[tuple[Limit, ...], LimitKeys()] = ()


@attrs.frozen(kw_only=True)
class RateLimiting:
    """All rules, and what a call reserves where cost is limited."""

    enabled: bool = True
    default_cost: Annotated[Decimal, Money(), Bounds(minimum=0)] = Decimal("1.00")
    rules: tuple[RateLimitRule, ...] = ()

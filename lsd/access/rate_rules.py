"""Which rate limits apply to a call: the rules of a configuration against tags and key."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from hashlib import blake2b
from typing import Final, assert_never

import attrs

from lsd.config import ApiKeyScope, Limit, RateLimitRule, Resource, ScopeEntry, TagScope
from lsd.conversation import encode_json
from lsd.store import AMOUNT_MAX, BucketLimit

EACH: Final = "lsd::each"
TOTAL: Final = "lsd::total"

NANODOLLARS: Final = 9
"""Dollars are counted in units of ten to the minus this."""

_HOUR_MS: Final = 3_600_000

_INTERVALS_MS: Final[Mapping[str, int]] = {
    "second": 1_000,
    "minute": 60_000,
    "hour": _HOUR_MS,
    "day": 24 * _HOUR_MS,
    "week": 7 * 24 * _HOUR_MS,
    "month": 30 * 24 * _HOUR_MS,
}


@attrs.frozen(kw_only=True)
class ActiveLimit:
    """A limit that applies, with its bucket; `scope` is shown in the notation of the rule."""

    resource: Resource
    interval: str
    scope: str
    bucket: BucketLimit


@attrs.frozen
class RateRules:
    """The rules of a configuration."""

    _rules: Sequence[RateLimitRule]

    def limits_for(
        self, tags: Mapping[str, str], api_key_public_id: str | None
    ) -> tuple[ActiveLimit, ...]:
        """The limits of all rules that count for a caller with these tags and this key.

        Of the rules with a priority those with the highest, and all that count always.
        """
        matching = [
            (rule, matches)
            for rule in self._rules
            if (matches := _matches(rule.scope, tags, api_key_public_id)) is not None
        ]
        highest = max(
            (rule.priority for rule, _ in matching if rule.priority is not None), default=None
        )
        return tuple(
            _active(limit, matches)
            for rule, matches in matching
            if rule.always or rule.priority == highest
            for limit in rule.limits
        )


def units(resource: Resource, amount: Decimal) -> int:
    """An amount as buckets count it: dollars in billionths, rounded up; all else as it is."""
    whole = amount.scaleb(NANODOLLARS) if resource == "cost" else amount
    return min(int(whole.to_integral_value(ROUND_CEILING)), AMOUNT_MAX)


def shown_units(resource: Resource, count: int) -> str:
    """The same for people: dollars, or the number."""
    if resource != "cost":
        return str(count)
    return f"{Decimal(count).scaleb(-NANODOLLARS).normalize():f}"


@attrs.frozen(order=True)
class _Match:
    """One entry of a scope with the value it has matched; `mode` keeps each apart from one."""

    kind: str
    name: str
    mode: str
    value: str

    @property
    def shown(self) -> str:
        if self.kind == "tag":
            given = self.value if self.mode == "one" else f"lsd::{self.mode}"
            told = f"tag_key={_quoted(self.name)}, tag_value={_quoted(given)}"
        else:
            given = self.value if self.mode == "one" else EACH
            told = f"api_key_public_id={_quoted(given)}"
        return f"{told} (matched: {_quoted(self.value)})" if self.mode == "each" else told


def _matches(
    scope: Sequence[ScopeEntry], tags: Mapping[str, str], api_key_public_id: str | None
) -> list[_Match] | None:
    """What each entry has matched, in an order of their own; None if one has not."""
    found = []
    for entry in scope:
        match = _match(entry, tags, api_key_public_id)
        if match is None:
            return None
        found.append(match)
    return sorted(found)


def _match(
    entry: ScopeEntry, tags: Mapping[str, str], api_key_public_id: str | None
) -> _Match | None:
    match entry:
        case TagScope(tag_key=name, tag_value=wanted):
            kind, value = "tag", tags.get(name)
        case ApiKeyScope(api_key_public_id=wanted):
            kind, name, value = "key", "", api_key_public_id
        case never:
            assert_never(never)
    if value is None:
        return None
    if wanted == EACH:
        return _Match(kind, name, "each", value)
    if wanted == TOTAL:
        return _Match(kind, name, "total", "")
    return _Match(kind, name, "one", value) if value == wanted else None


def _active(limit: Limit, matches: Sequence[_Match]) -> ActiveLimit:
    place = [limit.resource, limit.interval, *map(attrs.astuple, matches)]
    return ActiveLimit(
        resource=limit.resource,
        interval=limit.interval,
        scope=" and ".join(match.shown for match in matches) or "of all requests",
        bucket=BucketLimit(
            key=blake2b(encode_json(place), digest_size=16).digest(),
            capacity=units(limit.resource, limit.capacity),
            refill=units(limit.resource, limit.refill_rate),
            interval_ms=_INTERVALS_MS[limit.interval],
        ),
    )


def _quoted(text: str) -> str:
    return encode_json(text).decode()

"""Which rate limits apply to a call: the rules of a configuration against tags and key."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from hashlib import blake2b
from typing import Final, Literal

import attrs

from lsd.config import EACH, TOTAL, Limit, RateLimitRule, Resource, ScopeEntry, TagScope
from lsd.conversation import encode_json
from lsd.store import AMOUNT_MAX, BucketLimit

Mode = Literal["each", "one", "total"]

_MODES: Final[Mapping[str, Mode]] = {EACH: "each", TOTAL: "total"}

NANODOLLARS: Final = 9
"""Dollars are counted in units of ten to the minus this."""

_KNOWN_MAX: Final = 10_000
"""Values of one rule whose buckets are remembered, some megabytes; with more, all are made anew."""

_KNOWN_LENGTH_MAX: Final = 200
"""Characters of the values that are remembered together; callers choose them."""

_SHOWN_LENGTH_MAX: Final = 200
"""Characters of a value that a message shows."""

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


@attrs.define(eq=False)
class RateRules:
    """The rules of a configuration."""

    _rules: Sequence["_Rule"]

    @classmethod
    def of(cls, rules: Sequence[RateLimitRule]) -> "RateRules":
        """As they are written."""
        return cls([_Rule(rule) for rule in rules])

    def limits_for(
        self, tags: Mapping[str, str], api_key_public_id: str | None
    ) -> tuple[ActiveLimit, ...]:
        """The limits of all rules that count for a caller with these tags and this key.

        Of the rules with a priority those with the highest, and all that count always.
        """
        found: tuple[ActiveLimit, ...] = ()
        ranked: tuple[ActiveLimit, ...] = ()
        highest = -1
        for rule in self._rules:
            values = rule.values(tags, api_key_public_id)
            if values is None:
                continue
            if rule.priority is None:
                found += rule.limits_of(values)
            elif rule.priority > highest:
                highest, ranked = rule.priority, rule.limits_of(values)
            elif rule.priority == highest:
                ranked += rule.limits_of(values)
        return found + ranked


def units(resource: Resource, amount: Decimal) -> int:
    """An amount as buckets count it: dollars in billionths, rounded up; all else as it is."""
    whole = amount.scaleb(NANODOLLARS) if resource == "cost" else amount
    return min(int(whole.to_integral_value(ROUND_CEILING)), AMOUNT_MAX)


def dollars(count: int) -> Decimal:
    """What a cost is that buckets count so."""
    return Decimal(count).scaleb(-NANODOLLARS)


def shown_units(resource: Resource, count: int) -> str:
    """An amount for people: dollars, or the number."""
    return f"{dollars(count).normalize():f}" if resource == "cost" else str(count)


@attrs.define(eq=False)
class _Rule:
    """One rule; it remembers what its limits are for the values that it has matched lately."""

    _rule: RateLimitRule
    _known: dict[tuple[str, ...], tuple[ActiveLimit, ...]] = attrs.field(factory=dict, init=False)

    @property
    def priority(self) -> int | None:
        """None: it counts always."""
        return self._rule.priority

    def values(
        self, tags: Mapping[str, str], api_key_public_id: str | None
    ) -> tuple[str, ...] | None:
        """What each entry of the scope has matched; None if one has not."""
        values = []
        for entry in self._rule.scope:
            if isinstance(entry, TagScope):
                wanted, value = entry.tag_value, tags.get(entry.tag_key)
            else:
                wanted, value = entry.api_key_public_id, api_key_public_id
            if value is None or (value != wanted and wanted not in (EACH, TOTAL)):
                return None
            values.append("" if wanted == TOTAL else value)
        return tuple(values)

    def limits_of(self, values: tuple[str, ...]) -> tuple[ActiveLimit, ...]:
        """The limits with the buckets for these values."""
        known = self._known.get(values)
        if known is None:
            if len(self._known) == _KNOWN_MAX:
                self._known.clear()
            matches = sorted(map(_Match.of, self._rule.scope, values))
            known = tuple(_active(limit, matches) for limit in self._rule.limits)
            if sum(map(len, values)) <= _KNOWN_LENGTH_MAX:
                self._known[values] = known
        return known


@attrs.frozen(order=True)
class _Match:
    """One entry of a scope with the value it has matched; `mode` keeps each apart from one."""

    kind: Literal["key", "tag"]
    name: str
    mode: Mode
    value: str

    @classmethod
    def of(cls, entry: ScopeEntry, value: str) -> "_Match":
        """An entry that has matched this value."""
        if isinstance(entry, TagScope):
            return cls("tag", entry.tag_key, _MODES.get(entry.tag_value, "one"), value)
        return cls("key", "", _MODES.get(entry.api_key_public_id, "one"), value)

    @property
    def shown(self) -> str:
        """The entry as it is written, with what it has matched where it names nothing."""
        given = self.value if self.mode == "one" else f"lsd::{self.mode}"
        told = f"api_key_public_id={_quoted(given)}"
        if self.kind == "tag":
            told = f"tag_key={_quoted(self.name)}, tag_value={_quoted(given)}"
        if self.mode != "each":
            return told
        rest = "…" if len(self.value) > _SHOWN_LENGTH_MAX else ""
        return f"{told} (matched: {_quoted(self.value[:_SHOWN_LENGTH_MAX] + rest)})"


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

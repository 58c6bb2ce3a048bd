"""Which rules apply to whom, and how their limits are counted."""

from decimal import Decimal
from typing import Any

import pytest

from lsd.access.rate_rules import ActiveLimit, RateRules, shown_units, units
from lsd.config import EACH, TOTAL, ApiKeyScope, Limit, RateLimitRule, TagScope

KEY = "abcDEF012345"


def rule(capacity: int, *scope: Any, **fields: Any) -> RateLimitRule:
    """A rule with one limit, which can be told by its capacity."""
    limit = Limit(
        resource="model_inference",
        interval="hour",
        capacity=Decimal(capacity),
        refill_rate=Decimal(1),
    )
    rank = {} if "priority" in fields or "always" in fields else {"always": True}
    return RateLimitRule(scope=scope, limits=(limit,), **{**rank, **fields})


def tag(value: str, key: str = "user") -> TagScope:
    """An entry about a tag."""
    return TagScope(tag_key=key, tag_value=value)


def key(value: str) -> ApiKeyScope:
    """An entry about a key."""
    return ApiKeyScope(api_key_public_id=value)


def active(
    *rules: RateLimitRule, key_id: str | None = None, **tags: str
) -> tuple[ActiveLimit, ...]:
    """The limits that count."""
    return RateRules.of(rules).limits_for(tags, key_id)


def capacities(*rules: RateLimitRule, key_id: str | None = None, **tags: str) -> list[int]:
    """The limits that count, by their capacities."""
    return [limit.bucket.capacity for limit in active(*rules, key_id=key_id, **tags)]


def test_a_rule_without_a_scope_is_about_everybody() -> None:
    """With tags or without."""
    assert capacities(rule(5)) == [5]
    assert capacities(rule(5), user="a") == [5]


@pytest.mark.parametrize("value", ["a", EACH, TOTAL])
def test_a_tag_must_be_there(value: str) -> None:
    """Case 42: without it, the rule is not about the request."""
    assert capacities(rule(5, tag(value)), user="a") == [5]
    assert capacities(rule(5, tag(value)), other="a") == []


def test_a_value_must_be_equal() -> None:
    """Case 42: another one is not limited."""
    assert capacities(rule(5, tag("a")), user="b") == []


def test_each_value_has_a_bucket_and_all_have_one_together() -> None:
    """Case 43: and a value that is named has one beside that of `each`."""
    buckets = {
        (wanted, value): active(rule(5, tag(wanted)), user=value)[0].bucket.key
        for wanted, value in ((EACH, "a"), (EACH, "b"), (TOTAL, "a"), (TOTAL, "b"), ("a", "a"))
    }

    assert buckets[EACH, "a"] != buckets[EACH, "b"]
    assert buckets[TOTAL, "a"] == buckets[TOTAL, "b"]
    assert len(set(buckets.values())) == 4


def test_the_order_of_entries_makes_no_other_bucket() -> None:
    """Nor do the names and values run together."""
    one = active(rule(5, tag("a"), tag(EACH, "team")), user="a", team="t")
    other = active(rule(5, tag(EACH, "team"), tag("a")), user="a", team="t")

    assert one[0].bucket.key == other[0].bucket.key
    apart = {
        active(rule(5, tag(EACH, name)), **{name: value})[0].bucket.key
        for name, value in (("ab", "c"), ("a", "bc"))
    }
    assert len(apart) == 2


def test_an_always_rule_counts_beside_those_of_a_priority() -> None:
    """Case 44: both, or it alone."""
    rules = rule(8, tag(TOTAL, "team"), always=True), rule(3, tag("a"), priority=0)

    assert capacities(*rules, team="t", user="a") == [8, 3]
    assert capacities(*rules, team="t", user="b") == [8]


def test_only_the_highest_matching_priority_counts() -> None:
    """Case 45: whatever is still free below; of equals all."""
    rules = (
        rule(1, priority=1),
        rule(2, tag("a"), priority=3),
        rule(3, tag("b"), priority=5),
        rule(4, tag(EACH), priority=3),
    )

    assert capacities(*rules, user="a") == [2, 4]
    assert capacities(*rules, user="b") == [3]
    assert capacities(*rules) == [1]


def test_a_literal_rule_of_higher_priority_beats_each() -> None:
    """Case 45: the chief executive has a limit of his own."""
    rules = rule(10, tag(EACH), priority=0), rule(1000, tag("ceo"), priority=1)

    assert capacities(*rules, user="intern") == [10]
    assert capacities(*rules, user="ceo") == [1000]


def test_a_rule_without_limits_sets_free() -> None:
    """It has the highest priority, and nothing to say."""
    free = RateLimitRule(scope=(tag("ceo"),), priority=1)

    assert capacities(rule(10, priority=0), free, user="ceo") == []


def test_all_entries_must_match() -> None:
    """Case 46: a part is nothing."""
    both = rule(5, tag("a"), tag(EACH, "team"))

    assert capacities(both, user="a", team="t") == [5]
    assert capacities(both, user="a") == []
    assert capacities(both, team="t") == []


def test_a_key_must_have_been_shown() -> None:
    """One key, or each; a tag of the same name is none."""
    assert capacities(rule(5, key(KEY)), key_id=KEY) == [5]
    assert capacities(rule(5, key(KEY)), key_id="000000000000") == []
    assert capacities(rule(5, key(EACH)), key_id="000000000000") == [5]
    assert capacities(rule(5, key(EACH)), **{"lsd::api_key_public_id": KEY}) == []
    one, other = (active(rule(5, key(EACH)), key_id=each)[0].bucket.key for each in (KEY, "b" * 12))
    assert one != other


def test_resource_and_interval_are_buckets_of_their_own() -> None:
    """Case 49: a limit per second says nothing about one per minute."""
    limits = tuple(
        Limit(resource=resource, interval=interval, capacity=Decimal(5), refill_rate=Decimal(5))
        for resource in ("model_inference", "token", "cost")
        for interval in ("second", "minute", "hour", "day", "week", "month")
    )

    found = active(RateLimitRule(always=True, limits=limits))

    assert len({limit.bucket.key for limit in found}) == 18
    assert [limit.bucket.interval_ms for limit in found[:6]] == [
        1000 * seconds for seconds in (1, 60, 3600, 86_400, 604_800, 2_592_000)
    ]


@pytest.mark.parametrize(
    ("scope", "shown"),
    [
        ((), "of all requests"),
        ((tag("a"),), 'tag_key="user", tag_value="a"'),
        ((tag(EACH),), 'tag_key="user", tag_value="lsd::each" (matched: "a")'),
        ((tag(TOTAL),), 'tag_key="user", tag_value="lsd::total"'),
        ((key(KEY),), f'api_key_public_id="{KEY}"'),
        ((key(EACH),), f'api_key_public_id="lsd::each" (matched: "{KEY}")'),
        (
            (tag("a"), key(KEY)),
            f'api_key_public_id="{KEY}" and tag_key="user", tag_value="a"',
        ),
    ],
)
def test_a_scope_is_shown_as_it_is_written(scope: tuple[Any, ...], shown: str) -> None:
    """With the value that was found where the rule names none."""
    (limit,) = active(rule(5, *scope), key_id=KEY, user="a")

    assert limit.scope == shown


def test_values_of_any_length_have_buckets_and_short_names() -> None:
    """They are not remembered, and messages show their beginning."""
    rules = RateRules.of([rule(5, tag(EACH))])
    one, other = ("x" * 1_000_000 + end for end in "ab")

    (first,), (second,) = (rules.limits_for({"user": value}, None) for value in (one, other))

    assert first.bucket.key != second.bucket.key
    assert first.scope.endswith('xxx…")')
    assert len(first.scope) < 300
    assert not rules._rules[0]._known


def test_only_so_many_values_are_remembered() -> None:
    """Then they are forgotten, and the buckets stay the same."""
    rules = RateRules.of([rule(5, tag(EACH))])
    first = rules.limits_for({"user": "0"}, None)
    for number in range(10_001):
        rules.limits_for({"user": str(number)}, None)

    assert rules.limits_for({"user": "0"}, None) == first
    assert len(rules._rules[0]._known) <= 10_000


@pytest.mark.parametrize(
    ("dollars", "count", "shown"),
    [
        ("1.00", 1_000_000_000, "1"),
        ("0.03", 30_000_000, "0.03"),
        ("0.0000000001", 1, "0.000000001"),
        ("25", 25_000_000_000, "25"),
        ("1e30", 1 << 62, "4611686018.427387904"),
    ],
)
def test_dollars_are_counted_in_billionths(dollars: str, count: int, shown: str) -> None:
    """Rounded up, so that nothing is free; and shown as dollars."""
    assert units("cost", Decimal(dollars)) == count
    assert shown_units("cost", count) == shown


def test_all_else_is_counted_as_it_is() -> None:
    """As far as a bucket can count."""
    assert units("token", Decimal(1250)) == 1250
    assert units("model_inference", Decimal(10) ** 40) == 1 << 62
    assert shown_units("token", 1250) == "1250"

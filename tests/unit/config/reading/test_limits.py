"""The limits of a rule, in either notation."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lsd.config import Limit, RateLimitRule
from lsd.config.findings import Findings
from lsd.config.reading.document import merge
from lsd.config.reading.limits import SHORT_KEYS
from lsd.config.reading.reader import Reader
from lsd.config.reading.texts import NO_TEXTS


def read(rule: dict[str, Any]) -> tuple[RateLimitRule, list[str]]:
    """A rule, and what is wrong with it."""
    document, _ = merge([], Path("/"))
    shape, later = Findings(document), Findings(document)
    made = Reader(shape, later, NO_TEXTS).table(RateLimitRule, rule, ("r",))
    return made, [str(problem) for problem in (*shape.problems, *later.problems)]


def test_both_notations_say_the_same() -> None:
    """A number is capacity and refill at once."""
    long, _ = read(
        {
            "always": True,
            "limits": [
                {
                    "resource": "token",
                    "interval": "minute",
                    "capacity": 100,
                    "refill_rate": 100,
                },
                {
                    "resource": "cost",
                    "interval": "day",
                    "capacity": Decimal("25.0"),
                    "refill_rate": 12,
                },
            ],
        }
    )
    short, problems = read(
        {
            "always": True,
            "cost_per_day": {"refill_rate": 12, "capacity": Decimal("25.0")},
            "tokens_per_minute": 100,
        }
    )

    assert problems == []
    assert long == short
    assert long.limits[0] == Limit(
        resource="token", interval="minute", capacity=Decimal(100), refill_rate=Decimal(100)
    )


def test_there_is_a_short_key_for_each_resource_and_interval() -> None:
    """Three resources, six intervals."""
    assert len(SHORT_KEYS) == 18
    assert SHORT_KEYS["model_inferences_per_week"] == ("model_inference", "week")
    assert SHORT_KEYS["cost_per_second"] == ("cost", "second")


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (
            {"tokens_per_minute": Decimal("1.5")},
            "r.tokens_per_minute: found 1.5; wanted an integer",
        ),
        (
            {"tokens_per_minute": -1},
            "r.tokens_per_minute: found -1; wanted at least 0",
        ),
        (
            {"cost_per_day": {"capacity": 5}},
            "r.cost_per_day.refill_rate: missing; it is required",
        ),
        (
            {"cost_per_day": {"capacity": 5, "refill_rate": "5"}},
            'r.cost_per_day.refill_rate: found "5"; wanted a number',
        ),
        (
            {"limits": [{"resource": "token", "interval": "day", "capacity": Decimal("5.0")}]},
            "r.limits[0].capacity: found 5.0; wanted an integer",
        ),
        (
            {"tokens_per_Minute": 5},
            "r.tokens_per_Minute: unknown key; did you mean tokens_per_minute? known keys: ",
        ),
        (
            {"limits": {}},
            "r.limits: found a table; wanted a list of tables",
        ),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(rule: dict[str, Any], told: str) -> None:
    """In the notation that was used."""
    _, problems = read({"always": True} | rule)

    assert any(problem.startswith(told) for problem in problems)


def test_a_rule_needs_no_limits() -> None:
    """One of high priority exempts from those below it."""
    rule, problems = read({"priority": 9})

    assert rule.limits == ()
    assert problems == []

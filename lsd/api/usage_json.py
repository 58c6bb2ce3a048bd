"""Usage as the routes of statistics show it."""

from collections import Counter
from decimal import Decimal
from typing import Any, Final

from lsd.store import Usage, quantiles

LATENCY_QUANTILES: Final = (
    *(0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.25),
    0.5,
    *(0.75, 0.85, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999),
)
"""Those that are shown of times."""

_NANO: Final = Decimal(10) ** 9


def usage_json(usage: Usage) -> dict[str, Any]:
    """Tokens, count and cost; `null` where nothing was reported."""
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "count": usage.count,
        "cost": dollars(usage),
        "count_with_cost": usage.count_with_cost,
    }


def dollars(usage: Usage) -> Decimal | None:
    """The sum of the costs that are known."""
    return None if usage.cost_nano is None else usage.cost_nano / _NANO


def quantiles_json(histogram: Counter[int]) -> list[float | None]:
    """The quantiles of times in milliseconds, in the order of LATENCY_QUANTILES."""
    return quantiles(histogram, LATENCY_QUANTILES)

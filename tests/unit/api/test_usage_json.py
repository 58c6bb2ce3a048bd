"""Usage as it is shown; the routes' tests have it whole."""

from decimal import Decimal

from lsd.api.usage_json import LATENCY_QUANTILES, dollars, quantiles_json, usage_json
from lsd.store import Usage
from lsd.store.usage import added_usage


def test_money_is_in_dollars() -> None:
    """Exactly."""
    usage = Usage()
    usage.add(added_usage([(1, None, None, None, 123, True, 1, None)]))

    assert dollars(usage) == Decimal("0.000000123")
    assert usage_json(usage)["output_tokens"] is None
    assert quantiles_json(usage.first_tokens) == [None] * len(LATENCY_QUANTILES) == [None] * 17

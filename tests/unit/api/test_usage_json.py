"""Usage as it is shown; the routes' tests have it whole."""

from decimal import Decimal

from lsd.api.usage_json import LATENCY_QUANTILES, dollars, quantiles_json, usage_json
from lsd.store.usage import usage_of_one


def test_money_is_in_dollars() -> None:
    """Exactly."""
    usage = usage_of_one(
        (1, None, None, None, 123), is_cost_known=True, duration_ms=1, first_token_ms=None
    )

    assert dollars(usage) == Decimal("0.000000123")
    assert usage_json(usage)["output_tokens"] is None
    assert quantiles_json(usage.first_tokens) == [None] * len(LATENCY_QUANTILES) == [None] * 17

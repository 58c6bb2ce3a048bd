"""Usage as it is shown; the routes' tests have it whole."""

from decimal import Decimal

from lsd.api.usage_json import LATENCY_QUANTILES, dollars, quantiles_json, usage_json
from lsd.store import Usage
from lsd.store.usage import usage_of_one


def test_money_is_in_dollars() -> None:
    """Exactly."""
    usage = Usage()
    usage.add(
        usage_of_one(
            input_tokens=1,
            output_tokens=None,
            cache_read_tokens=None,
            cache_write_tokens=None,
            cost_nano=123,
            is_cost_known=True,
            duration_ms=1,
            first_token_ms=None,
        )
    )

    assert dollars(usage) == Decimal("0.000000123")
    assert usage_json(usage)["output_tokens"] is None
    assert quantiles_json(usage.first_tokens) == [None] * len(LATENCY_QUANTILES) == [None] * 17

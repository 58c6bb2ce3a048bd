"""Usage as it is shown; the routes' tests have it whole."""

from decimal import Decimal

from lsd.api.usage_json import LATENCY_QUANTILES, dollars, quantiles_json, usage_json
from lsd.store import Usage
from lsd.store.usage import usage_of_some


def test_money_is_in_dollars() -> None:
    """Exactly."""
    usage = Usage()
    usage.add(
        usage_of_some(
            [{"input_tokens": 1, "cost": 123}],
            costs_known=1,
            durations_ms=[1],
            first_tokens_ms=[None],
        )
    )

    assert dollars(usage) == Decimal("0.000000123")
    assert usage_json(usage)["output_tokens"] is None
    assert quantiles_json(usage.first_tokens) == [None] * len(LATENCY_QUANTILES) == [None] * 17

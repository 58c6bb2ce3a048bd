"""How much variants are used, over HTTP."""

from decimal import Decimal
from typing import Any

import pytest

from lsd.api import FunctionStatistics, Reading
from lsd.store import Store
from tests.unit.api.endpoints import quart_of
from tests.unit.api.gateways import get
from tests.unit.api.in_memory import ask
from tests.unit.store.makers import Maker, stored

HAIKU = "/internal/functions/write_haiku"
STATISTICS = "/internal/variant_statistics?function_name=write_haiku"
HOUR_S = 3600


@pytest.fixture
def app(reading: Reading) -> Any:
    """The application with the routes of functions."""
    return quart_of(*FunctionStatistics(reading).endpoints())


async def test_functions_are_counted(app: Any, store: Store, make: Maker) -> None:
    """4.13, 1: exactly, the one used last first."""
    for name in ("other", "write_haiku", "write_haiku"):
        make.clock.advance_s(1)
        stored(store, make.inference(function_name=name))

    assert await get(app, "/internal/functions/inference_counts") == {
        "functions": [
            {
                "function_name": "write_haiku",
                "last_inference_timestamp": "2026-02-02T02:40:03.000Z",
                "inference_count": 2,
            },
            {
                "function_name": "other",
                "last_inference_timestamp": "2026-02-02T02:40:01.000Z",
                "inference_count": 1,
            },
        ]
    }


async def test_variants_are_counted(app: Any, store: Store, make: Maker) -> None:
    """On request, the one used most first."""
    for name in ("warm", "terse", "terse"):
        stored(store, make.inference(variant_name=name))
    path = f"{HAIKU}/inference_count"

    assert await get(app, path) == {"inference_count": 3}
    assert await get(app, f"{path}?variant_name=warm") == {"inference_count": 1}
    grouped = await get(app, f"{path}?group_by=variant")
    assert grouped["inference_count"] == 3
    assert [(e["variant_name"], e["inference_count"]) for e in grouped["count_by_variant"]] == [
        ("terse", 2),
        ("warm", 1),
    ]
    assert grouped["count_by_variant"][0]["last_used_at"] == "2026-02-02T02:40:00.000Z"
    for target in (f"{path}?variant_name=ghost", "/internal/functions/ghost/inference_count"):
        assert (await ask(app, "GET", target)).status == 404
    assert (await ask(app, "GET", f"{path}?group_by=model")).status == 400


async def test_throughput_goes_by_periods(app: Any, store: Store, make: Maker) -> None:
    """The latest first, and of one period the last name first; empty ones are left out."""
    for name in ("terse", "warm", "warm"):
        stored(store, make.inference(variant_name=name))
    make.clock.advance_s(3 * HOUR_S)
    stored(store, make.inference())
    path = f"{HAIKU}/throughput_by_variant"

    async def found(query: str) -> list[tuple[str, str, int]]:
        shown = (await get(app, path + query))["throughput"]
        return [
            (each["period_start"][11:16], each["variant_name"], each["count"]) for each in shown
        ]

    everything = [("05:00", "terse", 1), ("02:00", "warm", 2), ("02:00", "terse", 1)]
    assert await found("?time_window=hour") == everything
    assert await found("?time_window=hour&max_periods=3") == everything
    assert await found("?time_window=hour&max_periods=2") == everything[:1]
    assert await found("?time_window=minute&max_periods=0") == [("05:40", "terse", 1)]
    assert await found("?time_window=cumulative") == [("00:00", "warm", 2), ("00:00", "terse", 2)]
    for wrong in ("", "?time_window=year", "?time_window=day&max_periods=-1"):
        assert (await ask(app, "GET", path + wrong)).status == 400
    unknown = "/internal/functions/ghost/throughput_by_variant?time_window=day"
    assert (await ask(app, "GET", unknown)).status == 404


async def test_usage_is_summed_up(app: Any, store: Store, make: Maker) -> None:
    """4.13, 18 and 19: over all calls; unknown tokens and costs are left out, and it shows."""
    first = make.inference(processing_time_ms=100)
    stored(
        store,
        first,
        make.call(first.inference_id, input_tokens=10, cost=Decimal("0.5")),
        make.call(first.inference_id, input_tokens=0, output_tokens=None, cost=Decimal("0.25")),
    )
    second = make.inference(processing_time_ms=1000, ttft_ms=100)
    stored(store, second, make.call(second.inference_id, input_tokens=5, cost=None))

    shown = await get(app, f"{HAIKU}/variant_usage?time_window=day")

    assert len(shown["quantiles"]) == 17
    (row,) = shown["data"]
    times = row.pop("processing_time_ms_quantiles"), row.pop("ttft_ms_quantiles")
    assert row == {
        "period_start": "2026-02-02T00:00:00.000Z",
        "variant_name": "terse",
        "input_tokens": 15,
        "output_tokens": 14,
        "count": 2,
        "cost": 0.75,
        "count_with_cost": 1,
    }
    # Of two, even the least quantile lies beyond the first: its rank is 1.001.
    assert times[0] == pytest.approx([996.646] * 17, abs=0.001)
    assert times[1] == pytest.approx([100.318] * 17, abs=0.001)
    assert (await get(app, "/internal/functions/ghost/variant_usage?time_window=day"))["data"] == []
    assert (await ask(app, "GET", f"{HAIKU}/variant_usage")).status == 400


async def test_nothing_reported_is_null(app: Any, store: Store, make: Maker) -> None:
    """And answers of the inference cache tell nothing about time."""
    record = make.inference()
    call = make.call(
        record.inference_id, input_tokens=None, output_tokens=None, cost=None, cached=True
    )
    stored(store, record, call)

    (row,) = (await get(app, f"{HAIKU}/variant_usage?time_window=cumulative"))["data"]
    (sums,) = (await get(app, STATISTICS))["data"]

    assert row["period_start"] == "1970-01-01T00:00:00.000Z"
    assert (row["input_tokens"], row["output_tokens"], row["cost"]) == (None, None, None)
    assert row["processing_time_ms_quantiles"] == [None] * 17
    assert sums == {
        "function_name": "write_haiku",
        "variant_name": "terse",
        "inference_count": 1,
        "processing_time_ms_quantiles": [None] * 17,
        "ttft_ms_quantiles": [None] * 17,
    }


async def test_statistics_are_of_whole_minutes(app: Any, store: Store, make: Maker) -> None:
    """A minute counts if its start is in the time, however long that is."""
    for seconds in (0, 30, 60, 5 * HOUR_S, 24 * HOUR_S):
        make.clock.milliseconds = 1_770_000_000_000 + seconds * 1000
        record = make.inference(variant_name="terse")
        stored(store, record, make.call(record.inference_id, input_tokens=1))

    async def count(query: str) -> int:
        rows = (await get(app, STATISTICS + query))["data"]
        return sum(each["inference_count"] for each in rows)

    assert await count("") == 5
    assert await count("&after=2026-02-02T02:40:00Z") == 5
    assert await count("&after=2026-02-02T02:40:00.5Z") == 3
    assert await count("&before=2026-02-02T02:40:00Z") == 0
    assert await count("&before=2026-02-02T02:40:01Z") == 2
    assert await count("&after=2026-02-02T02:41:00Z&before=2026-02-02T07:41:00Z") == 2
    assert await count("&after=2026-02-02T04:41:00%2B02:00&before=2026-02-03T02:41:00Z") == 3
    assert await count("&variant_names=terse,warm") == 5
    assert await count("&variant_names=warm") == 0
    (row,) = (await get(app, STATISTICS))["data"]
    assert (row["total_input_tokens"], row["total_cost"]) == (5, 0.000615)
    assert row["count_with_cost"] == 5
    assert (await ask(app, "GET", f"{STATISTICS}&after=now")).status == 400
    assert (await ask(app, "GET", "/internal/variant_statistics")).status == 400
    ghost = await get(app, "/internal/variant_statistics?function_name=ghost")
    assert ghost["data"] == []

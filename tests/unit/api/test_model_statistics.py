"""How much models are used, over HTTP."""

from decimal import Decimal
from typing import Any

import pytest

from lsd.api import ModelStatistics, Reading
from lsd.store import EmbeddingRecord, Store, new_calls
from tests.unit.api.endpoints import quart_of
from tests.unit.api.gateways import get
from tests.unit.api.in_memory import ask
from tests.unit.store.makers import Maker, stored

MODELS = "/internal/models"


@pytest.fixture
def app(reading: Reading, make: Maker) -> Any:
    """The application with the routes of models."""
    return quart_of(*ModelStatistics(reading, make.clock).endpoints())


def called(store: Store, make: Maker, *calls: dict[str, Any]) -> None:
    """An inference with these calls."""
    record = make.inference()
    stored(store, record, *(make.call(record.inference_id, **each) for each in calls))


async def test_models_are_counted_that_have_served(app: Any, store: Store, make: Maker) -> None:
    """Those of embeddings, too, but none that only failed."""
    nothing = {"input_tokens": None, "output_tokens": None, "cost": None}
    failed = {"model_name": "ill", "status": "error", **nothing}
    called(store, make, {}, {"model_provider_name": "azure"}, failed)
    embedding = EmbeddingRecord(id=make.id(), model_name="emb", input_count=1)
    call = make.call(embedding.id, function_name=None, variant_name=None, model_name="emb")
    store.data.write(store.inferences.record_embedding(embedding, new_calls([call])).apply)

    assert await get(app, f"{MODELS}/count") == {"model_count": 2}


async def test_usage_is_by_model_or_by_provider(app: Any, store: Store, make: Maker) -> None:
    """4.13, 18 and 19: of unknown tokens and costs there is no sum; cache hits count."""
    called(store, make, {"cost": Decimal("0.1")}, {"cached": True, "cost": Decimal(0)})
    called(store, make, {"model_provider_name": "azure", "input_tokens": 0, "cost": None})

    merged = await get(app, f"{MODELS}/usage?time_window=month")
    apart = await get(app, f"{MODELS}/usage?time_window=month&group_by=provider")

    start = {"period_start": "2026-02-01T00:00:00.000Z", "model_name": "gpt"}
    assert merged["data"] == [
        {
            **start,
            "input_tokens": 24,
            "output_tokens": 21,
            "count": 3,
            "cost": 0.1,
            "count_with_cost": 2,
        }
    ]
    assert [
        (e["model_provider_name"], e["input_tokens"], e["count"], e["cost"]) for e in apart["data"]
    ] == [("azure", None, 1, None), ("openai", 24, 2, 0.1)]
    for wrong in ("", "?time_window=x", "?time_window=day&group_by=model"):
        assert (await ask(app, "GET", f"{MODELS}/usage{wrong}")).status == 400


async def test_prompt_caches_have_a_ratio(app: Any, store: Store, make: Maker) -> None:
    """None without input, or where the provider tells nothing."""
    tokens = {"provider_cache_read_input_tokens": 3, "provider_cache_write_input_tokens": 0}
    called(store, make, {**tokens, "input_tokens": 12})
    called(store, make, {"model_name": "a", **tokens, "input_tokens": None})
    called(store, make, {"model_name": "b", "model_provider_name": "azure"})

    async def ratios(query: str) -> list[tuple[str, float | None]]:
        found = await get(app, f"{MODELS}/cache_statistics?time_window=day{query}")
        return [(each["model_name"], each["cache_read_ratio"]) for each in found["data"]]

    assert await ratios("") == [("a", None), ("b", None), ("gpt", 0.25)]
    assert await ratios("&model_name=gpt") == [("gpt", 0.25)]
    assert await ratios("&model_provider_name=azure") == [("b", None)]
    assert await ratios("&model_name=gpt&model_provider_name=azure") == []
    assert await ratios("&model_name=ghost") == []
    (row,) = (await get(app, f"{MODELS}/cache_statistics?time_window=day&model_name=gpt"))["data"]
    assert (row["cache_read_input_tokens"], row["cache_write_input_tokens"]) == (3, 0)


async def test_latency_is_of_the_time_that_ends_now(app: Any, store: Store, make: Maker) -> None:
    """Cache hits and native batches count, and take no time."""
    called(store, make, {"response_time_ms": 100, "ttft_ms": 1})
    called(store, make, {"response_time_ms": 5, "cached": True})
    called(store, make, {"response_time_ms": None})
    make.clock.advance_s(59 * 60)
    called(store, make, {"model_name": "a", "response_time_ms": 1000})

    async def found(window: str) -> list[tuple[str, int, float]]:
        shown = await get(app, f"{MODELS}/latency?time_window={window}")
        assert len(shown["quantiles"]) == 17
        return [
            (each["model_name"], each["count"], each["response_time_ms_quantiles"][8])
            for each in shown["data"]
        ]

    a = ("a", 1, pytest.approx(996.646, abs=0.001))
    gpt = ("gpt", 3, pytest.approx(100.318, abs=0.001))
    assert await found("minute") == [a]
    assert await found("hour") == [a, gpt]
    assert await found("cumulative") == [a, gpt]
    make.clock.advance_s(2 * 60)
    assert await found("minute") == []
    assert await found("hour") == [a]
    assert await found("day") == [a, gpt]
    make.clock.advance_s(32 * 86_400)
    assert await found("month") == []
    assert (await ask(app, "GET", f"{MODELS}/latency")).status == 400

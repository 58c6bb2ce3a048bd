"""How much models and their providers are used: calls, tokens, cost, prompt caches, time."""

from collections.abc import Iterable
from typing import Any

import attrs

from lsd.api.exchange import Answer, Endpoint, Request, Start
from lsd.api.metric_statistics import MAX_PERIODS, TIME_WINDOWS
from lsd.api.parameters import choice_in, integer_in
from lsd.api.reading import Reading
from lsd.api.usage_json import LATENCY_QUANTILES, quantiles_json, usage_json
from lsd.conversation import encode_json
from lsd.store import ModelUsage, Usage
from lsd.telemetry import Clock, rfc3339_ms


@attrs.frozen
class ModelStatistics:
    """Serves what the store has counted by model and provider."""

    _reading: Reading
    _clock: Clock

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        routes = {
            "/internal/models/count": self.count,
            "/internal/models/usage": self.usage,
            "/internal/models/cache_statistics": self.cache_statistics,
            "/internal/models/latency": self.latency,
        }
        return tuple(
            Endpoint(method="GET", path=path, handle=handle) for path, handle in routes.items()
        )

    async def count(self, _request: Request, _start: Start) -> Answer:
        """`GET /internal/models/count`: models that have served."""
        found = await self._reading.read(
            lambda: self._reading.store.usage.model_periods("cumulative", 0)
        )
        return Answer(body=encode_json({"model_count": len({each.model_name for each in found})}))

    async def usage(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/models/usage`: in periods, the latest first."""
        by_provider = choice_in(request, "group_by", ("", "provider"), default="") == "provider"
        found = await self._periods(request)
        if not by_provider:
            found = _merged(found)
        shown = [
            {
                "period_start": rfc3339_ms(each.period_start_ms),
                "model_name": each.model_name,
                **({"model_provider_name": each.provider_name} if by_provider else {}),
                **usage_json(each.usage),
            }
            for each in sorted(found, key=_place)
        ]
        return Answer(body=encode_json({"data": shown}))

    async def cache_statistics(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/models/cache_statistics`: of the providers' own prompt caches."""
        found = await self._periods(
            request,
            model_name=request.query.get("model_name"),
            provider_name=request.query.get("model_provider_name"),
        )
        shown = [_cache_statistics(each) for each in sorted(found, key=_place)]
        return Answer(body=encode_json({"data": shown}))

    async def latency(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/models/latency`: of the time that ends now."""
        window = choice_in(request, "time_window", TIME_WINDOWS)
        now_ms = self._clock.now_ms()
        found = await self._reading.read(
            lambda: self._reading.store.usage.models_between(window, now_ms)
        )
        shown = [
            {
                "model_name": each.model_name,
                "response_time_ms_quantiles": quantiles_json(each.usage.durations),
                "ttft_ms_quantiles": quantiles_json(each.usage.first_tokens),
                "count": each.usage.count,
            }
            for each in sorted(_merged(found), key=_place)
        ]
        return Answer(body=encode_json({"quantiles": LATENCY_QUANTILES, "data": shown}))

    async def _periods(self, request: Request, **names: str | None) -> list[ModelUsage]:
        window = choice_in(request, "time_window", TIME_WINDOWS)
        max_periods = integer_in(request, "max_periods", default=MAX_PERIODS)
        return await self._reading.read(
            lambda: self._reading.store.usage.model_periods(window, max_periods, **names)
        )


def _place(found: ModelUsage) -> tuple[int, str, str]:
    return -found.period_start_ms, found.model_name, found.provider_name


def _merged(found: Iterable[ModelUsage]) -> list[ModelUsage]:
    """The usage of each model at all its providers."""
    merged: dict[tuple[int, str], Usage] = {}
    for each in found:
        usage = merged.setdefault((each.period_start_ms, each.model_name), Usage())
        usage.merge(each.usage)
    return [
        ModelUsage(period_start_ms=start_ms, model_name=name, provider_name="", usage=usage)
        for (start_ms, name), usage in merged.items()
    ]


def _cache_statistics(found: ModelUsage) -> dict[str, Any]:
    usage = found.usage
    read, whole = usage.cache_read_tokens, usage.input_tokens
    return {
        "period_start": rfc3339_ms(found.period_start_ms),
        "model_name": found.model_name,
        "model_provider_name": found.provider_name,
        "input_tokens": whole,
        "cache_read_input_tokens": read,
        "cache_write_input_tokens": usage.cache_write_tokens,
        "count": usage.count,
        "cache_read_ratio": None if read is None or not whole else read / whole,
    }

"""How much a function's variants are used: inferences, throughput, tokens, cost, time."""

from typing import Any

import attrs

from lsd.api.exchange import Answer, Endpoint, Request, Start
from lsd.api.metric_statistics import MAX_PERIODS, TIME_WINDOWS
from lsd.api.parameters import choice_in, integer_in, text_in, texts_in, time_ms_in
from lsd.api.reading import Reading
from lsd.api.usage_json import LATENCY_QUANTILES, dollars, quantiles_json, usage_json
from lsd.conversation import encode_json, id_time_ms
from lsd.store import Usage, VariantCount, VariantUsage
from lsd.telemetry import rfc3339_ms


@attrs.frozen
class FunctionStatistics:
    """Serves what the store has counted by function and variant."""

    _reading: Reading

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        function = "/internal/functions/{function_name}"
        routes = {
            "/internal/functions/inference_counts": self.functions,
            f"{function}/inference_count": self.count,
            f"{function}/throughput_by_variant": self.throughput,
            f"{function}/variant_usage": self.usage,
            "/internal/variant_statistics": self.statistics,
        }
        return tuple(
            Endpoint(method="GET", path=path, handle=handle) for path, handle in routes.items()
        )

    async def functions(self, _request: Request, _start: Start) -> Answer:
        """`GET /internal/functions/inference_counts`: the one used last comes first."""
        found: dict[str, tuple[str, int]] = {}
        for each in await self._reading.read(self._reading.store.inferences.counts):
            last, count = found.get(each.function_name, ("", 0))
            last = max(last, each.last_inference_id)
            found[each.function_name] = last, count + each.inferences
        shown = [
            {
                "function_name": name,
                "last_inference_timestamp": rfc3339_ms(id_time_ms(last)),
                "inference_count": count,
            }
            for name, (last, count) in sorted(found.items(), key=lambda each: each[1], reverse=True)
        ]
        return Answer(body=encode_json({"functions": shown}))

    async def count(self, request: Request, _start: Start) -> Answer:
        """`GET …/inference_count`, with `group_by=variant` also of each variant."""
        function_name = text_in(request, "function_name")
        variant_name = request.query.get("variant_name")
        group_by = choice_in(request, "group_by", ("", "variant"), default="")

        def read() -> list[VariantCount]:
            self._reading.names.require_function(function_name)
            if variant_name is not None:
                self._reading.names.require_variant(function_name, variant_name)
            counts = self._reading.store.inferences.counts(function_name)
            return [each for each in counts if variant_name in (None, each.variant_name)]

        counts = await self._reading.read(read)
        shown: dict[str, Any] = {"inference_count": sum(each.inferences for each in counts)}
        if group_by:
            counts.sort(key=lambda each: (-each.inferences, each.variant_name))
            shown["count_by_variant"] = [_variant_count(each) for each in counts]
        return Answer(body=encode_json(shown))

    async def throughput(self, request: Request, _start: Start) -> Answer:
        """`GET …/throughput_by_variant`: inferences in periods, the latest first."""
        function_name = text_in(request, "function_name")
        window = choice_in(request, "time_window", TIME_WINDOWS)
        max_periods = integer_in(request, "max_periods", default=MAX_PERIODS)

        def read() -> list[VariantUsage]:
            self._reading.names.require_function(function_name)
            return self._reading.store.usage.variant_periods(function_name, window, max_periods)

        found = await self._reading.read(read)
        found.sort(key=lambda each: (each.period_start_ms, each.variant_name), reverse=True)
        shown = [
            {
                "period_start": rfc3339_ms(each.period_start_ms),
                "variant_name": each.variant_name,
                "count": each.usage.count,
            }
            for each in found
        ]
        return Answer(body=encode_json({"throughput": shown}))

    async def usage(self, request: Request, _start: Start) -> Answer:
        """`GET …/variant_usage`: tokens, cost and time in periods, the latest first."""
        function_name = text_in(request, "function_name")
        window = choice_in(request, "time_window", TIME_WINDOWS)
        max_periods = integer_in(request, "max_periods", default=MAX_PERIODS)
        found = await self._reading.read(
            lambda: self._reading.store.usage.variant_periods(function_name, window, max_periods)
        )
        found.sort(key=lambda each: (-each.period_start_ms, each.variant_name))
        shown = [
            {
                "period_start": rfc3339_ms(each.period_start_ms),
                "variant_name": each.variant_name,
                **usage_json(each.usage),
                **_times(each.usage),
            }
            for each in found
        ]
        return Answer(body=encode_json({"quantiles": LATENCY_QUANTILES, "data": shown}))

    async def statistics(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/variant_statistics`: sums over some time, by variant."""
        function_name = text_in(request, "function_name")
        variant_names = texts_in(request, "variant_names")
        after_ms, before_ms = time_ms_in(request, "after"), time_ms_in(request, "before")
        found = await self._reading.read(
            lambda: self._reading.store.usage.variants_between(function_name, after_ms, before_ms)
        )
        found.sort(key=lambda each: each.variant_name)
        shown = [
            _statistics(function_name, each)
            for each in found
            if variant_names is None or each.variant_name in variant_names
        ]
        return Answer(body=encode_json({"quantiles": LATENCY_QUANTILES, "data": shown}))


def _variant_count(count: VariantCount) -> dict[str, Any]:
    return {
        "variant_name": count.variant_name,
        "inference_count": count.inferences,
        "last_used_at": rfc3339_ms(id_time_ms(count.last_inference_id)),
    }


def _statistics(function_name: str, found: VariantUsage) -> dict[str, Any]:
    usage = found.usage
    cost = dollars(usage)
    sums = {
        "total_input_tokens": usage.input_tokens,
        "total_output_tokens": usage.output_tokens,
        "total_cost": cost,
        "count_with_cost": None if cost is None else usage.count_with_cost,
        "total_provider_cache_read_input_tokens": usage.cache_read_tokens,
        "total_provider_cache_write_input_tokens": usage.cache_write_tokens,
    }
    return {
        "function_name": function_name,
        "variant_name": found.variant_name,
        "inference_count": usage.count,
        **{name: each for name, each in sums.items() if each is not None},
        **_times(usage),
    }


def _times(usage: Usage) -> dict[str, Any]:
    return {
        "processing_time_ms_quantiles": quantiles_json(usage.durations),
        "ttft_ms_quantiles": quantiles_json(usage.first_tokens),
    }

"""Usage, cost and latency by variant, and by model and provider, in periods. Scans rows of sums."""

from collections.abc import Iterable, Iterator
from typing import Final

import attrs

from lsd.store._usage_periods import (
    MINUTES_END,
    MS_PER_MINUTE,
    OF_MODELS,
    OF_VARIANTS,
    UsageRows,
)
from lsd.store._usage_row import count_of, usage_of
from lsd.store.engine import Environment
from lsd.store.layout import (
    MODEL_USAGE,
    TIME,
    VARIANT_USAGE,
    end_of,
)
from lsd.store.names import FUNCTION, MODEL, PROVIDER, VARIANT, Names
from lsd.store.periods import TimeWindow, period_start, periods_later
from lsd.store.transaction import Database, Transaction
from lsd.store.usage import Usage

_PAIR_BYTES: Final = 8

_ROWS_OF: Final[dict[TimeWindow, int]] = {"minute": 0, "hour": 1, "day": 2, "week": 2, "month": 2}
"""Which rows make up a period."""

_MINUTES: Final[dict[TimeWindow, int]] = {
    "minute": 1,
    "hour": 60,
    "day": 1440,
    "week": 7 * 1440,
    "month": 31 * 1440,
}


@attrs.frozen(kw_only=True)
class VariantUsage:
    """The usage of a variant in a period."""

    period_start_ms: int
    variant_name: str
    usage: Usage


@attrs.frozen(kw_only=True)
class ModelUsage:
    """The usage of a model at a provider in a period."""

    period_start_ms: int
    model_name: str
    provider_name: str
    usage: Usage


@attrs.frozen(kw_only=True)
class UsageStatistics:
    """The usage that a store has summed up. Inferences count in the period of their own id."""

    _data: Environment
    _names: Names

    def variant_periods(
        self, function_name: str, window: TimeWindow, max_periods: int
    ) -> list[VariantUsage]:
        """The last periods of a function, `max_periods` of them before the latest with data.

        In no particular order; periods without data are left out.
        """
        with self._data.read() as transaction:
            function = self._names.find(transaction, FUNCTION, function_name)
            if function is None:
                return []
            pairs = _pairs(transaction, VARIANT_USAGE, function)
            return [
                VariantUsage(
                    period_start_ms=start_ms,
                    variant_name=self._names.name(transaction, VARIANT, pair[4:]),
                    usage=usage,
                )
                for pair, start_ms, usage in _periods(
                    transaction, OF_VARIANTS, pairs, window, max_periods
                )
            ]

    def model_periods(
        self,
        window: TimeWindow,
        max_periods: int,
        *,
        model_name: str | None = None,
        provider_name: str | None = None,
    ) -> list[ModelUsage]:
        """The same by model and provider, of those that are named."""
        with self._data.read() as transaction:
            pairs = self._models(transaction, model_name, provider_name)
            return [
                self._model_usage(transaction, pair, start_ms, usage)
                for pair, start_ms, usage in _periods(
                    transaction, OF_MODELS, pairs, window, max_periods
                )
            ]

    def models_between(self, window: TimeWindow, now_ms: int) -> list[ModelUsage]:
        """By model and provider, the time of this length that ends now; without those unused.

        The minute and the hour consist of whole minutes, longer times of whole hours.
        """
        with self._data.read() as transaction:
            found = [
                (pair, _between(transaction, OF_MODELS, pair, _first_minute(window, now_ms), None))
                for pair in self._models(transaction, None, None)
            ]
            return [
                self._model_usage(transaction, pair, 0, usage)
                for pair, usage in found
                if usage.count
            ]

    def variants_between(
        self, function_name: str, after_ms: int | None, before_ms: int | None
    ) -> list[VariantUsage]:
        """By variant, the minutes whose start is at least `after_ms` and less than `before_ms`."""
        with self._data.read() as transaction:
            function = self._names.find(transaction, FUNCTION, function_name)
            if function is None:
                return []
            first, end = _minute_from(after_ms), _minute_from(before_ms)
            found = []
            for pair in _pairs(transaction, VARIANT_USAGE, function):
                usage = _between(transaction, OF_VARIANTS, pair, first, end)
                if usage.count:
                    name = self._names.name(transaction, VARIANT, pair[4:])
                    found.append(VariantUsage(period_start_ms=0, variant_name=name, usage=usage))
            return found

    def _models(
        self, transaction: Transaction, model_name: str | None, provider_name: str | None
    ) -> list[bytes]:
        model, provider = b"", b""
        if model_name is not None:
            model = self._names.find(transaction, MODEL, model_name) or bytes(4)
        if provider_name is not None:
            provider = self._names.find(transaction, PROVIDER, provider_name) or bytes(4)
        pairs = _pairs(transaction, MODEL_USAGE, model)
        return [pair for pair in pairs if pair.endswith(provider)]

    def _model_usage(
        self, transaction: Transaction, pair: bytes, start_ms: int, usage: Usage
    ) -> ModelUsage:
        return ModelUsage(
            period_start_ms=start_ms,
            model_name=self._names.name(transaction, MODEL, pair[:4]),
            provider_name=self._names.name(transaction, PROVIDER, pair[4:]),
            usage=usage,
        )


def _pairs(transaction: Transaction, database: Database, prefix: bytes) -> list[bytes]:
    """What has usage under a prefix, each once; `database` is the one of all time."""
    keys = (key[:_PAIR_BYTES] for key, _ in transaction.range(database, prefix, end_of(prefix)))
    return list(dict.fromkeys(keys))


def _periods(
    transaction: Transaction,
    rows: UsageRows,
    pairs: Iterable[bytes],
    window: TimeWindow,
    max_periods: int,
) -> Iterator[tuple[bytes, int, Usage]]:
    """Pairs with the starts of periods and their usage."""
    wanted = list(pairs)
    if window == "cumulative":
        for pair in wanted:
            yield pair, 0, _sum(row for _, row in _range(transaction, rows.of_all, pair))
        return
    length, database = rows.by_length[_ROWS_OF[window]]
    unit_ms = length * MS_PER_MINUTE
    latest = [_latest(transaction, database, pair) for pair in wanted]
    times = [time for time in latest if time is not None]
    if not times:
        return
    current = period_start(window, max(times) * unit_ms)
    first = periods_later(window, current, -max_periods) // unit_ms
    for pair in wanted:
        periods: dict[int, Usage] = {}
        for key, row in transaction.range(database, pair + TIME.pack(first), end_of(pair)):
            (time,) = TIME.unpack_from(key, _PAIR_BYTES)
            start_ms = period_start(window, time * unit_ms)
            periods.setdefault(start_ms, Usage()).merge(usage_of(row))
        yield from ((pair, start_ms, usage) for start_ms, usage in periods.items() if usage.count)


def _latest(transaction: Transaction, database: Database, pair: bytes) -> int | None:
    """The last hour or minute with data."""
    for key, row in transaction.range(database, pair, end_of(pair), reverse=True):
        # What one process has counted, another may have taken away.
        if count_of(row) > 0:
            time: int = TIME.unpack_from(key, _PAIR_BYTES)[0]
            return time
    return None


def _first_minute(window: TimeWindow, now_ms: int) -> int | None:
    """When the time of this length began that ends now: at a whole minute or a whole hour."""
    if window == "cumulative":
        return None
    first = now_ms // MS_PER_MINUTE - _MINUTES[window]
    return first if window in ("minute", "hour") else first - first % _MINUTES["hour"]


def _minute_from(time_ms: int | None) -> int | None:
    """The first minute that does not begin before a time."""
    return None if time_ms is None else -(-time_ms // MS_PER_MINUTE)


def _between(
    transaction: Transaction, rows: UsageRows, pair: bytes, first: int | None, end: int | None
) -> Usage:
    """The usage in the minutes from `first` up to `end`."""
    if first is None and end is None:
        return _sum(row for _, row in _range(transaction, rows.of_all, pair))
    usage = Usage()
    for database, start, stop in rows.spans(
        max(0, first or 0), MINUTES_END if end is None else min(end, MINUTES_END)
    ):
        if start < stop:
            keys = pair + TIME.pack(start), pair + TIME.pack(stop)
            usage.merge(_sum(row for _, row in transaction.range(database, *keys)))
    return usage


def _range(
    transaction: Transaction, database: Database, prefix: bytes
) -> Iterator[tuple[bytes, bytes]]:
    return transaction.range(database, prefix, end_of(prefix))


def _sum(rows: Iterable[bytes]) -> Usage:
    usage = Usage()
    for row in rows:
        usage.merge(usage_of(row))
    return usage

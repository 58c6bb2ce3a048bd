"""Usage, cost and latency by variant, and by model and provider, in periods. Scans rows of sums."""

from collections.abc import Iterable, Iterator
from typing import Final

import attrs

from lsd.store._usage_row import count_of, usage_of
from lsd.store._usage_writes import MS_PER_HOUR, MS_PER_MINUTE
from lsd.store.engine import Environment
from lsd.store.layout import (
    MODEL_USAGE,
    MODEL_USAGE_BY_HOUR,
    MODEL_USAGE_BY_MINUTE,
    TIME,
    VARIANT_USAGE,
    VARIANT_USAGE_BY_HOUR,
    VARIANT_USAGE_BY_MINUTE,
    end_of,
)
from lsd.store.names import FUNCTION, MODEL, PROVIDER, VARIANT, Names
from lsd.store.periods import TimeWindow, period_start, periods_later
from lsd.store.transaction import Database, Transaction
from lsd.store.usage import Usage

_TIME_END: Final = 1 << 32
"""Behind every hour and minute."""

_PAIR_BYTES: Final = 8


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


@attrs.frozen
class _Rows:
    """The rows of one kind of usage: of all time, by hour, by minute."""

    of_all: Database
    by_hour: Database
    by_minute: Database

    def by(self, window: TimeWindow) -> tuple[Database, int]:
        """The rows for periods of this length, and the milliseconds of each row."""
        if window == "minute":
            return self.by_minute, MS_PER_MINUTE
        return self.by_hour, MS_PER_HOUR


_OF_VARIANTS: Final = _Rows(VARIANT_USAGE, VARIANT_USAGE_BY_HOUR, VARIANT_USAGE_BY_MINUTE)
_OF_MODELS: Final = _Rows(MODEL_USAGE, MODEL_USAGE_BY_HOUR, MODEL_USAGE_BY_MINUTE)


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
                    transaction, _OF_VARIANTS, pairs, window, max_periods
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
                    transaction, _OF_MODELS, pairs, window, max_periods
                )
            ]

    def models_between(self, window: TimeWindow, now_ms: int) -> list[ModelUsage]:
        """By model and provider, the time of this length that ends now; without those unused.

        The minute and the hour consist of whole minutes, longer times of whole hours.
        """
        with self._data.read() as transaction:
            pairs = self._models(transaction, None, None)
            return [
                self._model_usage(transaction, pair, 0, usage)
                for pair, usage in _recent(transaction, pairs, window, now_ms)
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
            found = []
            for pair in _pairs(transaction, VARIANT_USAGE, function):
                usage = _between(transaction, _OF_VARIANTS, pair, after_ms, before_ms)
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
    rows: _Rows,
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
    database, unit_ms = rows.by(window)
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


def _recent(
    transaction: Transaction, pairs: Iterable[bytes], window: TimeWindow, now_ms: int
) -> Iterator[tuple[bytes, Usage]]:
    for pair in pairs:
        if window == "cumulative":
            yield pair, _sum(row for _, row in _range(transaction, _OF_MODELS.of_all, pair))
            continue
        database, unit_ms = _OF_MODELS.by("minute" if window in ("minute", "hour") else "hour")
        first = max(0, now_ms - _LENGTH_MS[window]) // unit_ms
        start = pair + TIME.pack(first)
        yield pair, _sum(row for _, row in transaction.range(database, start, end_of(pair)))


_LENGTH_MS: Final[dict[TimeWindow, int]] = {
    "minute": MS_PER_MINUTE,
    "hour": MS_PER_HOUR,
    "day": 24 * MS_PER_HOUR,
    "week": 7 * 24 * MS_PER_HOUR,
    "month": 31 * 24 * MS_PER_HOUR,
}


def _between(
    transaction: Transaction,
    rows: _Rows,
    pair: bytes,
    after_ms: int | None,
    before_ms: int | None,
) -> Usage:
    """The usage in whole minutes: by the hour where there are whole ones."""
    if after_ms is None and before_ms is None:
        return _sum(row for _, row in _range(transaction, rows.of_all, pair))
    first = 0 if after_ms is None else _ceiling(after_ms, MS_PER_MINUTE)
    end = 60 * _TIME_END if before_ms is None else _ceiling(before_ms, MS_PER_MINUTE)
    first_hour, end_hour = _ceiling(first, 60), end // 60
    if first_hour >= end_hour:
        spans = [(rows.by_minute, first, end)]
    else:
        spans = [
            (rows.by_minute, first, 60 * first_hour),
            (rows.by_hour, first_hour, end_hour),
            (rows.by_minute, 60 * end_hour, end),
        ]
    usage = Usage()
    for database, start, stop in spans:
        usage.merge(_sum(row for _, row in _span(transaction, database, pair, start, stop)))
    return usage


def _ceiling(number: int, unit: int) -> int:
    return -(-number // unit)


def _span(
    transaction: Transaction, database: Database, pair: bytes, start: int, stop: int
) -> Iterator[tuple[bytes, bytes]]:
    """The rows of hours or minutes from `start` up to `stop`."""
    if start >= min(stop, _TIME_END):
        return iter(())
    end = end_of(pair) if stop >= _TIME_END else pair + TIME.pack(stop)
    return transaction.range(database, pair + TIME.pack(max(0, start)), end)


def _range(
    transaction: Transaction, database: Database, prefix: bytes
) -> Iterator[tuple[bytes, bytes]]:
    return transaction.range(database, prefix, end_of(prefix))


def _sum(rows: Iterable[bytes]) -> Usage:
    usage = Usage()
    for row in rows:
        usage.merge(usage_of(row))
    return usage

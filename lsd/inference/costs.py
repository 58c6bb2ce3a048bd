"""What a call costs in dollars: exact sums over what the provider reported."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import attrs

from lsd.config import CostEntry
from lsd.conversation import JsonValue, LsdError

_MISSING = object()


@attrs.frozen
class CostUnknown(LsdError):
    """The cost cannot be told, for this reason."""

    reason: str


@attrs.frozen
class _Rate:
    plain: tuple[str, ...]
    streaming: tuple[str, ...]
    dollars: Decimal
    required: bool


@attrs.frozen
class CostTable:
    """The rates of one provider, ready to be applied to its answers."""

    _rates: tuple[_Rate, ...]

    @classmethod
    def of(cls, entries: Sequence[CostEntry]) -> "CostTable | None":
        """The table of a `cost` list; None if there is none, so that the cost is unknown."""
        return cls(tuple(_rate(entry) for entry in entries)) if entries else None

    def cost(self, body: JsonValue) -> Decimal:
        """Dollars of a whole answer. Raises CostUnknown."""
        return _total(
            (rate, _number(value, rate) if value is not _MISSING else None)
            for rate in self._rates
            for value in (_value_at(body, rate.plain),)
        )

    def stream(self) -> "StreamCost":
        """A counter for one streamed answer."""
        return StreamCost(self._rates)


@attrs.define(eq=False)
class StreamCost:
    """Finds the greatest value at each pointer over all chunks of a stream."""

    _rates: tuple[_Rate, ...]
    _found: dict[int, Decimal] = attrs.field(factory=dict, init=False)

    def add(self, chunk: JsonValue) -> None:
        """Looks at one chunk. Raises CostUnknown for a value that is no number."""
        for place, rate in enumerate(self._rates):
            value = _value_at(chunk, rate.streaming)
            # Most servers send `"usage": null` in all chunks but one.
            if value is not _MISSING and value is not None:
                number = _number(value, rate)
                self._found[place] = max(self._found.get(place, number), number)

    def cost(self) -> Decimal:
        """Dollars of what was seen. Raises CostUnknown."""
        return _total((rate, self._found.get(place)) for place, rate in enumerate(self._rates))


def _rate(entry: CostEntry) -> _Rate:
    return _Rate(
        plain=_parts(entry.pointer_for(streaming=False)),
        streaming=_parts(entry.pointer_for(streaming=True)),
        dollars=entry.dollars_per_unit,
        required=entry.required,
    )


def _parts(pointer: str) -> tuple[str, ...]:
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def _value_at(document: JsonValue, parts: tuple[str, ...]) -> Any:
    for part in parts:
        if isinstance(document, Mapping) and part in document:
            document = document[part]
        elif isinstance(document, list) and part.isdigit() and int(part) < len(document):
            document = document[int(part)]
        else:
            return _MISSING
    return document


def _number(value: Any, rate: _Rate) -> Decimal:
    pointer = "/" + "/".join(rate.plain)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise CostUnknown(f"{pointer} is no number")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise CostUnknown(f"{pointer} is no number") from None
    if not number.is_finite():
        raise CostUnknown(f"{pointer} is no finite number")
    return number


def _total(values: Any) -> Decimal:
    total = Decimal(0)
    for rate, value in values:
        if value is None:
            if rate.required:
                raise CostUnknown(f"/{'/'.join(rate.plain)} is missing, and required")
            continue
        total += value * rate.dollars
    if total < 0:
        raise CostUnknown(f"the total is negative: {total}")
    return total

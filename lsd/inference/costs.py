"""What a call costs in dollars: exact sums over what the provider reported."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import attrs

from lsd.config import CostEntry
from lsd.conversation import JsonValue, LsdError

DOLLARS_MAX = 10**9
"""Of one call. No model is that dear: a greater total is a figure gone wrong, and more than a
record holds."""

FIGURE_DIGITS_MAX = 30
"""Before the point. No count has so many; far longer ones would overflow when multiplied."""

_MISSING = object()


@attrs.frozen
class CostUnknown(LsdError):
    """The cost cannot be told, for this reason."""

    reason: str


@attrs.frozen
class _Rate:
    """What one figure costs; `parts` are those of its JSON pointer."""

    pointer: str
    parts: tuple[str, ...]
    dollars: Decimal
    required: bool


@attrs.frozen
class CostTable:
    """The rates of one provider, ready to be applied to its answers."""

    _plain: tuple[_Rate, ...]
    _streaming: tuple[_Rate, ...]

    @classmethod
    def of(cls, entries: Sequence[CostEntry]) -> "CostTable | None":
        """The table of a `cost` list; None if there is none, so that the cost is unknown."""
        if not entries:
            return None
        return cls(
            plain=tuple(_rate(entry, streaming=False) for entry in entries),
            streaming=tuple(_rate(entry, streaming=True) for entry in entries),
        )

    @classmethod
    def of_json(cls, rates: JsonValue) -> "CostTable | None":
        """The inverse of `to_json`, for whole answers."""
        return cls.of(
            [
                CostEntry(
                    pointer=rate["pointer"],
                    cost_per_unit=Decimal(rate["dollars"]),
                    required=rate["required"],
                )
                for rate in rates
            ]
        )

    def to_json(self) -> JsonValue:
        """The rates of whole answers, to be stored."""
        return [
            {"pointer": rate.pointer, "dollars": str(rate.dollars), "required": rate.required}
            for rate in self._plain
        ]

    def cost(self, body: JsonValue) -> Decimal:
        """Dollars of a whole answer. Raises CostUnknown."""
        figures = []
        for rate in self._plain:
            value = _value_at(body, rate)
            figures.append(None if value is _MISSING else _number(value, rate))
        return _total(self._plain, figures)

    def stream(self) -> "StreamCost":
        """A counter for one streamed answer."""
        return StreamCost(self._streaming)


@attrs.define(eq=False)
class StreamCost:
    """Finds the greatest value at each pointer over all chunks of a stream."""

    _rates: tuple[_Rate, ...]
    _found: dict[int, Decimal] = attrs.field(factory=dict, init=False)

    def add(self, chunk: JsonValue) -> None:
        """Looks at one chunk. Raises CostUnknown for a value that is no number."""
        for place, rate in enumerate(self._rates):
            value = _value_at(chunk, rate)
            # Most servers send `"usage": null` in all chunks but one.
            if value is not _MISSING and value is not None:
                number = _number(value, rate)
                self._found[place] = max(self._found.get(place, number), number)

    def cost(self) -> Decimal:
        """Dollars of what was seen. Raises CostUnknown."""
        return _total(self._rates, [self._found.get(place) for place in range(len(self._rates))])


def _rate(entry: CostEntry, *, streaming: bool) -> _Rate:
    pointer = entry.pointer_for(streaming=streaming)
    parts = pointer.split("/")[1:]
    return _Rate(
        pointer=pointer,
        parts=tuple(part.replace("~1", "/").replace("~0", "~") for part in parts),
        dollars=entry.dollars_per_unit,
        required=entry.required,
    )


def _value_at(document: JsonValue, rate: _Rate) -> Any:
    for part in rate.parts:
        if isinstance(document, Mapping) and part in document:
            document = document[part]
        elif isinstance(document, list) and part.isdecimal() and int(part) < len(document):
            document = document[int(part)]
        else:
            return _MISSING
    return document


def _number(value: Any, rate: _Rate) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise CostUnknown(f"{rate.pointer} is no number")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise CostUnknown(f"{rate.pointer} is no number") from None
    if not number.is_finite() or number.adjusted() >= FIGURE_DIGITS_MAX:
        raise CostUnknown(f"{rate.pointer} is no number that could be a count")
    return number


def _total(rates: Sequence[_Rate], figures: Sequence[Decimal | None]) -> Decimal:
    total = Decimal(0)
    for rate, figure in zip(rates, figures, strict=True):
        if figure is not None:
            total += figure * rate.dollars
        elif rate.required:
            raise CostUnknown(f"{rate.pointer} is missing, and required")
    if total < 0:
        raise CostUnknown(f"the total is negative: {total}")
    if total > DOLLARS_MAX:
        raise CostUnknown(f"the total is beyond {DOLLARS_MAX} dollars")
    return total

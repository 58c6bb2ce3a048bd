"""What a provider's usage costs."""

from decimal import Decimal
from typing import Annotated

import attrs

from lsd.config.kinds import Money


@attrs.frozen(kw_only=True)
class CostEntry:
    """One figure of a provider's answer, and its rate in dollars.

    Exactly one of `cost_per_million` and `cost_per_unit` is set; so is either `pointer` or the
    pair of `pointer_nonstreaming` and `pointer_streaming` (RFC 6901).
    """

    pointer: str | None = None
    pointer_nonstreaming: str | None = None
    pointer_streaming: str | None = None
    cost_per_million: Annotated[Decimal, Money()] | None = None
    cost_per_unit: Annotated[Decimal, Money()] | None = None
    required: bool = False

    def pointer_for(self, *, streaming: bool) -> str:
        """Where the figure stands in an answer, or in the chunks of a stream."""
        pointer = self.pointer_streaming if streaming else self.pointer_nonstreaming
        return self.pointer or pointer or ""

    @property
    def dollars_per_unit(self) -> Decimal:
        """The exact rate."""
        if self.cost_per_unit is not None:
            return self.cost_per_unit
        return (self.cost_per_million or Decimal(0)) / 1_000_000

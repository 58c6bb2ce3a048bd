"""The spans of rate limits: what is reserved for a call, and what it has used in the end."""

from collections.abc import Callable
from decimal import Decimal

import attrs

from lsd.access import CallLimits, Ticket, Used
from lsd.conversation import AttemptFailed, Usage
from lsd.telemetry import Trace, span_id_of, tag_attributes

NOTHING = Used.of(Usage(input_tokens=0, output_tokens=0), Decimal(0), is_whole=True)
"""What a call has used that was never sent."""


async def traced_ticket(
    trace: Trace, call_id: str, limits: CallLimits, tokens: Callable[[], int | None]
) -> "TracedTicket":
    """What the limits give for a call, whose span the steps lie below. Raises AttemptFailed."""
    started_ns, estimate, error = trace.clock.now_ns(), tokens(), None
    parent_id = span_id_of(call_id)
    try:
        ticket = await limits.reserve(lambda: estimate)
    except AttemptFailed as failure:
        error = str(failure)
        raise
    finally:
        cost = limits.reserved_cost
        attributes = {
            "estimated_usage.model_inferences": 1,
            "estimated_usage.tokens": estimate,
            "estimated_usage.cost": None if cost is None else float(cost),
            "scope_info.api_key_public_id": limits.api_key_public_id,
            **tag_attributes(limits.tags, "scope_info."),
        }
        trace.add("rate_limiting_reserve", started_ns, attributes, parent_id=parent_id, error=error)
    return TracedTicket(ticket, trace, parent_id)


@attrs.define(eq=False)
class TracedTicket:
    """A ticket whose settlement leaves a span."""

    _ticket: Ticket
    _trace: Trace
    _parent_id: bytes

    async def settle(self, used: Used) -> None:
        """As `Ticket.settle`."""
        started_ns = self._trace.clock.now_ns()
        await self._ticket.settle(used)
        self._tell(used, started_ns)

    def settle_nowait(self, used: Used) -> None:
        """As `Ticket.settle_nowait`."""
        if not self._ticket.is_settled:
            self._ticket.settle_nowait(used)
            self._tell(used, self._trace.clock.now_ns())

    def give_back_nowait(self) -> None:
        """As `Ticket.give_back_nowait`."""
        if not self._ticket.is_settled:
            self._ticket.give_back_nowait()
            self._tell(NOTHING, self._trace.clock.now_ns(), model_inferences=0)

    def _tell(self, used: Used, started_ns: int, *, model_inferences: int = 1) -> None:
        known = {each: used.amount(each)[1] for each in ("token", *self._ticket.resources)}
        attributes = {
            "actual_usage.model_inferences": model_inferences,
            "actual_usage.tokens": used.tokens if used.has_all_tokens else None,
            "actual_usage.cost": None if used.cost is None else float(used.cost),
            "underestimate": not all(known.values()),
        }
        self._trace.add("rate_limiting_settle", started_ns, attributes, parent_id=self._parent_id)

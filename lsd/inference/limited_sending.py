"""Sending a call within the rate limits."""

from collections.abc import Callable

from lsd.access import CallLimits, Ticket
from lsd.conversation import WireRequest
from lsd.inference.limit_spans import TracedTicket, traced_ticket
from lsd.network import Transport, TransportFailed, WireResponse, until
from lsd.telemetry import current_trace

GivenTicket = Ticket | TracedTicket


async def send_within(
    limits: CallLimits | None,
    call_id: str,
    tokens: Callable[[], int | None],
    transport: Transport,
    wire: WireRequest,
    deadline: float,
) -> tuple[WireResponse, GivenTicket | None]:
    """The head of the answer, and what the limits have given for the call.

    `tokens` estimates what it may use. Raises AttemptFailed if the limits give nothing, and
    TransportFailed, for which they get everything back if nothing was sent, and DeadlineReached.
    """
    if limits is None:
        return await transport.send(wire, deadline), None
    trace = current_trace()
    ticket: GivenTicket
    with until(deadline):
        if trace is None:
            ticket = await limits.reserve(tokens)
        else:
            ticket = await traced_ticket(trace, call_id, limits, tokens)
    try:
        return await transport.send(wire, deadline), ticket
    except TransportFailed as failure:
        if not failure.sent:
            ticket.give_back_nowait()
        raise

"""Sending a call within the rate limits."""

from collections.abc import Callable

from lsd.access import CallLimits, Ticket
from lsd.conversation import WireRequest
from lsd.network import Transport, TransportFailed, WireResponse, until
from lsd.telemetry import current_trace


async def send_within(
    limits: CallLimits | None,
    tokens: Callable[[], int | None],
    transport: Transport,
    wire: WireRequest,
    deadline: float,
) -> tuple[WireResponse, Ticket | None]:
    """The head of the answer, and what the limits have given for the call.

    `tokens` estimates what it may use. Raises AttemptFailed if the limits give nothing, and
    TransportFailed, for which they get everything back if nothing was sent, and DeadlineReached.
    """
    if limits is None:
        return await transport.send(wire, deadline), None
    trace = current_trace()
    started_ns = 0 if trace is None else trace.clock.now_ns()
    with until(deadline):
        ticket = await limits.reserve(tokens)
    if trace is not None:
        attributes = {"estimated_usage.tokens": tokens(), "estimated_usage.model_inferences": 1}
        trace.add("rate_limiting_reserve", started_ns, attributes)
    try:
        return await transport.send(wire, deadline), ticket
    except TransportFailed as failure:
        if not failure.sent:
            ticket.give_back_nowait()
        raise

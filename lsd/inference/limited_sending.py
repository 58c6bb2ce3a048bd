"""Sending a call within the rate limits."""

from collections.abc import Callable

from lsd.access import CallLimits, Ticket
from lsd.conversation import WireRequest
from lsd.network import Transport, TransportFailed, WireResponse


async def send_within(
    limits: CallLimits | None,
    tokens: Callable[[], int | None],
    transport: Transport,
    wire: WireRequest,
) -> tuple[WireResponse, Ticket | None]:
    """The head of the answer, and what the limits have given for the call.

    `tokens` estimates what it may use. Raises AttemptFailed if the limits give nothing, and
    TransportFailed, for which they get everything back if nothing was sent.
    """
    if limits is None:
        return await transport.send(wire), None
    ticket = await limits.reserve(tokens)
    try:
        return await transport.send(wire), ticket
    except TransportFailed as failure:
        if not failure.sent:
            ticket.give_back_nowait()
        raise

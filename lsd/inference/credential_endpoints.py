"""Endpoints that give out credentials: one question, one small answer, in little time."""

from collections.abc import Mapping

import attrs
import trio

from lsd.conversation import AttemptFailed, WireRequest
from lsd.network import BodyTooLarge, Transport, TransportFailed

ANSWER_BYTES_MAX = 64 * 1024
"""A token, or keys with their token, have some 1 to 4 kB."""


@attrs.frozen(kw_only=True)
class EndpointAnswer:
    """What an endpoint has answered, refusals included; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def ask_endpoint(
    transport: Transport, asked: WireRequest, *, named: str, limit_s: float
) -> EndpointAnswer:
    """The answer to `asked`; `named` is what an operator calls the endpoint.

    Raises AttemptFailed if there is none.
    """
    with trio.move_on_after(limit_s):
        return await _answer(transport, asked, named)
    text = f"{named} {asked.url}: no answer within {limit_s} s"
    raise AttemptFailed(kind="timeout", text=text)


async def _answer(transport: Transport, asked: WireRequest, named: str) -> EndpointAnswer:
    try:
        response = await transport.send(asked)
        try:
            body = await response.read(ANSWER_BYTES_MAX)
        finally:
            await response.aclose()
    except (TransportFailed, BodyTooLarge) as failure:
        text = f"{named} {asked.url}: {failure}"
        raise AttemptFailed(kind="transport", text=text) from None
    return EndpointAnswer(status=response.status, headers=response.headers, body=body)

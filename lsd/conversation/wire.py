"""HTTP as dialects describe it and the network carries it."""

from collections.abc import Mapping
from types import MappingProxyType

from lsd.conversation.values import frozen

NOTHING_DERIVED: Mapping[str, str] = MappingProxyType({})
"""Of a request whose fields its client has all asked for, as mostly."""


@frozen
class WireRequest:
    """One HTTP request, ready to be sent.

    `headers` keep the case and order in which they are written; names are unique in any case.
    `url` is absolute; the scheme `echo` addresses the offline provider. `prefill` is the beginning
    of the answer, if the body has put one into the model's mouth: the answer comes without it.
    `anonymous`: its User-Agent was taken away; none is added. `left_out` names what was asked for
    and is not in it: neutral parameters, or fields of the client's own request. `derived` are
    fields of the body that no client has asked for, and the neutral parameters they stand for.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    prefill: str = ""
    anonymous: bool = False
    left_out: tuple[str, ...] = ()
    derived: Mapping[str, str] = NOTHING_DERIVED


@frozen(kw_only=True)
class ScriptedAnswer:
    """An HTTP answer that is played in the process, without a socket.

    `pieces` are (milliseconds to wait before, bytes). `dropped`: the connection breaks before
    the first byte, after the first piece's wait.
    """

    status: int
    headers: Mapping[str, str]
    pieces: tuple[tuple[int, bytes], ...]
    dropped: bool = False

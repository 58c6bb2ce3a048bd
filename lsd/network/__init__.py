"""Bytes on sockets: how requests leave this process and responses come back.

A *transport* sends *wire requests* and gives *wire responses*; `HttpxTransport` does it over the
network, `ScriptedTransport` plays answers without one. Timeouts are their callers' cancel scopes.
"""

from lsd.network.certificates import BadCertificates
from lsd.network.httpx_transport import HttpxTransport
from lsd.network.scripted_transport import ScriptedTransport
from lsd.network.transport import BodyTooLarge, Transport, TransportFailed, WireResponse

__all__ = [
    "BadCertificates",
    "BodyTooLarge",
    "HttpxTransport",
    "ScriptedTransport",
    "Transport",
    "TransportFailed",
    "WireResponse",
]

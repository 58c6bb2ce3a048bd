"""Bytes on sockets: how requests leave this process and responses come back, and how it is asked.

A *transport* sends *wire requests* and gives *wire responses*: `OutboundTransport` over the
network, by `HttpClient` or, where a proxy leads to the server, by httpx; `ScriptedTransport`
without one. Timeouts are their callers' cancel scopes. `serve_http1` serves an ASGI application.
"""

from lsd.network.certificates import BadCertificates
from lsd.network.http_client import HttpClient
from lsd.network.http_server import serve_http1
from lsd.network.outbound_transport import OutboundTransport
from lsd.network.scripted_transport import ScriptedResponse, ScriptedTransport
from lsd.network.transport import BodyTooLarge, Transport, TransportFailed, WireResponse

__all__ = [
    "BadCertificates",
    "BodyTooLarge",
    "HttpClient",
    "OutboundTransport",
    "ScriptedResponse",
    "ScriptedTransport",
    "Transport",
    "TransportFailed",
    "WireResponse",
    "serve_http1",
]

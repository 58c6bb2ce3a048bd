"""Bytes on sockets: how requests leave this process and responses come back, and how it is asked.

A *transport* sends *wire requests* and gives *wire responses*: `OutboundTransport` over the
network, by `HttpClient` or, where a proxy leads to the server, by httpx; `ScriptedTransport`
without one. Each keeps the deadline that goes along with a request. `serve_http1` serves an ASGI
application; a `RequestFilter` keeps its rules before another server. One `SocketPoller` watches
the sockets of both.
"""

from lsd.network._server_connection import HEAD_S_MAX, IDLE_S_MAX
from lsd.network._server_head import HEAD_BYTES_MAX, RequestRefused
from lsd.network._socket_poller import SocketPoller
from lsd.network.certificates import BadCertificates
from lsd.network.http_client import HttpClient
from lsd.network.http_server import serve_http1
from lsd.network.outbound_transport import OutboundTransport
from lsd.network.request_filter import RequestFilter, refusal_answer
from lsd.network.scripted_transport import ScriptedResponse, ScriptedTransport
from lsd.network.transport import (
    BodyTooLarge,
    DeadlineReached,
    Transport,
    TransportFailed,
    WireResponse,
    until,
)

__all__ = [
    "HEAD_BYTES_MAX",
    "HEAD_S_MAX",
    "IDLE_S_MAX",
    "BadCertificates",
    "BodyTooLarge",
    "DeadlineReached",
    "HttpClient",
    "OutboundTransport",
    "RequestFilter",
    "RequestRefused",
    "ScriptedResponse",
    "ScriptedTransport",
    "SocketPoller",
    "Transport",
    "TransportFailed",
    "WireResponse",
    "refusal_answer",
    "serve_http1",
    "until",
]

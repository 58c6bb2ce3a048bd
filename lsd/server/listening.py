"""The socket that the daemon listens on."""

import errno
import socket

from lsd.config import Address
from lsd.server.refusals import StartRefused

BACKLOG = 1024
"""Connections that wait to be accepted: a burst of clients, bounded by the kernel's own limit."""

_REASONS = {
    errno.EADDRINUSE: "it is in use; stop what listens there, or choose another --bind-address",
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EACCES: "the system does not allow it; ports below 1024 often need privileges",
}


def listen(address: Address) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises StartRefused."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Without it, connections of the last run keep the port for a minute after a restart.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
        raise StartRefused(f"cannot listen on {address}: {reason}") from None
    return listener


def shown_address(listener: socket.socket) -> str:
    """`127.0.0.1:3000`, `[::1]:3000`: the address with the port that was chosen."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

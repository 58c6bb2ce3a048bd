"""A new connection to a server: looked up, opened, and encrypted where the URL says so."""

import socket
import ssl

import trio

from lsd.network._client_request import Origin
from lsd.network.transport import TransportFailed

REASON_LENGTH_MAX = 300
"""Characters of a failure's reason; certificates name whatever their makers liked."""


SILENCE_S_MAX = 60
"""After this long without a packet, the system asks the server's machine whether it still lives. A
model may think for minutes, and what lies between forgets a silent connection after a few."""

_KEEPALIVE_OPTIONS = ("TCP_KEEPIDLE", "TCP_KEEPALIVE", "TCP_KEEPINTVL")
"""How systems call the time before the first such question, and that between two."""


async def dial(origin: Origin, trusted: ssl.SSLContext) -> socket.socket:
    """A connected socket that does not block and does not wait to fill packets.

    With several addresses, the next one is tried when one fails or is slow (RFC 8305). When this
    is cancelled, nothing stays open. Raises TransportFailed.
    """
    try:
        stream = await trio.open_tcp_stream(origin.host, origin.port)
    except (OSError, UnicodeError, ValueError) as error:
        raise _unreachable(origin, error) from None
    # From here on the bare socket: a trio stream costs a turn of the loop even for what is ready.
    connection = socket.socket(fileno=stream.socket.detach())
    connection.setblocking(False)
    _keep_alive(connection)
    return await _encrypted(connection, origin, trusted) if origin.scheme == "https" else connection


def _keep_alive(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name in _KEEPALIVE_OPTIONS:
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), SILENCE_S_MAX)


async def _encrypted(
    connection: socket.socket, origin: Origin, trusted: ssl.SSLContext
) -> ssl.SSLSocket:
    """The same connection after the handshake, in which the server has shown who it is."""
    opened: socket.socket = connection
    try:
        opened = encrypted = trusted.wrap_socket(
            connection, server_hostname=origin.host, do_handshake_on_connect=False
        )
        await _shake_hands(encrypted)
    except OSError as error:
        opened.close()
        raise _untrusted(origin, error) from None
    except BaseException:
        opened.close()
        raise
    return encrypted


async def _shake_hands(encrypted: ssl.SSLSocket) -> None:
    while True:
        try:
            encrypted.do_handshake()
        except ssl.SSLWantReadError:
            await trio.lowlevel.wait_readable(encrypted)
        except ssl.SSLWantWriteError:
            await trio.lowlevel.wait_writable(encrypted)
        else:
            return


def _unreachable(origin: Origin, error: BaseException) -> TransportFailed:
    if isinstance(error, socket.gaierror):
        reason = f"cannot look up {origin.host}: {error.strerror}"
    else:
        # Each address may have failed in its own way, but mostly it is one and the same.
        said = dict.fromkeys(_system_errors(error))
        reason = f"cannot connect to {origin}: {'; '.join(said)}"
    return TransportFailed(reason[:REASON_LENGTH_MAX], sent=False)


def _system_errors(error: BaseException) -> list[str]:
    """What the operating system said, below what is said about all addresses together."""
    if isinstance(error, BaseExceptionGroup):
        return [said for each in error.exceptions for said in _system_errors(each)]
    if isinstance(error, OSError) and error.strerror:
        return [error.strerror.rpartition("): ")[2]]  # trio puts the address before it
    if error.__cause__ is not None:
        return _system_errors(error.__cause__)
    return [type(error).__name__ if isinstance(error, OSError) else "not a host name"]


def _untrusted(origin: Origin, error: OSError) -> TransportFailed:
    match error:
        case ssl.SSLCertVerificationError(verify_message=str(message)) if message:
            found = f"certificate refused: {message}"
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            found = "the server has closed the connection"
        case ssl.SSLError(reason=str(reason)):
            found = reason.replace("_", " ").lower()
        case _:
            found = error.strerror or type(error).__name__
    reason = f"cannot agree on TLS with {origin}: {found}"
    return TransportFailed(reason[:REASON_LENGTH_MAX], sent=False)

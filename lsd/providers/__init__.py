"""How providers are spoken to: pure code from neutral requests to bytes, and back.

A *dialect* encodes a request and decodes an answer for one configured provider; a *stream decoder*
is fed the bytes of a streamed answer. Nothing here opens a socket.
"""

from lsd.providers.dialect import Dialect, StreamDecoder
from lsd.providers.echo import EchoDialect
from lsd.providers.prefill import completed_answer, completed_stream
from lsd.providers.selection import dialect_for

__all__ = [
    "Dialect",
    "EchoDialect",
    "StreamDecoder",
    "completed_answer",
    "completed_stream",
    "dialect_for",
]

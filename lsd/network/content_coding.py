"""Compressed bodies, inflated as they arrive and never faster than their reader takes them."""

import zlib
from collections.abc import Mapping

import attrs

from lsd.conversation import LsdError

PIECE_BYTES_MAX = 256 * 1024
"""What one step inflates at most. A kilobyte on the wire can stand for a megabyte, so that a
reader which looks at its own bound after each piece oversteps it by no more than this."""

_WBITS_GZIP = 16 + zlib.MAX_WBITS
_WBITS_ZLIB = zlib.MAX_WBITS
_WBITS_BARE = -zlib.MAX_WBITS


@attrs.define(eq=False)
class Undecodable(LsdError):
    """A body is not what its `Content-Encoding` says, or that is none we know."""

    found: str

    def __str__(self) -> str:
        return f"response body: found {self.found}; wanted gzip, deflate or no content coding"


@attrs.define(eq=False)
class Inflater:
    """Undoes one content coding. `is_hungry`: it has given out all that it can."""

    _wbits: int
    _inflate: "zlib._Decompress" = attrs.field(init=False)
    _has_begun: bool = attrs.field(default=False, init=False)
    is_hungry: bool = attrs.field(default=True, init=False)

    def __attrs_post_init__(self) -> None:
        self._inflate = zlib.decompressobj(self._wbits)

    def feed(self, data: bytes) -> bytes:
        """What `data` stands for; while not `is_hungry`, feeding `b""` gives more.

        Raises Undecodable.
        """
        try:
            piece = self._feed(data)
        except zlib.error:
            raise Undecodable("bytes that cannot be decompressed") from None
        self._has_begun = self._has_begun or bool(data)
        self.is_hungry = len(piece) < PIECE_BYTES_MAX
        return piece

    def end(self) -> None:
        """Raises Undecodable when something is missing. A body without any byte lacks nothing."""
        if self._has_begun and not self._inflate.eof:
            raise Undecodable("compressed data without its end")

    def _feed(self, data: bytes) -> bytes:
        data = self._inflate.unconsumed_tail + data
        try:
            return self._inflate.decompress(data, PIECE_BYTES_MAX)
        except zlib.error:
            if self._has_begun or self._wbits != _WBITS_ZLIB:
                raise
            # Some servers send `deflate` without the zlib header that RFC 9110, 8.4.1.2 demands.
            self._inflate = zlib.decompressobj(_WBITS_BARE)
            return self._inflate.decompress(data, PIECE_BYTES_MAX)


def inflater_for(headers: Mapping[str, str]) -> Inflater | None:
    """What undoes the coding of a body with these headers (lower-case); None: there is none.

    Raises Undecodable for a coding that LSD does not know.
    """
    coding = headers.get("content-encoding", "").strip().lower()
    match coding:
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return Inflater(_WBITS_GZIP)
        case "deflate":
            return Inflater(_WBITS_ZLIB)
        case _:
            raise Undecodable(f"the content coding {coding[:40]!r}")

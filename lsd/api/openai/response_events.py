"""Events of a streamed response, numbered in their order."""

from typing import Any

import attrs

from lsd.conversation import encode_json


@attrs.define(eq=False)
class ResponseEvents:
    """Words the events of one stream, and gathers them until they are sent."""

    _count: int = attrs.field(default=0, init=False)
    _frames: list[bytes] = attrs.field(factory=list, init=False)

    def tell(self, kind: str, **fields: Any) -> None:
        """Adds an event."""
        data = encode_json({"type": kind, "sequence_number": self._count, **fields})
        self._count += 1
        self._frames.append(b"event: %b\ndata: %b\n\n" % (kind.encode(), data))

    def take(self) -> bytes:
        """All events since the last time."""
        frames, self._frames = self._frames, []
        return b"".join(frames)

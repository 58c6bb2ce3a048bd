"""The reader of an answer that was to be a stream and is none: it collects, then decodes once."""

from collections.abc import Callable

import attrs

from lsd.conversation import AttemptFailed, StreamEvent

ERROR_BYTES_MAX = 1024 * 1024
"""What is read of an error's body. It is shown in part only, so that the rest is not missed."""

ANSWER_BYTES_MAX = 8 * 1024 * 1024
"""What is read of a whole answer, as much as one event of a stream may hold."""


@attrs.define(eq=False)
class WholeBody:
    """Collects a body of at most `bytes_max` and hands it to `decode` when it is complete.

    What is beyond the bound is not read. `decode` is told whether the body is whole.
    """

    decode: Callable[[bytes, bool], list[StreamEvent]]
    bytes_max: int
    _body: bytearray = attrs.field(factory=bytearray, init=False)
    _beyond: bool = attrs.field(default=False, init=False)

    @property
    def ended(self) -> bool:
        return self._beyond

    def feed(self, data: bytes) -> list[StreamEvent]:
        room = self.bytes_max - len(self._body)
        self._body += data[:room]
        self._beyond = self._beyond or len(data) > room
        return []

    def finish(self, *, cut: bool) -> list[StreamEvent]:
        return self.decode(bytes(self._body), not (cut or self._beyond))


def failing(fail: Callable[[bytes], AttemptFailed]) -> WholeBody:
    """The reader of an answer that is a failure whatever it says; `fail` makes it from the body."""

    def decode(body: bytes, _: bool) -> list[StreamEvent]:
        raise fail(body)

    return WholeBody(decode, ERROR_BYTES_MAX)

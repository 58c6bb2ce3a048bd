"""Server-sent events out of bytes, however the network cut them.

Source: WHATWG HTML, section 9.2, read more loosely where servers of models differ from it.
"""

import attrs

EVENT_BYTES_MAX = 8 * 1024 * 1024
"""The longest event that is read: room for an image inlined as base64. Whatever is longer has
lost its line ends; at twice this bound a few such streams would fill a small machine."""

LONG_EVENT_BYTES_MAX = 32 * 1024 * 1024
"""The same for providers that send whole images, or a whole answer, in one event."""

STRAYS_BYTES_MAX = 1024 * 1024
"""Of lines that are no fields: an error's text has some kilobytes."""

_FIELDS = frozenset({b"data", b"event", b"error", b"id", b"retry"})
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LINE_FEED, _RETURN = b"\n\r"
"""As numbers: bytes are looked for in bytes three times as long."""


@attrs.define
class ServerSentEvent:
    """One event that has data. `name` is its `event` field, empty without one."""

    name: str
    data: str


@attrs.define
class BrokenEvent:
    """An event that cannot be read; after a `fatal` one nothing more is read."""

    reason: str
    text: str
    fatal: bool


@attrs.define(eq=False)
class EventStream:
    """Cuts bytes into events. Comments, `id` and `retry` are skipped, and so are blank events.

    A field named `error`, which old llama.cpp servers write in place of `data`, makes an event
    of the name `error`. With `keeps_strays`, lines that are no fields can be had at the end: Gemini
    tells of an error that way when it is in the middle of a stream.
    """

    bytes_max: int = EVENT_BYTES_MAX
    keeps_strays: bool = False
    _rest: bytearray = attrs.field(factory=bytearray, init=False)
    _data: list[bytes] = attrs.field(factory=list, init=False)
    _size: int = attrs.field(default=0, init=False)
    _name: str = attrs.field(default="", init=False)
    _first_line: bool = attrs.field(default=True, init=False)
    _after_return: bool = attrs.field(default=False, init=False)
    _closed: bool = attrs.field(default=False, init=False)
    _strays: bytearray = attrs.field(factory=bytearray, init=False)

    def feed(self, data: bytes) -> list[ServerSentEvent | BrokenEvent]:
        """The events that `data` completes; often none."""
        if self._closed or not data:
            return []
        if self._after_return:
            # The carriage return ended the line already; its line feed is the same line end.
            self._after_return = False
            if data.startswith(b"\n"):
                data = data[1:]
        if not self._size and not self._rest and self._is_one_line(data):
            # Most servers send each event by itself.
            self._first_line = False
            self._data.append(data[6:-2])
            events: list[ServerSentEvent | BrokenEvent] = []
            self._dispatch(events)
            return events
        lines = self._completed_lines(data)
        events = self._take_lines(lines) if lines else []
        if self._rest and self._is_too_long(self._rest):
            events.append(self._too_long())
        return events

    def end(self, *, cut: bool) -> list[ServerSentEvent | BrokenEvent]:
        """The event that a clean end leaves without its blank line; a `cut` one is dropped."""
        if self._closed:
            return []
        events = [] if cut else self._take_lines([bytes(self._rest), b""])
        self._closed = True
        return events

    def strays(self) -> str:
        """All lines that were no fields, the unfinished last one included."""
        last = bytes(self._rest)
        if last.partition(b":")[0] in _FIELDS:
            last = b""
        return (bytes(self._strays) + last).decode(errors="replace").strip()

    def _is_one_line(self, data: bytes) -> bool:
        """Whether it is one whole event that is one line of data."""
        return (
            data.startswith(b"data: ")
            and data.find(b"\n") == len(data) - 2
            and data.endswith(b"\n\n")
            and _RETURN not in data
            and len(data) <= self.bytes_max
        )

    def _completed_lines(self, data: bytes) -> list[bytes]:
        """The lines that `data` ends, without their ends; the rest is kept."""
        if _LINE_FEED not in data and _RETURN not in data:
            self._rest += data
            return []
        if self._rest:
            data = bytes(self._rest) + data
            self._rest.clear()
        lines = data.splitlines()
        self._after_return = data.endswith(b"\r")
        if not (self._after_return or data.endswith(b"\n")):
            self._rest += lines.pop()
        return lines

    def _take_lines(self, lines: list[bytes]) -> list[ServerSentEvent | BrokenEvent]:
        events: list[ServerSentEvent | BrokenEvent] = []
        if self._first_line:
            self._first_line = False
            lines[0] = lines[0].removeprefix(_BYTE_ORDER_MARK)
        for line in lines:
            if not line:
                self._dispatch(events)
                continue
            size = self._size + len(line)
            if size > self.bytes_max and self._is_too_long(line):
                events.append(self._too_long())
                return events
            if line.startswith(b"data: "):
                self._data.append(line[6:])
                self._size = size
            elif line.startswith(b"event:"):
                self._name = line[6:].decode(errors="replace").strip()
                self._size = size
            elif not line.startswith(b":"):
                self._take_other(line)
        return events

    def _take_other(self, line: bytes) -> None:
        self._size += len(line)
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            self._name = value.decode(errors="replace").strip()
        elif field == b"error":
            self._name = "error"
            self._data.append(value)
        elif field == b"data":
            self._data.append(value)
        elif self.keeps_strays and field not in _FIELDS:
            room = STRAYS_BYTES_MAX - len(self._strays)
            self._strays += (line + b"\n")[: max(room, 0)]

    def _dispatch(self, events: list[ServerSentEvent | BrokenEvent]) -> None:
        """Ends the event, which is none if it is blank."""
        lines = self._data
        data = lines[0] if len(lines) == 1 else b"\n".join(lines)
        lines.clear()
        name, self._name, self._size = self._name, "", 0
        try:
            text = data.decode()
        except UnicodeDecodeError:
            shown = data.decode(errors="replace")
            reason = "found bytes that are not UTF-8 in an event"
            events.append(BrokenEvent(reason, shown, False))
        else:
            if text and not text.isspace():
                events.append(ServerSentEvent(name, text))

    def _is_too_long(self, line: bytes | bytearray) -> bool:
        """Whether `line`, perhaps still growing, breaks the bound; a comment counts alone."""
        beside = 0 if line.startswith(b":") else self._size
        # The first line may have a mark that does not count, and may not be here whole.
        mark = len(_BYTE_ORDER_MARK) if self._first_line else 0
        return beside + len(line) - mark > self.bytes_max

    def _too_long(self) -> BrokenEvent:
        self._closed = True
        self._data.clear()
        self._rest.clear()
        reason = f"found an event of more than {self.bytes_max} bytes"
        return BrokenEvent(reason, "", True)

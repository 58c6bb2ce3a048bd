"""A provider that is as fast as Python can be: canned OpenAI answers from one epoll loop.

    python3 bench/upstream.py        # prints its port, serves 127.0.0.1 until it is ended

It looks at nothing but where a request ends and whether it asks for a stream.
"""

import selectors
import socket
import sys

TOKENS = 100
"""Pieces of a streamed answer, the length of a short paragraph."""

RECEIVE_BYTES_MAX = 65536
REQUEST_BYTES_MAX = 1 << 20

ENVELOPE = '"id":"chatcmpl-1","created":1700000000,"model":"canned"'

PLAIN = (
    "{" + ENVELOPE + ',"object":"chat.completion","choices":[{"index":0,"finish_reason":"stop",'
    '"message":{"role":"assistant","content":"An old silent pond. A frog jumps into it. Splash!"}}'
    '],"usage":{"prompt_tokens":12,"completion_tokens":14,"total_tokens":26}}'
).encode()


def stream_body(tokens: int = TOKENS) -> bytes:
    """The server-sent events of one answer: role, tokens, finish reason, usage, end mark."""
    words = (f'{{"content":"word{number} "}}' for number in range(tokens))
    deltas = ['{"role":"assistant","content":""}', *words]
    choices = [f'{{"index":0,"delta":{delta},"finish_reason":null}}' for delta in deltas]
    choices.append('{"index":0,"delta":{},"finish_reason":"stop"}')
    head = "{" + ENVELOPE + ',"object":"chat.completion.chunk"'
    events = [f'{head},"choices":[{choice}],"usage":null}}' for choice in choices]
    usage = f'{{"prompt_tokens":12,"completion_tokens":{tokens},"total_tokens":{tokens + 12}}}'
    events.append(f'{head},"choices":[],"usage":{usage}}}')
    return "".join(f"data: {event}\n\n" for event in [*events, "[DONE]"]).encode()


def answer(content_type: str, body: bytes) -> bytes:
    """A whole HTTP answer."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


PLAIN_ANSWER = answer("application/json", PLAIN)
STREAM_ANSWER = answer("text/event-stream", stream_body())


def request_length(received: bytearray) -> int | None:
    """How many bytes the first request has, None while its end has not come."""
    head_end = received.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    head = bytes(received[:head_end]).lower()
    _, found, rest = head.partition(b"\r\ncontent-length:")
    body_length = int(rest.split(b"\r\n", 1)[0]) if found else 0
    length = head_end + 4 + body_length
    return length if len(received) >= length else None


class Upstream:
    """Serves until the process ends."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._received: dict[socket.socket, bytearray] = {}
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self.port = int(self._listener.getsockname()[1])

    def serve(self) -> None:
        """Never returns."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    self._read(key.fileobj)  # type: ignore[arg-type]  # we registered sockets only

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received[connection] = bytearray()
        self._selector.register(connection, selectors.EVENT_READ)

    def _read(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(RECEIVE_BYTES_MAX)
        except ConnectionError:
            data = b""
        received = self._received[connection]
        received += data
        if not data or len(received) > REQUEST_BYTES_MAX:
            self._drop(connection)
            return
        while (length := request_length(received)) is not None:
            asks_for_stream = b'"stream":true' in received[:length].replace(b" ", b"")
            del received[:length]
            try:
                connection.sendall(STREAM_ANSWER if asks_for_stream else PLAIN_ANSWER)
            except OSError:
                self._drop(connection)
                return

    def _drop(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        del self._received[connection]
        connection.close()


if __name__ == "__main__":
    upstream = Upstream()
    print(upstream.port, flush=True)
    try:
        upstream.serve()
    except KeyboardInterrupt:
        sys.exit(130)

"""Asks one address again and again over keep-alive connections, and tells how long it took.

    python3 bench/load.py PORT PATH BODY CONNECTIONS SECONDS [HEADER…] [--first]

Prints one line of JSON. Goes to 127.0.0.1 only, ends after SECONDS or REQUESTS_MAX requests. Each
connection has one request under way; a latency runs from the request to the last byte of its
answer, with `--first` to the first byte of the answer's body.
"""

import json
import selectors
import socket
import sys
import time

REQUESTS_MAX = 1_000_000
RECEIVE_BYTES_MAX = 262_144
SILENCE_S_MAX = 10.0
"""An answer that takes longer ends the run; what is measured takes milliseconds."""


def answer_is_whole(received: bytearray) -> bool:
    """Whether an answer has come to its end; nothing follows it, for nothing was asked."""
    head_end = received.find(b"\r\n\r\n")
    if head_end < 0:
        return False
    head = bytes(received[:head_end]).lower()
    _, found, rest = head.partition(b"\r\ncontent-length:")
    if found:
        return len(received) >= head_end + 4 + int(rest.split(b"\r\n", 1)[0])
    return received.endswith(b"\r\n0\r\n\r\n")


def body_has_begun(received: bytearray) -> bool:
    """Whether anything has come behind the head."""
    head_end = received.find(b"\r\n\r\n")
    return 0 <= head_end < len(received) - 4


def measure(
    port: int, request: bytes, connections: int, seconds: float, *, to_first: bool
) -> list[float]:
    """The latencies of all answers in seconds. Raises RuntimeError on an answer that is not 200."""
    selector = selectors.DefaultSelector()
    latencies: list[float] = []
    asked_at: dict[socket.socket, float] = {}
    first_at: dict[socket.socket, float] = {}
    received: dict[socket.socket, bytearray] = {}
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ, connection)
        received[connection] = bytearray()
        asked_at[connection] = time.perf_counter()
        connection.sendall(request)
    ends_at = time.perf_counter() + seconds
    while asked_at:
        ready = selector.select(SILENCE_S_MAX)
        if not ready:
            raise RuntimeError(f"no answer within {SILENCE_S_MAX} s")
        for key, _ in ready:
            connection = key.data
            answer = received[connection]
            data = connection.recv(RECEIVE_BYTES_MAX)
            answer += data
            if not data or not answer.startswith(b"HTTP/1.1 200"[: len(answer)]):
                raise RuntimeError(f"found {bytes(answer[:300])!r}; wanted status 200")
            if to_first and connection not in first_at and body_has_begun(answer):
                first_at[connection] = time.perf_counter()
            if not answer_is_whole(answer):
                continue
            now = time.perf_counter()
            latencies.append(first_at.pop(connection, now) - asked_at.pop(connection))
            answer.clear()
            if now < ends_at and len(latencies) < REQUESTS_MAX:
                asked_at[connection] = time.perf_counter()
                connection.sendall(request)
            else:
                selector.unregister(connection)
                connection.close()
    return latencies


def main(words: list[str]) -> None:
    """Measures and prints."""
    to_first = "--first" in words
    port, path, body, connections, seconds, *headers = [each for each in words if each != "--first"]
    payload = body.encode()
    lines = [
        f"POST {path} HTTP/1.1",
        f"host: 127.0.0.1:{port}",
        "content-type: application/json",
        f"content-length: {len(payload)}",
        *headers,
    ]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode() + payload
    began = time.perf_counter()
    latencies = sorted(
        measure(int(port), request, int(connections), float(seconds), to_first=to_first)
    )
    took = time.perf_counter() - began
    print(
        json.dumps(
            {
                "requests_per_s": len(latencies) / took,
                "p50_s": latencies[len(latencies) // 2],
                "p99_s": latencies[len(latencies) * 99 // 100],
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1:])

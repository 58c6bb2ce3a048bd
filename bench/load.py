"""Asks one address again and again over keep-alive connections, and tells how long it took.

    python3 bench/load.py PORT PATH BODY CONNECTIONS SECONDS      # prints one line of JSON

Goes to 127.0.0.1 only, ends after SECONDS or REQUESTS_MAX requests. Each connection has one request
under way; a latency runs from the request to the last byte of its answer.
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


def measure(port: int, request: bytes, connections: int, seconds: float) -> list[float]:
    """The latencies of all answers in seconds. Raises RuntimeError on an answer that is not 200."""
    selector = selectors.DefaultSelector()
    latencies: list[float] = []
    asked_at: dict[socket.socket, float] = {}
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
            if not answer_is_whole(answer):
                continue
            now = time.perf_counter()
            latencies.append(now - asked_at.pop(connection))
            answer.clear()
            if now < ends_at and len(latencies) < REQUESTS_MAX:
                asked_at[connection] = time.perf_counter()
                connection.sendall(request)
            else:
                selector.unregister(connection)
                connection.close()
    return latencies


def main(port: int, path: str, body: str, connections: int, seconds: float) -> None:
    """Measures and prints."""
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n"
    payload = body.encode()
    request = f"{head}content-length: {len(payload)}\r\n\r\n".encode() + payload
    began = time.perf_counter()
    latencies = sorted(measure(port, request, connections, seconds))
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
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))

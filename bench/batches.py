"""What a batch costs everybody else, and what a large one costs itself.

    python3 -m bench.batches [ITEMS] [SECONDS]       # 5000 items, 5 s a side

Latencies of `/inference`, asked by one client at a time, without and with a batch that runs beside
it; their ratio. Then one submission of 100 000 items that are not run: the time it takes, and the
memory of the daemon before, after it, and after the batch was read back.
"""

import json
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.processes import cores, free_port, memory_mb, serving, upstream

LARGE = 100_000

CONFIG = """
[models.canned]
routing = ["box"]
[models.canned.providers.box]
type = "openai"
model_name = "canned"
api_base = "http://127.0.0.1:{upstream}/v1"
api_key_location = "none"
[gateway.batch_inference]
max_items = 200000
max_concurrency = {concurrency}
[storage]
path = "{path}"
"""

BODY = {
    "model_name": "canned",
    "input": {"messages": [{"role": "user", "content": "Write a haiku about a pond."}]},
}


def post(port: int, path: str, body: Any) -> Any:
    """The answer to a JSON body."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(), method="POST"
    )
    with urllib.request.urlopen(request, timeout=300) as response:
        return json.load(response)


def progress(port: int, batch_id: str) -> dict[str, Any]:
    """The batch as it stands."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/batch_inference/{batch_id}") as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def latencies_ms(port: int, seconds: float) -> list[float]:
    """Of requests that are made a hundred times a second, sorted."""
    found: list[float] = []
    ends_at = time.perf_counter() + seconds
    while (asked_at := time.perf_counter()) < ends_at:
        post(port, "/inference", BODY)
        found.append((time.perf_counter() - asked_at) * 1000)
        time.sleep(0.01)
    return sorted(found)


def told(what: str, latencies: list[float]) -> tuple[float, float]:
    """Prints median and p99, and gives them."""
    p50, p99 = latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100]
    print(f"{what:16} p50 {p50:6.2f} ms   p99 {p99:6.2f} ms   ({len(latencies)} requests)")
    return p50, p99


def beside(port: int, items: int, seconds: float) -> None:
    """Measures without and with a batch."""
    latencies_ms(port, 1.0)
    alone = told("without a batch", latencies_ms(port, seconds))
    batch_id = post(port, "/batch_inference", [BODY] * items)["batch_id"]
    began = time.perf_counter()
    beside = told("with a batch", latencies_ms(port, seconds))
    print(f"{'ratio':16} p50 {beside[0] / alone[0]:6.2f}      p99 {beside[1] / alone[1]:6.2f}")
    done, passed = progress(port, batch_id)["progress"]["completed"], time.perf_counter() - began
    print(f"items meanwhile: {done} of {items}, {done / passed:.0f} a second")


def large(port: int, pid: int) -> None:
    """One submission of many items."""
    before = memory_mb(pid)[1]
    body = [BODY] * LARGE
    began = time.perf_counter()
    batch_id = post(port, "/batch_inference", body)["batch_id"]
    took, after = time.perf_counter() - began, memory_mb(pid)[1]
    size_mb = len(json.dumps(body)) / 1e6
    post(port, f"/batch_inference/{batch_id}/cancel", {})
    began = time.perf_counter()
    batch = progress(port, batch_id)
    read, at_last = time.perf_counter() - began, memory_mb(pid)[1]
    assert len(batch["errors"]) == LARGE
    print(f"{LARGE} items, {size_mb:.0f} MB: taken in {took:.1f} s, read back in {read:.1f} s")
    print(f"memory: {before:.0f} MB, then {after:.0f} MB, then {at_last:.0f} MB")


def main(items: int, seconds: float) -> None:
    """Measures, and prints what came out."""
    core, other = cores()
    for concurrency in (8, 0):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            config = folder / "lsd.toml"
            config.write_text(
                CONFIG.format(
                    upstream=stack.enter_context(upstream(other)),
                    concurrency=concurrency,
                    path=folder / "data",
                )
            )
            port = free_port()
            command = [sys.executable, "-m", "lsd", "--config", str(config)]
            command += ["--bind-address", f"127.0.0.1:{port}"]
            health = f"http://127.0.0.1:{port}/health"
            pid = stack.enter_context(serving(command, health, folder / "log", core))
            if concurrency:
                beside(port, items, seconds)
            else:
                large(port, pid)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(
        int(arguments[0]) if arguments else 5_000,
        float(arguments[1]) if len(arguments) > 1 else 5.0,
    )

"""What datasets cost: ten thousand datapoints in one call, and pages of a hundred thousand.

    .venv/bin/python bench/datasets.py [--datapoints 100000]

One LSD, from the tree, on the first core, and one client on the second one. Prints the seconds of
each call that creates, with the memory that the daemon has then; then for each list the median and
the longest of some calls, whole requests over HTTP. All traffic stays on 127.0.0.1 and ends by
itself.
"""

import argparse
import http.client
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from processes import cores, free_port, memory_mb, serving

CONFIG = """\
[gateway]
bind_address = "127.0.0.1:{port}"

[models.demo]
routing = ["echo"]
providers.echo = {{ type = "echo" }}

[functions.talk]
type = "chat"
variants.only.model = "demo"
"""

PER_CALL = 10_000
CALLS_PER_LIST = 51

TEST = {"type": "tag", "key": "split", "value": "test", "comparison_operator": "="}
SEVENTH = {"type": "tag", "key": "n", "value": "7", "comparison_operator": "="}
RECENT = {"type": "time", "time": "2020-01-01T00:00:00Z", "comparison_operator": ">"}

LISTS: dict[str, dict[str, Any]] = {
    "newest": {},
    "by function": {"function_name": "talk"},
    "one tag, of 1 in 10": {"filter": TEST},
    "one tag, of 1 in 100": {"filter": SEVENTH},
    "two tags and a time": {"filter": {"type": "and", "children": [TEST, SEVENTH, RECENT]}},
    "either of two tags": {"filter": {"type": "or", "children": [TEST, SEVENTH]}},
    "without a tag": {"filter": {"type": "not", "child": TEST}},
    "a text that is everywhere": {"search_query_experimental": "pond"},
    "a text of 1 in 100": {"search_query_experimental": "n 77 of"},
    "page in the middle": {"offset": 50_000},
}


def main() -> None:
    """Fills a dataset, and lists it."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--datapoints", type=int, default=100_000)
    options = parser.parse_args()
    first, second = cores()
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "lsd.toml").write_text(CONFIG.format(port=port))
        command = [sys.executable, "-m", "lsd", "--config", str(folder / "lsd.toml")]
        command += ["--data-dir", str(folder / "data")]
        health = f"http://127.0.0.1:{port}/health"
        with serving(command, health, folder / "log", first) as pid:
            if second is not None:
                os.sched_setaffinity(0, {second})
            client = http.client.HTTPConnection("127.0.0.1", port)
            fill(client, pid, options.datapoints)
            for title, body in LISTS.items():
                page(client, title, body)


def fill(client: http.client.HTTPConnection, pid: int, number: int) -> None:
    """Creates the datapoints, and prints a line for each call."""
    print(f"{'datapoints':>10}{'s':>8}{'MB':>8}{'own MB':>8}")
    for start in range(0, number, PER_CALL):
        body = {"datapoints": [datapoint(each) for each in range(start, start + PER_CALL)]}
        seconds, answer = asked(client, "datapoints", body)
        assert len(answer["ids"]) == PER_CALL
        whole_mb, own_mb = memory_mb(pid)
        print(f"{start + PER_CALL:>10}{seconds:>8.2f}{whole_mb:>8.1f}{own_mb:>8.1f}", flush=True)


def page(client: http.client.HTTPConnection, title: str, body: dict[str, Any]) -> None:
    """Asks for a page again and again, and prints a line."""
    times = []
    for _ in range(CALLS_PER_LIST):
        seconds, answer = asked(client, "list_datapoints", body)
        times.append(1000 * seconds)
    figures = f"{len(answer['datapoints']):>4}{statistics.median(times):>9.2f}{max(times):>9.2f}"
    print(f"{title:<28}{figures}  ms", flush=True)


def asked(
    client: http.client.HTTPConnection, path: str, body: dict[str, Any]
) -> tuple[float, dict[str, Any]]:
    """The seconds that an answer took, and the answer."""
    encoded = json.dumps(body).encode()
    began = time.perf_counter()
    client.request("POST", f"/v1/datasets/gold/{path}", encoded)
    response = client.getresponse()
    text = response.read()
    seconds = time.perf_counter() - began
    assert response.status == 200, text
    answer: dict[str, Any] = json.loads(text)
    return seconds, answer


def datapoint(number: int) -> dict[str, Any]:
    """One of many."""
    question = f"What is n {number % 100} of the ponds? Number {number}."
    tags = {"n": str(number % 100)} | ({"split": "test"} if number % 10 == 7 else {})
    return {
        "type": "chat",
        "function_name": "talk",
        "input": {"messages": [{"role": "user", "content": question}]},
        "output": [{"type": "text", "text": "An old silent pond"}],
        "tags": tags,
    }


if __name__ == "__main__":
    main()

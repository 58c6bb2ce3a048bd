"""Whether memory stays where it was, over a million requests.

    .venv/bin/python bench/soak.py [--requests 1000000] [--no-records] [--stream]

One LSD, from the tree, on the first core; canned provider and load share the second one. Prints the
resident memory after each twentieth of the requests, with and without mapped files (the store is
one), and at last by how much the latter has grown since SETTLED requests. All traffic stays on
127.0.0.1 and ends by itself.
"""

import argparse
import tempfile
import time
from pathlib import Path

import generators
from processes import cores, memory_mb, upstream
from systems import lsd

SETTLED = 50_000
"""Until then, pools, caches and Python's own memory find their size."""

CONNECTIONS = 32


def main() -> None:
    """Loads until there were enough requests."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--no-records", action="store_true", help="with observability off")
    parser.add_argument("--stream", action="store_true", help="streams of 100 chunks")
    options = parser.parse_args()
    first, second = cores()
    with upstream(second) as port, tempfile.TemporaryDirectory() as folder:
        system = lsd("LSD", None, records=not options.no_records)
        with system.start(port, Path(folder), first) as running:
            call = running.calls["/inference"]
            call = call._replace(body={**call.body, "stream": options.stream})
            soak(running.pid, call, options.requests, second)


def soak(pid: int, call: generators.Call, requests: int, core: int | None) -> None:
    """Prints one line for each step."""
    print(f"{'requests':>10}{'per s':>8}{'p99 ms':>9}{'MB':>8}{'own MB':>8}")
    began = time.monotonic()
    done, settled_mb = 0, None
    rate = generators.measure(call, CONNECTIONS, 1.0, core).requests_per_s
    while done < requests:
        wanted = min(SETTLED, requests - done) if settled_mb is None else requests // 20
        seconds = max(1, round(wanted / rate))
        measured = generators.load(call, CONNECTIONS, seconds, core)
        rate = measured.requests_per_s
        done += round(rate * seconds)
        whole_mb, own_mb = memory_mb(pid)
        if settled_mb is None and done >= min(SETTLED, requests):
            settled_mb = own_mb
        figures = f"{done:>10}{rate:>8.0f}{measured.p99_s * 1e3:>9.1f}"
        print(f"{figures}{whole_mb:>8.1f}{own_mb:>8.1f}", flush=True)
    assert settled_mb is not None, "there was at least one step"
    minutes = (time.monotonic() - began) / 60
    growth = memory_mb(pid)[1] - settled_mb
    print(f"\ngrowth since {min(SETTLED, requests)} requests: {growth:.1f} MB; {minutes:.1f} min")


if __name__ == "__main__":
    main()

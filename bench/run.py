"""Measures what LSD costs: the same load against LSD and against its provider, as ratios.

    .venv/bin/python bench/run.py [--program lsd.pyz] [--seconds 5] [--no-records]

LSD has the first core for itself; the canned provider and the load share the second one. Where
there is one core, or none can be chosen, everything shares what there is. Only ratios taken on one
machine within one run mean anything. All traffic stays on 127.0.0.1 and ends by itself: eight
measurements of `--seconds`, each after a warm-up.
"""

import argparse
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent

WARM_UP_S = 1.0
START_S_MAX = 60
STOP_S_MAX = 20
CONNECTIONS = (1, 32)

CONFIG = """\
[gateway]
bind_address = "127.0.0.1:{port}"
observability.enabled = {records}

[models.canned]
routing = ["upstream"]

[models.canned.providers.upstream]
type = "openai"
api_base = "http://127.0.0.1:{upstream_port}/v1/"
model_name = "canned"
api_key_location = "none"

[functions.write_haiku]
type = "chat"

[functions.write_haiku.variants.only]
model = "canned"
"""

MESSAGES = [{"role": "user", "content": "Write a haiku about a pond"}]


class Measured(NamedTuple):
    """The outcome of one load."""

    requests_per_s: float
    p50_s: float
    p99_s: float


def main() -> None:
    """Starts both, measures, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--program", type=Path, help="a built lsd.pyz (default: the tree)")
    parser.add_argument(
        "--seconds", type=float, default=5.0, help="of each measurement, 60 at most"
    )
    parser.add_argument("--no-records", action="store_true", help="with observability off")
    options = parser.parse_args()
    seconds = min(options.seconds, 60.0)
    first, second = cores()
    with tempfile.TemporaryDirectory() as folder, upstream(second) as upstream_port:
        port = free_port()
        config = Path(folder) / "lsd.toml"
        records = "false" if options.no_records else "true"
        config.write_text(CONFIG.format(port=port, upstream_port=upstream_port, records=records))
        with lsd(options.program, config, port, first):
            print(heading(first, second, with_records=not options.no_records), flush=True)
            for stream in (False, True):
                for connections in CONNECTIONS:
                    bare = load(upstream_port, *upstream_call(stream), connections, seconds, second)
                    ours = load(port, *lsd_call(stream), connections, seconds, second)
                    print(row(stream, connections, ours, bare), flush=True)


def cores() -> tuple[int | None, int | None]:
    """One core for LSD and one for the rest; None where they cannot be chosen."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    usable = sorted(os.sched_getaffinity(0))
    return (usable[0], usable[1]) if len(usable) > 1 else (None, None)


def pinned_to(core: int | None) -> Callable[[], None] | None:
    """What a child process does before it starts, so that its threads stay on the core, too."""
    return None if core is None else lambda: os.sched_setaffinity(0, {core})


@contextmanager
def upstream(core: int | None) -> Iterator[int]:
    """A running provider's port."""
    process = subprocess.Popen(
        [sys.executable, "-P", BENCH / "upstream.py"],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=pinned_to(core),  # noqa: PLW1509 - nothing here has started a thread
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


@contextmanager
def lsd(program: Path | None, config: Path, port: int, core: int | None) -> Iterator[None]:
    """A running LSD; its log is shown if it does not start or stop well."""
    command = ["-m", "lsd"] if program is None else [str(program.resolve())]
    log_path = config.with_name("log")
    with log_path.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, *command, "--config", str(config)],
            cwd=ROOT,
            stderr=log,
            preexec_fn=pinned_to(core),  # noqa: PLW1509 - as above
        )
    try:
        wait_until_healthy(process, port)
        yield
        process.terminate()
        process.wait(STOP_S_MAX)
    except BaseException:
        print(log_path.read_text()[-5000:], file=sys.stderr)
        raise
    finally:
        process.kill()
        process.wait()


def wait_until_healthy(process: subprocess.Popen[bytes], port: int) -> None:
    """Returns as soon as LSD serves."""
    deadline = time.monotonic() + START_S_MAX
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"LSD ended with exit {process.returncode}")
        with suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
            return
        time.sleep(0.05)
    raise RuntimeError(f"LSD does not serve after {START_S_MAX} s")


def upstream_call(stream: bool) -> tuple[str, str]:
    """Path and body of the provider's own call."""
    body = {"model": "canned", "messages": MESSAGES, "stream": stream}
    return "/v1/chat/completions", json.dumps(body)


def lsd_call(stream: bool) -> tuple[str, str]:
    """Path and body of LSD's call."""
    body = {"function_name": "write_haiku", "input": {"messages": MESSAGES}, "stream": stream}
    return "/inference", json.dumps(body)


def load(
    port: int, path: str, body: str, connections: int, seconds: float, core: int | None
) -> Measured:
    """One measurement after a warm-up, by wrk where it is installed."""
    generate = load_by_wrk if shutil.which("wrk") else load_by_script
    generate(port, path, body, connections, WARM_UP_S, core)
    return generate(port, path, body, connections, seconds, core)


def load_by_script(
    port: int, path: str, body: str, connections: int, seconds: float, core: int | None
) -> Measured:
    """By `load.py`, in a process of its own."""
    words = [str(port), path, body, str(connections), str(seconds)]
    told = output_of([sys.executable, "-P", str(BENCH / "load.py"), *words], core)
    return Measured(**json.loads(told))


def load_by_wrk(
    port: int, path: str, body: str, connections: int, seconds: float, core: int | None
) -> Measured:
    """By wrk; its script tells the three figures, and an answer that is not 200 is an error."""
    quoted = json.dumps(body)
    script = (
        f'wrk.method = "POST"\nwrk.body = {quoted}\n'
        'wrk.headers["content-type"] = "application/json"\n'
        "done = function(summary, latency, requests)\n"
        "  local e = summary.errors\n"
        "  local bad = e.connect + e.read + e.write + e.status + e.timeout\n"
        '  io.write(string.format("\\n%d %f %f %f\\n", bad,\n'
        "    summary.requests * 1e6 / summary.duration,\n"
        "    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6))\n"
        "end\n"
    )
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        options = ["-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", file.name]
        told = output_of(["wrk", *options, f"http://127.0.0.1:{port}{path}"], core)
    bad, *figures = told.strip().splitlines()[-1].split()
    if bad != "0":
        raise RuntimeError(f"{bad} answers of {path} were not 200")
    return Measured(*map(float, figures))


def output_of(command: list[str], core: int | None) -> str:
    """What a load generator prints."""
    ended = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=120,
        preexec_fn=pinned_to(core),
    )
    return ended.stdout


def heading(first: int | None, second: int | None, *, with_records: bool) -> str:
    """The conditions, and the names of the columns."""
    where = f"LSD on core {first}, the rest on core {second}" if first is not None else "not pinned"
    return (
        f"Python {platform.python_version()} on {platform.machine()}; {where}; load by "
        f"{'wrk' if shutil.which('wrk') else 'bench/load.py'}; records "
        f"{'on' if with_records else 'off'}\n\n"
        f"{'':<8}{'connections':>12}{'LSD':>10}{'provider':>10}{'':>8}"
        f"{'LSD':>9}{'':>9}{'provider':>10}{'':>9}{'added':>9}\n"
        f"{'':<8}{'':>12}{'req/s':>10}{'req/s':>10}{'ratio':>8}"
        f"{'p50 ms':>9}{'p99 ms':>9}{'p50 ms':>10}{'p99 ms':>9}{'p50 ms':>9}"
    )


def row(stream: bool, connections: int, ours: Measured, bare: Measured) -> str:
    """One line of the table."""
    return (
        f"{'stream' if stream else 'plain':<8}{connections:>12}"
        f"{ours.requests_per_s:>10.0f}{bare.requests_per_s:>10.0f}"
        f"{ours.requests_per_s / bare.requests_per_s:>8.3f}"
        f"{ours.p50_s * 1e3:>9.3f}{ours.p99_s * 1e3:>9.3f}"
        f"{bare.p50_s * 1e3:>10.3f}{bare.p99_s * 1e3:>9.3f}"
        f"{(ours.p50_s - bare.p50_s) * 1e3:>9.3f}"
    )


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    main()

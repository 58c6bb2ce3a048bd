"""Load from a process of its own: by wrk where it is installed, else by `load.py`."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import NamedTuple

from processes import BENCH, pinned_to

WARM_UP_S = 1.0


class Call(NamedTuple):
    """What is asked, again and again."""

    port: int
    path: str
    body: Mapping[str, object]
    headers: Mapping[str, str]


class Measured(NamedTuple):
    """The outcome of one load; times in seconds, to the last byte of an answer."""

    requests_per_s: float
    p50_s: float
    p99_s: float


def measure(call: Call, connections: int, seconds: float, core: int | None) -> Measured:
    """One measurement after a warm-up."""
    load(call, connections, WARM_UP_S, core)
    return load(call, connections, seconds, core)


def load(call: Call, connections: int, seconds: float, core: int | None) -> Measured:
    """One measurement of what may be cold."""
    generate = _by_wrk if shutil.which("wrk") else _by_script
    return generate(call, connections, seconds, core)


def first_bytes(call: Call, seconds: float, core: int | None) -> Measured:
    """At one connection, the times to the first byte of an answer's body instead."""
    _by_script(call, 1, WARM_UP_S, core, "--first")
    return _by_script(call, 1, seconds, core, "--first")


def name() -> str:
    """Which generator this machine has."""
    return "wrk" if shutil.which("wrk") else "bench/load.py"


def _by_script(
    call: Call, connections: int, seconds: float, core: int | None, *options: str
) -> Measured:
    headers = [f"{name}: {value}" for name, value in call.headers.items()]
    words = [str(call.port), call.path, json.dumps(call.body), str(connections), str(seconds)]
    told = _output_of(
        [sys.executable, "-P", str(BENCH / "load.py"), *words, *headers, *options], core
    )
    return Measured(**json.loads(told))


def _by_wrk(call: Call, connections: int, seconds: float, core: int | None) -> Measured:
    """Its script tells the three figures, and an answer that is not 200 is an error."""
    headers = {"content-type": "application/json", **call.headers}
    lines = "".join(f"wrk.headers[{json.dumps(k)}] = {json.dumps(v)}\n" for k, v in headers.items())
    script = (
        f'wrk.method = "POST"\nwrk.body = {json.dumps(json.dumps(call.body))}\n{lines}'
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
        options = ["-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "60s"]
        command = ["wrk", *options, "-s", file.name, f"http://127.0.0.1:{call.port}{call.path}"]
        told = _output_of(command, core)
    bad, *figures = told.strip().splitlines()[-1].split()
    if bad != "0":
        raise RuntimeError(f"{bad} answers of {call.path} were not 200")
    return Measured(*map(float, figures))


def _output_of(command: list[str], core: int | None) -> str:
    ended = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=900,
        preexec_fn=pinned_to(core),
    )
    return ended.stdout

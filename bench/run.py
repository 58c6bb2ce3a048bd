"""Measures what a gateway costs: one load against LSD, its provider alone, and other gateways.

    .venv/bin/python bench/run.py [--program lsd.pyz] [--seconds 5] [--connections 1 32 256]

What is measured has the first core for itself; the canned provider and the load share the second
one. Where there is one core, or none can be chosen, everything shares what there is. Only ratios
taken on one machine within one run mean anything: the columns `x …` compare a rate with that of the
naive gateway (`baseline.py`) and of each peer that is installed (`peers/README.md`).

All traffic stays on 127.0.0.1 and ends by itself: a measurement takes `--seconds` and a warm-up.
"""

import argparse
import platform
import tempfile
from pathlib import Path
from typing import NamedTuple

import generators
from generators import Call, Measured
from processes import cores, memory_mb, upstream
from systems import BASELINE, CHAT, Running, System, lsd, peers

STREAM_CONNECTIONS = 16
"""Instead of more: streams at once only wait for each other, each keeps a core busy for long."""


class Load(NamedTuple):
    """What is asked of a system; `connections` at once."""

    kind: str
    connections: int


class Row(NamedTuple):
    """One call of one system under one load."""

    system: str
    what: str
    measured: Measured
    memory_mb: float


Results = dict[Load, list[Row]]


def main() -> None:
    """Starts every system in its turn, and prints a table for each kind of load."""
    options = arguments()
    seconds = min(options.seconds, 60.0)
    first, second = cores()
    print(heading(first, second), flush=True)
    results: Results = {
        Load(kind, connections): []
        for kind in ("plain", "stream")
        for connections in dict.fromkeys(
            min(each, STREAM_CONNECTIONS) if kind == "stream" else each
            for each in options.connections
        )
    }
    results[Load("first chunk", 1)] = []
    with upstream(second) as port, tempfile.TemporaryDirectory() as folder:
        alone = Running(0, {"": Call(port, "/v1/chat/completions", CHAT, {})})
        measure("provider", alone, results, seconds, second)
        for system in chosen(options):
            with system.start(port, Path(folder), first) as running:
                measure(system.name, running, results, seconds, second)
    for load, rows in results.items():
        print(table(load, rows), flush=True)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--program", type=Path, help="a built lsd.pyz (default: the tree)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of a measurement, 60 at most")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 32, 256])
    parser.add_argument("--only", nargs="+", help="systems by name, as the table shows them")
    return parser.parse_args()


def chosen(options: argparse.Namespace) -> list[System]:
    """What is measured, in this order."""
    program = options.program
    systems = [
        lsd("LSD", program),
        lsd("LSD, no records", program, records=False),
        lsd("LSD on Hypercorn", program, server="hypercorn"),
        BASELINE,
        *peers(),
    ]
    return [each for each in systems if options.only is None or each.name in options.only]


def measure(
    name: str, running: Running, results: Results, seconds: float, core: int | None
) -> None:
    """Adds a row for each load and each way in which the system is called."""
    for load, rows in results.items():
        if load.kind != "plain" and not running.streams:
            continue
        for what, call in running.calls.items():
            asked = call._replace(body={**call.body, "stream": load.kind != "plain"})
            if load.kind == "first chunk":
                measured = generators.first_bytes(asked, seconds, core)
            else:
                measured = generators.measure(asked, load.connections, seconds, core)
            rows.append(Row(name, what, measured, memory_mb(running.pid)[0]))


def heading(first: int | None, second: int | None) -> str:
    """The conditions."""
    where = "not pinned"
    if first is not None:
        where = f"what is measured on core {first}, the rest on core {second}"
    machine = f"Python {platform.python_version()} on {platform.machine()}"
    return f"{machine}; {where}; load by {generators.name()}"


def table(load: Load, rows: list[Row]) -> str:
    """The rows of one load, with what each adds to the provider and its ratios to the others."""
    provider, *others = rows
    measures = [row for row in others if row.system in ("baseline", "LiteLLM", "Portkey")]
    names = "".join(f"{'x ' + row.system:>12}" for row in measures)
    lines = [
        f"\n{load.kind}, connections: {load.connections}",
        (
            f"{'':<34}{'per s':>9}{'x provider':>12}{names}"
            f"{'p50 ms':>10}{'p99 ms':>10}{'+p50 ms':>10}{'+p99 ms':>10}{'MB':>7}"
        ),
    ]
    for row in rows:
        rate, p50_s, p99_s = row.measured
        ratios = [rate / other.measured.requests_per_s for other in (provider, *measures)]
        added = (p50_s - provider.measured.p50_s, p99_s - provider.measured.p99_s)
        lines.append(
            f"{row.system + (', ' if row.what else '') + row.what:<34}{rate:>9.0f}"
            + "".join(f"{ratio:>12.3g}" for ratio in ratios)
            + "".join(f"{each * 1e3:>10.3f}" for each in (p50_s, p99_s, *added))
            + f"{row.memory_mb:>7.0f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()

"""The processes of a benchmark: each pinned to its core, waited for, and ended."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent

START_S_MAX = 90
STOP_S_MAX = 20


def cores() -> tuple[int | None, int | None]:
    """One core for what is measured and one for the rest; None where they cannot be chosen."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    usable = sorted(os.sched_getaffinity(0))
    return (usable[0], usable[1]) if len(usable) > 1 else (None, None)


def pinned_to(core: int | None) -> Callable[[], None] | None:
    """What a child process does before it starts, so that its threads stay on the core, too."""
    return None if core is None else lambda: os.sched_setaffinity(0, {core})


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


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
def serving(
    command: Sequence[str],
    health: str,
    log_path: Path,
    core: int | None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """The pid of a server that answers at the URL `health`; its log is shown if it fails."""
    with log_path.open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **(environment or {})},
            preexec_fn=pinned_to(core),  # noqa: PLW1509 - as above
        )
    try:
        _wait_until_healthy(process, health)
        yield process.pid
        process.terminate()
        process.wait(STOP_S_MAX)
    except BaseException:
        print(log_path.read_text()[-5000:], file=sys.stderr)
        raise
    finally:
        process.kill()
        process.wait()


def memory_mb(pid: int) -> tuple[float, float]:
    """Resident memory of a process in MB: all of it, and what is no file's.

    A store is a mapped file; of it as much is resident as the system finds room for. Zeros where
    the system does not tell.
    """
    with suppress(OSError):
        status = Path(f"/proc/{pid}/status").read_text()
        whole, own = re.findall(r"(?:VmRSS|RssAnon):\s+(\d+) kB", status)
        return int(whole) / 1024, int(own) / 1024
    return 0.0, 0.0


def _wait_until_healthy(process: subprocess.Popen[bytes], health: str) -> None:
    deadline = time.monotonic() + START_S_MAX
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with exit {process.returncode}")
        with suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(health, timeout=5).close()
            return
        time.sleep(0.05)
    raise RuntimeError(f"nothing serves at {health} after {START_S_MAX} s")

"""Starts a built `lsd.pyz` as a stranger would, asks it twice, and stops it.

    python3 .ci/smoke.py lsd.pyz

The working folder, the data and the unpacked files are new and empty, so that nothing on this
machine helps. Ends with 1 and the daemon's log when an answer is not the right one.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

START_S = 60
"""The first start unpacks 50 MB; a slow machine may be ten times slower than the usual 2 s."""

STOP_S = 20

CONFIG = Path(__file__).resolve().parents[1] / "lsd.toml.example"
QUESTION = {"messages": [{"role": "user", "content": "Is anybody there?"}]}
ANSWER = "You said: Is anybody there?"


def main() -> None:
    """Runs the story; the daemon does not outlive it."""
    program = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch) / "log"
        daemon = start(program, Path(scratch), log)
        try:
            story(daemon, wait_until_serving(daemon, log))
        except Exception as failure:  # noqa: BLE001 - whatever it is, the log tells the rest
            daemon.kill()
            daemon.wait()
            sys.exit(f"{failure!r}\n--- log of the daemon\n{log.read_text()}")
    print(f"{program.name}: started, answered, streamed and stopped")


def start(program: Path, scratch: Path, log: Path) -> subprocess.Popen[bytes]:
    """The daemon on the example configuration, with folders of its own."""
    home = scratch / "home"
    home.mkdir()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LSD_", "PYTHON", "SHIV_", "XDG_"))
    }
    command: list[str | Path] = [sys.executable, program, "--config", CONFIG]
    command += ["--data-dir", scratch / "data", "--bind-address", "127.0.0.1:0"]
    command += ["--log-format", "json"]
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=scratch,
            env=environment | {"HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


def story(daemon: subprocess.Popen[bytes], address: str) -> None:
    """Healthy, one answer, one stream, an orderly stop."""
    with urllib.request.urlopen(f"{address}/health", timeout=30) as healthy:
        assert healthy.status == 200

    answer = json.loads(ask(address, {"function_name": "answer", "input": QUESTION}))
    assert answer["content"] == [{"type": "text", "text": ANSWER}], answer

    stream = ask(address, {"function_name": "answer", "input": QUESTION, "stream": True})
    events = [line.removeprefix("data: ") for line in stream.decode().split("\n") if line]
    assert events[-1] == "[DONE]", events
    chunks = [json.loads(event) for event in events[:-1]]
    assert "".join(block["text"] for c in chunks for block in c["content"]) == ANSWER, chunks
    assert chunks[-1]["finish_reason"] == "stop", chunks

    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(STOP_S) == 0, f"the daemon ended with exit {daemon.returncode}"


def wait_until_serving(daemon: subprocess.Popen[bytes], log: Path) -> str:
    """The address, once the daemon's log tells the port that it has taken."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert daemon.poll() is None, f"the daemon ended with exit {daemon.returncode}"
        for line in log.read_text().splitlines():
            record = json.loads(line) if line.startswith("{") and line.endswith("}") else {}
            if record.get("message") == "serving":
                return f"http://{record['address']}"
        time.sleep(0.05)
    raise AssertionError(f"not serving after {START_S} s")


def ask(address: str, body: dict[str, object]) -> bytes:
    """The answer of POST /inference, whole."""
    request = urllib.request.Request(
        f"{address}/inference", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return bytes(response.read())


if __name__ == "__main__":
    main()

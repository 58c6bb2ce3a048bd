"""A real LSD process under test: started, asked, stopped, and read the log of."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import orjson

READY_S_MAX = 120.0
"""A start takes well under a second; half a minute was too short for four workers at load 6."""

STOP_S_MAX = 60.0

SERVER_VARIABLE = "LSD_TEST_SERVER"
"""With `hypercorn`, all gateways of all tests are served by that, but for those that say what."""

_POLL_S = 0.01
"""Between two looks at the log of a starting process; nothing tells us when it grows."""

_KEPT_VARIABLES = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR")


class Gateway:
    """One LSD process at a time, on one configuration and one data directory.

    `start` may be called again after `stop` or `kill`: the data is still there, the port is new.
    The log of all these processes is one file.
    """

    def __init__(
        self,
        folder: Path,
        config_text: str,
        *,
        options: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.config_path = folder / "lsd.toml"
        self.data_path = folder / "data"
        self.log_path = folder / "stderr.log"
        self.url = ""
        self.client = httpx.Client()
        self._options = options
        self._environment = {**_clean_environment(), **(environment or {})}
        self._headers = dict(headers or {})
        self._process: subprocess.Popen[bytes] | None = None
        self.configure(config_text)

    def configure(self, config_text: str) -> None:
        """Writes the configuration for the next start or reload."""
        self.config_path.write_text(config_text, encoding="utf-8")

    @property
    def pid(self) -> int:
        """The process that was started; with several workers, the main one."""
        assert self._process is not None, "the gateway is not running"
        return self._process.pid

    def start(self) -> "Gateway":
        """Starts the process and waits until it serves. Fails with its log if it does not."""
        assert self._process is None, "the gateway is running already"
        known = len(self._log_lines())
        command = [sys.executable, "-P", "-m", "lsd", "--config", str(self.config_path)]
        command += self._server_option()
        command += ["--bind-address", "127.0.0.1:0", "--data-dir", str(self.data_path)]
        command += ["--log-format", "json", *self._options]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                command, stderr=log, stdout=subprocess.DEVNULL, env=self._environment
            )
        address = self._wait_for_address(known)
        self.url = f"http://{address}"
        self.client.close()
        self.client = httpx.Client(
            base_url=self.url, headers=self._headers, timeout=STOP_S_MAX, trust_env=False
        )
        return self

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends a signal and waits for the end; returns the exit code."""
        self.send_signal(number)
        return self.wait()

    def send_signal(self, number: signal.Signals) -> None:
        """Sends a signal to the process, and does not wait."""
        assert self._process is not None, "the gateway is not running"
        self._process.send_signal(number)

    def wait(self, timeout_s: float = STOP_S_MAX) -> int:
        """The exit code, once the process has ended."""
        assert self._process is not None, "the gateway is not running"
        code = self._process.wait(timeout_s)
        self._process = None
        return code

    def kill(self) -> None:
        """Ends the process as a crash would."""
        self.stop(signal.SIGKILL)

    def close(self) -> None:
        """Ends what still runs."""
        self.client.close()
        if self._process is not None:
            self._process.terminate()
            try:
                self.wait()
            except subprocess.TimeoutExpired:
                self.kill()
                raise

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command on the gateway's store, beside the gateway if that runs."""
        line = [sys.executable, "-P", "-m", "lsd", "--config", str(self.config_path)]
        line += ["--data-dir", str(self.data_path), *words]
        return subprocess.run(
            line, env=self._environment, capture_output=True, text=True, check=False
        )

    def infer(self, **body: Any) -> dict[str, Any]:
        """The answer of `/inference`, which must be 200."""
        return self._posted("/inference", body)

    def feedback(self, **body: Any) -> dict[str, Any]:
        """The answer of `/feedback`, which must be 200."""
        return self._posted("/feedback", body)

    def stream(self, **body: Any) -> list[dict[str, Any]]:
        """The events of a streamed `/inference`, parsed; `[DONE]` must end them."""
        response = self.client.post("/inference", json={**body, "stream": True})
        assert response.status_code == 200, f"{response.status_code}: {response.text}"
        assert response.headers["content-type"].startswith("text/event-stream")
        return stream_events(response.text)

    def post(self, path: str, body: Any) -> httpx.Response:
        """The response to a JSON body, whatever its status."""
        return self.client.post(path, json=body)

    def stored(self, inference_id: str) -> dict[str, Any] | None:
        """The record of an inference; None if there is none."""
        answer = self._posted("/v1/inferences/get_inferences", {"ids": [inference_id]})
        return next(iter(answer["inferences"]), None)

    def calls(self, target_id: str) -> list[dict[str, Any]]:
        """The records of the provider calls of an inference, failed ones included, in order."""
        response = self.client.get(
            f"/internal/model_inferences/{target_id}", params={"include_failed": "true"}
        )
        assert response.status_code == 200, f"{response.status_code}: {response.text}"
        calls: list[dict[str, Any]] = response.json()["model_inferences"]
        return calls

    def log_records(self, message: str | None = None) -> list[dict[str, Any]]:
        """The log so far, parsed; with `message`, only its records."""
        records = [orjson.loads(line) for line in self._log_lines() if line.startswith(b"{")]
        return [each for each in records if message is None or each.get("message") == message]

    def log_text(self) -> str:
        """The log so far, as it is."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def _server_option(self) -> list[str]:
        """One more file for the server that SERVER_VARIABLE asks for, unless the test has one."""
        server = os.environ.get(SERVER_VARIABLE)
        if server is None or re.search(r"\bserver *=", self.config_path.read_text()):
            return []
        path = self.folder / "server.toml"
        path.write_text(f'gateway.server = "{server}"\n', encoding="utf-8")
        return ["--config", str(path)]

    def _posted(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        response = self.client.post(path, json=body)
        assert response.status_code == 200, f"{response.status_code}: {response.text}"
        answer: dict[str, Any] = response.json()
        return answer

    def _log_lines(self) -> list[bytes]:
        """Whole lines only: the last one may be on its way."""
        if not self.log_path.exists():
            return []
        return self.log_path.read_bytes().split(b"\n")[:-1]

    def _wait_for_address(self, known: int) -> str:
        assert self._process is not None
        deadline = time.monotonic() + READY_S_MAX
        while time.monotonic() < deadline:
            has_ended = self._process.poll() is not None
            for line in self._log_lines()[known:]:
                record = orjson.loads(line) if line.startswith(b"{") else {}
                if record.get("message") == "serving":
                    return str(record["address"])
            if has_ended:
                code = self.wait()
                raise AssertionError(f"the gateway ended with {code}:\n{self.log_text()}")
            time.sleep(_POLL_S)
        raise AssertionError(f"not serving after {READY_S_MAX} s:\n{self.log_text()}")


def stream_events(text: str) -> list[dict[str, Any]]:
    """The events of a native stream, parsed, without `[DONE]`, which must be the last."""
    events = [event for event in text.split("\n\n") if event and not event.startswith(":")]
    assert events, "the stream has no events"
    assert events.pop() == "data: [DONE]"
    return [orjson.loads(event.removeprefix("data: ")) for event in events]


def _clean_environment() -> dict[str, str]:
    """Only what a process needs: no keys, proxies or settings of whoever runs the tests."""
    repository = str(Path(__file__).resolve().parents[2])
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return {**kept, "PYTHONPATH": repository}

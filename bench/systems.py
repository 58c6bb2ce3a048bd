"""What is measured: LSD in its arrangements, the naive gateway, and peers where they are installed.

A system is started on a core against a provider's port, and knows how it is called.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

from generators import Call
from processes import BENCH, free_port, serving

PEERS = BENCH / "peers"

MESSAGES = [{"role": "user", "content": "Write a haiku about a pond"}]
CHAT = {"model": "canned", "messages": MESSAGES}
TASK = {"function_name": "write_haiku", "input": {"messages": MESSAGES}}

LSD_CONFIG = """\
[gateway]
bind_address = "127.0.0.1:{port}"
server = "{server}"
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

LITELLM_CONFIG = """\
model_list:
  - model_name: canned
    litellm_params:
      model: openai/canned
      api_base: http://127.0.0.1:{upstream_port}/v1
      api_key: none
general_settings:
  master_key: sk-bench
"""


class Running(NamedTuple):
    """A system that serves, and its calls by the name of what is measured."""

    pid: int
    calls: Mapping[str, Call]
    streams: bool = True


class System(NamedTuple):
    """`start` takes a provider's port, a folder for files, and a core."""

    name: str
    start: Callable[[int, Path, int | None], AbstractContextManager[Running]]


def lsd(name: str, program: Path | None, *, records: bool = True, server: str = "auto") -> System:
    """LSD, from the tree or as a built file; called by its own endpoint and by OpenAI's."""

    @contextmanager
    def start(upstream_port: int, folder: Path, core: int | None) -> Iterator[Running]:
        port = free_port()
        config = folder / "lsd.toml"
        config.write_text(
            LSD_CONFIG.format(
                port=port,
                server=server,
                records="true" if records else "false",
                upstream_port=upstream_port,
            )
        )
        what = ["-m", "lsd"] if program is None else [str(program.resolve())]
        command = [sys.executable, *what, "--config", str(config)]
        health = f"http://127.0.0.1:{port}/health"
        calls = {
            "/inference": Call(port, "/inference", TASK, {}),
            "chat endpoint": Call(port, "/openai/v1/chat/completions", CHAT, {}),
        }
        with serving(command, health, folder / "log", core) as pid:
            yield Running(pid, calls)

    return System(name, start)


@contextmanager
def _baseline(upstream_port: int, folder: Path, core: int | None) -> Iterator[Running]:
    port = free_port()
    command = [sys.executable, "-P", str(BENCH / "baseline.py"), str(port), str(upstream_port)]
    with serving(command, f"http://127.0.0.1:{port}/health", folder / "log", core) as pid:
        yield Running(pid, {"/inference": Call(port, "/inference", TASK, {})})


@contextmanager
def _litellm(upstream_port: int, folder: Path, core: int | None) -> Iterator[Running]:
    port = free_port()
    config = folder / "litellm.yaml"
    config.write_text(LITELLM_CONFIG.format(upstream_port=upstream_port))
    program = str(PEERS / "litellm/bin/litellm")
    options = ["--host", "127.0.0.1", "--telemetry", "False"]
    command = [program, "--config", str(config), "--port", str(port), *options]
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    headers = {"authorization": "Bearer sk-bench"}
    health = f"http://127.0.0.1:{port}/health/liveliness"
    with serving(command, health, folder / "log", core, quiet) as pid:
        yield Running(pid, {"chat endpoint": Call(port, "/v1/chat/completions", CHAT, headers)})


@contextmanager
def _portkey(upstream_port: int, folder: Path, core: int | None) -> Iterator[Running]:
    port = free_port()
    program = PEERS / "node_modules/@portkey-ai/gateway/build/start-server.js"
    command = ["node", str(program), f"--port={port}", "--headless"]
    headers = {
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": f"http://127.0.0.1:{upstream_port}/v1",
        "authorization": "Bearer none",
    }
    trusted = {"TRUSTED_CUSTOM_HOSTS": "127.0.0.1"}
    with serving(command, f"http://127.0.0.1:{port}/", folder / "log", core, trusted) as pid:
        # Its streams end with 500 on Node 20.20: the head of fetch's answer cannot be changed.
        call = Call(port, "/v1/chat/completions", CHAT, headers)
        yield Running(pid, {"chat endpoint": call}, streams=False)


BASELINE = System("baseline", _baseline)


def peers() -> list[System]:
    """Those that are installed; `bench/peers/README.md` tells how."""
    found = []
    if (PEERS / "litellm/bin/litellm").exists():
        found.append(System("LiteLLM", _litellm))
    if (PEERS / "node_modules/@portkey-ai/gateway").exists():
        found.append(System("Portkey", _portkey))
    return found

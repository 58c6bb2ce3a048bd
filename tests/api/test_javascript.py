"""The official JavaScript libraries against a running daemon.

Node runs the files in `tests/javascript`, once `.ci/javascript` has fetched the libraries.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.api.conftest import StartGateway
from tests.fakes import anthropic_scripts, openai_scripts
from tests.fakes.openai_scripts import answers
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Script

FOLDER = Path(__file__).resolve().parents[1] / "javascript"
FILES = sorted(FOLDER.glob("*.test.mjs"))
NODE = shutil.which("node")

NODE_S_MAX = 120
"""For all tests of one file, on a busy machine."""

CONFIG = """
    [models.claude]
    routing = ["one"]
    [models.claude.providers.one]
    type = "anthropic"
    model_name = "claude-haiku-4-5"
    api_key_location = "none"
    api_base = "{claude}"

    [models.gpt]
    routing = ["one"]
    [models.gpt.providers.one]
    type = "openai"
    model_name = "gpt-1"
    api_key_location = "none"
    api_base = "{gpt}"

    [models.cut]
    routing = ["one"]
    [models.cut.providers.one]
    type = "openai"
    model_name = "gpt-1"
    api_key_location = "none"
    api_base = "{cut}"

    [models.limited]
    routing = ["one"]
    providers.one = {{ type = "echo", statuses = [429] }}

    [models.overloaded]
    routing = ["one"]
    providers.one = {{ type = "echo", statuses = [529] }}

    [models.silent]
    routing = ["one"]
    providers.one = {{ type = "echo" }}
"""

Scripted = Callable[[RecordedRequest], Script]


def looking_first(call: Scripted, text: Scripted) -> Scripted:
    """Calls the tool that is offered, and says something when it has the result.

    A wish for JSON has its answer, too.
    """

    def answer(request: RecordedRequest) -> Script:
        if request.path.endswith("/count_tokens"):
            return answers({"input_tokens": 12})
        body = request.body
        if b'"json_schema"' in body:
            return (anthropic_scripts if b'"output_config"' in body else openai_scripts).says(
                '{"degrees":4}'
            )(request)
        has_result = b"tool_result" in body or b'"role":"tool"' in body
        return (text if has_result or b'"tools"' not in body else call)(request)

    return answer


@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.skipif(
    not (FOLDER / "node_modules").is_dir(), reason="the libraries are not there: .ci/javascript"
)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_official_libraries(
    start_gateway: StartGateway, provider: FakeProviderThread, path: Path
) -> None:
    """Plain, streamed, with tools and with failures, whatever stands behind the daemon."""
    block = {"type": "tool_use", "id": "call_1", "name": "look", "input": {"path": "a.py"}}
    claude = looking_first(
        anthropic_scripts.gives([block], stop_reason="tool_use"),
        anthropic_scripts.says("An old pond"),
    )
    gpt = looking_first(
        openai_scripts.tool_call("look", {"path": "a.py"}), openai_scripts.says("An old pond")
    )
    config = CONFIG.format(
        claude=provider.will("claude", claude),
        gpt=provider.will("gpt", gpt),
        cut=provider.will("cut", openai_scripts.cut_after(2)),
    )
    gateway = start_gateway(config)
    environment = {**os.environ, "LSD_URL": gateway.url, "LSD_MODELS": "claude,gpt"}

    done = subprocess.run(
        [str(NODE), "--test", path.name],
        cwd=FOLDER,
        env=environment,
        capture_output=True,
        text=True,
        timeout=NODE_S_MAX,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr

"""What curl makes of the server: the client that everybody has at hand."""

import shutil
import subprocess
from pathlib import Path

import orjson
import pytest

from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway

CURL = shutil.which("curl")

pytestmark = pytest.mark.skipif(CURL is None, reason="curl is not installed")

CONFIG = """
[models.parrot]
routing = ["echo"]
[models.parrot.providers.echo]
type = "echo"
model_name = "parrot"
"""

ASKED = {
    "model_name": "parrot",
    "input": {"messages": [{"role": "user", "content": "Is anybody there?"}]},
}
SAID = "Is anybody there?"


@pytest.fixture(scope="module", params=["auto", "hypercorn"])
def gateway(request: pytest.FixtureRequest, start_shared: StartGateway) -> Gateway:
    """One gateway on each server."""
    return start_shared(f'gateway.server = "{request.param}"\n{CONFIG}')


def curl(gateway: Gateway, *words: str, path: str = "/inference") -> str:
    """What curl prints."""
    assert CURL is not None
    command = [CURL, "--silent", "--show-error", "--fail-with-body", "--max-time", "20"]
    ended = subprocess.run(
        [*command, *words, f"{gateway.url}{path}"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, (ended.returncode, ended.stdout, ended.stderr)
    return ended.stdout


def body_in(folder: Path, asked: object = ASKED) -> str:
    """A file with a request, as curl's words name it."""
    file = folder / "asked.json"
    file.write_bytes(orjson.dumps(asked))
    return f"@{file}"


def test_a_form_of_defaults_is_enough(gateway: Gateway) -> None:
    """`curl -d` says that its body is a form; it is JSON all the same."""
    answer = curl(gateway, "--data", orjson.dumps(ASKED).decode())

    assert SAID in answer


def test_a_large_body_waits_for_its_leave(gateway: Gateway, tmp_path: Path) -> None:
    """It asks with `Expect: 100-continue` first, and hears at once that it may."""
    long = {**ASKED, "tags": {"long": "x" * 2_000_000}}

    answer = curl(
        gateway, "--data-binary", body_in(tmp_path, long), "--header", "Expect: 100-continue"
    )

    assert SAID in answer


def test_a_body_may_come_in_chunks(gateway: Gateway, tmp_path: Path) -> None:
    """Nobody needs to know its length before."""
    answer = curl(
        gateway, "--data-binary", body_in(tmp_path), "--header", "Transfer-Encoding: chunked"
    )

    assert SAID in answer


def test_http_1_0_is_spoken(gateway: Gateway, tmp_path: Path) -> None:
    """A stream, too, whose end is then the connection's."""
    stream = {**ASKED, "stream": True}

    plain = curl(gateway, "--http1.0", "--data-binary", body_in(tmp_path))
    streamed = curl(gateway, "--http1.0", "--no-buffer", "--data-binary", body_in(tmp_path, stream))

    assert SAID in plain
    assert streamed.endswith("data: [DONE]\n\n")


def test_a_head_has_no_body(gateway: Gateway) -> None:
    """The headers are those of the answer to GET."""
    head = curl(gateway, "--head", path="/health").lower()

    assert head.startswith("http/1.1 200 ")
    assert "content-type: application/json" in head


def test_a_connection_carries_one_request_after_the_other(gateway: Gateway) -> None:
    """Two addresses, one connection."""
    counted = curl(
        gateway,
        "--output", "/dev/null", "--write-out", "%{num_connects}\n", f"{gateway.url}/health",
        "--output", "/dev/null", path="/status",
    )  # fmt: skip

    assert counted.split() == ["1", "0"]


def test_a_connection_goes_on_after_a_refusal(gateway: Gateway) -> None:
    """A bad request is no reason to part."""
    counted = curl(
        gateway,
        "--no-fail-with-body", "--data", "{", "--output", "/dev/null",
        "--write-out", "%{http_code} %{num_connects}\n",
        f"{gateway.url}/inference", "--output", "/dev/null",
    )  # fmt: skip

    assert counted.split("\n")[:2] == ["400 1", "400 0"]


def test_chunks_of_a_stream_are_shown_as_they_come(gateway: Gateway, tmp_path: Path) -> None:
    """In one event each, and a last one that says that it is the last."""
    said = curl(
        gateway, "--no-buffer", "--data-binary", body_in(tmp_path, ASKED | {"stream": True})
    )

    events = said.split("\n\n")
    assert len(events) > 4
    assert events[-2:] == ["data: [DONE]", ""]

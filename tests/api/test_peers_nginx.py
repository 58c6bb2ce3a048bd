"""With nginx in front of the gateway, as operators run it, and between it and a provider."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.api.asking import WAIT_S_MAX, Box, model, saying, text_of, wait_for
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway, stream_events
from tests.fakes.openai_scripts import says, streams
from tests.fakes.provider_thread import FakeProviderThread

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")

PORTS_MAX = 5

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

PARROT = """
[models.parrot]
routing = ["echo"]
[models.parrot.providers.echo]
type = "echo"
model_name = "parrot"
"""

PASSING_ON = """
daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream beyond {{ server {beyond}; keepalive 8; }}
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 8m;
        location / {{
            proxy_pass http://beyond;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host localhost;
            proxy_buffering off; proxy_request_buffering off;
        }}
    }}
}}
"""


@contextmanager
def nginx_before(beyond: str, folder: Path) -> Iterator[str]:
    """The address of an nginx that passes everything on to the address `beyond`."""
    process, port = _listening(beyond, folder)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(WAIT_S_MAX)


def _listening(beyond: str, folder: Path) -> tuple["subprocess.Popen[bytes]", int]:
    """An nginx at work and its port: another one, if somebody has taken the first meanwhile."""
    assert NGINX is not None
    config, pid = folder / "nginx.conf", folder / "pid"
    for _ in range(PORTS_MAX):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        config.write_text(PASSING_ON.format(folder=folder, beyond=beyond, port=port))
        process = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(config)])
        # It is written when the port is nginx's own.
        if wait_for(lambda process=process: pid.exists() or process.poll()) is True:
            return process, port
    raise AssertionError(f"nginx does not listen: {(folder / 'error.log').read_text()}")


@pytest.fixture(scope="module", params=["auto", "hypercorn"])
def gateway(request: pytest.FixtureRequest, start_shared: StartGateway) -> Gateway:
    """A gateway on each server."""
    return start_shared(f'gateway.server = "{request.param}"\n{PARROT}')


@pytest.fixture(scope="module")
def in_front(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of the nginx in front of the gateway."""
    folder = tmp_path_factory.mktemp("nginx")
    with (
        nginx_before(urlsplit(gateway.url).netloc, folder) as address,
        httpx.Client(base_url=f"http://{address}", timeout=WAIT_S_MAX, trust_env=False) as client,
    ):
        yield client


def test_answers_of_all_kinds_pass(in_front: httpx.Client) -> None:
    """Plain, streamed, refused, empty; over connections that nginx keeps."""
    for number in range(10):
        plain = in_front.post("/inference", json={"model_name": "parrot", **saying(f"n{number}")})
        body = {"model_name": "parrot", "stream": True, **saying(f"s{number}")}
        stream = in_front.post("/inference", json=body)
        refused = in_front.post("/inference", content=b"{")
        head = in_front.head("/health")

        assert f"n{number}" in text_of(plain.json())
        assert f"s{number}" in text_of(stream_events(stream.text))
        assert (refused.status_code, head.status_code, head.content) == (400, 200, b"")


def test_a_large_body_passes(in_front: httpx.Client) -> None:
    """In as many pieces as nginx makes of it."""
    long = {"model_name": "parrot", "tags": {"long": "x" * 4_000_000}, **saying("long")}

    assert in_front.post("/inference", json=long).status_code == 200


def test_many_at_once_pass(in_front: httpx.Client) -> None:
    """Each gets its own answer."""

    def ask(number: int) -> bool:
        body = {"model_name": "parrot", "stream": number % 2 == 0, **saying(f"<{number}>")}
        return f"<{number}>" in in_front.post("/inference", json=body).text

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(80)))


def test_a_provider_behind_it_is_reached(
    start_gateway: StartGateway, provider: FakeProviderThread, tmp_path: Path
) -> None:
    """Plain and streamed, in the framing that nginx chooses; a provider that is gone is a 502."""
    provider.will("plain", says("from beyond"))
    provider.will("stream", streams(["one ", "by ", "one"]))
    scenario = urlsplit(provider.url("plain"))
    with nginx_before(scenario.netloc, tmp_path) as address:

        def behind(name: str) -> str:
            path = urlsplit(provider.url(name)).path
            return model(name, Box("beyond", f"http://{address}{path}"))

        gateway = start_gateway(behind("plain") + behind("stream"))
        for _ in range(5):
            assert text_of(gateway.infer(model_name="plain", **saying("hi"))) == "from beyond"
            events = gateway.stream(model_name="stream", **saying("hi"))
            assert text_of(events) == "one by one"
    gone = gateway.post("/inference", {"model_name": "plain", **saying("hi")})

    assert gone.status_code == 502

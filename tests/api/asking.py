"""How tests of `/inference` write configurations and requests, and read what comes back."""

import signal
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import attrs
import httpx
import orjson
import trio

from lsd.store import Store, StoreSettings
from tests.api.gateway import Gateway
from tests.fakes.script import Chunked, Script, Until

T = TypeVar("T")

WAIT_S_MAX = 30.0
"""Nothing that a test waits for takes longer, even on a busy machine."""

_POLL_S = 0.01
"""Between two looks; nobody tells a client when a daemon has done what it was not asked for."""


@attrs.frozen
class Box:
    """One OpenAI-like server in a model's routing; `more` are further lines of its table."""

    name: str
    api_base: str
    more: str = ""


def model(name: str, *boxes: Box, more: str = "") -> str:
    """The table of a model that asks `boxes` in this order; `more` are further lines of it."""
    routing = ", ".join(f'"{box.name}"' for box in boxes)
    tables = [f'[models."{name}"]\nrouting = [{routing}]\n{more}\n']
    tables += [
        f'[models."{name}".providers."{box.name}"]\n'
        f'type = "openai"\nmodel_name = "{name}-{box.name}"\napi_base = "{box.api_base}"\n'
        + ("" if "api_key_location" in box.more else 'api_key_location = "none"\n')
        + f"{box.more}\n"
        for box in boxes
    ]
    return "".join(tables)


def saying(text: str) -> dict[str, Any]:
    """The input of a request: one message of the user."""
    return with_content(text)


def with_content(content: Any) -> dict[str, Any]:
    """The input of a request: one message of the user with any content."""
    return {"input": {"messages": [{"role": "user", "content": content}]}}


SAYING_HI = saying("hi")


def refusal(gateway: Gateway, status: int, body: Any) -> str:
    """What is wrong with a request, which must get this status and an error in JSON."""
    response = gateway.post("/inference", body)
    assert response.status_code == status, f"{response.status_code}: {response.text}"
    assert response.headers["content-type"] == "application/json"
    told: str = response.json()["error"]
    return told


def text_of(source: Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> str:
    """The text of an answer, or of all chunks of a stream."""
    chunks = [source] if isinstance(source, Mapping) else source
    return "".join(
        block["text"]
        for chunk in chunks
        for block in chunk.get("content", ())
        if block["type"] == "text"
    )


def statuses(calls: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Provider and status of recorded calls."""
    return [(call["model_provider_name"], call["status"]) for call in calls]


def held_after(script: Script, text: bytes, gate: trio.Event) -> Script:
    """The script, silent behind its first chunk that holds `text` until the gate is set."""
    place = next(
        place
        for place, step in enumerate(script.steps, 1)
        if isinstance(step, Chunked) and text in step.data
    )
    return Script((*script.steps[:place], Until(gate), *script.steps[place:]))


@contextmanager
def unanswered(gateway: Gateway, body: Any) -> Iterator[None]:
    """An inference that is asked for now; at the end of the block its client leaves."""
    host, _, port = gateway.url.removeprefix("http://").rpartition(":")
    content = orjson.dumps(body)
    head = f"POST /inference HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(content)}\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=WAIT_S_MAX) as connection:
        connection.sendall(head.encode() + content)
        yield


def wait_for(look: Callable[[], T]) -> T:
    """What `look` sees, as soon as that is anything."""
    deadline = time.monotonic() + WAIT_S_MAX
    while not (seen := look()):
        assert time.monotonic() < deadline, f"still {seen!r} after {WAIT_S_MAX} s"
        time.sleep(_POLL_S)
    return seen


def limited(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """The refusal of a limit of one request in a second, as soon as two have come within one."""
    return wait_for(lambda: response if (response := ask()).status_code == 429 else None)


def reloaded(gateway: Gateway) -> dict[str, Any]:
    """What the log tells at the end of a reload that is asked for now."""
    ends = ("configuration reloaded", "configuration not reloaded; the old one goes on")

    def told() -> list[dict[str, Any]]:
        return [each for each in gateway.log_records() if each["message"] in ends]

    before = len(told())
    gateway.send_signal(signal.SIGHUP)
    return wait_for(lambda: told()[before:])[-1]


@contextmanager
def open_store(gateway: Gateway) -> Iterator[Store]:
    """What a gateway has stored, seen from beside it, running or not."""
    store = Store.open(gateway.data_path, StoreSettings(), is_server=False)
    try:
        yield store
    finally:
        store.close()

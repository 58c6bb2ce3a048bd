"""The quart app behind the front, made when it is needed."""

import subprocess
import sys
from typing import Any

import pytest
import trio

from lsd.api import ErrorAnswers, ErrorDesk, RoutedApp
from lsd.api.application import quart_app
from tests.unit.api.endpoints import endpoint, new_ids, repeating
from tests.unit.api.in_memory import ask


def routed(*paths: tuple[str, str]) -> RoutedApp:
    """The routes with these methods and paths."""
    return RoutedApp(
        endpoints=[endpoint(repeating, method, path) for method, path in paths],
        ids=new_ids(),
        errors=ErrorDesk(ErrorAnswers(False)),
        body_bytes_max=1000,
    )


async def test_the_app_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask for it at the same time, and all of them are served."""
    made: list[Any] = []

    def make(*given: Any, **more: Any) -> Any:
        made.append(quart_app(*given, **more))
        return made[-1]

    monkeypatch.setattr("lsd.api.application.quart_app", make)
    app = routed(("POST", "/work"))
    statuses: list[int | None] = []

    async def work() -> None:
        statuses.append((await ask(app, "POST", "/work", b"hi")).status)

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(work)

    assert statuses == [200] * 5
    assert len(made) == 1


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/things/one", ["GET", "HEAD", "POST"]),
        ("/things/one/", ["GET", "HEAD", "POST"]),
        ("/things", ["DELETE"]),
        ("/things/", ["DELETE"]),
        ("/things/one/two", []),
        ("/things//", []),
        ("/", []),
    ],
)
def test_the_methods_of_a_path_are_known(path: str, methods: list[str]) -> None:
    """With what stands for a part of it; a path that does not exist has none."""
    app = routed(("GET", "/things/{name}"), ("POST", "/things/{name}"), ("DELETE", "/things"))

    assert app.methods_of(path) == methods


def test_a_daemon_loads_the_framework_only_for_a_routed_request() -> None:
    """Whoever only infers, and is asked for its health, does without."""
    code = "import lsd.server.assembly, sys; sys.exit('quart' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

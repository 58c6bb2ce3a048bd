"""A whole gateway in memory: a configuration, and the application that serves it."""

from pathlib import Path
from typing import Any

import orjson

from lsd.api import Front
from lsd.config import Sources, load
from lsd.server.assembly import assemble
from lsd.server.equipment import Equipment
from lsd.telemetry import Metrics, SystemClock
from tests.unit.api.in_memory import Exchange, ask


def gateway_without_store(folder: Path, text: str, **files: str) -> Front:
    """Serves the configuration `text`; `files` are templates beside it."""
    (folder / "lsd.toml").write_text(text, encoding="utf-8")
    for name, template in files.items():
        (folder / f"{name}.minijinja").write_text(template, encoding="utf-8")
    loaded = load(Sources(environment={}, working_directory=folder))
    equipment = Equipment.of(loaded, None, SystemClock(), Metrics(()))
    return assemble(loaded, equipment).front


async def post(app: Any, path: str, body: Any) -> Exchange:
    """The answer to a JSON body."""
    return await ask(app, "POST", path, orjson.dumps(body))


async def get(app: Any, target: str) -> Any:
    """The JSON of a GET that must succeed."""
    asked = await ask(app, "GET", target)
    assert asked.status == 200, asked.body
    return asked.json()


def events(asked: Exchange) -> list[Any]:
    """The events of a stream, parsed, without `[DONE]`, which must be the last."""
    *texts, done, rest = asked.body.decode().split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    return [orjson.loads(text.removeprefix("data: ")) for text in texts]

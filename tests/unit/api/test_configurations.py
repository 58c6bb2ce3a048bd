"""Configurations over HTTP: the running one and old ones, without secrets."""

from pathlib import Path
from typing import Any

import pytest

from lsd.api import Configurations
from lsd.config import Loaded, Sources, load, without_secrets
from lsd.conversation import Fragment
from lsd.store import Store
from tests.unit.api.endpoints import quart_of
from tests.unit.api.gateways import get
from tests.unit.api.in_memory import ask

SECRET = "very-secret-value"
OLD = f"""
[functions.old]
type = "chat"
variants.v.model = "small"
variants.v.templates.greeting.path = "greeting.minijinja"

[models.small]
routing = ["echo"]
providers.echo = {{ type = "echo", extra_headers = [{{ name = "x-key", value = "{SECRET}" }}] }}
"""


@pytest.fixture
def old(tmp_path: Path, store: Store) -> Loaded:
    """A configuration that was in force once."""
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "lsd.toml").write_text(OLD, encoding="utf-8")
    (folder / "greeting.minijinja").write_text("Hello", encoding="utf-8")
    loaded = load(Sources(environment={}, working_directory=folder))
    write = store.snapshots.record(
        hash=loaded.hash,
        config=Fragment(without_secrets(loaded.snapshot)),
        extra_templates=loaded.config.template_files,
        tags={},
        now_ms=1,
    )
    store.data.write(write.apply)
    return loaded


async def test_the_running_configuration_is_shown(store: Store, loaded: Loaded) -> None:
    """By its hash, in any case of letters, or by none; a store is not needed."""
    for snapshots in (store.snapshots, None):
        app = quart_of(*Configurations(loaded, snapshots).endpoints())
        shown = await get(app, "/internal/config")

        assert shown["hash"] == loaded.hash
        assert shown["config"]["metrics"]["cost"]["optimize"] == "min"
        assert (shown["extra_templates"], shown["tags"]) == ({}, {})
        assert await get(app, f"/internal/config/{loaded.hash.upper()}") == shown


async def test_an_old_configuration_is_shown(store: Store, loaded: Loaded, old: Loaded) -> None:
    """With its templates, without its secrets."""
    app = quart_of(*Configurations(loaded, store.snapshots).endpoints())
    asked = await ask(app, "GET", f"/internal/config/{old.hash}")

    shown = asked.json()
    assert (asked.status, shown["hash"]) == (200, old.hash)
    assert "old" in shown["config"]["functions"]
    assert "Hello" in str(shown["config"]["functions"])
    assert SECRET not in asked.body.decode()


async def test_people_see_what_they_look_at(store: Store, loaded: Loaded, old: Loaded) -> None:
    """Functions, metrics, tools, evaluations, names of models; nothing of providers."""
    app = quart_of(*Configurations(loaded, store.snapshots).endpoints())

    shown: Any = await get(app, f"/internal/ui_config/{old.hash}")
    now: Any = await get(app, "/internal/ui_config")

    assert sorted(shown) == [
        "config_hash",
        "evaluations",
        "functions",
        "metrics",
        "model_names",
        "tools",
    ]
    assert (shown["config_hash"], shown["model_names"]) == (old.hash, ["small"])
    assert list(shown["functions"]) == ["old"]
    assert "echo" not in str(shown)
    assert now["metrics"]["resolved"] == {"type": "boolean", "optimize": "max", "level": "episode"}


@pytest.mark.parametrize("hash_text", ["5e" * 32, "x", "5e"])
@pytest.mark.parametrize("path", ["/internal/config", "/internal/ui_config"])
async def test_an_unknown_hash_is_404(
    store: Store, loaded: Loaded, path: str, hash_text: str
) -> None:
    """Also one that is none."""
    app = quart_of(*Configurations(loaded, store.snapshots).endpoints())

    asked = await ask(app, "GET", f"{path}/{hash_text}")

    assert asked.status == 404
    assert asked.error().startswith("hash: found")

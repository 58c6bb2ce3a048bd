"""Which names are known."""

from pathlib import Path

import pytest

from lsd.api.errors import Refused
from lsd.api.known_names import KnownNames
from lsd.config import Sources, load
from lsd.store import Store
from tests.unit.store.makers import Maker, stored


def test_a_function_is_known_by_configuration_or_record(
    tmp_path: Path, store: Store, make: Maker
) -> None:
    """And the built-in one always."""
    (tmp_path / "lsd.toml").write_text(
        '[functions.talk]\ntype = "chat"\nvariants.v.model = "echo::demo"', encoding="utf-8"
    )
    loaded = load(Sources(environment={}, working_directory=tmp_path))
    known = KnownNames(loaded.config, store)
    stored(store, make.inference(function_name="old"))

    for name in ("talk", "old", "lsd::default"):
        known.require_function(name)
    with pytest.raises(Refused, match='found "ghost"') as raised:
        known.require_function("ghost")
    assert raised.value.status == 404

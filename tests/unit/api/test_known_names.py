"""Which names are known."""

from pathlib import Path

import pytest

from lsd.api.errors import Refused
from lsd.api.known_names import KnownNames
from lsd.config import Loaded, Sources, load
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


def test_variants_and_metrics_are_known_likewise(loaded: Loaded, store: Store, make: Maker) -> None:
    """Variants of calls without a function are never asked for; metrics must be configured."""
    known = KnownNames(loaded.config, store)
    stored(store, make.inference(variant_name="old"))

    for name in ("terse", "old"):
        known.require_variant("write_haiku", name)
    known.require_variant("lsd::default", "anything")
    assert known.require_metric("resolved").level == "episode"
    with pytest.raises(Refused, match='variant_name: found "ghost"'):
        known.require_variant("write_haiku", "ghost")
    for name in ("ghost", "comment", "demonstration"):
        with pytest.raises(Refused, match="metric_name: found"):
            known.require_metric(name)

"""A configuration as one process hands it to another: checked once, the same for all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from lsd.config.loaded import Loaded
from lsd.config.secrets import Secrets
from lsd.config.snapshot import open_snapshot
from lsd.config.tables.address import parse_address


def hand_over(loaded: Loaded) -> dict[str, Any]:
    """All that `take_over` needs, as JSON. It holds credentials: for own processes only."""
    gateway = loaded.config.gateway
    return {
        "snapshot": loaded.snapshot.decode(),
        "hash": loaded.hash,
        "paths": dict(loaded.paths),
        "files": [str(path) for path in loaded.files],
        "bind_address": str(gateway.bind_address),
        "workers": gateway.workers,
        "secrets": dict(loaded.secrets.known()),
        "names_data_folder": loaded.names_data_folder,
    }


def take_over(handed: Mapping[str, Any], environment: Mapping[str, str]) -> Loaded:
    """The configuration that was handed over; no file is read for it."""
    snapshot = handed["snapshot"].encode()
    config = open_snapshot(snapshot, paths=handed["paths"])
    gateway = attrs.evolve(
        config.gateway,
        bind_address=parse_address(handed["bind_address"]),
        workers=handed["workers"],
    )
    return Loaded(
        config=attrs.evolve(config, gateway=gateway),
        hash=handed["hash"],
        snapshot=snapshot,
        secrets=Secrets(environment, dict(handed["secrets"])),
        files=tuple(map(Path, handed["files"])),
        names_data_folder=handed["names_data_folder"],
        paths=handed["paths"],
    )

"""What command line and environment say over the files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import attrs

from lsd.config.findings import Findings
from lsd.config.problem import Problem
from lsd.config.sources import Sources
from lsd.config.tables.address import parse_address
from lsd.config.tables.config import Config
from lsd.config.tables.storage import FilesystemObjects, Storage

DEFAULT_FOLDER = "lsd-data"
OBJECTS_FOLDER = "objects"


def apply_overrides(config: Config, sources: Sources, findings: Findings) -> Config:
    """The configuration with the settings of this start, and with all paths absolute."""
    gateway = attrs.evolve(config.gateway, **_gateway(sources, findings))
    storage = attrs.evolve(config.storage, path=data_folder(config.storage, sources, findings))
    return place_objects(attrs.evolve(config, gateway=gateway, storage=storage))


def place_objects(config: Config) -> Config:
    """The configuration in which input files lie in the store unless it says where else."""
    objects = config.object_storage
    if not isinstance(objects, FilesystemObjects) or objects.path is not None:
        return config
    placed = attrs.evolve(objects, path=config.storage.path / OBJECTS_FOLDER)
    return attrs.evolve(config, object_storage=placed)


def _gateway(sources: Sources, findings: Findings) -> Mapping[str, Any]:
    return {**_bind_address(sources, findings), **_workers(sources, findings)}


def _bind_address(sources: Sources, findings: Findings) -> Mapping[str, Any]:
    key = ("gateway", "bind_address")
    ways = {
        "--bind-address": sources.bind_address,
        "LSD_BIND_ADDRESS": sources.environment.get("LSD_BIND_ADDRESS"),
    }
    given = {way: text for way, text in ways.items() if text}
    is_written = key in findings.document.origins
    if len(given) + is_written > 1:
        shown = [*given, *(["the configuration"] if is_written else [])]
        wanted = "set it in one of gateway.bind_address, --bind-address and LSD_BIND_ADDRESS"
        findings.refuse(key, f"set by {' and by '.join(shown)}", wanted)
    for way, text in given.items():
        try:
            return {"bind_address": parse_address(text)}
        except ValueError as error:
            findings.problems.append(Problem(file=way, found=str(error)))
    return {}


def _workers(sources: Sources, findings: Findings) -> Mapping[str, Any]:
    way, found = "--workers", sources.workers
    if found is None:
        way, found = "LSD_WORKERS", sources.environment.get("LSD_WORKERS") or None
    if found is None:
        return {}
    workers = _parsed_workers(str(found))
    if workers is None:
        wanted = 'wanted a number of at least 1, or "auto"'
        findings.problems.append(Problem(file=way, found=f'found "{found}"', wanted=wanted))
        return {}
    return {"workers": workers}


def _parsed_workers(text: str) -> int | Literal["auto"] | None:
    if text == "auto":
        return "auto"
    is_number = text.isascii() and text.isdigit() and len(text) < 6
    return int(text) if is_number and int(text) >= 1 else None


def names_data_folder(sources: Sources, findings: Findings) -> bool:
    """Whether anybody has said where the store is."""
    override = sources.data_dir or sources.environment.get("LSD_DATA_DIR")
    return bool(override) or ("storage", "path") in findings.document.origins


def data_folder(storage: Storage, sources: Sources, findings: Findings) -> Path:
    """Where the store is: what is nearest to the operator counts."""
    override = sources.data_dir or sources.environment.get("LSD_DATA_DIR")
    if override:
        return sources.working_directory / override
    if ("storage", "path") in findings.document.origins:
        return storage.path
    return findings.document.home / DEFAULT_FOLDER

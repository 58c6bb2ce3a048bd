"""What may be a name."""

import re
from collections.abc import Iterator
from typing import Final

from lsd.config.findings import Findings
from lsd.config.generations import judges_of, variants_of
from lsd.config.key_path import KeyPath
from lsd.config.tables.config import Config
from lsd.config.tables.providers import PROVIDER_TYPES

NAME_BYTES_MAX: Final = 128
RESERVED_PREFIX: Final = "lsd::"
RESERVED_METRICS: Final = ("comment", "demonstration")

_METRIC: Final = re.compile(r"[A-Za-z0-9_\-.:/]+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SHORTHANDS: Final = tuple(f"{kind}::" for kind in PROVIDER_TYPES)


def check_names(config: Config, findings: Findings) -> None:
    """All names that the configuration gives."""
    for path, name in _names(config):
        _check_name(path, name, findings)
    for kind in ("models", "embedding_models"):
        for name in getattr(config, kind):
            prefix = next((each for each in _SHORTHANDS if name.startswith(each)), None)
            if prefix is not None:
                found = f"a name that starts with {prefix} is a shorthand"
                findings.refuse((kind, name), found, "choose another name")
    for name in config.metrics:
        _check_metric(name, findings)
    for name in config.evaluations:
        _check_without_colons(("evaluations", name), name, findings)
    for path, name in _evaluators(config):
        _check_without_colons(path, name, findings)


def _names(config: Config) -> Iterator[tuple[KeyPath, str]]:
    """Every name with the path of what it names."""
    tables = ("functions", "models", "embedding_models", "tools", "metrics", "evaluations")
    for table in tables:
        yield from (((table, name), name) for name in getattr(config, table))
    for table in ("models", "embedding_models"):
        for model, each in getattr(config, table).items():
            yield from (((table, model, "providers", name), name) for name in each.providers)
    for model, chat_model in config.models.items():
        if chat_model.namespace is not None:
            yield ("models", model, "namespace"), chat_model.namespace
    for path, _, name, variant in variants_of(config):
        yield path, name
        if variant.namespace is not None:
            yield (*path, "namespace"), variant.namespace
    for path, _, name, judge in judges_of(config):
        yield path, name
        if judge.namespace is not None:
            yield (*path, "namespace"), judge.namespace
    for name, function in config.functions.items():
        place = ("functions", name, "experimentation", "namespaces")
        for namespace in function.experimentation.namespaces:
            yield (*place, namespace), namespace
    yield from _evaluators(config)


def _evaluators(config: Config) -> Iterator[tuple[KeyPath, str]]:
    for table in ("functions", "evaluations"):
        for owner, each in getattr(config, table).items():
            yield from (((table, owner, "evaluators", name), name) for name in each.evaluators)


def _check_name(path: KeyPath, name: str, findings: Findings) -> None:
    if not 1 <= len(name.encode()) <= NAME_BYTES_MAX:
        found = f"found a name of {len(name.encode())} bytes"
        findings.refuse(path, found, f"wanted 1 to {NAME_BYTES_MAX} bytes")
    if _CONTROL.search(name):
        findings.refuse(path, "found a control character in a name")
    if name.startswith(RESERVED_PREFIX):
        found = f"names that start with {RESERVED_PREFIX} are reserved"
        findings.refuse(path, found, "choose another name")


def _check_metric(name: str, findings: Findings) -> None:
    path = ("metrics", name)
    if name in RESERVED_METRICS:
        findings.refuse(path, f"the name {name} is reserved", "choose another name")
    elif not _METRIC.fullmatch(name):
        found = "found a character that the name of a metric may not have"
        findings.refuse(path, found, "wanted only A-Z a-z 0-9 _ - . : /")


def _check_without_colons(path: KeyPath, name: str, findings: Findings) -> None:
    if "::" in name:
        findings.refuse(path, "found :: in a name", "choose another name")

"""From the sources of a configuration to a configuration that can be used."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from lsd.config.checks import check
from lsd.config.findings import Findings
from lsd.config.key_path import KeyPath, show_path
from lsd.config.legacy_templates import settle_legacy_templates
from lsd.config.loaded import Loaded
from lsd.config.overrides import apply_overrides, data_folder, names_data_folder
from lsd.config.problem import ConfigRefused, Problem, in_order
from lsd.config.reading.document import Document, merge
from lsd.config.reading.globs import ConfigFile, find_files
from lsd.config.reading.reader import Reader
from lsd.config.reading.texts import DISK_TEXTS, NO_TEXTS
from lsd.config.reading.toml import read_toml
from lsd.config.rules.credentials import check_credentials
from lsd.config.rules.gateway import check_storage
from lsd.config.rules.ranges import check_ranges
from lsd.config.secrets import Secrets
from lsd.config.snapshot import canonical_tree, encode_snapshot, hash_of
from lsd.config.sources import Sources
from lsd.config.tables.config import Config
from lsd.config.tables.storage import Storage
from lsd.config.template_files import collect_template_files

DEFAULT_FILE = "lsd.toml"


def load(sources: Sources) -> Loaded:
    """The configuration that the sources describe, after all checks.

    Raises ConfigRefused. Problems of reading and of shape end their phase; all others are told
    together.
    """
    files, warning = _files(sources)
    document = _document(files, sources.working_directory)
    _check_shape(document)
    findings = Findings(document)
    reader = Reader(Findings(document), findings, DISK_TEXTS)
    config = settle_legacy_templates(reader.table(Config, document.tree, ()))
    written = attrs.evolve(config, template_files=collect_template_files(config, findings))
    config = apply_overrides(written, sources, findings)
    check(config, canonical_tree(config, reader.written), sources.environment, findings)
    secrets = Secrets(sources.environment)
    check_credentials(
        config,
        secrets,
        sources.environment,
        findings,
        may_be_missing=sources.skip_credential_validation,
    )
    if findings.problems:
        raise ConfigRefused(in_order(findings.problems))
    snapshot = encode_snapshot(canonical_tree(written, reader.written), written.template_files)
    return Loaded(
        config=config,
        hash=hash_of(snapshot),
        snapshot=snapshot,
        secrets=secrets,
        warnings=(*warning, *map(str, in_order(findings.warnings))),
        notes=_notes(files, document),
        files=tuple(file.path for file in files),
        names_data_folder=names_data_folder(sources, findings),
        paths=_absolute_paths(config, reader.written),
    )


def load_storage(sources: Sources) -> Storage:
    """`[storage]` alone, for commands that touch nothing else; other tables may hold anything.

    Raises ConfigRefused.
    """
    files, _ = _files(sources)
    document = _document(files, sources.working_directory)
    path: KeyPath = ("storage",)
    findings = Findings(document)
    table = document.tree.get("storage", {})
    storage: Storage = Reader(findings, findings, NO_TEXTS).table(Storage, table, path)
    if not findings.problems:
        check_ranges(storage, path, findings)
        check_storage(storage, findings)
    if findings.problems:
        raise ConfigRefused(in_order(findings.problems))
    return attrs.evolve(storage, path=data_folder(storage, sources, findings))


def _files(sources: Sources) -> tuple[list[ConfigFile], tuple[str, ...]]:
    """The files to read, and the warning that goes with reading none."""
    patterns = sources.config
    if sources.default:
        return [], ()
    if not patterns and (from_environment := sources.environment.get("LSD_CONFIG")):
        patterns = (from_environment,)
    if not patterns and (sources.working_directory / DEFAULT_FILE).exists():
        patterns = (DEFAULT_FILE,)
    if not patterns:
        return [], ("no configuration was given; name its files with --config",)
    files, problems = find_files(patterns, sources.working_directory)
    if problems:
        raise ConfigRefused(in_order(problems))
    return files, ()


def _document(files: list[ConfigFile], working_directory: Path) -> Document:
    parts: list[tuple[ConfigFile, Mapping[str, Any]]] = []
    problems: list[Problem] = []
    for file in files:
        read = read_toml(file)
        if isinstance(read, Problem):
            problems.append(read)
        else:
            parts.append((file, read))
    home = files[0].path.parent if files else working_directory
    document, clashes = merge(parts, home)
    if problems or clashes:
        raise ConfigRefused(in_order([*problems, *clashes]))
    return document


def _check_shape(document: Document) -> None:
    shape = Findings(document)
    Reader(shape, Findings(document), NO_TEXTS).table(Config, document.tree, ())
    if shape.problems:
        raise ConfigRefused(in_order(shape.problems))


def _notes(files: list[ConfigFile], document: Document) -> tuple[str, ...]:
    if not files or document.tree:
        return ()
    return ("the configuration is empty: only the default function and shorthand models exist",)


def _absolute_paths(config: Config, written: Mapping[KeyPath, Any]) -> Mapping[str, str]:
    """The paths of the configuration by their keys; what is written as a table is a schema."""
    found = {"storage.path": str(config.storage.path)}
    for path, text in written.items():
        if isinstance(text, str):
            value: Any = config
            for part in path:
                value = getattr(value, str(part))
            found[show_path(path)] = str(value)
    return found

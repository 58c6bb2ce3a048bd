"""A configuration that passed all checks, with what belongs to it."""

from collections.abc import Mapping
from pathlib import Path

import attrs

from lsd.config.secrets import Secrets
from lsd.config.tables.config import Config


@attrs.frozen(kw_only=True)
class Loaded:
    """What loading gives.

    `snapshot` is the configuration as canonical JSON, `hash` the SHA-256 of it in hex; both leave
    out command line, environment and credentials. `warnings` and `notes` are for the log, at WARN
    and INFO. `files` are those that were read as TOML. `paths` holds the absolute paths that
    belong to the relative ones in the snapshot, by their keys. `names_data_folder`: the operator
    has said where the store is, so that it has to be there.
    """

    config: Config
    hash: str
    snapshot: bytes = attrs.field(repr=False)
    secrets: Secrets
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    names_data_folder: bool = False
    paths: Mapping[str, str] = attrs.field(factory=dict)

"""From where a configuration comes: files, command line, environment."""

from collections.abc import Mapping
from pathlib import Path

import attrs


@attrs.frozen(kw_only=True)
class Sources:
    """What the operator said at the start; a reload reads the same sources again.

    `config` holds files and globs, `default` asks for the configuration without any file.
    `bind_address`, `data_dir` and `workers` are those of the command line, None where it says
    nothing; the environment is asked for the rest.
    """

    environment: Mapping[str, str] = attrs.field(repr=False)
    working_directory: Path
    config: tuple[str, ...] = ()
    default: bool = False
    bind_address: str | None = None
    data_dir: str | None = None
    workers: str | int | None = None
    skip_credential_validation: bool = False

"""`[storage]` and `[object_storage]`: where LSD keeps everything."""

from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

import attrs

from lsd.config.kinds import ByteSize, Count, KeptAsWritten
from lsd.config.tables.credentials import LiteralOrLocation

GIBIBYTE: Final = 1024**3


@attrs.frozen(kw_only=True)
class Storage:
    """The store; without `path` it is `lsd-data` next to the configuration's first file."""

    path: Annotated[Path, KeptAsWritten()] = Path("lsd-data")
    map_size: ByteSize = 16 * GIBIBYTE
    max_map_size: ByteSize = 1024 * GIBIBYTE
    max_readers: Count = 1024
    durability: Literal["sync", "lazy", "none"] = "sync"
    inference_data_retention_days: Count | None = None
    inference_metadata_retention_days: Count | None = None
    sweep_interval_s: Count = 3600


@attrs.frozen(kw_only=True)
class FilesystemObjects:
    """Input files in a folder; without `path` it is `objects` within the store."""

    type: Literal["filesystem"] = "filesystem"
    is_default_type: ClassVar[bool] = True
    path: Annotated[Path, KeptAsWritten()] | None = None


@attrs.frozen(kw_only=True)
class S3Objects:
    """Input files in a bucket of S3 or something like it."""

    type: Literal["s3_compatible"] = "s3_compatible"
    endpoint: LiteralOrLocation | None = None
    bucket_name: str | None = None
    region: str | None = None
    allow_http: bool = False


@attrs.frozen(kw_only=True)
class NoObjects:
    """Input files are not kept."""

    type: Literal["disabled"] = "disabled"


ObjectStorage = FilesystemObjects | S3Objects | NoObjects

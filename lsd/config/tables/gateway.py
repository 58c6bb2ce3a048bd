"""`[gateway]`: how the daemon listens, records, caches and shuts down."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

import attrs

from lsd.config.kinds import (
    Ascending,
    ByteSize,
    Count,
    HeaderName,
    HeaderValue,
    KeptAsWritten,
    Milliseconds,
    Natural,
    TextForm,
    Unquoted,
    Url,
)
from lsd.config.tables.address import DEFAULT_ADDRESS, BindAddress
from lsd.config.tables.credentials import Credential, NoneLocation

MEBIBYTE: Final = 1024 * 1024
OUTBOUND_TIMEOUT_MS: Final = 900_000
"""A quarter of an hour: longer than the longest generation that a caller still waits for."""


def _parse_base_path(text: str) -> str:
    if not text.startswith("/") or any(each in text for each in "?# \t\r\n"):
        raise ValueError(f'found "{text}"; wanted a path that starts with /, such as /llm')
    return text.rstrip("/") or "/"


BasePath = Annotated[str, TextForm(kind="path", parse=_parse_base_path, show=str, placeholder="/")]


@attrs.frozen(kw_only=True)
class BatchWrites:
    """Gathering of records from several requests into one commit."""

    enabled: bool
    flush_interval_ms: Milliseconds = 100
    max_rows: Count = 1000
    write_queue_capacity: Count | None = None


@attrs.frozen(kw_only=True)
class Observability:
    """What is recorded, and when it is committed.

    `enabled` unset: records are kept if the store can be opened.
    """

    enabled: bool | None = None
    async_writes: bool = True
    batch_writes: BatchWrites = BatchWrites(enabled=False)


@attrs.frozen(kw_only=True)
class AuthCache:
    """For how long a worker remembers what it decided about a key."""

    enabled: bool = True
    ttl_ms: Milliseconds = 1000


@attrs.frozen(kw_only=True)
class Auth:
    """Whether callers need a key."""

    enabled: bool = False
    cache: AuthCache = AuthCache()
    public_metrics: bool = False


@attrs.frozen(kw_only=True)
class Cache:
    """The inference cache; `enabled` unset: on if the store can be opened."""

    enabled: bool | None = None
    ttl_s: Count = 86_400
    max_bytes: ByteSize = 1024 * MEBIBYTE


@attrs.frozen(kw_only=True)
class TemplateFilesystemAccess:
    """The folder below which templates may include others."""

    base_path: Annotated[Path, KeptAsWritten()] | None = None


@attrs.frozen(kw_only=True)
class Traces:
    """Export of traces by OTLP."""

    enabled: bool = False
    format: Literal["opentelemetry", "openinference"] = "opentelemetry"
    extra_headers: Mapping[
        Annotated[str, HeaderName()], Annotated[str, HeaderValue(), Unquoted()]
    ] = attrs.field(factory=dict, repr=False)
    include_content: bool = False


@attrs.frozen(kw_only=True)
class Otlp:
    """OpenTelemetry."""

    traces: Traces = Traces()


@attrs.frozen(kw_only=True)
class Export:
    """What is sent to other systems."""

    otlp: Otlp = Otlp()


@attrs.frozen(kw_only=True)
class GatewayMetrics:
    """What `/metrics` shows; no buckets, no histogram."""

    inference_latency_overhead_seconds_buckets: Annotated[tuple[float, ...], Ascending()] = (
        0.001,
        0.01,
        0.1,
    )


@attrs.frozen(kw_only=True)
class Relay:
    """Another LSD that makes the model calls."""

    gateway_url: Url | None = None
    api_key_location: Credential = attrs.field(factory=NoneLocation)


@attrs.frozen(kw_only=True)
class Tls:
    """PEM files for serving HTTPS; `client_ca` also demands certificates of clients."""

    certificate: Annotated[Path, KeptAsWritten()] | None = None
    private_key: Annotated[Path, KeptAsWritten()] | None = None
    client_ca: Annotated[Path, KeptAsWritten()] | None = None


@attrs.frozen(kw_only=True)
class Cors:
    """The origins whose pages may call, `*` for all."""

    allow_origins: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class BatchInference:
    """Bounds of the batch queue.

    `max_concurrency` 0 accepts without running, `max_concurrency_per_model` None bounds no model by
    itself, `poll_interval_s` 0 polls only when asked.
    """

    max_items: Count = 50_000
    max_concurrency: Natural = 8
    max_concurrency_per_model: Count | None = None
    item_max_attempts: Count = 1
    crash_limit: Count = 3
    poll_interval_s: Natural = 60


@attrs.frozen(kw_only=True)
class Gateway:
    """All of `[gateway]`."""

    bind_address: BindAddress = DEFAULT_ADDRESS
    base_path: BasePath = "/"
    workers: Count | Literal["auto"] = 1
    server: Literal["auto", "hypercorn"] = "auto"
    http2: bool = False
    on_client_disconnect: Literal["cancel", "finish"] = "cancel"
    unstable_disable_feedback_target_validation: bool = False
    debug: bool = False
    unstable_error_json: bool = False
    global_outbound_http_timeout_ms: Milliseconds = OUTBOUND_TIMEOUT_MS
    fetch_and_encode_input_files_before_inference: bool = False
    max_request_bytes: ByteSize = 100 * MEBIBYTE
    shutdown_delay_ms: Natural = 0
    shutdown_timeout_ms: Milliseconds = attrs.field()
    observability: Observability = Observability()
    auth: Auth = Auth()
    cache: Cache = Cache()
    template_filesystem_access: TemplateFilesystemAccess = TemplateFilesystemAccess()
    export: Export = Export()
    metrics: GatewayMetrics = GatewayMetrics()
    relay: Relay = Relay()
    tls: Tls = Tls()
    cors: Cors = Cors()
    batch_inference: BatchInference = BatchInference()

    @shutdown_timeout_ms.default
    def _as_long_as_the_longest_call(self) -> int:
        return self.global_outbound_http_timeout_ms

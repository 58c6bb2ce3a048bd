"""What the log tells when a daemon has begun to serve."""

from lsd import __version__
from lsd.config import Loaded, Observability
from lsd.store import Store
from lsd.telemetry import logger

log = logger(__name__)


def announce(loaded: Loaded, store: Store | None, address: str, workers: int) -> None:
    """Where, what, from which files, where the records go, and by how many processes."""
    gateway, limits = loaded.config.gateway, loaded.config.rate_limiting
    log.info(
        "serving",
        address=address,
        version=__version__,
        base_path=gateway.base_path,
        config_files=[str(path) for path in loaded.files],
        config_hash=loaded.hash,
        store=None if store is None else str(store.path),
        store_bytes=0 if store is None else sum(store.size_bytes().values()),
        writes="off" if store is None else _write_mode(gateway.observability),
        auth=gateway.auth.enabled,
        rate_limit_rules=len(limits.rules) if limits.enabled else 0,
        otlp=gateway.export.otlp.traces.enabled,
        workers=workers,
    )


def _write_mode(observability: Observability) -> str:
    if observability.enabled is False:
        return "off"
    if observability.batch_writes.enabled:
        return "batch"
    return "async" if observability.async_writes else "sync"

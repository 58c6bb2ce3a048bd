"""What is kept: the store as the configuration wants it, with its writer."""

from pathlib import Path

import attrs

from lsd.config import Config, FilesystemObjects, Loaded, without_secrets
from lsd.conversation import Fragment, LsdError
from lsd.server.refusals import StartRefused
from lsd.store import (
    FileObjects,
    Gathering,
    ObjectsRefused,
    Store,
    StoreFailed,
    StoreFull,
    StoreInUse,
    StoreRefused,
    StoreSettings,
    Writer,
)
from lsd.telemetry import Clock, Metrics, StoreReadings, logger

log = logger(__name__)


@attrs.frozen
class WriterDown(LsdError):
    """The writer is not running, or its last commit failed."""


@attrs.frozen(kw_only=True)
class Kept:
    """An open store with its writer."""

    store: Store
    writer: Writer

    def check(self) -> None:
        """Raises if nothing could be recorded now. Blocks; call it in a thread."""
        statistics = self.writer.statistics()
        if not statistics.is_running or not statistics.last_commit_ok:
            raise WriterDown
        self.store.check_usable()

    def readings(self) -> StoreReadings:
        """The store's part of the metrics."""
        statistics = self.writer.statistics()
        return StoreReadings(
            rows_waiting=statistics.rows_waiting,
            rows_dropped=statistics.rows_dropped,
            write_errors=statistics.write_errors,
            bytes_by_environment=self.store.size_bytes(),
        )


def open_kept(loaded: Loaded, clock: Clock, metrics: Metrics) -> Kept | None:
    """The store with the running configuration noted in it; None if there is to be none.

    Without a store LSD serves only where nobody has asked for one: no key insists on it, no folder
    was named, and no other server is at work in the default one. Raises StartRefused.
    """
    config = loaded.config
    try:
        store = _open_noting(loaded, clock)
    except (StoreRefused, StoreFull, StoreFailed) as refusal:
        key = _key_that_insists(config)
        if key is not None:
            raise StartRefused(f"{refusal}; {key} = true needs the store") from None
        if loaded.names_data_folder or isinstance(refusal, StoreInUse):
            raise StartRefused(f"the store cannot be opened: {refusal}") from None
        log.warning("nothing will be recorded", reason=str(refusal))
        return None
    kept = Kept(store=store, writer=_writer(store, config, clock, metrics))
    metrics.watch_store(kept.readings)
    return kept


def _open_noting(loaded: Loaded, clock: Clock) -> Store:
    """The store, open, with the running configuration in it.

    Raises StoreRefused, StoreFull or StoreFailed, and leaves nothing open.
    """
    config = loaded.config
    store = Store.open(Path(config.storage.path), _settings(config), is_server=True)
    try:
        write = store.snapshots.record(
            hash=loaded.hash,
            config=Fragment(without_secrets(loaded.snapshot)),
            extra_templates=config.template_files,
            tags={},
            now_ms=clock.now_ms(),
        )
        store.data.write(write.apply)
    except BaseException:
        store.close()
        raise
    return store


def open_objects(config: Config, *, has_store: bool) -> FileObjects | None:
    """Where input files are kept; None if they are not. Raises StartRefused."""
    table = config.object_storage
    if not isinstance(table, FilesystemObjects):
        return None
    default = Path(config.storage.path) / "objects"
    path = table.path or default
    if path == default and not has_store:
        return None
    try:
        return FileObjects.open(path, may_create=path == default)
    except ObjectsRefused as refused:
        raise StartRefused(str(refused)) from None


def _key_that_insists(config: Config) -> str | None:
    """The key that makes a store indispensable."""
    if config.gateway.observability.enabled:
        return "gateway.observability.enabled"
    return "gateway.cache.enabled" if config.gateway.cache.enabled else None


def _settings(config: Config) -> StoreSettings:
    storage = config.storage
    return StoreSettings(
        map_size=storage.map_size,
        max_map_size=storage.max_map_size,
        max_readers=storage.max_readers,
        durability=storage.durability,
    )


def _writer(store: Store, config: Config, clock: Clock, metrics: Metrics) -> Writer:
    batch = config.gateway.observability.batch_writes
    gathering = None
    if batch.enabled:
        gathering = Gathering(flush_interval_ms=batch.flush_interval_ms, max_rows=batch.max_rows)
    return store.writer(
        clock,
        gathering=gathering,
        rows_max=batch.write_queue_capacity if batch.enabled else None,
        on_commit=metrics.observe_commit,
    )

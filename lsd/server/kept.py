"""What is kept: the store as the configuration wants it, with its writer."""

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
    """An open store with its writers: of records, and of what may be lost."""

    store: Store
    writer: Writer
    state_writer: Writer

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
            raise StartRefused(f"{refusal}; {key} needs the store") from None
        if loaded.names_data_folder or isinstance(refusal, StoreInUse):
            raise StartRefused(f"the store cannot be opened: {refusal}") from None
        log.warning("nothing will be recorded", reason=str(refusal))
        return None
    kept = Kept(
        store=store,
        writer=_writer(store, config, clock, metrics),
        state_writer=store.state_writer(clock),
    )
    metrics.watch_store(kept.readings)
    return kept


def _warn_without_keys(store: Store, clock: Clock) -> None:
    """Nobody could come in: that is how auth begins, and not how it should stay."""
    now_ms = clock.now_ms()
    if not any(key.is_usable(now_ms) for key in store.api_keys.all()):
        log.warning("there is no API key in use; make one with --create-api-key")


def _open_noting(loaded: Loaded, clock: Clock) -> Store:
    """The store, open, with the running configuration in it.

    Raises StoreRefused, StoreFull or StoreFailed, and leaves nothing open.
    """
    config = loaded.config
    store = Store.open(config.storage.path, StoreSettings.of(config.storage), is_server=True)
    try:
        write = store.snapshots.record(
            hash=loaded.hash,
            config=Fragment(without_secrets(loaded.snapshot)),
            extra_templates=config.template_files,
            tags={},
            now_ms=clock.now_ms(),
        )
        store.data.write(write.apply)
        if config.gateway.auth.enabled:
            _warn_without_keys(store, clock)
    except BaseException:
        store.close()
        raise
    return store


def open_objects(config: Config, *, has_store: bool) -> FileObjects | None:
    """Where input files are kept; None if they are not. Raises StartRefused."""
    table = config.object_storage
    if not isinstance(table, FilesystemObjects):
        return None
    default = config.storage.path / "objects"
    path = table.path or default
    if path == default and not has_store:
        return None
    try:
        return FileObjects.open(path, may_create=path == default)
    except ObjectsRefused as refused:
        raise StartRefused(str(refused)) from None


def _key_that_insists(config: Config) -> str | None:
    """What makes a store indispensable, as it is set."""
    gateway, limits = config.gateway, config.rate_limiting
    insisting = {
        "gateway.observability.enabled = true": gateway.observability.enabled,
        "gateway.cache.enabled = true": gateway.cache.enabled,
        "gateway.auth.enabled = true": gateway.auth.enabled,
        "rate_limiting.rules": limits.enabled and limits.rules,
    }
    return next((key for key, is_set in insisting.items() if is_set), None)


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

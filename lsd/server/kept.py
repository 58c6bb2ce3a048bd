"""What is kept: the store as the configuration wants it, with its writer."""

from typing import TypedDict

import attrs

from lsd.config import (
    AdaptiveExperiment,
    Config,
    FilesystemObjects,
    Loaded,
    show_path,
    without_secrets,
)
from lsd.conversation import Fragment, LsdError
from lsd.server.metrics_exchange import MetricsExchange
from lsd.server.recovery import recover_batches
from lsd.server.refusals import StartRefused
from lsd.store import (
    FileObjects,
    Gathering,
    ObjectsRefused,
    Progress,
    RunningDesk,
    RunningTable,
    Store,
    StoreFailed,
    StoreFull,
    StoreInUse,
    StoreRefused,
    StoreSettings,
    WorkerTable,
    Writer,
)
from lsd.telemetry import Clock, Metrics, StoreReadings, logger

log = logger(__name__)

RIGHT_AFTER = Gathering(flush_interval_ms=25, max_rows=1_000)
"""How records are committed for which nobody waits. A commit and the thread that makes it take as
much as some twenty inferences: with some milliseconds of company that is little for each of them,
and the answers that are just being made need not share the processor with it."""


class _Writing(TypedDict):
    gathering: Gathering | None
    rows_max: int | None


@attrs.frozen
class WriterDown(LsdError):
    """The writer is not running, or its last commit failed."""


@attrs.frozen
class Peers:
    """What a worker tells the others, and sees of them."""

    progress: Progress
    running: RunningDesk


@attrs.frozen(kw_only=True)
class Kept:
    """An open store with its writers: of records, and of what may be lost.

    `peers` is None for the only process.
    """

    store: Store
    writer: Writer
    state_writer: Writer
    peers: Peers | None = None

    def check(self) -> None:
        """Raises if nothing could be recorded now. Blocks; call it in a thread."""
        statistics = self.writer.statistics()
        if not statistics.is_running or not statistics.last_commit_ok:
            raise WriterDown
        self.store.check_usable()

    def adopt(self, config: Config) -> None:
        """Takes over what a new configuration says about recording."""
        self.writer.configure(**_writing(config))

    def note(self, loaded: Loaded, clock: Clock) -> None:
        """Keeps a configuration that is about to be in force. Blocks.

        Raises StoreFull or StoreFailed.
        """
        _note(self.store, loaded, clock)

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
        key = key_that_insists(config)
        if key is not None:
            raise StartRefused(f"{refusal}; {key} needs the store") from None
        if loaded.names_data_folder or isinstance(refusal, StoreInUse):
            raise StartRefused(f"the store cannot be opened: {refusal}") from None
        log.warning("nothing will be recorded", reason=str(refusal))
        return None
    return _kept(store, config, clock, metrics)


def join_kept(
    loaded: Loaded, clock: Clock, metrics: Metrics, *, worker: int
) -> tuple[Kept, MetricsExchange]:
    """The store that the main process has opened, for one of its workers. Raises StartRefused."""
    storage = loaded.config.storage
    try:
        store = Store.open(storage.path, StoreSettings.of(storage), is_server=False, shard=worker)
        table = WorkerTable.open(store.state.path)
        running = RunningTable.open(store.state.path, table).enter(worker)
        peers = Peers(table.enter(worker), running)
    except (StoreRefused, StoreFull, StoreFailed, OSError) as refusal:
        raise StartRefused(f"worker {worker} cannot open the store: {refusal}") from None
    kept = _kept(store, loaded.config, clock, metrics, peers)
    return kept, MetricsExchange(metrics, store.published_metrics(), table)


def _kept(
    store: Store, config: Config, clock: Clock, metrics: Metrics, peers: Peers | None = None
) -> Kept:
    progress = None if peers is None else peers.progress
    writer = store.writer(
        clock, on_commit=metrics.observe_commit, progress=progress, **_writing(config)
    )
    kept = Kept(store=store, writer=writer, state_writer=store.state_writer(clock), peers=peers)
    metrics.watch_store(kept.readings)
    return kept


def _warn_without_keys(store: Store, clock: Clock) -> None:
    """Nobody could come in: that is how auth begins, and not how it should stay."""
    now_ms = clock.now_ms()
    if not any(key.is_usable(now_ms) for key in store.api_keys.all()):
        log.warning("there is no API key in use; make one with --create-api-key")


def _open_noting(loaded: Loaded, clock: Clock) -> Store:
    """The store, open, with the running configuration in it, and no trace of a process that died.

    Raises StoreRefused, StoreFull or StoreFailed, and leaves nothing open.
    """
    config = loaded.config
    store = Store.open(config.storage.path, StoreSettings.of(config.storage), is_server=True)
    try:
        _note(store, loaded, clock)
        # Of the run before, whose processes are no more, however it has ended.
        store.leases(clock).forget()
        recover_batches(store, config.gateway.batch_inference.crash_limit, clock)
        if config.gateway.auth.enabled:
            _warn_without_keys(store, clock)
    except BaseException:
        store.close()
        raise
    return store


def _note(store: Store, loaded: Loaded, clock: Clock) -> None:
    write = store.snapshots.record(
        hash=loaded.hash,
        config=Fragment(without_secrets(loaded.snapshot)),
        extra_templates=loaded.config.template_files,
        tags={},
        now_ms=clock.now_ms(),
    )
    store.data.write(write.apply)


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


def key_that_insists(config: Config) -> str | None:
    """What makes a store indispensable, as it is set."""
    gateway, limits = config.gateway, config.rate_limiting
    insisting = {
        "gateway.observability.enabled = true": gateway.observability.enabled,
        "gateway.cache.enabled = true": gateway.cache.enabled,
        "gateway.auth.enabled = true": gateway.auth.enabled,
        "rate_limiting.rules": limits.enabled and limits.rules,
    }
    return next((key for key, is_set in insisting.items() if is_set), None) or _learning(config)


def _learning(config: Config) -> str | None:
    """The experiment that has to remember what came of it, if there is one."""
    for name, function in config.functions.items():
        experimentation = function.experimentation
        for each in (experimentation.base, *experimentation.namespaces.values()):
            if isinstance(each, AdaptiveExperiment):
                return show_path(("functions", name, "experimentation"))
    return None


def _writing(config: Config) -> _Writing:
    observability = config.gateway.observability
    batch = observability.batch_writes
    if not batch.enabled:
        return _Writing(
            gathering=RIGHT_AFTER if observability.async_writes else None, rows_max=None
        )
    gathering = Gathering(flush_interval_ms=batch.flush_interval_ms, max_rows=batch.max_rows)
    return _Writing(gathering=gathering, rows_max=batch.write_queue_capacity)

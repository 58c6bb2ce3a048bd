"""The store as a whole: its folder, its two environments, and the parts that live in them."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import attrs

from lsd.config import Storage
from lsd.store._folder import (
    FolderLock,
    create_folder,
    is_marked_open_before_boot,
    mark_closed,
    mark_open,
    network_file_system,
)
from lsd.store.api_keys import ApiKeys
from lsd.store.assignments import Assignments
from lsd.store.batch_starts import BatchStarts
from lsd.store.batches import Batches
from lsd.store.buckets import Buckets
from lsd.store.cache import InferenceCache
from lsd.store.datapoints import Datapoints
from lsd.store.engine import Durability, Environment
from lsd.store.episodes import Episodes
from lsd.store.errors import StoreFailed, StoreRefused
from lsd.store.examples import Examples
from lsd.store.feedback import Feedback
from lsd.store.feedback_statistics import FeedbackStatistics
from lsd.store.inferences import Inferences
from lsd.store.layout import (
    BATCH_ITEMS_BY_INFERENCE,
    BATCH_STARTS,
    BATCHES,
    BY_ID,
    DATA_DATABASES,
    DATAPOINTS,
    EMBEDDINGS,
    EPISODES,
    ID_BYTES,
    INFERENCES,
    MODEL_INFERENCES,
    STATE_DATABASES,
    claim,
    id_text,
)
from lsd.store.leases import Leases
from lsd.store.names import Names
from lsd.store.published_metrics import PublishedMetrics
from lsd.store.resolve import Meaning, resolve
from lsd.store.retention import Retention
from lsd.store.snapshots import Snapshots
from lsd.store.standings import Standings
from lsd.store.usage_statistics import UsageStatistics
from lsd.store.worker_table import Progress
from lsd.store.writer import Gathering, Writer
from lsd.telemetry import Clock, logger

_log = logger(__name__)


_IDS = (
    INFERENCES,
    MODEL_INFERENCES,
    EMBEDDINGS,
    BY_ID,
    EPISODES,
    DATAPOINTS,
    BATCHES,
    BATCH_STARTS,
    BATCH_ITEMS_BY_INFERENCE,
)
"""Databases whose keys begin with ids that LSD has issued."""


@attrs.frozen(kw_only=True)
class StoreSettings:
    """How the store is opened; the sizes are of the map of each environment, in bytes."""

    map_size: int = 16 << 30
    max_map_size: int = 1 << 40
    max_readers: int = 1024
    durability: Durability = "sync"

    @classmethod
    def of(cls, table: Storage) -> "StoreSettings":
        """As `[storage]` says."""
        return cls(
            map_size=table.map_size,
            max_map_size=table.max_map_size,
            max_readers=table.max_readers,
            durability=table.durability,
        )


@attrs.define(eq=False)
class Store:
    """An open store. All calls block; the parts tell which are quick and which scan.

    `data` holds what matters; `state` is never forced to the disk, and may be empty at any start.
    """

    path: Path
    data: Environment
    state: Environment
    inferences: Inferences
    episodes: Episodes
    feedback: Feedback
    datapoints: Datapoints
    usage: UsageStatistics
    feedback_statistics: FeedbackStatistics
    snapshots: Snapshots
    api_keys: ApiKeys
    examples: Examples
    _names: Names
    assignments: Assignments
    standings: Standings
    batches: Batches
    batch_starts: BatchStarts
    _shard: int
    _lock: FolderLock | None

    @classmethod
    def open(
        cls, path: Path, settings: StoreSettings, *, is_server: bool, shard: int = 0
    ) -> "Store":
        """The store in the folder `path`, which is created 0700 when it is missing.

        One server has a folder (`is_server`); its workers, and commands of the command line, open
        the folder beside it. `shard`, 0 to 65535, tells the processes apart in counters; two may
        share one. Raises StoreRefused.
        """
        with ExitStack() as undo:
            create_folder(path)
            lock = FolderLock.take(path) if is_server else None
            if lock is not None:
                undo.callback(lock.release)
                _warn_of_network(path)
            data = _open(path / "data", settings, settings.durability, DATA_DATABASES)
            undo.callback(data.close)
            state = _open_state(path / "state", settings, may_recreate=is_server)
            undo.pop_all()
        names = Names()
        return cls(
            path=path,
            data=data,
            state=state,
            inferences=Inferences(data=data, names=names, shard=shard),
            feedback=Feedback(data=data, names=names, shard=shard),
            datapoints=Datapoints(data=data, names=names, shard=shard),
            episodes=Episodes(data=data, names=names),
            usage=UsageStatistics(data=data, names=names),
            feedback_statistics=FeedbackStatistics(data=data, names=names),
            snapshots=Snapshots(data=data),
            api_keys=ApiKeys(data=data),
            examples=Examples(data=data, names=names),
            names=names,
            assignments=Assignments(data=data, names=names),
            standings=Standings(state=state),
            batches=Batches(data=data, shard=shard),
            batch_starts=BatchStarts(data=data, shard=shard),
            shard=shard,
            lock=lock,
        )

    def close(self) -> None:
        """Closes the environments, then lets the next server in. Writers are to be closed first."""
        self.data.close()
        if self._lock is not None:
            self.state.sync()
            mark_closed(self.state.path)
        self.state.close()
        if self._lock is not None:
            self._lock.release()

    def writer(
        self,
        clock: Clock,
        *,
        gathering: Gathering | None = None,
        rows_max: int | None = None,
        on_commit: Callable[[float], None] = lambda _seconds: None,
        progress: Progress | None = None,
    ) -> Writer:
        """A new writer for this process; see Writer."""
        return Writer(
            environment=self.data,
            clock=clock,
            gathering=gathering,
            rows_max=rows_max,
            on_commit=on_commit,
            progress=progress,
        )

    def state_writer(self, clock: Clock) -> Writer:
        """A writer of what may be lost; it goes on when records cannot be written."""
        return Writer(environment=self.state, clock=clock)

    def buckets(self, writer: Writer) -> Buckets:
        """The buckets of rate limits; `writer` is a `state_writer` of this store."""
        return Buckets(state=self.state, writer=writer)

    def inference_cache(self, *, ttl_s: int, max_bytes: int) -> InferenceCache:
        """The inference cache with its bounds."""
        return InferenceCache(state=self.state, ttl_s=ttl_s, max_bytes=max_bytes, shard=self._shard)

    def published_metrics(self) -> PublishedMetrics:
        """What the processes of a server have counted, as this one publishes and reads it."""
        return PublishedMetrics(state=self.state, shard=self._shard)

    def leases(self, clock: Clock) -> Leases:
        """The leases, as this process takes them."""
        return Leases(state=self.state, clock=clock, shard=self._shard)

    def retention(self, *, bodies_days: int | None, records_days: int | None) -> Retention:
        """What removes bodies, and whole records, that are older than so many days."""
        return Retention(
            data=self.data,
            names=self._names,
            shard=self._shard,
            bodies_days=bodies_days,
            records_days=records_days,
        )

    def resolve(self, any_id: str) -> list[Meaning]:
        """Everything that an id stands for. Gets only."""
        return resolve(self.data, any_id)

    def greatest_id(self) -> str | None:
        """The greatest id that this store has seen issued, for the generator to go on from."""
        greatest = b""
        with self.data.read() as transaction:
            for database in _IDS:
                for key, _ in transaction.range(database, reverse=True, limit=1):
                    greatest = max(greatest, key[:ID_BYTES])
        return id_text(greatest) if greatest else None

    def size_bytes(self) -> dict[str, int]:
        """Bytes on disk, by environment."""
        return {"data": self.data.size_bytes(), "state": self.state.size_bytes()}

    def compact_into(self, folder: Path) -> int:
        """Copies what matters into an empty folder, as small as it can be; the copy's bytes.

        The folder can be opened as a store then. Raises StoreFull, StoreFailed and OSError.
        """
        target = folder / self.data.path.name
        target.mkdir(mode=0o700)
        return self.data.copy_into(target)

    def check_usable(self) -> None:
        """Reads and writes nothing. Waits for other writers: in a thread.

        Raises StoreFailed or StoreFull.
        """
        with self.data.read():
            pass
        self.data.write(lambda _transaction: None)


def _open(
    path: Path, settings: StoreSettings, durability: Durability, databases: tuple[str, ...]
) -> Environment:
    environment = Environment.open(
        path,
        map_size=settings.map_size,
        max_map_size=settings.max_map_size,
        max_readers=settings.max_readers,
        durability=durability,
    )
    try:
        claim(environment)
        environment.open_databases(databases)
    except BaseException as error:
        environment.close()
        if isinstance(error, StoreFailed):
            raise StoreRefused(error.path, error.reason) from error
        raise
    return environment


def _open_state(path: Path, settings: StoreSettings, *, may_recreate: bool) -> Environment:
    """The state environment; recreated empty by the server if it is damaged, or may be."""
    if may_recreate and is_marked_open_before_boot(path):
        _recreate(path, "the machine went down while it was open")
    try:
        state = _open(path, settings, "none", STATE_DATABASES)
    except StoreRefused as refusal:
        if not may_recreate:
            raise
        _recreate(path, refusal.reason)
        state = _open(path, settings, "none", STATE_DATABASES)
    if may_recreate:
        mark_open(path)
    return state


def _recreate(path: Path, reason: str) -> None:
    _log.warning("starting with empty caches and rate limits", path=str(path), reason=reason)
    for name in ("data.mdb", "lock.mdb"):
        (path / name).unlink(missing_ok=True)


def _warn_of_network(path: Path) -> None:
    kind = network_file_system(path)
    if kind is not None:
        _log.warning(
            "the store lies on a network file system; wanted a local disk",
            path=str(path),
            file_system=kind,
        )

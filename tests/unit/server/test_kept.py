"""What is kept: a store if there can be one, as the configuration wants it."""

import os
from pathlib import Path

import orjson
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from lsd.server import StartRefused
from lsd.server.kept import RIGHT_AFTER, Kept, WriterDown, join_kept, open_kept, open_objects
from lsd.store import ApiKey, FileObjects, RunningTable, WorkerTable, Write
from lsd.telemetry import Metrics, SystemClock
from tests.unit.captured_log import Log
from tests.unit.config.folder import Folder

METRICS = "".join(
    f'm{number} = {{ type = "boolean", optimize = "max", level = "inference" }}\n'
    for number in range(500)
)
"""More than a small store has room for."""

SMALL = '[storage]\nmap_size = "1 MiB"\nmax_map_size = "64 MiB"\ndurability = "none"\n'


def opened(folder: Folder, text: str = "", metrics: Metrics | None = None) -> Kept | None:
    """What is kept under the configuration `text`."""
    loaded = folder.load(SMALL + text)
    return open_kept(loaded, SystemClock(), metrics or Metrics(()))


def block(folder: Folder) -> Path:
    """Makes it impossible to open the store."""
    return folder.write("lsd-data", "a file where a folder should be")


def test_a_store_is_opened_where_it_is_wanted(folder: Folder) -> None:
    """It lies beside the configuration, and only its owner may look into it."""
    kept = opened(folder)

    assert kept is not None
    assert kept.store.path == folder.path / "lsd-data"
    assert kept.store.path.stat().st_mode & 0o777 == 0o700
    kept.store.close()


def test_the_running_configuration_is_noted(folder: Folder) -> None:
    """Records name a hash; what it stood for can be looked up later."""
    text = SMALL + '[metrics.solved]\ntype = "boolean"\noptimize = "max"\nlevel = "inference"\n'
    loaded = folder.load(text)

    kept = open_kept(loaded, SystemClock(), Metrics(()))

    assert kept is not None
    snapshot = kept.store.snapshots.get(loaded.hash)
    kept.store.close()
    assert snapshot is not None
    assert "solved" in orjson.dumps(snapshot.config, default=str).decode()


def test_leases_of_the_run_before_are_over(folder: Folder) -> None:
    """After a crash nobody waits for processes that are no more."""
    first = opened(folder, "")
    assert first is not None
    assert first.store.leases(SystemClock()).take("sweep")
    first.store.close()

    second = opened(folder, "")

    assert second is not None
    assert second.store.leases(SystemClock()).take("sweep")
    second.store.close()


def test_a_worker_joins_the_store_of_the_main_process(folder: Folder) -> None:
    """Under a number of its own, seen by the others; without the main one's table it cannot."""
    loaded = folder.load(SMALL)
    kept = opened(folder, "")
    assert kept is not None
    with pytest.raises(StartRefused, match="worker 1 cannot open the store"):
        join_kept(loaded, SystemClock(), Metrics(()), worker=1)
    table = WorkerTable.create(kept.store.state.path, 1)
    RunningTable.create(kept.store.state.path, table)

    # A process must not open an environment twice; here the worker is alone for once.
    kept.store.close()
    joined, _ = join_kept(loaded, SystemClock(), Metrics(()), worker=1)

    assert table.living() == 1
    joined.store.close()


@pytest.mark.parametrize("enabled", ["", "[gateway.observability]\nenabled = false\n"])
def test_a_daemon_serves_without_a_store_if_it_must(folder: Folder, log: Log, enabled: str) -> None:
    """One warning tells that nothing is recorded, and why."""
    path = block(folder)

    kept = opened(folder, enabled)

    assert kept is None
    (entry,) = log
    assert (entry["log_level"], entry["event"]) == ("warning", "nothing will be recorded")
    assert entry["reason"] == f"{path}: found a file; wanted a folder"


@pytest.mark.parametrize(
    "key", ["gateway.observability.enabled", "gateway.cache.enabled", "gateway.auth.enabled"]
)
def test_a_store_that_is_insisted_on_must_be_there(folder: Folder, key: str) -> None:
    """The refusal names the path, the reason, and the key that insists."""
    path = block(folder)
    table, _, name = key.rpartition(".")

    with pytest.raises(StartRefused) as refused:
        opened(folder, f"[{table}]\n{name} = true\n")

    assert str(refused.value) == (
        f"{path}: found a file; wanted a folder; {key} = true needs the store"
    )


def test_a_second_server_is_refused_by_the_first_ones_pid(folder: Folder) -> None:
    """Only one may write; the operator learns which process that is."""
    first = opened(folder)
    assert first is not None

    with pytest.raises(StartRefused) as refused:
        opened(folder)

    first.store.close()
    assert str(refused.value).startswith(f"the store cannot be opened: {first.store.path}: ")
    assert f"is in use by another server (pid {os.getpid()})" in str(refused.value)


@pytest.mark.parametrize("way", ["storage.path", "--data-dir", "LSD_DATA_DIR"])
def test_a_store_whose_place_was_named_must_be_there(folder: Folder, way: str) -> None:
    """Who has said where records belong does not want to lose them elsewhere."""
    folder.write("here", "a file where a folder should be")
    text = SMALL + ('path = "here"\n' if way == "storage.path" else "")
    if way == "LSD_DATA_DIR":
        folder.environment["LSD_DATA_DIR"] = "here"
    loaded = folder.load(text, data_dir="here" if way == "--data-dir" else None)

    with pytest.raises(StartRefused) as refused:
        open_kept(loaded, SystemClock(), Metrics(()))

    assert str(refused.value) == (
        f"the store cannot be opened: {folder.path}/here: found a file; wanted a folder"
    )


@pytest.mark.parametrize("text", ["", "[metrics]\n" + METRICS], ids=["at once", "by its snapshot"])
def test_a_store_without_room_is_none(folder: Folder, log: Log, text: str) -> None:
    """As for any store that cannot be opened; and the next start may try again."""
    size = "48 KiB" if text else "4 KiB"
    sizes = f'[storage]\nmap_size = "{size}"\nmax_map_size = "{size}"\n{text}'
    insisting = sizes + "[gateway.observability]\nenabled = true\n"

    kept = open_kept(folder.load(sizes), SystemClock(), Metrics(()))
    with pytest.raises(StartRefused) as refused:
        open_kept(folder.load(insisting), SystemClock(), Metrics(()))

    assert kept is None
    assert "the store is full at" in log[0]["reason"]
    assert "wanted a greater storage.max_map_size; gateway.observability.enabled = true" in str(
        refused.value
    )
    roomy = opened(folder)
    assert roomy is not None
    roomy.store.close()


async def test_a_running_writer_and_a_sound_store_are_well(
    folder: Folder, nursery: trio.Nursery
) -> None:
    """Health is whether a record could be kept now."""
    kept = opened(folder)
    assert kept is not None

    with pytest.raises(WriterDown):
        kept.check()
    await nursery.start(kept.writer.run)
    kept.check()
    await kept.writer.close()
    with pytest.raises(WriterDown):
        kept.check()

    kept.store.close()


async def test_a_failed_commit_is_an_illness_until_one_succeeds(
    folder: Folder, nursery: trio.Nursery, log: Log
) -> None:
    """Whoever looks after the daemon is told before the next record is lost."""
    kept = opened(folder)
    assert kept is not None
    await nursery.start(kept.writer.run)

    def fail(_transaction: object) -> None:
        raise ValueError("a bug")

    kept.writer.queue_nowait(Write(apply=fail))
    await kept.writer.settle()
    with pytest.raises(WriterDown):
        kept.check()
    await kept.writer.commit(Write(apply=lambda _transaction: None))
    kept.check()

    await kept.writer.close()
    kept.store.close()


async def test_the_store_is_seen_in_the_metrics(folder: Folder, nursery: trio.Nursery) -> None:
    """Its size, its queue, its commits."""
    metrics = Metrics(())
    kept = opened(folder, metrics=metrics)
    assert kept is not None
    await nursery.start(kept.writer.run)

    await kept.writer.commit(Write(apply=lambda _transaction: None))
    lines = metrics.text().decode().splitlines()

    await kept.writer.close()
    kept.store.close()
    assert "lsd_write_queue_rows 0.0" in lines
    assert "lsd_store_write_errors_total 0.0" in lines
    assert "lsd_store_commit_seconds_count 1.0" in lines
    assert [line for line in lines if line.startswith('lsd_store_bytes{environment="data"} ')]


async def test_batches_are_gathered_as_configured(folder: Folder, nursery: trio.Nursery) -> None:
    """A full queue drops, and an unfinished batch waits."""
    kept = opened(
        folder,
        "[gateway.observability]\nasync_writes = false\n"
        "[gateway.observability.batch_writes]\nenabled = true\n"
        "flush_interval_ms = 3_600_000\nmax_rows = 100\nwrite_queue_capacity = 2\n",
    )
    assert kept is not None
    await nursery.start(kept.writer.run)

    for _ in range(3):
        kept.writer.queue_nowait(Write(apply=lambda _transaction: None))
    readings = kept.readings()

    await kept.writer.close()
    kept.store.close()
    assert (readings.rows_waiting, readings.rows_dropped) == (2, 1)


async def test_records_that_nobody_waits_for_are_committed_together(
    folder: Folder, nursery: trio.Nursery, mock_clock: MockClock
) -> None:
    """Unless it is configured otherwise: with those of the same moment, and by themselves."""
    kept = opened(folder, "")
    assert kept is not None
    await nursery.start(kept.writer.run)

    for _ in range(3):
        kept.writer.queue_nowait(Write(apply=lambda _transaction: None))
        await wait_all_tasks_blocked()
    early = kept.writer.statistics().commits
    mock_clock.jump(RIGHT_AFTER.flush_interval_ms / 1000)
    while not kept.writer.statistics().commits:
        await trio.lowlevel.checkpoint()

    statistics = kept.writer.statistics()
    await kept.writer.close()
    kept.store.close()
    assert (early, statistics.commits, statistics.rows_waiting) == (0, 1, 0)


def objects(folder: Folder, text: str, *, has_store: bool = True) -> FileObjects | None:
    """Where input files are kept under the configuration `text`."""
    return open_objects(folder.load(text).config, has_store=has_store)


def test_files_lie_in_the_store_unless_told(folder: Folder) -> None:
    """The folder is made, and proved by a write."""
    kept = objects(folder, "")

    assert kept is not None
    assert kept.path == folder.path / "lsd-data" / "objects"
    assert (kept.path / ".lsd-validate").is_file()


def test_files_may_lie_elsewhere(folder: Folder) -> None:
    """In a folder that is there already."""
    (folder.path / "files").mkdir()

    kept = objects(folder, '[object_storage]\ntype = "filesystem"\npath = "files"\n')

    assert kept is not None
    assert kept.path == folder.path / "files"


def test_without_a_store_there_is_no_place_for_files(folder: Folder) -> None:
    """Unless they have one of their own."""
    (folder.path / "files").mkdir()

    assert objects(folder, "", has_store=False) is None
    assert not (folder.path / "lsd-data").exists()
    assert objects(
        folder, '[object_storage]\ntype = "filesystem"\npath = "files"\n', has_store=False
    )


def test_files_need_not_be_kept(folder: Folder) -> None:
    """Then nothing is made."""
    assert objects(folder, '[object_storage]\ntype = "disabled"\n') is None
    assert not (folder.path / "lsd-data").exists()


def test_a_folder_for_files_that_cannot_be_used_is_told(folder: Folder) -> None:
    """With its path and the reason."""
    folder.write("lsd-data/objects", "a file where a folder should be")

    with pytest.raises(StartRefused) as refused:
        objects(folder, "")

    told = str(refused.value)
    assert told.startswith(f"object storage at {folder.path}/lsd-data/objects: ")


def test_without_a_key_in_use_the_log_tells_how_to_make_one(folder: Folder, log: Log) -> None:
    """A disabled one is none; where no keys are wanted nobody needs to know."""
    wanting = "[gateway]\nauth.enabled = true\n"
    kept = opened(folder, wanting)
    assert kept is not None
    kept.store.api_keys.add(ApiKey(public_id="abcDEF012345", secret_hash="00", created_ms=0))
    kept.store.close()
    for text in (wanting, ""):
        again = opened(folder, text)
        assert again is not None
        again.store.api_keys.disable("abcDEF012345", now_ms=1)
        again.store.close()

    told = [entry["event"] for entry in log]

    assert told == ["there is no API key in use; make one with --create-api-key"]

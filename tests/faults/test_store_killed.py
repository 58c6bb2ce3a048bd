"""A process that holds the store dies: what it had committed is there, and nothing is in pieces."""

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lsd.store import Store, StoreSettings, verify
from lsd.store.engine import Durability
from tests.unit.store.makers import Maker, open_store, stored

CHILD = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from lsd.store import Store, StoreSettings
    from tests.unit.store.makers import Maker, given, stored

    folder, role, durability = sys.argv[1:]
    settings = StoreSettings(
        map_size=1 << 20, max_map_size=64 << 20, max_readers=64, durability=durability
    )
    store = Store.open(Path(folder), settings, is_server=role != "worker", shard=1)
    make = Maker()
    make.ids.start_after(store.greatest_id())

    def hang_in_a_write(transaction):
        record = make.inference()
        store.inferences.record(record).apply(transaction)
        print("half", record.inference_id, flush=True)
        sys.stdin.read()

    while True:
        record = stored(store, make.inference(tags={"n": "1"}))
        entry = given(store, make.feedback(record.inference_id))
        print(record.inference_id, entry.id, flush=True)
        if role != "busy":
            store.data.write(hang_in_a_write)
    """
)


@contextmanager
def child(folder: Path, role: str, durability: Durability) -> Iterator[subprocess.Popen[str]]:
    """A process that writes into the store; killed at the end at the latest."""
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), role, durability],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=30)


@pytest.mark.parametrize("durability", ["sync", "lazy", "none"])
def test_what_was_committed_survives_a_kill(tmp_path: Path, durability: Durability) -> None:
    """Every commit that was told of before a kill -9 is whole after it, in every durability."""
    with child(tmp_path, "busy", durability) as process:
        told = [process.stdout.readline().split() for _ in range(50)]
        process.kill()
        told += [line.split() for line in process.stdout.read().splitlines()]

    store = open_store(tmp_path)

    for inference_id, feedback_id in told:
        assert store.inferences.exists(inference_id)
        latest = store.feedback.latest(inference_id, "resolved")
        assert latest is not None
        assert latest.feedback_id == feedback_id
    assert verify(store) == []
    store.close()


def test_a_write_cut_off_by_a_kill_never_was(tmp_path: Path) -> None:
    """A transaction that had put its keys but not committed leaves nothing behind."""
    with child(tmp_path, "server", "sync") as process:
        whole, _ = process.stdout.readline().split()
        _, half = process.stdout.readline().split()
        process.kill()

    store = open_store(tmp_path)

    assert (store.inferences.exists(whole), store.inferences.exists(half)) == (True, False)
    assert verify(store) == []
    store.close()


def test_a_worker_that_dies_in_a_write_holds_nobody_up(tmp_path: Path) -> None:
    """The kernel lets go of the write lock, and the others go on with good counters."""
    store = open_store(tmp_path)
    with child(tmp_path, "worker", "none") as process:
        told, _ = process.stdout.readline().split()
        _, half = process.stdout.readline().split()
        process.kill()

    make = Maker()
    make.ids.start_after(half)
    record = stored(store, make.inference(function_name="after"))

    assert store.inferences.exists(told)
    assert store.inferences.exists(record.inference_id)
    assert verify(store) == []
    store.close()


def test_ids_go_on_after_a_kill(tmp_path: Path) -> None:
    """The greatest id of the dead process is known to the next one."""
    with child(tmp_path, "busy", "none") as process:
        told = [process.stdout.readline().split() for _ in range(5)]
        process.kill()
        told += [line.split() for line in process.stdout.read().splitlines()]

    store = Store.open(tmp_path, StoreSettings(map_size=1 << 20), is_server=True)

    assert store.greatest_id() >= max(max(ids) for ids in told)
    store.close()

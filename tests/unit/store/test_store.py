"""The store as a whole: opened, shared, refused, closed."""

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from lsd.store import EmbeddingRecord, Store, StoreFailed, StoreRefused, layout, new_calls, verify
from lsd.store import _folder as folder_module
from tests.unit.store.makers import SMALL, Maker, given, open_store, stored


def test_everything_is_there_after_opening_again(tmp_path: Path, make: Maker) -> None:
    """A restart changes no answer."""
    folder = tmp_path / "lsd-data"
    first = open_store(folder)
    record = stored(first, make.inference())
    entry = given(first, make.feedback(record.inference_id))
    first.close()

    second = open_store(folder)

    assert second.inferences.get([record.inference_id]) == [record]
    assert second.feedback.page(record.inference_id, limit=9) == [entry]
    assert verify(second) == []
    second.close()


def test_a_second_server_is_refused(store: Store) -> None:
    """One folder has one server, and the refusal names it."""
    with pytest.raises(StoreRefused, match=r"in use by another server \(pid \d+\)"):
        open_store(store.path)


def test_the_folder_is_free_after_closing(tmp_path: Path) -> None:
    """An orderly end lets the next server in, and leaves no mark."""
    open_store(tmp_path).close()

    open_store(tmp_path).close()

    assert not (tmp_path / "state" / "boot").exists()


def test_a_refused_opening_leaves_nothing_open(tmp_path: Path) -> None:
    """After a failed start the folder can be put right and opened."""
    open_store(tmp_path).close()
    data_file = tmp_path / "data" / "data.mdb"
    good = data_file.read_bytes()
    data_file.write_bytes(b"no data file")

    with pytest.raises(StoreRefused):
        open_store(tmp_path)
    data_file.write_bytes(good)

    open_store(tmp_path).close()


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    """A program does not touch the data of a newer one."""
    store = open_store(tmp_path)
    store.data.write(lambda transaction: transaction.put(layout.META, b"layout", b'{"version":99}'))
    store.close()

    with pytest.raises(StoreRefused, match="found on-disk format 99") as refused:
        open_store(tmp_path)

    assert refused.value.path == str(tmp_path / "data")


def test_a_state_of_a_newer_format_is_recreated(
    tmp_path: Path, log: list[MutableMapping[str, Any]]
) -> None:
    """What is cheap to lose does not keep a server from starting."""
    store = open_store(tmp_path)
    store.state.write(
        lambda transaction: transaction.put(layout.META, b"layout", b'{"version":99}')
    )
    store.close()

    open_store(tmp_path).close()

    assert [entry["event"] for entry in log] == ["starting with empty caches and rate limits"]


def test_a_fall_of_the_machine_empties_the_state(
    tmp_path: Path,
    make: Maker,
    monkeypatch: pytest.MonkeyPatch,
    log: list[MutableMapping[str, Any]],
) -> None:
    """After a power cut `state` may be damaged unseen, so it starts empty; `data` is kept."""
    store = open_store(tmp_path)
    record = stored(store, make.inference())
    store.inference_cache(ttl_s=10, max_bytes=10_000).put(bytes(32), b"entry", now_ms=0)
    store.close()
    folder_module.mark_open(tmp_path / "state")  # as if it had not been closed
    monkeypatch.setattr(folder_module, "boot_id", lambda: "another start of the machine")

    store = open_store(tmp_path)

    cache = store.inference_cache(ttl_s=10, max_bytes=10_000)
    assert cache.get(bytes(32), max_age_s=None, now_ms=0) is None
    assert store.inferences.exists(record.inference_id)
    assert [entry["reason"] for entry in log] == ["the machine went down while it was open"]
    store.close()


def test_a_network_disk_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: list[MutableMapping[str, Any]]
) -> None:
    """The operator hears that locks and maps do not work over a network."""
    monkeypatch.setattr("lsd.store.store.network_file_system", lambda _path: "nfs4")

    open_store(tmp_path).close()

    assert [(entry["log_level"], entry["file_system"]) for entry in log] == [("warning", "nfs4")]


def test_the_greatest_id_is_found_whatever_it_names(store: Store, make: Maker) -> None:
    """The generator of a new run goes on from the last id of the one before."""
    assert store.greatest_id() is None
    record = make.inference()
    stored(store, record)
    assert store.greatest_id() == record.episode_id

    call = make.call(record.inference_id)
    later = stored(store, make.inference(episode_id=record.episode_id), call)
    assert store.greatest_id() == later.inference_id

    entry = given(store, make.feedback(record.inference_id))
    assert store.greatest_id() == entry.id

    failed = make.id()
    attempt = make.call(failed, status="error")
    store.data.write(
        store.inferences.record_attempts(failed, make.id(), new_calls([attempt])).apply
    )
    assert store.greatest_id() == attempt.id

    embedding = EmbeddingRecord(id=make.id(), model_name="emb", input_count=1)
    asked = make.call(embedding.id, function_name=None, variant_name=None)
    store.data.write(store.inferences.record_embedding(embedding, new_calls([asked])).apply)
    assert store.greatest_id() == asked.id


def test_ids_of_feedback_on_unknown_targets_do_not_count(store: Store, make: Maker) -> None:
    """An id that a client has made up does not move the generator."""
    entry = make.feedback("ffffffff-ffff-7fff-bfff-ffffffffffff")
    given(store, entry, must_exist=False)

    assert store.greatest_id() == entry.id


def test_the_size_on_disk_is_told_by_environment(store: Store, make: Maker) -> None:
    """What is stored shows in the size of `data`."""
    before = store.size_bytes()
    for _ in range(100):
        stored(store, make.inference())
    after = store.size_bytes()

    assert before.keys() == after.keys() == {"data", "state"}
    assert after["data"] > before["data"]
    assert after["state"] == before["state"]


def test_a_usable_store_says_so_by_silence(tmp_path: Path) -> None:
    """The health check of an open store passes, of a closed one it fails."""
    store = open_store(tmp_path)

    store.check_usable()
    store.close()

    with pytest.raises(StoreFailed):
        store.check_usable()


def test_settings_reach_both_environments(tmp_path: Path) -> None:
    """The bounds of the map hold for `data` and for `state`."""
    settings = attrs.evolve(SMALL, max_map_size=2 << 20)

    store = open_store(tmp_path, settings)

    assert store.data.max_map_size == store.state.max_map_size == 2 << 20
    store.close()

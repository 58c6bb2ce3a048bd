"""Lines that went out come back in, and the store is the same."""

from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from lsd.store import (
    BadLine,
    DatapointQuery,
    Imported,
    Store,
    export_lines,
    import_lines,
    record_import,
    verify,
)
from tests.unit.store.makers import Maker, open_store, put
from tests.unit.store.random_store import Filler
from tests.unit.store.statistics_agree import check_feedback, check_usage
from tests.unit.store.test_record_export import fill


def test_a_store_is_made_anew_from_its_lines(tmp_path: Path) -> None:
    """Indexes, counters and sums are those that came about as things happened."""
    filler = Filler(Random(3))
    old, new = open_store(tmp_path / "old"), open_store(tmp_path / "new", shard=7)
    filler.fill(old, 60)
    lines = list(export_lines(old))

    assert import_lines(new, lines) == Imported(new=len(lines), known=0)

    check_usage(new, filler.plain, "haiku", filler.make.clock.now_ms())
    for metric in ("of_episode", "of_inference"):
        check_feedback(new, filler.plain, "haiku", metric)
    fill(old, filler.make)
    import_lines(new, export_lines(old))
    assert list(export_lines(new)) == list(export_lines(old))
    assert verify(new) == []
    old.close()
    new.close()


def test_what_is_there_already_stays(
    store: Store, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a broken import can be repeated; empty lines are nothing."""
    monkeypatch.setattr(record_import, "_LINES_PER_COMMIT", 2)
    fill(store, make)
    lines = list(export_lines(store))

    assert import_lines(store, [*lines, b"\n", b""]) == Imported(new=0, known=7)
    assert list(export_lines(store)) == lines


def test_stale_versions_stay_stale(tmp_path: Path, make: Maker) -> None:
    """With their times; a dataset has then what it had."""
    old, new = open_store(tmp_path / "old"), open_store(tmp_path / "new")
    first, second = make.datapoint(), make.datapoint(name="n")
    put(old, old.datapoints.add("gold", [first, second], now_us=make.now_us()))
    put(old, old.datapoints.delete("gold", [first.id], [], now_us=make.now_us()))

    import_lines(new, export_lines(old))

    query = DatapointQuery(dataset_name="gold")
    assert new.datapoints.select(query) == old.datapoints.select(query)
    assert new.datapoints.get([first.id]) == old.datapoints.get([first.id])
    assert new.datapoints.datasets() == old.datapoints.datasets()
    assert verify(new) == []
    old.close()
    new.close()


def changed(line: bytes, **changes: Any) -> bytes:
    """A line with other values at dotted places."""
    whole = orjson.loads(line)
    for place, value in changes.items():
        inner = whole
        *path, last = place.split("__")
        for name in path:
            inner = inner[int(name)] if name.isdigit() else inner[name]
        inner[last] = value
    return orjson.dumps(whole)


@pytest.mark.parametrize(
    ("number", "changes", "told"),
    [
        (0, {"record__hash": "5e"}, "record.hash: found '5e'; wanted 32 bytes"),
        (1, {"type": "ghost"}, "type: found 'ghost'; wanted one of snapshot, inference"),
        (1, {"ghost": 1}, "ghost: unknown key"),
        (1, {"record__inference_id": "x"}, "record.inference_id: found 'x'; wanted an id"),
        (1, {"record__status": "fine"}, "record.status: found 'fine'; wanted one of"),
        (1, {"model_inferences__0__id": "X"}, "model_inferences[0].id: found 'X'"),
        (1, {"model_inferences__0__cost": "1"}, "model_inferences[0].cost: found '1'; wanted a nu"),
        (4, {"record__value": None}, "record.value: found null; wanted a boolean, a number"),
        (4, {"record__kind": "demonstration", "record__value": "[]"}, None),
        (5, {"record__body": None}, "record.body: missing; it is required"),
        (5, {"record__updated_at_us": "1"}, "record.updated_at_us: found '1'; wanted an integer"),
        (5, {"record__source_inference_id": "x"}, "record.source_inference_id: found 'x'"),
        (6, {"place": "zz"}, "place: found 'zz'; wanted 16 bytes"),
    ],
)
def test_a_bad_line_is_told_with_its_number(
    tmp_path: Path, make: Maker, number: int, changes: dict[str, Any], told: str | None
) -> None:
    """And what is wrong with it; the store stays whole."""
    old, new = open_store(tmp_path / "old"), open_store(tmp_path / "new")
    fill(old, make)
    line = changed(list(export_lines(old))[number], **changes)

    with pytest.raises(BadLine) as raised:
        import_lines(new, [b"", line])

    assert str(raised.value).replace('"', "'").startswith(f"line 2: {told or ''}")
    assert verify(new) == []
    old.close()
    new.close()


def test_what_is_no_json_is_told(store: Store) -> None:
    """With its number, too."""
    with pytest.raises(BadLine, match="line 1: the body is not JSON"):
        import_lines(store, [b"{"])

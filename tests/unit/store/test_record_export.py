"""Records go out as lines of JSON."""

import orjson
import pytest

from lsd.store import EmbeddingRecord, Store, Verdict, export_lines, new_calls, record_export
from tests.unit.store.makers import Maker, given, put, stored


def fill(store: Store, make: Maker) -> None:
    """One of each kind of record."""
    write = store.snapshots.record(
        hash="5e" * 32, config={"a": 1}, extra_templates={}, tags={}, now_ms=5
    )
    store.data.write(write.apply)
    record = make.inference(tags={"tenant": "acme"})
    stored(store, record, make.call(record.inference_id))
    failed = make.call(make.id(), status="error", error="503", cost=None)
    write = store.inferences.record_attempts(failed.inference_id, make.id(), new_calls([failed]))
    store.data.write(write.apply)
    embedding = EmbeddingRecord(id=make.id(), model_name="emb", input_count=2)
    call = make.call(embedding.id, function_name=None, variant_name=None, body=None)
    store.data.write(store.inferences.record_embedding(embedding, new_calls([call])).apply)
    verdict = Verdict(datapoint_id=make.id(), evaluator_inference_id=make.id())
    given(store, make.feedback(record.inference_id), verdict=verdict)
    datapoint = make.datapoint(tags={"split": "test"}, source_inference_id=record.inference_id)
    put(store, store.datapoints.add("gold", [datapoint], now_us=make.now_us()))


@pytest.mark.parametrize("per_read", [100, 1])
def test_each_record_is_a_line(
    store: Store, make: Maker, monkeypatch: pytest.MonkeyPatch, per_read: int
) -> None:
    """With its type; what others speak of comes first."""
    monkeypatch.setattr(record_export, "_LINES_PER_READ", per_read)
    fill(store, make)

    lines = list(export_lines(store))

    shown = [orjson.loads(line) for line in lines]
    assert all(b"\n" not in line for line in lines)
    assert [each["type"] for each in shown] == [
        "snapshot",
        "inference",
        "failed_inference",
        "embedding",
        "feedback",
        "datapoint",
        "judgement",
    ]
    inference = shown[1]
    assert inference["record"]["tags"] == {"tenant": "acme"}
    assert inference["record"]["body"]["output"] == [{"type": "text", "text": "An old silent pond"}]
    assert inference["model_inferences"][0]["cost"] == 0.000123

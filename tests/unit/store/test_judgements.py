"""Judgements: a person's word about an output, found by the output."""

import attrs
import pytest

from lsd.store import Judgement, Store, Verdict
from lsd.store import judgements as judgements_module
from lsd.store.layout import INFERENCE_BODIES, id_key
from tests.unit.store.makers import Maker, given, stored

METRIC = "lsd::evaluation_name::triage::evaluator_name::polite"
OUTPUT = {"raw": '{"b":1,"a":"ö"}', "parsed": {"b": 1, "a": "ö"}}


@pytest.fixture
def judged(store: Store, make: Maker) -> str:
    """The id of an inference with OUTPUT."""
    record = make.inference(function_type="json")
    body = attrs.evolve(record.body, output=OUTPUT)
    return stored(store, attrs.evolve(record, body=body)).inference_id


def verdict(make: Maker) -> Verdict:
    """A verdict for a fresh datapoint."""
    return Verdict(datapoint_id=make.id(), evaluator_inference_id=make.id())


def test_a_judgement_is_found_by_its_output(store: Store, make: Maker, judged: str) -> None:
    """The order of keys in the output does not matter; metric, datapoint and content do."""
    said = verdict(make)
    entry = given(store, make.feedback(judged, metric_name=METRIC, value=False), verdict=said)
    reordered = {"parsed": {"a": "ö", "b": 1}, "raw": '{"b":1,"a":"ö"}'}

    def find(**fields: object) -> Judgement | None:
        asked = {"metric_name": METRIC, "datapoint_id": said.datapoint_id, "output": reordered}
        return store.feedback.judgement(**asked | fields)

    assert find() == Judgement(
        metric_name=METRIC,
        datapoint_id=said.datapoint_id,
        evaluator_inference_id=said.evaluator_inference_id,
        value=False,
        feedback_id=entry.id,
    )
    assert find(metric_name="another") is None
    assert find(datapoint_id=make.id()) is None
    assert find(output={"raw": None, "parsed": None}) is None


def test_the_latest_judgement_counts(store: Store, make: Maker, judged: str) -> None:
    """Who judges again replaces what was said."""
    said = verdict(make)
    for value in (1, 0.25):
        given(
            store,
            make.feedback(judged, kind="float", metric_name=METRIC, value=value),
            verdict=said,
        )

    found = store.feedback.judgement(
        metric_name=METRIC, datapoint_id=said.datapoint_id, output=OUTPUT
    )

    assert found is not None
    assert found.value == 0.25


def test_comments_and_demonstrations_are_no_judgements(
    store: Store, make: Maker, judged: str
) -> None:
    """Only metrics judge."""
    said = verdict(make)
    entry = make.feedback(judged, kind="comment", metric_name="comment", value="polite")

    given(store, entry, verdict=said)

    asked = {"datapoint_id": said.datapoint_id, "output": OUTPUT}
    assert store.feedback.judgement(metric_name="comment", **asked) is None


def test_an_expired_output_cannot_be_judged(store: Store, make: Maker, judged: str) -> None:
    """Without the output there is nothing to find a judgement by; the feedback is kept."""
    store.data.write(lambda transaction: transaction.delete(INFERENCE_BODIES, id_key(judged)))
    said = verdict(make)

    given(store, make.feedback(judged, metric_name=METRIC), verdict=said)

    found = store.feedback.judgement(
        metric_name=METRIC, datapoint_id=said.datapoint_id, output=OUTPUT
    )
    assert (found, store.feedback.count(judged)) == (None, 1)


def test_another_judgement_with_the_same_short_hash_is_passed_over(
    store: Store, make: Maker, judged: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A collision of hashes never gives a verdict on something else."""
    monkeypatch.setattr(judgements_module, "hash_key", lambda *_parts: bytes(16))
    said, other = verdict(make), verdict(make)
    given(store, make.feedback(judged, metric_name=METRIC, value=True), verdict=said)
    given(store, make.feedback(judged, metric_name=METRIC, value=False), verdict=other)

    found = store.feedback.judgement(
        metric_name=METRIC, datapoint_id=said.datapoint_id, output=OUTPUT
    )

    assert found is not None
    assert found.value is True

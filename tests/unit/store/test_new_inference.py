"""Inferences on their way into the store."""

import attrs

from lsd.store import InferenceRecord, new_calls
from lsd.store.new_inference import new_inference
from tests.unit.store.makers import Maker


def test_a_record_is_taken_apart_into_its_fields(make: Maker) -> None:
    """Each field is there once: in the head, in the body, or by itself; None in one head only."""
    record = make.inference()
    call = make.call(record.inference_id)

    new = new_inference(record, [call])

    assert (new.inference_id, new.calls[0].id) == (record.inference_id, call.id)
    assert new.body == values(record.body)
    assert new.head.keys() | {"inference_id", "body"} == names(InferenceRecord)
    assert new.calls[0].head.keys() | {"id", "inference_id", "body"} == values(call).keys()
    assert new.calls[0].body == values(call.body)
    assert new.head["function_name"] == "write_haiku"
    assert new.calls[0].head["model_name"] == "gpt"


def test_a_body_that_has_expired_stays_away(make: Maker) -> None:
    """What is imported may have lost it."""
    record = make.inference(body=None)

    new = new_inference(record, [make.call(record.inference_id, body=None)])

    assert (new.body, new.calls[0].body) == (None, None)
    assert new_calls([]) == []


def values(record: object) -> dict[str, object]:
    """The fields of a record that have a value."""
    return attrs.asdict(record, recurse=False, filter=lambda _, value: value is not None)


def names(cls: type[attrs.AttrsInstance]) -> set[str]:
    """The fields of a record."""
    return {each.name for each in attrs.fields(cls)}

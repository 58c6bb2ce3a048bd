"""An inference on its way into the store: the fields of its records, before they are bytes.

The gateway stores thousands of inferences a second. It names the fields at once, and does not make
four records of which each field would be read once; where there are records, they are taken apart.
"""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

import attrs

from lsd.conversation import JsonValue, frozen
from lsd.store.records import (
    InferenceBody,
    InferenceRecord,
    ModelInferenceBody,
    ModelInferenceRecord,
)

Fields = dict[str, JsonValue]
"""Fields of a record by their names, in its order."""


@frozen
class NewCall:
    """One call to one provider: a `ModelInferenceRecord` but for its inference.

    `head` has what is not in `id` and `body`. Fields without a value are in neither.
    """

    id: str
    head: Fields
    body: Fields | None


@frozen
class NewInference:
    """One inference with its calls; `head` is an `InferenceRecord` without id and body.

    It has all fields, be they None; `body` has those with a value.
    """

    inference_id: str
    head: Fields
    body: Fields | None
    calls: Sequence[NewCall]


def new_inference(
    record: InferenceRecord, model_inferences: Sequence[ModelInferenceRecord]
) -> NewInference:
    """The same, of records."""
    return NewInference(
        inference_id=record.inference_id,
        head=_INFERENCE.of(record),
        body=None if record.body is None else _INFERENCE_BODY.given(record.body),
        calls=new_calls(model_inferences),
    )


def new_calls(records: Iterable[ModelInferenceRecord]) -> list[NewCall]:
    """Calls, of their records."""
    return [
        NewCall(
            id=each.id,
            head=_CALL.given(each),
            body=None if each.body is None else _CALL_BODY.given(each.body),
        )
        for each in records
    ]


class _Parts:
    """Takes records of a class apart."""

    def __init__(self, cls: type[attrs.AttrsInstance], without: Sequence[str] = ()) -> None:
        self._names = [each.name for each in attrs.fields(cls) if each.name not in without]
        self._values = attrgetter(*self._names)

    def of(self, record: Any) -> Fields:
        """The fields of a record."""
        return dict(zip(self._names, self._values(record), strict=True))

    def given(self, record: Any) -> Fields:
        """Those that have a value."""
        return {name: value for name, value in self.of(record).items() if value is not None}


_INFERENCE = _Parts(InferenceRecord, without=("inference_id", "body"))
_INFERENCE_BODY = _Parts(InferenceBody)
_CALL = _Parts(ModelInferenceRecord, without=("id", "inference_id", "body"))
_CALL_BODY = _Parts(ModelInferenceBody)

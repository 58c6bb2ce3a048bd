"""What an id stands for: an id may be several things at once."""

from typing import Literal

from lsd.store import _encoding as encoding
from lsd.store.engine import Environment
from lsd.store.layout import (
    BY_ID,
    DATAPOINTS,
    EPISODES,
    FEEDBACK,
    INFERENCES,
    MODEL_INFERENCES,
    OF_FEEDBACK,
    OF_MODEL_INFERENCE,
    id_key,
    id_text,
)
from lsd.store.records import Datapoint, FeedbackRecord, InferenceRecord, ModelInferenceRecord

Meaning = InferenceRecord | ModelInferenceRecord | Literal["episode"] | FeedbackRecord | Datapoint
"""One thing an id stands for; inferences and datapoints without their bodies."""


def resolve(data: Environment, any_id: str) -> list[Meaning]:
    """Everything that `any_id` stands for, in the order in which `Meaning` has it."""
    meanings: list[Meaning] = []
    key = id_key(any_id)
    with data.read() as transaction:
        head = transaction.get(INFERENCES, key)
        if head is not None:
            meanings.append(encoding.read_inference(any_id, head))
        entry = transaction.get(BY_ID, key) or b""
        kind, owner = entry[:1], entry[1:]
        if kind == OF_MODEL_INFERENCE:
            call = transaction.get(MODEL_INFERENCES, owner + key)
            assert call is not None, "an id has no record"
            meanings.append(encoding.read_model_inference(id_text(owner), any_id, call))
        if transaction.get(EPISODES, key) is not None:
            meanings.append("episode")
        if kind == OF_FEEDBACK:
            feedback = transaction.get(FEEDBACK, owner + key)
            assert feedback is not None, "an id has no record"
            meanings.append(encoding.read_feedback(id_text(owner), any_id, feedback))
        datapoint = transaction.get(DATAPOINTS, key)
        if datapoint is not None:
            meanings.append(encoding.read_datapoint(any_id, datapoint))
    return meanings

"""Records as lines of JSON: for another store, another program, another day.

What follows from records (indexes, counters, sums) is not among them.
"""

from collections.abc import Callable, Iterator
from typing import Final

from lsd.conversation import reread_json
from lsd.store import _encoding as encoding
from lsd.store._datapoint_lists import read_at
from lsd.store._record_lines import (
    DatapointLine,
    EmbeddingLine,
    FailedLine,
    FeedbackLine,
    InferenceLine,
    JudgementLine,
    Line,
    SnapshotLine,
    encode_line,
)
from lsd.store.layout import (
    DATAPOINTS,
    EMBEDDINGS,
    FAILED_BY_EPISODE,
    FEEDBACK,
    ID_BYTES,
    INFERENCE_BODIES,
    INFERENCES,
    JUDGEMENTS,
    MODEL_INFERENCE_BODIES,
    MODEL_INFERENCES,
    SNAPSHOTS,
    end_of,
    id_text,
)
from lsd.store.records import ModelInferenceRecord
from lsd.store.snapshots import Snapshot
from lsd.store.store import Store
from lsd.store.transaction import Database, Transaction

_LINES_PER_READ: Final = 100
"""Lines made from one snapshot, before any of them goes out to somebody who may be slow."""


def export_lines(store: Store) -> Iterator[bytes]:
    """All records of a store, a line each, without line breaks. Scans, in short reads."""
    for database, make in (
        (SNAPSHOTS, _snapshot_line),
        (INFERENCES, _inference_line),
        (FAILED_BY_EPISODE, _failed_line),
        (EMBEDDINGS, _embedding_line),
        (FEEDBACK, _feedback_line),
        (DATAPOINTS, _datapoint_line),
        (JUDGEMENTS, _judgement_line),
    ):
        yield from _lines(store, database, make)


def _lines(
    store: Store, database: Database, make: Callable[[Transaction, bytes, bytes], Line]
) -> Iterator[bytes]:
    following: bytes | None = b""
    while following is not None:
        with store.data.read() as transaction:
            some = list(transaction.range(database, following, limit=_LINES_PER_READ))
            lines = [encode_line(make(transaction, key, value)) for key, value in some]
        yield from lines
        following = some[-1][0] + b"\0" if len(some) == _LINES_PER_READ else None


def _snapshot_line(_transaction: Transaction, key: bytes, value: bytes) -> Line:
    return SnapshotLine(record=Snapshot(hash=key.hex(), **reread_json(value)))


def _inference_line(transaction: Transaction, key: bytes, value: bytes) -> Line:
    body = transaction.get(INFERENCE_BODIES, key)
    record = encoding.read_inference(id_text(key), value, body)
    return InferenceLine(record=record, model_inferences=_calls(transaction, key))


def _failed_line(transaction: Transaction, key: bytes, _value: bytes) -> Line:
    episode, inference = key[:ID_BYTES], key[ID_BYTES:]
    return FailedLine(
        inference_id=id_text(inference),
        episode_id=id_text(episode),
        model_inferences=_calls(transaction, inference),
    )


def _embedding_line(transaction: Transaction, key: bytes, value: bytes) -> Line:
    record = encoding.read_embedding(id_text(key), value)
    return EmbeddingLine(record=record, model_inferences=_calls(transaction, key))


def _feedback_line(_transaction: Transaction, key: bytes, value: bytes) -> Line:
    target, own = id_text(key[:ID_BYTES]), id_text(key[ID_BYTES:])
    return FeedbackLine(record=encoding.read_feedback(target, own, value))


def _datapoint_line(transaction: Transaction, key: bytes, _value: bytes) -> Line:
    return DatapointLine(record=read_at(transaction, key))


def _judgement_line(_transaction: Transaction, key: bytes, value: bytes) -> Line:
    place, own = key[:-ID_BYTES].hex(), id_text(key[-ID_BYTES:])
    return JudgementLine(place=place, feedback_id=own, row=reread_json(value))


def _calls(transaction: Transaction, owner: bytes) -> tuple[ModelInferenceRecord, ...]:
    return tuple(
        encoding.read_model_inference(
            id_text(owner),
            id_text(key[ID_BYTES:]),
            head,
            transaction.get(MODEL_INFERENCE_BODIES, key),
        )
        for key, head in transaction.range(MODEL_INFERENCES, owner, end_of(owner))
    )

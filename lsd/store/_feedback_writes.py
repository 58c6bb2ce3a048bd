"""How feedback gets into the store: the entry, and what says which entry is the latest."""

from lsd.conversation import encode_json, reread_json
from lsd.store import _encoding as encoding
from lsd.store.errors import AlreadyRecorded, UnknownTarget
from lsd.store.judgements import Verdict, put_judgement
from lsd.store.layout import (
    BY_ID,
    BY_METRIC,
    BY_VALUE,
    DEMONSTRATED,
    EPISODES,
    FEEDBACK,
    ID_AND_COUNT,
    ID_BYTES,
    INFERENCES,
    LATEST_FEEDBACK,
    OF_FEEDBACK,
    id_key,
    value_key,
)
from lsd.store.names import FUNCTION, METRIC, Names
from lsd.store.records import FeedbackRecord
from lsd.store.transaction import Transaction


def put_feedback(
    transaction: Transaction,
    names: Names,
    record: FeedbackRecord,
    *,
    verdict: Verdict | None,
    must_exist: bool,
) -> None:
    """Stores one entry. Raises UnknownTarget and AlreadyRecorded."""
    own, target = id_key(record.id), id_key(record.target_id)
    # A demonstration is listed under its inference's function, so there must be one.
    if must_exist or record.kind == "demonstration":
        _require_target(transaction, record, target)
    if not transaction.add(BY_ID, own, OF_FEEDBACK + target):
        raise AlreadyRecorded(record.id)
    transaction.put(FEEDBACK, target + own, encoding.feedback(record))
    if record.kind == "demonstration":
        _put_demonstration(transaction, names, target, own)
    elif record.kind != "comment":
        _put_latest(transaction, names, record, target, own)
        if verdict is not None:
            put_judgement(
                transaction,
                verdict,
                feedback_id=record.id,
                inference_id=record.target_id,
                metric_name=record.metric_name,
                value=encoding.metric_value(record),
            )


def _require_target(transaction: Transaction, record: FeedbackRecord, target: bytes) -> None:
    table = INFERENCES if record.target_type == "inference" else EPISODES
    if transaction.get(table, target) is None:
        raise UnknownTarget(record.target_type, record.target_id)


def _put_latest(
    transaction: Transaction, names: Names, record: FeedbackRecord, target: bytes, own: bytes
) -> None:
    metric = names.number(transaction, METRIC, record.metric_name)
    key = target + metric
    row = transaction.get(LATEST_FEEDBACK, key)
    # Another process may have issued a greater id and been the first to commit.
    if row is not None and row[:ID_BYTES] > own:
        return
    value = encoding.metric_value(record)
    transaction.put(LATEST_FEEDBACK, key, own + encode_json(value))
    transaction.put(BY_METRIC, metric + target, b"")
    if row is not None:
        transaction.delete(BY_VALUE, metric + value_key(reread_json(row[ID_BYTES:])) + target)
    transaction.put(BY_VALUE, metric + value_key(value) + target, b"")


def _put_demonstration(transaction: Transaction, names: Names, target: bytes, own: bytes) -> None:
    head = transaction.get(INFERENCES, target)
    assert head is not None, "a demonstration was let through without its inference"
    function_name = encoding.read_inference("", head).function_name
    key = names.number(transaction, FUNCTION, function_name) + target
    row = transaction.get(DEMONSTRATED, key)
    latest, count = ID_AND_COUNT.unpack(row) if row else (own, 0)
    transaction.put(DEMONSTRATED, key, ID_AND_COUNT.pack(max(latest, own), count + 1))

"""How feedback gets into the store: the entry, and what says which entry is the latest."""

from lsd.conversation import encode_json, reread_json
from lsd.store import _encoding as encoding
from lsd.store._attribution import (
    OF_EPISODE,
    OF_INFERENCE,
    Attribution,
    Entry,
    attribute_demonstration,
    attribute_entry,
    attribution_of_episode,
    attribution_of_inference,
    namespace_of,
)
from lsd.store._writing import Writing
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
from lsd.store.names import FUNCTION, METRIC, VARIANT
from lsd.store.records import FeedbackRecord
from lsd.store.transaction import Transaction


def put_feedback(
    writing: Writing,
    record: FeedbackRecord,
    *,
    verdict: Verdict | None,
    must_exist: bool,
) -> None:
    """Stores one entry. Raises UnknownTarget and AlreadyRecorded."""
    own, target = id_key(record.id), id_key(record.target_id)
    # A demonstration is listed under its inference's function, so there must be one.
    if must_exist or record.kind == "demonstration":
        _require_target(writing.transaction, record, target)
    if not writing.transaction.add(BY_ID, own, OF_FEEDBACK + target):
        raise AlreadyRecorded(record.id)
    writing.transaction.put(FEEDBACK, target + own, encoding.feedback(record))
    if record.kind == "demonstration":
        _put_demonstration(writing, record, target, own)
    elif record.kind != "comment":
        _put_value(writing, record, target, own)
        if verdict is not None:
            put_judgement(
                writing.transaction,
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


def _put_value(
    writing: Writing,
    record: FeedbackRecord,
    target: bytes,
    own: bytes,
) -> None:
    metric = writing.number(METRIC, record.metric_name)
    row = writing.transaction.get(LATEST_FEEDBACK, target + metric)
    entry = Entry(
        metric=metric,
        feedback=own,
        value=encoding.metric_value(record),
        previous=None if row is None else reread_json(row[ID_BYTES:]),
        # Another process may have issued a greater id and been the first to commit.
        is_latest=row is None or row[:ID_BYTES] < own,
    )
    if entry.is_latest:
        _put_latest(writing.transaction, target, entry)
    if record.target_type == "episode":
        to = attribution_of_episode(writing.transaction, target)
        attribute_entry(writing, target, OF_EPISODE, to, entry)
        return
    head = writing.transaction.get(INFERENCES, target)
    if head is not None:
        to = _attribution_of(writing, head)
        attribute_entry(writing, target, OF_INFERENCE, to, entry)


def _put_latest(transaction: Transaction, target: bytes, entry: Entry) -> None:
    key, metric = target + entry.metric, entry.metric
    transaction.put(LATEST_FEEDBACK, key, entry.feedback + encode_json(entry.value))
    transaction.put(BY_METRIC, metric + target, b"")
    if entry.previous is not None:
        transaction.delete(BY_VALUE, metric + value_key(entry.previous) + target)
    transaction.put(BY_VALUE, metric + value_key(entry.value) + target, b"")


def _put_demonstration(
    writing: Writing,
    record: FeedbackRecord,
    target: bytes,
    own: bytes,
) -> None:
    head = writing.transaction.get(INFERENCES, target)
    assert head is not None, "a demonstration was let through without its inference"
    to = _attribution_of(writing, head)
    (pair,) = to.pairs
    key = pair[:4] + target
    row = writing.transaction.get(DEMONSTRATED, key)
    latest, count = ID_AND_COUNT.unpack(row) if row else (own, 0)
    writing.transaction.put(DEMONSTRATED, key, ID_AND_COUNT.pack(max(latest, own), count + 1))
    metric = writing.number(METRIC, record.metric_name)
    attribute_demonstration(writing, metric, to)


def _attribution_of(writing: Writing, head: bytes) -> Attribution:
    """That of the inference with this head."""
    record = encoding.read_inference("", head)
    pair = writing.number(FUNCTION, record.function_name)
    pair += writing.number(VARIANT, record.variant_name)
    return attribution_of_inference(pair, namespace_of(writing, record.tags))

"""How inferences get into the store: the record, its model inferences, and all index keys."""

from collections.abc import Iterable, Sequence

import attrs

from lsd.conversation import encode_json
from lsd.store import _encoding as encoding
from lsd.store._attribution import (
    NOBODY,
    OF_EPISODE,
    OF_INFERENCE,
    attribution_of_episode,
    attribution_of_inference,
    move_feedback,
    namespace_of,
)
from lsd.store._usage_writes import count_call, count_inference
from lsd.store._variant_counter import VariantCounter
from lsd.store._writing import Writing
from lsd.store.errors import AlreadyRecorded, WriteFailed
from lsd.store.layout import (
    BY_EPISODE,
    BY_FUNCTION,
    BY_ID,
    BY_TAG,
    BY_VARIANT,
    COUNT_AND_IDS,
    EMBEDDINGS,
    EPISODE_VARIANTS,
    EPISODES,
    EPISODES_BY_FUNCTION,
    FAILED_BY_EPISODE,
    FEEDBACK,
    INFERENCE_BODIES,
    INFERENCES,
    MODEL_INFERENCE_BODIES,
    MODEL_INFERENCES,
    OF_MODEL_INFERENCE,
    SHARD,
    SIGNED,
    VARIANT_COUNTS,
    id_key,
    tag_key,
)
from lsd.store.names import FUNCTION, VARIANT
from lsd.store.records import EmbeddingRecord, InferenceRecord, ModelInferenceRecord
from lsd.store.transaction import Transaction


def put_inference(
    writing: Writing,
    record: InferenceRecord,
    model_inferences: Sequence[ModelInferenceRecord],
) -> None:
    """Stores all of one inference. Raises AlreadyRecorded."""
    inference = id_key(record.inference_id)
    head = encoding.inference_head(record, model_inferences)
    if not writing.transaction.add(INFERENCES, inference, encode_json(head)):
        raise AlreadyRecorded(record.inference_id)
    if record.body is not None:
        writing.transaction.put(INFERENCE_BODIES, inference, encoding.inference_body(record.body))
    _put_model_inferences(writing, inference, model_inferences)

    function = writing.number(FUNCTION, record.function_name)
    pair = function + writing.number(VARIANT, record.variant_name)
    writing.transaction.put(BY_FUNCTION, function + inference, pair[4:])
    writing.transaction.put(BY_VARIANT, pair + inference, b"")
    for key, value in record.tags.items():
        writing.transaction.put(BY_TAG, tag_key(key, value) + inference, b"")
    namespace = namespace_of(writing, record.tags)
    _move_feedback_to(writing, inference, pair, namespace)
    _put_in_episode(writing, id_key(record.episode_id), inference, pair, namespace)
    _count_for_variant(writing.transaction, pair + SHARD.pack(writing.shard), inference)
    count_inference(writing, pair, inference, head)


def put_attempts(
    writing: Writing,
    inference_id: str,
    episode_id: str,
    attempts: Iterable[ModelInferenceRecord],
) -> None:
    """Stores the calls of an inference that failed as a whole, and so has no record.

    Raises AlreadyRecorded.
    """
    inference = id_key(inference_id)
    if writing.transaction.has(MODEL_INFERENCES, inference):
        raise AlreadyRecorded(inference_id)
    marked = [attrs.evolve(attempt, episode_id=episode_id) for attempt in attempts]
    _put_model_inferences(writing, inference, marked)
    if marked:
        writing.transaction.put(FAILED_BY_EPISODE, id_key(episode_id) + inference, b"")


def put_embedding(
    writing: Writing,
    record: EmbeddingRecord,
    calls: Iterable[ModelInferenceRecord],
) -> None:
    """Stores all of one request for embeddings. Raises AlreadyRecorded."""
    own = id_key(record.id)
    if not writing.transaction.add(EMBEDDINGS, own, encoding.embedding(record)):
        raise AlreadyRecorded(record.id)
    _put_model_inferences(writing, own, calls)


def _put_model_inferences(
    writing: Writing,
    inference: bytes,
    records: Iterable[ModelInferenceRecord],
) -> None:
    for record in records:
        own = id_key(record.id)
        if not writing.transaction.add(BY_ID, own, OF_MODEL_INFERENCE + inference):
            raise WriteFailed(f"{record.id}: found a record with this id; wanted a fresh id")
        key = inference + own
        writing.transaction.put(MODEL_INFERENCES, key, encoding.model_inference_head(record))
        if record.body is not None:
            body = encoding.model_inference_body(record.body)
            writing.transaction.put(MODEL_INFERENCE_BODIES, key, body)
        count_call(writing, record)


def _move_feedback_to(
    writing: Writing,
    inference: bytes,
    pair: bytes,
    namespace: bytes,
) -> None:
    """Counts the feedback that came before its inference, as it may where nobody checks that."""
    if writing.transaction.has(FEEDBACK, inference):
        after = attribution_of_inference(pair, namespace)
        move_feedback(writing, inference, OF_INFERENCE, NOBODY, after)


def _put_in_episode(
    writing: Writing,
    episode: bytes,
    inference: bytes,
    pair: bytes,
    namespace: bytes,
) -> None:
    """Makes the inference one of its episode, for whose feedback other variants may count now."""
    has_feedback = writing.transaction.has(FEEDBACK, episode)
    before = attribution_of_episode(writing.transaction, episode) if has_feedback else NOBODY
    writing.transaction.put(BY_EPISODE, episode + inference, pair)
    row = writing.transaction.get(EPISODES, episode)
    count, first, last = COUNT_AND_IDS.unpack(row) if row else (0, inference, inference)
    # An inference that ends late comes after one that began after it.
    changed = COUNT_AND_IDS.pack(count + 1, min(first, inference), max(last, inference))
    writing.transaction.put(EPISODES, episode, changed)
    member = episode + pair + namespace
    row = writing.transaction.get(EPISODE_VARIANTS, member)
    writing.transaction.put(
        EPISODE_VARIANTS, member, SIGNED.pack(1 + (SIGNED.unpack(row)[0] if row else 0))
    )
    if row is None:
        writing.transaction.put(EPISODES_BY_FUNCTION, pair[:4] + episode, b"")
    if has_feedback:
        after = attribution_of_episode(writing.transaction, episode)
        move_feedback(writing, episode, OF_EPISODE, before, after)


def _count_for_variant(transaction: Transaction, key: bytes, inference: bytes) -> None:
    row = transaction.row(VARIANT_COUNTS, key, VariantCounter.read)
    row.count += 1
    row.last = max(row.last, inference)

"""How inferences get into the store: the record, its model inferences, and all index keys."""

from collections.abc import Iterable, Sequence

import attrs

from lsd.store import _encoding as encoding
from lsd.store.errors import AlreadyRecorded, WriteFailed
from lsd.store.layout import (
    BY_EPISODE,
    BY_FUNCTION,
    BY_ID,
    BY_TAG,
    BY_VARIANT,
    COUNT_AND_ID,
    COUNT_AND_IDS,
    EMBEDDINGS,
    EPISODES,
    EPISODES_BY_FUNCTION,
    FAILED_BY_EPISODE,
    INFERENCE_BODIES,
    INFERENCES,
    MODEL_INFERENCE_BODIES,
    MODEL_INFERENCES,
    NUMBER_AND_COUNT,
    OF_MODEL_INFERENCE,
    SHARD,
    VARIANT_COUNTS,
    id_key,
    tag_key,
)
from lsd.store.names import FUNCTION, VARIANT, Names
from lsd.store.records import EmbeddingRecord, InferenceRecord, ModelInferenceRecord
from lsd.store.transaction import Transaction


def put_inference(
    transaction: Transaction,
    names: Names,
    shard: int,
    record: InferenceRecord,
    model_inferences: Sequence[ModelInferenceRecord],
) -> None:
    """Stores all of one inference. Raises AlreadyRecorded."""
    inference = id_key(record.inference_id)
    head = encoding.inference_head(record, model_inferences)
    if not transaction.add(INFERENCES, inference, head):
        raise AlreadyRecorded(record.inference_id)
    if record.body is not None:
        transaction.put(INFERENCE_BODIES, inference, encoding.inference_body(record.body))
    _put_model_inferences(transaction, inference, model_inferences)

    function = names.number(transaction, FUNCTION, record.function_name)
    variant = names.number(transaction, VARIANT, record.variant_name)
    episode = id_key(record.episode_id)
    transaction.put(BY_FUNCTION, function + inference, variant)
    transaction.put(BY_VARIANT, function + variant + inference, b"")
    transaction.put(BY_EPISODE, episode + inference, function + variant)
    for key, value in record.tags.items():
        transaction.put(BY_TAG, tag_key(key, value) + inference, b"")
    _count_in_episode(transaction, episode, inference)
    _count_variant_in_episode(transaction, function + episode, variant)
    _count_for_variant(transaction, function + variant + SHARD.pack(shard), inference)


def put_attempts(
    transaction: Transaction,
    inference_id: str,
    episode_id: str,
    attempts: Iterable[ModelInferenceRecord],
) -> None:
    """Stores the calls of an inference that failed as a whole, and so has no record."""
    inference = id_key(inference_id)
    marked = [attrs.evolve(attempt, episode_id=episode_id) for attempt in attempts]
    _put_model_inferences(transaction, inference, marked)
    if marked:
        transaction.put(FAILED_BY_EPISODE, id_key(episode_id) + inference, b"")


def put_embedding(
    transaction: Transaction, record: EmbeddingRecord, calls: Iterable[ModelInferenceRecord]
) -> None:
    """Stores all of one request for embeddings. Raises AlreadyRecorded."""
    own = id_key(record.id)
    if not transaction.add(EMBEDDINGS, own, encoding.embedding(record)):
        raise AlreadyRecorded(record.id)
    _put_model_inferences(transaction, own, calls)


def _put_model_inferences(
    transaction: Transaction, inference: bytes, records: Iterable[ModelInferenceRecord]
) -> None:
    for record in records:
        own = id_key(record.id)
        if not transaction.add(BY_ID, own, OF_MODEL_INFERENCE + inference):
            raise WriteFailed(f"{record.id}: found a record with this id; wanted a fresh id")
        key = inference + own
        transaction.put(MODEL_INFERENCES, key, encoding.model_inference_head(record))
        if record.body is not None:
            body = encoding.model_inference_body(record.body)
            transaction.put(MODEL_INFERENCE_BODIES, key, body)


def _count_in_episode(transaction: Transaction, episode: bytes, inference: bytes) -> None:
    row = transaction.get(EPISODES, episode)
    count, first, last = COUNT_AND_IDS.unpack(row) if row else (0, inference, inference)
    # An inference that ends late comes after one that began after it.
    changed = COUNT_AND_IDS.pack(count + 1, min(first, inference), max(last, inference))
    transaction.put(EPISODES, episode, changed)


def _count_variant_in_episode(transaction: Transaction, key: bytes, variant: bytes) -> None:
    row = transaction.get(EPISODES_BY_FUNCTION, key)
    if row is None:
        transaction.put(EPISODES_BY_FUNCTION, key, NUMBER_AND_COUNT.pack(variant, 1))
        return
    counts: dict[bytes, int] = dict(NUMBER_AND_COUNT.iter_unpack(row))
    counts[variant] = counts.get(variant, 0) + 1
    pairs = sorted(counts.items())
    changed = b"".join(NUMBER_AND_COUNT.pack(number, count) for number, count in pairs)
    transaction.put(EPISODES_BY_FUNCTION, key, changed)


def _count_for_variant(transaction: Transaction, key: bytes, inference: bytes) -> None:
    row = transaction.get_buffered(VARIANT_COUNTS, key)
    count, last = COUNT_AND_ID.unpack(row) if row else (0, inference)
    changed = COUNT_AND_ID.pack(count + 1, max(last, inference))
    transaction.put_buffered(VARIANT_COUNTS, key, changed)

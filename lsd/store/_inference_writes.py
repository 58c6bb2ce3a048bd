"""How inferences get into the store: the record, its model inferences, and all index keys."""

from collections.abc import Iterable

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
    SIGNED,
    id_key,
    tag_key,
)
from lsd.store.new_inference import Fields, NewCall, NewInference
from lsd.store.records import EmbeddingRecord
from lsd.store.transaction import Transaction


def put_inference(writing: Writing, new: NewInference) -> None:
    """Stores all of one inference. Raises AlreadyRecorded."""
    transaction = writing.transaction
    inference = id_key(new.inference_id)
    call_heads = [encoding.model_inference_head(call.head) for call in new.calls]
    head = encoding.inference_head(new.head, call_heads)
    if not transaction.add(INFERENCES, inference, encode_json(head)):
        raise AlreadyRecorded(new.inference_id)
    if new.body is not None:
        transaction.put(INFERENCE_BODIES, inference, encode_json(new.body))
    for call, call_head in zip(new.calls, call_heads, strict=True):
        _put_call(writing, inference, call, call_head)

    tags = head["tags"]
    pair = count_inference(writing, inference, head)
    transaction.put(BY_FUNCTION, pair[:4] + inference, pair[4:])
    transaction.put(BY_VARIANT, pair + inference, b"")
    for key, value in tags.items():
        transaction.put(BY_TAG, tag_key(key, value) + inference, b"")
    namespace = namespace_of(writing, tags)
    _move_feedback_to(writing, inference, pair, namespace)
    _put_in_episode(writing, id_key(head["episode_id"]), inference, pair, namespace)


def put_attempts(
    writing: Writing, inference_id: str, episode_id: str, attempts: Iterable[NewCall]
) -> None:
    """Stores the calls of an inference that failed as a whole, and so has no record.

    Raises AlreadyRecorded.
    """
    inference = id_key(inference_id)
    if writing.transaction.has(MODEL_INFERENCES, inference):
        raise AlreadyRecorded(inference_id)
    for attempt in attempts:
        head = encoding.model_inference_head({**attempt.head, "episode_id": episode_id})
        _put_call(writing, inference, attempt, head)
        writing.transaction.put(FAILED_BY_EPISODE, id_key(episode_id) + inference, b"")


def put_embedding(writing: Writing, record: EmbeddingRecord, calls: Iterable[NewCall]) -> None:
    """Stores all of one request for embeddings. Raises AlreadyRecorded."""
    own = id_key(record.id)
    if not writing.transaction.add(EMBEDDINGS, own, encoding.embedding(record)):
        raise AlreadyRecorded(record.id)
    for call in calls:
        _put_call(writing, own, call, encoding.model_inference_head(call.head))


def _put_call(writing: Writing, inference: bytes, call: NewCall, head: Fields) -> None:
    """`head` is the one that is stored."""
    transaction = writing.transaction
    own = id_key(call.id)
    if not transaction.add(BY_ID, own, OF_MODEL_INFERENCE + inference):
        raise WriteFailed(f"{call.id}: found a record with this id; wanted a fresh id")
    key = inference + own
    transaction.put(MODEL_INFERENCES, key, encode_json(head))
    if call.body is not None:
        transaction.put(MODEL_INFERENCE_BODIES, key, encode_json(call.body))
    count_call(writing, own, head)


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
    transaction = writing.transaction
    has_feedback = transaction.has(FEEDBACK, episode)
    before = attribution_of_episode(transaction, episode) if has_feedback else NOBODY
    transaction.put(BY_EPISODE, episode + inference, pair)
    member = episode + pair + namespace
    if transaction.add(EPISODES, episode, COUNT_AND_IDS.pack(1, inference, inference)):
        row = None  # most episodes are new: that costs nothing more
    else:
        _count_in_episode(transaction, episode, inference)
        row = transaction.get(EPISODE_VARIANTS, member)
    count = 1 if row is None else 1 + SIGNED.unpack(row)[0]
    transaction.put(EPISODE_VARIANTS, member, SIGNED.pack(count))
    if row is None:
        transaction.put(EPISODES_BY_FUNCTION, pair[:4] + episode, b"")
    if has_feedback:
        after = attribution_of_episode(transaction, episode)
        move_feedback(writing, episode, OF_EPISODE, before, after)


def _count_in_episode(transaction: Transaction, episode: bytes, inference: bytes) -> None:
    row = transaction.get(EPISODES, episode)
    assert row is not None, "the episode could not be added, so it was there"
    count, first, last = COUNT_AND_IDS.unpack(row)
    # An inference that ends late comes after one that began after it.
    changed = COUNT_AND_IDS.pack(count + 1, min(first, inference), max(last, inference))
    transaction.put(EPISODES, episode, changed)

"""How inferences leave the store: their records, all keys, the feedback, what they counted for."""

from lsd.conversation import reread_json
from lsd.store import _encoding as encoding
from lsd.store._attribution import (
    NOBODY,
    OF_EPISODE,
    OF_INFERENCE,
    Attribution,
    attribution_of_episode,
    attribution_of_inference,
    move_feedback,
    namespace_of,
)
from lsd.store._usage_writes import uncount_call, uncount_inference
from lsd.store._writing import Writing
from lsd.store.layout import (
    ASSIGNMENTS,
    BY_EPISODE,
    BY_FUNCTION,
    BY_ID,
    BY_METRIC,
    BY_TAG,
    BY_VALUE,
    BY_VARIANT,
    COUNT_AND_IDS,
    DEMONSTRATED,
    EMBEDDINGS,
    EPISODE_VARIANTS,
    EPISODES,
    EPISODES_BY_FUNCTION,
    FAILED_BY_EPISODE,
    FEEDBACK,
    ID_BYTES,
    INFERENCE_BODIES,
    INFERENCES,
    LATEST_FEEDBACK,
    MODEL_INFERENCE_BODIES,
    MODEL_INFERENCES,
    SIGNED,
    end_of,
    id_key,
    id_text,
    tag_key,
    value_key,
)
from lsd.store.names import METRIC, VARIANT_OF_FUNCTION
from lsd.store.records import FeedbackRecord, InferenceRecord
from lsd.store.transaction import Transaction


def remove_inference(writing: Writing, inference: bytes) -> None:
    """Removes all of one inference, and with the last of an episode the feedback on the episode.

    Nothing happens if it is gone already.
    """
    transaction = writing.transaction
    head = transaction.get(INFERENCES, inference)
    if head is None:
        return
    record = encoding.read_inference(id_text(inference), head)
    pair = writing.pair(VARIANT_OF_FUNCTION, record.function_name, record.variant_name)
    namespace = namespace_of(writing, record.tags)
    _remove_feedback(
        writing, inference, OF_INFERENCE, attribution_of_inference(pair, namespace), pair[:4]
    )
    _take_out_of_episode(writing, id_key(record.episode_id), inference, pair, namespace)
    _remove_keys(writing, inference, record, pair)
    uncount_inference(writing, pair, inference, reread_json(head))
    remove_calls(writing, inference)


def remove_calls(writing: Writing, owner: bytes) -> None:
    """Removes the calls of an inference or of embeddings, with these, or of a failed inference."""
    transaction = writing.transaction
    calls = list(transaction.range(MODEL_INFERENCES, owner, end_of(owner)))
    for key, head in calls:
        own = key[ID_BYTES:]
        call = reread_json(head)
        uncount_call(writing, own, call)
        transaction.delete(MODEL_INFERENCES, key)
        transaction.delete(MODEL_INFERENCE_BODIES, key)
        transaction.delete(BY_ID, own)
        if "episode_id" in call:
            episode = id_key(call["episode_id"])
            transaction.delete(FAILED_BY_EPISODE, episode + owner)
            if transaction.get(EPISODES, episode) is None:
                _forget_assignments(transaction, episode)
    transaction.delete(EMBEDDINGS, owner)


def _forget_assignments(transaction: Transaction, episode: bytes) -> None:
    """An episode without records draws its variants anew."""
    keys = [key for key, _ in transaction.range(ASSIGNMENTS, episode, end_of(episode))]
    for key in keys:
        transaction.delete(ASSIGNMENTS, key)


def _remove_keys(writing: Writing, inference: bytes, record: InferenceRecord, pair: bytes) -> None:
    transaction = writing.transaction
    transaction.delete(INFERENCES, inference)
    transaction.delete(INFERENCE_BODIES, inference)
    transaction.delete(BY_FUNCTION, pair[:4] + inference)
    transaction.delete(BY_VARIANT, pair + inference)
    for key, value in record.tags.items():
        transaction.delete(BY_TAG, tag_key(key, value) + inference)


def _take_out_of_episode(
    writing: Writing, episode: bytes, inference: bytes, pair: bytes, namespace: bytes
) -> None:
    """The rest of the episode may speak for other variants then."""
    transaction = writing.transaction
    before = attribution_of_episode(transaction, episode)
    transaction.delete(BY_EPISODE, episode + inference)
    member = episode + pair + namespace
    row = transaction.get(EPISODE_VARIANTS, member)
    assert row is not None, "an inference is in no episode"
    (count,) = SIGNED.unpack(row)
    if count > 1:
        transaction.put(EPISODE_VARIANTS, member, SIGNED.pack(count - 1))
    else:
        transaction.delete(EPISODE_VARIANTS, member)
        if not transaction.has(EPISODE_VARIANTS, episode + pair[:4]):
            transaction.delete(EPISODES_BY_FUNCTION, pair[:4] + episode)
    ends = [
        key[ID_BYTES:]
        for reverse in (False, True)
        for key, _ in transaction.range(
            BY_EPISODE, episode, end_of(episode), reverse=reverse, limit=1
        )
    ]
    if not ends:
        transaction.delete(EPISODES, episode)
        _forget_assignments(transaction, episode)
        _remove_feedback(writing, episode, OF_EPISODE, before, pair[:4])
        return
    found = transaction.get(EPISODES, episode)
    assert found is not None, "an inference is in an episode that has no row"
    transaction.put(
        EPISODES, episode, COUNT_AND_IDS.pack(COUNT_AND_IDS.unpack(found)[0] - 1, *ends)
    )
    move_feedback(
        writing, episode, OF_EPISODE, before, attribution_of_episode(transaction, episode)
    )


def _remove_feedback(
    writing: Writing, target: bytes, kind: bytes, before: Attribution, function: bytes
) -> None:
    """Removes the entries on a target, which counted for `before`."""
    move_feedback(writing, target, kind, before, NOBODY)
    wanted = "inference" if kind == OF_INFERENCE else "episode"
    entries = list(writing.transaction.range(FEEDBACK, target, end_of(target)))
    for key, value in entries:
        record = encoding.read_feedback(id_text(target), id_text(key[ID_BYTES:]), value)
        # An id may be that of an inference and of an episode.
        if record.target_type == wanted:
            _remove_entry(writing, target, key, record, function)


def _remove_entry(
    writing: Writing, target: bytes, key: bytes, record: FeedbackRecord, function: bytes
) -> None:
    transaction = writing.transaction
    transaction.delete(FEEDBACK, key)
    transaction.delete(BY_ID, key[ID_BYTES:])
    if record.kind == "demonstration":
        transaction.delete(DEMONSTRATED, function + target)
    elif record.kind != "comment":
        metric = writing.number(METRIC, record.metric_name)
        latest = transaction.get(LATEST_FEEDBACK, target + metric)
        if latest is not None:
            value = value_key(reread_json(latest[ID_BYTES:]))
            transaction.delete(BY_VALUE, metric + value + target)
            transaction.delete(BY_METRIC, metric + target)
            transaction.delete(LATEST_FEEDBACK, target + metric)

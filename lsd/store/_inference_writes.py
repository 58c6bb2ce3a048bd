"""How inferences get into the store: the record, its model inferences, and all index keys."""

from collections.abc import Callable, Iterable, Sequence

import attrs

from lsd.store import _encoding as encoding
from lsd.store._attribution import (
    ALL_NAMESPACES,
    NOBODY,
    OF_EPISODE,
    OF_INFERENCE,
    attribution_of_episode,
    attribution_of_inference,
    move_feedback,
)
from lsd.store._inference_rows import CallRows, InferenceRows, call_rows, inference_rows
from lsd.store._usage_writes import sums_of_model, sums_of_variant
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
    ID_BYTES,
    INFERENCE_BODIES,
    INFERENCES,
    MODEL_INFERENCE_BODIES,
    MODEL_INFERENCES,
    OF_MODEL_INFERENCE,
    SIGNED,
    id_key,
    id_text,
    tag_key,
)
from lsd.store.names import NAMESPACE
from lsd.store.new_inference import NewCall, NewInference
from lsd.store.records import EmbeddingRecord
from lsd.store.transaction import Transaction

_ONE = SIGNED.pack(1)

_Begin = Callable[[Transaction], Writing]


@attrs.define(eq=False)
class InferencePut:
    """Stores all of the inference that `make` makes.

    What it is made of is let go as soon as it is in bytes: the processor has it in its cache then,
    and can use its place for the next.
    """

    _make: Callable[[], NewInference] | None
    _begin: _Begin
    _rows: InferenceRows | None = attrs.field(default=None, init=False)

    def apply(self, transaction: Transaction) -> None:
        """Puts what tells whether it is new, and the rest together with that of others.

        Raises AlreadyRecorded.
        """
        rows = self._rows
        if rows is None:
            assert self._make is not None, "it is let go when there are rows"
            rows = self._rows = inference_rows(self._make())
            self._make = None
        if not transaction.add(INFERENCES, rows.key, rows.head):
            raise AlreadyRecorded(id_text(rows.key))
        transaction.put_off(rows.variant, _Arrivals, self._begin).rows.append(rows)


def put_attempts(
    writing: Writing, inference_id: str, episode_id: str, attempts: Iterable[NewCall]
) -> None:
    """Stores the calls of an inference that failed as a whole, and so has no record.

    Raises AlreadyRecorded.
    """
    inference, episode = id_key(inference_id), id_key(episode_id)
    if writing.transaction.has(MODEL_INFERENCES, inference):
        raise AlreadyRecorded(inference_id)
    calls = [call_rows(inference, each, episode_id) for each in attempts]
    if calls:
        _put_calls(writing, calls)
        writing.transaction.put(FAILED_BY_EPISODE, episode + inference, b"")


def put_embedding(writing: Writing, record: EmbeddingRecord, calls: Iterable[NewCall]) -> None:
    """Stores all of one request for embeddings. Raises AlreadyRecorded."""
    own = id_key(record.id)
    if not writing.transaction.add(EMBEDDINGS, own, encoding.embedding(record)):
        raise AlreadyRecorded(record.id)
    _put_calls(writing, [call_rows(own, each) for each in calls])


@attrs.define(eq=False)
class _Arrivals:
    """New inferences of one function, variant and namespace, by their names."""

    names: tuple[str, str, str | None]
    begin: _Begin
    rows: list[InferenceRows] = attrs.field(factory=list, init=False)

    def settle(self, transaction: Transaction) -> None:
        """Puts all of them but for their heads, and counts them."""
        writing = self.begin(transaction)
        function_name, variant_name, namespace_name = self.names
        sums = sums_of_variant(writing, function_name, variant_name)
        namespace = ALL_NAMESPACES
        if namespace_name is not None:
            namespace = writing.number(NAMESPACE, namespace_name)
        rows, pair = self.rows, sums.pair
        keys = [each.key for each in rows]
        episodes = [each.episode for each in rows]
        rated = _with_feedback(transaction, dict.fromkeys(episodes))
        before = [attribution_of_episode(transaction, each) for each in rated]

        bodies = [(each.key, each.body) for each in rows if each.body is not None]
        transaction.put_all(INFERENCE_BODIES, bodies)
        transaction.put_all(BY_TAG, _tag_entries(rows))
        function, variant = pair[:4], pair[4:]
        transaction.put_all(BY_FUNCTION, [(function + each, variant) for each in keys])
        transaction.put_all(BY_VARIANT, [(pair + each, b"") for each in keys])
        members = [(each.episode + each.key, pair) for each in rows]
        transaction.put_all(BY_EPISODE, members)
        _put_in_episodes(transaction, episodes, keys, pair + namespace)
        _put_calls(writing, [call for each in rows for call in each.calls])
        sums.ids += keys
        sums.figures += [each.figures for each in rows]

        for episode, attribution in zip(rated, before, strict=True):
            after = attribution_of_episode(transaction, episode)
            move_feedback(writing, episode, OF_EPISODE, attribution, after)
        own = attribution_of_inference(pair, namespace)
        for key in _with_feedback(transaction, keys):
            move_feedback(writing, key, OF_INFERENCE, NOBODY, own)


def _tag_entries(rows: Iterable[InferenceRows]) -> list[tuple[bytes, bytes]]:
    keys: dict[tuple[str, str], bytes] = {}  # what requests have in common is hashed once
    entries = []
    for each in rows:
        for tag in each.tags:
            if tag not in keys:
                keys[tag] = tag_key(*tag)
            entries.append((keys[tag] + each.key, b""))
    return entries


def _with_feedback(transaction: Transaction, targets: Iterable[bytes]) -> list[bytes]:
    """Those that have feedback already.

    Episodes go on after theirs; that on an inference comes first where nobody checks its target.
    """
    last = next(transaction.range(FEEDBACK, reverse=True, limit=1), None)
    if last is None:
        return []
    newest, _ = last  # nearly always of something older, and nobody has to look
    return [each for each in targets if each <= newest and transaction.has(FEEDBACK, each)]


def _put_in_episodes(
    transaction: Transaction, episodes: Sequence[bytes], inferences: Sequence[bytes], member: bytes
) -> None:
    """Makes inferences those of their episodes; `member`: their function, variant, namespace."""
    entries = [
        (episode, COUNT_AND_IDS.pack(1, inference, inference))
        for episode, inference in zip(episodes, inferences, strict=True)
    ]
    new, grown = list(episodes), []
    if not transaction.add_all(EPISODES, entries):
        new = []
        for (episode, row), inference in zip(entries, inferences, strict=True):
            # A row that is as it should be added was added: its inference is in it.
            if transaction.get(EPISODES, episode) == row:
                new.append(episode)
            else:
                grown.append((episode, inference))
    transaction.put_all(EPISODE_VARIANTS, [(each + member, _ONE) for each in new])
    transaction.put_all(EPISODES_BY_FUNCTION, [(member[:4] + each, b"") for each in new])
    for episode, inference in grown:
        _count_in_episode(transaction, episode, inference, member)


def _count_in_episode(
    transaction: Transaction, episode: bytes, inference: bytes, member: bytes
) -> None:
    """Makes an inference one of an episode that has others."""
    row = transaction.get(EPISODES, episode)
    assert row is not None, "the episode could not be added, so it was there"
    count, first, last = COUNT_AND_IDS.unpack(row)
    # An inference that ends late comes after one that began after it.
    changed = COUNT_AND_IDS.pack(count + 1, min(first, inference), max(last, inference))
    transaction.put(EPISODES, episode, changed)
    row = transaction.get(EPISODE_VARIANTS, episode + member)
    if row is None:
        transaction.put(EPISODE_VARIANTS, episode + member, _ONE)
        transaction.put(EPISODES_BY_FUNCTION, member[:4] + episode, b"")
    else:
        (served,) = SIGNED.unpack(row)
        transaction.put(EPISODE_VARIANTS, episode + member, SIGNED.pack(served + 1))


def _put_calls(writing: Writing, calls: Sequence[CallRows]) -> None:
    """Stores calls, and counts them. Raises WriteFailed."""
    transaction = writing.transaction
    owners = [(each.key[ID_BYTES:], OF_MODEL_INFERENCE + each.key[:ID_BYTES]) for each in calls]
    if not transaction.add_all(BY_ID, owners):
        ids = ", ".join(id_text(own) for own, _ in owners)
        raise WriteFailed(f"{ids}: found a record with this id; wanted a fresh id")
    transaction.put_all(MODEL_INFERENCES, [(each.key, each.head) for each in calls])
    bodies = [(each.key, each.body) for each in calls if each.body is not None]
    transaction.put_all(MODEL_INFERENCE_BODIES, bodies)
    for call in calls:
        if call.figures is not None:
            sums = sums_of_model(writing, *call.model)
            sums.ids.append(call.key[ID_BYTES:])
            sums.figures.append(call.figures)

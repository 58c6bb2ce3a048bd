"""Inferences with their model inferences: what writes them, and all that reads them.

Gets are quick enough for the event loop; what is said to scan belongs into a thread.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import attrs

from lsd.store import _encoding as encoding
from lsd.store._group_commit import Write
from lsd.store._inference_counts import count_inferences
from lsd.store._inference_lists import list_inferences
from lsd.store._inference_writes import InferencePut, put_attempts, put_embedding
from lsd.store._writing import Writing
from lsd.store.engine import Environment
from lsd.store.filters import InferenceQuery, Selection
from lsd.store.layout import (
    COUNT_AND_ID,
    EMBEDDINGS,
    FAILED_BY_EPISODE,
    ID_BYTES,
    INFERENCE_BODIES,
    INFERENCES,
    MODEL_INFERENCE_BODIES,
    MODEL_INFERENCES,
    VARIANT_COUNTS,
    end_of,
    id_key,
    id_text,
)
from lsd.store.names import FUNCTION, VARIANT, Names
from lsd.store.new_inference import NewCall, NewInference, new_inference
from lsd.store.records import EmbeddingRecord, InferenceBody, InferenceRecord, ModelInferenceRecord
from lsd.store.transaction import Transaction


@attrs.frozen(kw_only=True)
class VariantCount:
    """How many inferences a variant of a function has answered."""

    function_name: str
    variant_name: str
    inferences: int
    last_inference_id: str


@attrs.define(eq=False)
class Inferences:
    """The inferences of a store. `shard` is this process's place in counters."""

    _data: Environment
    _names: Names
    _shard: int

    def record(
        self, record: InferenceRecord, model_inferences: Sequence[ModelInferenceRecord] = ()
    ) -> Write:
        """The write of one inference with its calls. It refuses an id recorded before."""
        make = partial(new_inference, record, model_inferences)
        return self.record_made(make, 1 + len(model_inferences))

    def record_made(self, make: Callable[[], NewInference], rows: int) -> Write:
        """The same of what `make` makes when it is to be stored, in the writer's thread."""
        return Write(InferencePut(make, self._writing).apply, rows)

    def record_attempts(
        self, inference_id: str, episode_id: str, attempts: Sequence[NewCall]
    ) -> Write:
        """The write of the calls of an inference that failed as a whole."""

        def apply(transaction: Transaction) -> None:
            put_attempts(self._writing(transaction), inference_id, episode_id, attempts)

        return Write(apply, len(attempts))

    def record_embedding(self, record: EmbeddingRecord, calls: Sequence[NewCall]) -> Write:
        """The write of one request for embeddings with its calls, failed ones included."""

        def apply(transaction: Transaction) -> None:
            put_embedding(self._writing(transaction), record, calls)

        return Write(apply, 1 + len(calls))

    def embedding(self, own_id: str) -> EmbeddingRecord | None:
        """The record of a request for embeddings."""
        with self._data.read() as transaction:
            encoded = transaction.get(EMBEDDINGS, id_key(own_id))
        return None if encoded is None else encoding.read_embedding(own_id, encoded)

    def exists(self, inference_id: str) -> bool:
        """Whether there is a record of this inference."""
        with self._data.read() as transaction:
            return transaction.get(INFERENCES, id_key(inference_id)) is not None

    def head(self, inference_id: str) -> InferenceRecord | None:
        """The record without its body."""
        with self._data.read() as transaction:
            head = transaction.get(INFERENCES, id_key(inference_id))
        return None if head is None else encoding.read_inference(inference_id, head)

    def body(self, inference_id: str) -> InferenceBody | None:
        """The body alone; None if it has expired, too."""
        records = self.get((inference_id,))
        return records[0].body if records else None

    def get(self, inference_ids: Iterable[str]) -> list[InferenceRecord]:
        """The records with their bodies, each once, newest first; unknown ids are left out."""
        found = []
        with self._data.read() as transaction:
            for inference_id in sorted(set(inference_ids), reverse=True):
                key = id_key(inference_id)
                head = transaction.get(INFERENCES, key)
                if head is not None:
                    body = transaction.get(INFERENCE_BODIES, key)
                    found.append(encoding.read_inference(inference_id, head, body))
        return found

    def select(self, query: InferenceQuery, *, with_bodies: bool = True) -> list[InferenceRecord]:
        """The inferences of a query, in its order. Scans."""
        return list_inferences(self._data, self._names, query, with_bodies=with_bodies)

    def page(
        self,
        selection: Selection,
        *,
        before: str | None = None,
        after: str | None = None,
        limit: int,
    ) -> list[InferenceRecord]:
        """Heads, newest first: the `limit` ones next to the cursor. Scans.

        `before` and `after` are ids, exclusive, not both; they need not exist. Without them the
        newest come.
        """
        query = InferenceQuery(selection=selection, before=before, after=after, limit=limit)
        return self.select(query, with_bodies=False)

    def count(self, selection: Selection) -> int:
        """How many a selection holds. Scans, if there is more in it than names."""
        return count_inferences(self._data, self._names, selection)

    def model_inferences(
        self, inference_id: str, *, include_failed: bool = False, with_bodies: bool = True
    ) -> list[ModelInferenceRecord]:
        """The calls of one inference, in the order of their ids."""
        with self._data.read() as transaction:
            return _calls_of(transaction, id_key(inference_id), include_failed, with_bodies)

    def failed_attempts(self, episode_id: str) -> list[ModelInferenceRecord]:
        """The calls of the inferences of an episode that failed as a whole. Scans."""
        prefix = id_key(episode_id)
        with self._data.read() as transaction:
            keys = [key for key, _ in transaction.range(FAILED_BY_EPISODE, prefix, end_of(prefix))]
            return [
                call for key in keys for call in _calls_of(transaction, key[ID_BYTES:], True, True)
            ]

    def counts(self, function_name: str | None = None) -> list[VariantCount]:
        """Per variant, of one function or of all; in no particular order."""
        with self._data.read() as transaction:
            prefix: bytes | None = b""
            if function_name is not None:
                prefix = self._names.find(transaction, FUNCTION, function_name)
            if prefix is None:
                return []
            rows: dict[bytes, tuple[int, bytes]] = {}
            for key, row in transaction.range(VARIANT_COUNTS, prefix, end_of(prefix)):
                count, last = COUNT_AND_ID.unpack(row)
                others, others_last = rows.get(key[:8], (0, last))
                rows[key[:8]] = (others + count, max(others_last, last))
            return [
                VariantCount(
                    function_name=self._names.name(transaction, FUNCTION, key[:4]),
                    variant_name=self._names.name(transaction, VARIANT, key[4:]),
                    inferences=count,
                    last_inference_id=id_text(last),
                )
                for key, (count, last) in rows.items()
                if count
            ]

    def _writing(self, transaction: Transaction) -> Writing:
        return Writing(transaction, self._names, self._shard)


def _calls_of(
    transaction: Transaction, inference: bytes, include_failed: bool, with_bodies: bool
) -> list[ModelInferenceRecord]:
    calls = []
    for key, head in transaction.range(MODEL_INFERENCES, inference, end_of(inference)):
        body = transaction.get(MODEL_INFERENCE_BODIES, key) if with_bodies else None
        call = encoding.read_model_inference(
            id_text(inference), id_text(key[ID_BYTES:]), head, body
        )
        if include_failed or call.status != "error":
            calls.append(call)
    return calls

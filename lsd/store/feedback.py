"""Feedback on inferences and episodes: what writes it, and all that reads it.

Gets are quick enough for the event loop; what is said to scan belongs into a thread.
"""

import sys
from collections.abc import Iterable
from itertools import islice

import attrs

from lsd.conversation import JsonValue, reread_json
from lsd.store import _encoding as encoding
from lsd.store._feedback_writes import put_feedback
from lsd.store._group_commit import Write
from lsd.store._pages import ids_from
from lsd.store._writing import Writing
from lsd.store.engine import Environment
from lsd.store.judgements import Verdict, find_judgement
from lsd.store.layout import (
    DEMONSTRATED,
    FEEDBACK,
    ID_AND_COUNT,
    ID_BYTES,
    INFERENCES,
    LATEST_FEEDBACK,
    end_of,
    id_key,
    id_text,
)
from lsd.store.names import FUNCTION, METRIC, Names
from lsd.store.records import FeedbackKind, FeedbackRecord, Judgement


@attrs.frozen(kw_only=True)
class LatestValue:
    """The entry that counts for a metric of a target."""

    feedback_id: str
    value: bool | float


@attrs.frozen(kw_only=True)
class FeedbackBounds:
    """The first and the last of some entries."""

    first_id: str
    last_id: str


@attrs.define(eq=False)
class Feedback:
    """The feedback of a store."""

    _data: Environment
    _names: Names
    _shard: int

    def record(
        self,
        record: FeedbackRecord,
        *,
        verdict: Verdict | None = None,
        must_exist: bool = True,
    ) -> Write:
        """The write of one entry, and of a judgement with it if there is a `verdict`.

        Committing it raises UnknownTarget if the target is not in the store; `must_exist=False`
        lets metrics and comments through all the same.
        """
        return Write(
            apply=lambda transaction: put_feedback(
                Writing(transaction, self._names, self._shard),
                record,
                verdict=verdict,
                must_exist=must_exist,
            )
        )

    def page(
        self,
        target_id: str,
        *,
        before: str | None = None,
        after: str | None = None,
        limit: int,
        kinds: Iterable[FeedbackKind] = ("boolean", "float", "comment", "demonstration"),
    ) -> list[FeedbackRecord]:
        """Entries on a target, newest first: the `limit` ones next to the cursor. Scans."""
        assert before is None or after is None, "a page lies on one side of one cursor"
        wanted = frozenset(kinds)
        with self._data.read() as transaction:
            entries = ids_from(
                transaction,
                FEEDBACK,
                id_key(target_id),
                before=None if before is None else id_key(before),
                after=None if after is None else id_key(after),
            )
            records = (
                encoding.read_feedback(target_id, id_text(own), value) for own, value in entries
            )
            found = list(islice((each for each in records if each.kind in wanted), limit))
        return found if after is None else found[::-1]

    def count(self, target_id: str) -> int:
        """How many entries a target has, of all kinds. Scans them."""
        prefix = id_key(target_id)
        with self._data.read() as transaction:
            return sum(1 for _ in transaction.range(FEEDBACK, prefix, end_of(prefix)))

    def bounds(self, target_id: str) -> dict[FeedbackKind, FeedbackBounds]:
        """The first and the last entry of each kind that a target has. Scans them."""
        found: dict[FeedbackKind, FeedbackBounds] = {}
        for record in reversed(self.page(target_id, limit=sys.maxsize)):
            first = found[record.kind].first_id if record.kind in found else record.id
            found[record.kind] = FeedbackBounds(first_id=first, last_id=record.id)
        return found

    def latest(self, target_id: str, metric_name: str) -> LatestValue | None:
        """The entry that counts for a boolean or float metric of a target."""
        with self._data.read() as transaction:
            metric = self._names.find(transaction, METRIC, metric_name)
            if metric is None:
                return None
            row = transaction.get(LATEST_FEEDBACK, id_key(target_id) + metric)
        return None if row is None else _latest_value(row)

    def latest_by_metric(self, target_id: str) -> dict[str, LatestValue]:
        """The entries that count, by the name of their boolean or float metric."""
        prefix = id_key(target_id)
        with self._data.read() as transaction:
            return {
                self._names.name(transaction, METRIC, key[ID_BYTES:]): _latest_value(row)
                for key, row in transaction.range(LATEST_FEEDBACK, prefix, end_of(prefix))
            }

    def latest_demonstration(self, inference_id: str) -> FeedbackRecord | None:
        """The demonstration that counts for an inference."""
        target = id_key(inference_id)
        with self._data.read() as transaction:
            head = transaction.get(INFERENCES, target)
            if head is None:
                return None
            function_name = encoding.read_inference(inference_id, head).function_name
            function = self._names.find(transaction, FUNCTION, function_name)
            assert function is not None, "an inference is stored, but not its function's name"
            row = transaction.get(DEMONSTRATED, function + target)
            if row is None:
                return None
            latest, _ = ID_AND_COUNT.unpack(row)
            entry = transaction.get(FEEDBACK, target + latest)
        assert entry is not None, "an index key has no record"
        return encoding.read_feedback(inference_id, id_text(latest), entry)

    def judgement(
        self, *, metric_name: str, datapoint_id: str, output: JsonValue
    ) -> Judgement | None:
        """The latest judgement by a person of this output for this datapoint."""
        return find_judgement(
            self._data, metric_name=metric_name, datapoint_id=datapoint_id, output=output
        )


def _latest_value(row: bytes) -> LatestValue:
    return LatestValue(feedback_id=id_text(row[:ID_BYTES]), value=reread_json(row[ID_BYTES:]))

"""Lines of JSON that were exported, back into a store; indexes, counters and sums are made anew."""

from collections.abc import Iterable
from itertools import islice
from typing import Final, assert_never

import attrs

from lsd.conversation import LsdError, Malformed, encode_json
from lsd.store._group_commit import Write, commit_group
from lsd.store._record_lines import (
    DatapointLine,
    EmbeddingLine,
    FailedLine,
    FeedbackLine,
    InferenceLine,
    JudgementLine,
    SnapshotLine,
    decode_line,
)
from lsd.store.errors import AlreadyRecorded, WriteRefused
from lsd.store.layout import JUDGEMENTS, SNAPSHOTS, id_key
from lsd.store.new_inference import new_calls
from lsd.store.store import Store
from lsd.store.transaction import Database, Transaction

_LINES_PER_COMMIT: Final = 200
"""Lines that come in with one commit."""


@attrs.frozen
class BadLine(LsdError):
    """A line that is to come in is not right; of those before it some may be in."""

    number: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.number}: {self.reason}"


@attrs.frozen(kw_only=True)
class Imported:
    """How many lines came in, and how many of what the store had already."""

    new: int
    known: int


def import_lines(store: Store, lines: Iterable[bytes]) -> Imported:
    """Takes lines in; what the store has already stays as it is. Raises BadLine."""
    new = known = 0
    numbered = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    while some := list(islice(numbered, _LINES_PER_COMMIT)):
        outcomes = commit_group(store.data, [_write(store, line, number) for number, line in some])
        for (number, _), outcome in zip(some, outcomes, strict=True):
            match outcome:
                case None:
                    new += 1
                case AlreadyRecorded():
                    known += 1
                case WriteRefused():
                    raise BadLine(number, str(outcome))
                case _:
                    raise outcome
    return Imported(new=new, known=known)


def _write(store: Store, text: bytes, number: int) -> Write:
    try:
        line = decode_line(text)
    except Malformed as error:
        raise BadLine(number, str(error)) from None
    match line:
        case InferenceLine():
            return store.inferences.record(line.record, line.model_inferences)
        case FailedLine():
            calls = new_calls(line.model_inferences)
            return store.inferences.record_attempts(line.inference_id, line.episode_id, calls)
        case EmbeddingLine():
            calls = new_calls(line.model_inferences)
            return store.inferences.record_embedding(line.record, calls)
        case FeedbackLine():
            return store.feedback.record(line.record, must_exist=False)
        case DatapointLine():
            if line.record.body is None:
                raise BadLine(number, "record.body: missing; it is required")
            return store.datapoints.restore(line.record)
        case JudgementLine():
            key = bytes.fromhex(line.place) + id_key(line.feedback_id)
            return _put_once(JUDGEMENTS, key, encode_json(line.row), line.feedback_id)
        case SnapshotLine():
            fields = attrs.asdict(line.record)
            key = bytes.fromhex(fields.pop("hash"))
            return _put_once(SNAPSHOTS, key, encode_json(fields), line.record.hash)
        case never:
            assert_never(never)


def _put_once(database: Database, key: bytes, value: bytes, own_id: str) -> Write:
    def apply(transaction: Transaction) -> None:
        if not transaction.add(database, key, value):
            raise AlreadyRecorded(own_id)

    return Write(apply=apply)

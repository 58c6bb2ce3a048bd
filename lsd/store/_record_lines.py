"""Lines of JSON that stand for records: an object each, whose `type` tells what it is of."""

from decimal import Decimal
from typing import Any, Final, cast

import attrs

from lsd.conversation import (
    BadId,
    Malformed,
    Mismatch,
    Problem,
    Structurer,
    describe_json,
    encode_json,
    join_path,
    parse_id,
)
from lsd.store.records import (
    Datapoint,
    EmbeddingRecord,
    FeedbackRecord,
    InferenceRecord,
    ModelInferenceRecord,
)
from lsd.store.snapshots import Snapshot

_ID_FIELDS: Final = frozenset(
    {"id", "inference_id", "episode_id", "target_id", "feedback_id", "source_inference_id"}
)

_HASH_BYTES: Final = {"hash": 32, "place": 16}
"""Fields that hold hashes, with their lengths."""


@attrs.frozen(kw_only=True)
class InferenceLine:
    record: InferenceRecord
    model_inferences: tuple[ModelInferenceRecord, ...]


@attrs.frozen(kw_only=True)
class FailedLine:
    """An inference that failed as a whole."""

    inference_id: str
    episode_id: str
    model_inferences: tuple[ModelInferenceRecord, ...]


@attrs.frozen(kw_only=True)
class EmbeddingLine:
    record: EmbeddingRecord
    model_inferences: tuple[ModelInferenceRecord, ...]


@attrs.frozen(kw_only=True)
class FeedbackLine:
    record: FeedbackRecord


@attrs.frozen(kw_only=True)
class DatapointLine:
    """A version, live or stale."""

    record: Datapoint


@attrs.frozen(kw_only=True)
class JudgementLine:
    """`place` is the hash under which a judgement is found, `row` what is stored there."""

    place: str
    feedback_id: str
    row: dict[str, Any]


@attrs.frozen(kw_only=True)
class SnapshotLine:
    record: Snapshot


Line = (
    InferenceLine
    | FailedLine
    | EmbeddingLine
    | FeedbackLine
    | DatapointLine
    | JudgementLine
    | SnapshotLine
)

_TYPES: Final[dict[str, type[Any]]] = {
    "snapshot": SnapshotLine,
    "inference": InferenceLine,
    "failed_inference": FailedLine,
    "embedding": EmbeddingLine,
    "feedback": FeedbackLine,
    "datapoint": DatapointLine,
    "judgement": JudgementLine,
}
"""In the order in which they go out: what others speak of comes first."""

_NAMES: Final = {line: name for name, line in _TYPES.items()}


def encode_line(line: Line) -> bytes:
    """The text of a line, without a line break."""
    fields = attrs.asdict(line, filter=lambda _, value: value is not None)
    return encode_json({"type": _NAMES[type(line)], **fields})


def decode_line(text: bytes) -> Line:
    """The line of a text. Raises Malformed."""
    line: Line = _STRUCTURER.read(text, cast(type[Any], Line))
    _check_ids(attrs.asdict(line), path="")
    return line


def _check_ids(value: Any, path: str) -> None:
    """Raises Malformed for an id that is none, and for a hash of another length."""
    for name, each in value.items():
        place = join_path(path, name)
        if name in _ID_FIELDS and not _is_id(each):
            raise _wrong(place, each, "an id, lower-case with hyphens")
        if name in _HASH_BYTES and not _is_hex(each, _HASH_BYTES[name]):
            raise _wrong(place, each, f"{_HASH_BYTES[name]} bytes in hexadecimal digits")
        if name == "record":
            _check_ids(each, place)
        if name == "model_inferences":
            for number, call in enumerate(each):
                _check_ids(call, join_path(place, number))


def _wrong(path: str, found: object, wanted: str) -> Malformed:
    return Malformed((Problem(path, f"found {describe_json(found)}; wanted {wanted}"),))


def _is_id(value: Any) -> bool:
    try:
        return value is None or parse_id(value) == value
    except BadId:
        return False


def _is_hex(value: Any, length: int) -> bool:
    try:
        return len(bytes.fromhex(value)) == length
    except ValueError:
        return False


def _number(value: Any, _: Any) -> Decimal:
    if type(value) not in (int, float):
        raise Mismatch(describe_json(value), "a number")
    return Decimal(repr(value))


def _metric_value(value: Any, _: Any) -> Any:
    if type(value) not in (bool, int, float, str):
        raise Mismatch(describe_json(value), "a boolean, a number or a text")
    return value


def _line_structurer() -> Structurer:
    structurer = Structurer()
    structurer.hook(Decimal, _number)
    structurer.hook(bool | float | str, _metric_value)
    structurer.tagged(Line, _TYPES)
    return structurer


_STRUCTURER: Final = _line_structurer()

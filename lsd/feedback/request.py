"""The body of `POST /feedback`, from bytes to a checked shape."""

from collections.abc import Mapping
from typing import Any, NewType

import attrs

from lsd.conversation import (
    BadId,
    JsonValue,
    Mismatch,
    Structurer,
    describe_json,
    parse_id,
)

_TargetId = NewType("_TargetId", str)


@attrs.frozen(kw_only=True)
class FeedbackRequest:
    """What somebody says of an inference or an episode. Ids are in their canonical form.

    A `value` of None is JSON's null. `dryrun` may be null and is off then.
    """

    inference_id: str | None = None
    episode_id: str | None = None
    metric_name: str
    value: JsonValue
    tags: Mapping[str, str] = attrs.field(factory=dict)
    dryrun: bool | None = None
    internal: bool = False


def read_feedback_request(body: bytes) -> FeedbackRequest:
    """The request that `body` holds. Raises Malformed with every problem and its path."""
    return FeedbackRequest(**attrs.asdict(_STRUCTURER.read(body, _Body), recurse=False))


@attrs.frozen(kw_only=True)
class _Body:
    inference_id: _TargetId | None = None
    episode_id: _TargetId | None = None
    metric_name: str
    value: Any
    tags: Mapping[str, str] = attrs.field(factory=dict)
    dryrun: bool | None = None
    internal: bool = False


def _feedback_structurer() -> Structurer:
    structurer = Structurer()
    structurer.hook(_TargetId, _target_id)
    return structurer


def _target_id(value: Any, _: Any) -> str:
    if type(value) is not str:
        raise Mismatch(describe_json(value), "a string, the UUID of an inference or episode")
    try:
        return parse_id(value)
    except BadId:
        wanted = "a UUID, such as 0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"
        raise Mismatch(describe_json(value), wanted) from None


_STRUCTURER = _feedback_structurer()

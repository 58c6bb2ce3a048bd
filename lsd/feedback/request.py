"""The body of `POST /feedback`, from bytes to a checked shape."""

from collections.abc import Mapping
from typing import Any

import attrs

from lsd.conversation import Id, JsonValue, Structurer, register_ids


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
    inference_id: Id | None = None
    episode_id: Id | None = None
    metric_name: str
    value: Any
    tags: Mapping[str, str] = attrs.field(factory=dict)
    dryrun: bool | None = None
    internal: bool = False


def _feedback_structurer() -> Structurer:
    structurer = Structurer()
    register_ids(structurer)
    return structurer


_STRUCTURER = _feedback_structurer()

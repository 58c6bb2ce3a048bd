"""The tags of feedback: which a sender may set, which LSD sets, and what three of them ask for."""

from collections.abc import Mapping

from lsd.conversation import BadId, describe_json, join_path, parse_id
from lsd.feedback.refusals import BadFeedback
from lsd.feedback.request import FeedbackRequest
from lsd.store import Verdict

RESERVED_PREFIX = "lsd::"

INTERNAL = "lsd::internal"
API_KEY = "lsd::api_key_public_id"
HUMAN_FEEDBACK = "lsd::human_feedback"
DATAPOINT = "lsd::datapoint_id"
EVALUATOR_INFERENCE = "lsd::evaluator_inference_id"


def check_tags(request: FeedbackRequest) -> None:
    """Raises BadFeedback for reserved tags, and for half of a judgement."""
    tags = request.tags
    if not request.internal:
        for key in tags:
            if key.startswith(RESERVED_PREFIX):
                reason = (
                    f"found a key with the reserved prefix {RESERVED_PREFIX}; wanted another key, "
                    "or `internal` with it"
                )
                raise BadFeedback(_path(key), reason)
    if DATAPOINT in tags and HUMAN_FEEDBACK in tags and EVALUATOR_INFERENCE not in tags:
        reason = f"missing; it is required beside {HUMAN_FEEDBACK} and {DATAPOINT}"
        raise BadFeedback(_path(EVALUATOR_INFERENCE), reason)
    verdict_of(tags)


def verdict_of(tags: Mapping[str, str]) -> Verdict | None:
    """What makes the entry a person's judgement of an evaluator's score, if all of it is there.

    Raises BadFeedback if an id among it is none.
    """
    if not {HUMAN_FEEDBACK, DATAPOINT, EVALUATOR_INFERENCE} <= tags.keys():
        return None
    return Verdict(
        datapoint_id=_id_in(tags, DATAPOINT),
        evaluator_inference_id=_id_in(tags, EVALUATOR_INFERENCE),
    )


def final_tags(request: FeedbackRequest, api_key_public_id: str | None) -> dict[str, str]:
    """The tags as they are stored: the sender's, and over them LSD's own."""
    tags = dict(request.tags)
    if request.internal:
        tags[INTERNAL] = "true"
    if api_key_public_id is not None:
        tags[API_KEY] = api_key_public_id
    return tags


def _id_in(tags: Mapping[str, str], key: str) -> str:
    try:
        return parse_id(tags[key])
    except BadId:
        raise BadFeedback(_path(key), f"found {describe_json(tags[key])}; wanted a UUID") from None


def _path(key: str) -> str:
    return join_path("tags", key)

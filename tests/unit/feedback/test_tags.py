"""Tags: whose they are, and what three of them mean together."""

from typing import Any

import pytest

from lsd.feedback import BadFeedback, FeedbackRequest
from lsd.feedback.tags import check_tags, final_tags, verdict_of
from lsd.store import Verdict

DATAPOINT = "0198e000-1111-7aaa-8bbb-0123456789ab"
JUDGE = "0198f3a2-6d21-7c4f-8e52-7b1d306f9c28"
JUDGEMENT = {
    "lsd::human_feedback": "true",
    "lsd::datapoint_id": DATAPOINT,
    "lsd::evaluator_inference_id": JUDGE,
}


def request(tags: dict[str, str], **changes: Any) -> FeedbackRequest:
    """A request with these tags."""
    return FeedbackRequest(metric_name="solved", value=True, tags=tags, **changes)


def test_free_tags_need_nothing() -> None:
    """Tags are not interpreted."""
    check_tags(request({"channel": "mail", "": "", "LSD::x": "1", "lsd:x": "1"}))


# case 11
def test_a_reserved_tag_is_for_tools_only() -> None:
    """Without `internal`, a key with the reserved prefix is refused by its name."""
    with pytest.raises(BadFeedback, match=r'tags\."lsd::x": .*reserved prefix'):
        check_tags(request({"channel": "mail", "lsd::x": "1"}))

    check_tags(request({"lsd::x": "1"}, internal=True))


# case 11
def test_internal_feedback_is_marked() -> None:
    """A reader can tell what tools wrote."""
    tags = final_tags(request({"lsd::x": "1"}, internal=True), None)

    assert tags == {"lsd::x": "1", "lsd::internal": "true"}


def test_the_key_that_was_used_wins_over_the_one_that_was_told() -> None:
    """Nobody can send feedback in the name of another."""
    told = request({"lsd::api_key_public_id": "mallory"}, internal=True)

    assert final_tags(told, "alice")["lsd::api_key_public_id"] == "alice"
    assert final_tags(told, None)["lsd::api_key_public_id"] == "mallory"
    assert final_tags(request({}), None) == {}


def test_a_judgement_has_three_tags() -> None:
    """Then the ids are known; in any form in which ids come."""
    digits = JUDGE.replace("-", "")
    tags = JUDGEMENT | {"lsd::evaluator_inference_id": f"chatcmpl-{digits}"}

    assert verdict_of(tags) == Verdict(datapoint_id=DATAPOINT, evaluator_inference_id=JUDGE)


@pytest.mark.parametrize("missing", ["lsd::human_feedback", "lsd::datapoint_id"])
def test_less_than_that_is_no_judgement(missing: str) -> None:
    """The tags are stored, and mean nothing more."""
    tags = {key: value for key, value in JUDGEMENT.items() if key != missing}

    check_tags(request(tags, internal=True))

    assert verdict_of(tags) is None


def test_a_person_who_judges_a_datapoint_must_name_the_judge() -> None:
    """A judgement without the evaluator's inference could not be reused."""
    tags = {"lsd::human_feedback": "", "lsd::datapoint_id": "anything"}

    with pytest.raises(BadFeedback, match=r'tags\."lsd::evaluator_inference_id": missing'):
        check_tags(request(tags, internal=True))


@pytest.mark.parametrize("key", ["lsd::datapoint_id", "lsd::evaluator_inference_id"])
def test_the_ids_of_a_judgement_are_ids(key: str) -> None:
    """The message names the tag and shows what it held."""
    with pytest.raises(BadFeedback, match=rf'tags\."{key}": found "seven"; wanted a UUID'):
        check_tags(request(JUDGEMENT | {key: "seven"}, internal=True))

"""What people read when feedback is not taken."""

from lsd.conversation import LsdError
from lsd.feedback import BadFeedback, NotStored, UnknownFunction, UnknownMetric


def test_a_refusal_says_what_is_wrong_and_what_would_be_right() -> None:
    """Each sentence can be read without the code."""
    refusals: dict[LsdError, str] = {
        BadFeedback("value", "found 3; wanted true"): "value: found 3; wanted true",
        UnknownMetric("speed"): (
            "metric_name: found 'speed'; wanted the name of a configured metric, "
            "'comment' or 'demonstration'"
        ),
        UnknownFunction("gone"): (
            "inference_id: found an inference of the function 'gone', which is not "
            "configured; wanted one of a configured function for a demonstration"
        ),
        NotStored("the disk is full"): "the feedback was not stored: the disk is full",
    }

    for refusal, sentence in refusals.items():
        assert str(refusal) == sentence

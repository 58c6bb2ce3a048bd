"""Why a request gets no answer, as its caller is told."""

import pytest

from lsd.conversation import LsdError
from lsd.inference import BadRequest, InferenceFailed, UnknownName
from lsd.inference.refusals import VariantFailed


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (BadRequest("tags", "found 5; wanted an object"), "tags: found 5; wanted an object"),
        (
            UnknownName("function_name", "function", "chta"),
            "function_name: found 'chta'; wanted the name of a configured function",
        ),
        (InferenceFailed("providers", 'variant "v": no'), 'variant "v": no'),
        (VariantFailed("template", "there is no template 't'"), "there is no template 't'"),
    ],
    ids=["bad request", "unknown name", "inference", "variant"],
)
def test_a_refusal_tells_where_and_what(refusal: LsdError, told: str) -> None:
    """Every refusal is one sentence: the place, what was found, what would be right."""
    assert str(refusal) == told


def test_who_asked_for_no_wait_is_not_waited_for() -> None:
    """A failure whose providers say nothing of waiting says nothing of it either."""
    assert InferenceFailed("timeout", "too slow").retry_after_s is None

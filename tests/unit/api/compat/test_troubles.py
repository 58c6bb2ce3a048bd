"""What clients of compatible endpoints are told of errors on this side of the providers."""

import pytest

from lsd.access import NotAuthenticated
from lsd.api.bodies import BodyTooLarge, CodingBroken, CodingUnknown
from lsd.api.compat.conditions import Condition
from lsd.api.compat.troubles import (
    MediaTypeUnknown,
    UnknownModel,
    Unsupported,
    UnusableAnswer,
    trouble_of,
)
from lsd.api.errors import Refused
from lsd.conversation import LsdError, Malformed, Problem
from lsd.inference import BadRequest, InferenceFailed
from lsd.store import StoreFull


@pytest.mark.parametrize(
    ("error", "condition", "param"),
    [
        (Malformed((Problem("a[0].b", "no"), Problem("c", "no"))), Condition.MALFORMED, "a[0].b"),
        (Malformed((Problem("", "no"),)), Condition.MALFORMED, None),
        (BadRequest("model", "no"), Condition.MALFORMED, "model"),
        (Unsupported("n", "no"), Condition.UNSUPPORTED, "n"),
        (UnusableAnswer("one", "no", "0199"), Condition.UPSTREAM, None),
        (UnknownModel("x"), Condition.UNKNOWN_MODEL, "model"),
        (NotAuthenticated("no"), Condition.NO_KEY, None),
        (CodingBroken("gzip"), Condition.MALFORMED, None),
        (CodingUnknown("zstd"), Condition.MEDIA_TYPE, None),
        (MediaTypeUnknown("text/plain"), Condition.MEDIA_TYPE, None),
        (BodyTooLarge(1), Condition.TOO_LARGE, None),
        (Refused(403, "no"), Condition.DENIED, None),
        (Refused(404, "no"), Condition.UNKNOWN_PATH, None),
        (Refused(405, "no"), Condition.WRONG_METHOD, None),
        (Refused(418, "no"), Condition.BUG, None),
        (InferenceFailed("nothing_to_try", "no"), Condition.UPSTREAM, None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, LsdError) else None,
)
def test_each_error_is_one_condition(
    error: LsdError, condition: Condition, param: str | None
) -> None:
    """The field is named where there is one, in the message always."""
    trouble = trouble_of(error)

    assert trouble is not None
    assert (trouble.condition, trouble.param) == (condition, param)
    assert trouble.message == str(error)


def test_a_store_that_is_full_may_not_stay_so() -> None:
    """Clients are told to come back."""
    trouble = trouble_of(StoreFull("data", "disk", 0))

    assert trouble is not None
    assert trouble.condition is Condition.UNAVAILABLE
    assert trouble.retry_after_s is not None


def test_what_libraries_may_help_themselves_by_is_handed_on() -> None:
    """A word that is more exact than the type."""
    trouble = trouble_of(Unsupported("thread", "no", {"error_code": "x"}))

    assert trouble is not None
    assert trouble.details == {"error_code": "x"}


def test_a_bug_is_no_trouble_of_the_clients() -> None:
    """It is told by an id."""
    assert trouble_of(KeyError("secret")) is None
    assert trouble_of(LsdError()) is None

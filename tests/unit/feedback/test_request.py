"""The shape of a feedback request."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsd.conversation import Malformed, encode_json
from lsd.feedback import FeedbackRequest, read_feedback_request

AN_ID = "0198f3a2-5c10-7b3e-9d41-6a0c2f5e8b17"
DIGITS = AN_ID.replace("-", "")


def problems_of(body: bytes) -> list[str]:
    """What is wrong with a body, in the order in which it is told."""
    with pytest.raises(Malformed) as caught:
        read_feedback_request(body)
    return [str(problem) for problem in caught.value.problems]


def body(**changes: Any) -> bytes:
    """A good body with changes."""
    return encode_json({"inference_id": AN_ID, "metric_name": "solved", "value": True} | changes)


def test_a_request_needs_little() -> None:
    """A metric, a value and an id are enough."""
    assert read_feedback_request(body()) == FeedbackRequest(
        inference_id=AN_ID, metric_name="solved", value=True
    )


@pytest.mark.parametrize("written", [AN_ID, AN_ID.upper(), f"chatcmpl-{DIGITS}", f"msg_{DIGITS}"])
@pytest.mark.parametrize("field", ["inference_id", "episode_id"])
def test_an_id_may_come_in_any_form_in_which_it_was_given_out(field: str, written: str) -> None:
    """The ids of the compatible endpoints stand for the same UUID."""
    request = read_feedback_request(body(**{field: written}))

    assert getattr(request, field) == AN_ID


@pytest.mark.parametrize("found", ["", "x", f"msg_{DIGITS}0", f"chatcmpl-{DIGITS[:31]}", DIGITS])
def test_an_id_that_is_none_is_told_with_its_path(found: str) -> None:
    """A text with one digit too many or too few is not an id."""
    (problem,) = problems_of(body(episode_id=found))

    assert problem.startswith("episode_id: found ")
    assert "wanted a UUID" in problem


def test_null_counts_as_absent_for_ids_and_dryrun() -> None:
    """Clients that write out unset fields are understood."""
    request = read_feedback_request(body(inference_id=AN_ID, episode_id=None, dryrun=None))

    assert request.episode_id is None
    assert not request.dryrun


def test_a_null_value_is_a_value_and_a_missing_one_is_malformed() -> None:
    """Whether null is right depends on the metric; without any value there is nothing to store."""
    request = read_feedback_request(body(value=None))
    missing = encode_json({"inference_id": AN_ID, "metric_name": "solved"})

    assert request.value is None
    assert problems_of(missing) == ["value: missing; it is required"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"tags": None}, "tags: found null; wanted an object"),
        ({"tags": {"n": 1}}, "tags.n: found 1; wanted a string"),  # case 12
        ({"internal": None}, "internal: found null; wanted true or false"),
        ({"dryrun": "true"}, 'dryrun: found "true"; wanted true or false'),
        ({"metric_name": 3}, "metric_name: found 3; wanted a string"),
        ({"inference_id": 3}, "inference_id: found 3; wanted a string, a UUID"),
        ({"metric_nam": "solved"}, "metric_nam: unknown key; did you mean metric_name?"),
    ],
)
def test_a_wrong_field_is_named_with_what_was_expected(
    changes: dict[str, Any], problem: str
) -> None:
    """Nothing is converted, and nothing unknown is passed over."""
    (told,) = problems_of(body(**changes))

    assert told.startswith(problem)


def test_all_problems_are_told_at_once() -> None:
    """Nobody mends a request one error at a time."""
    told = problems_of(b'{"tags": {"a": 1, "b": 2}, "episode_id": "x", "velue": 1}')

    paths = {problem.split(":")[0] for problem in told}
    assert paths == {"tags.a", "tags.b", "episode_id", "velue", "value", "metric_name"}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400])
def test_a_number_that_is_none_is_malformed_json(number: str) -> None:
    """What JSON does not know, or binary64 cannot hold, never gets as far as a metric."""
    text = f'{{"inference_id": "{AN_ID}", "metric_name": "rating", "value": {number}}}'

    (problem,) = problems_of(text.encode())

    assert problem.startswith("the body is not JSON: ")


@settings(deadline=None)
@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Nothing that arrives makes the reader fail in another way."""
    with suppress(Malformed):
        read_feedback_request(body)


TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    ["inference_id", "episode_id", "metric_name", "value", "tags", "dryrun", "internal", "other"]
)


@settings(deadline=None)
@given(st.dictionaries(FIELDS, JSON))
def test_any_object_is_read_or_refused(fields: dict[str, Any]) -> None:
    """Whatever the fields hold, the answer is a request or a list of problems."""
    with suppress(Malformed):
        read_feedback_request(encode_json(fields))

"""The shapes of a submission, and what is kept of a row."""

import pytest

from lsd.batches import BadSubmission, read_submission
from lsd.batches.submission import check_fit, secrets_of, without_secrets
from lsd.conversation import Malformed, encode_json
from lsd.inference import BadRequest, structure_inference_request


@pytest.mark.parametrize(
    "body", [[{}, {}], {"requests": [{}, {}]}, {"inferences": [{}, {}]}, {"params": [{}, {}]}]
)
def test_rows_have_four_forms(body: object) -> None:
    """All mean the same."""
    submission = read_submission(encode_json(body), 2)

    assert (submission.shape, submission.rows) == ("rows", [{}, {}])


def test_columns_are_told_by_their_inputs() -> None:
    """With `params` as an object."""
    submission = read_submission(b'{"inputs":[{}],"params":{}}', 1)

    assert (submission.shape, submission.rows) == ("columns", [{"input": {}}])


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"[]", "no inputs"),
        (b"{}", "no inputs"),
        (b'{"inputs":[]}', "no inputs"),
        (b"5", "found 5"),
        (b'{"inputs":[{}],"requests":[]}', "`inputs`, `requests`"),
        (b'{"requests":[{}],"inferences":[{}]}', "`requests`, `inferences`"),
        (b'{"requests":[{}],"tags":[]}', "tags: unknown key beside `requests`"),
        (b"[{},{},{}]", "found 3 items; wanted at most gateway.batch_inference.max_items = 2"),
    ],
)
def test_everything_else_is_refused(body: bytes, told: str) -> None:
    """And told what would be right."""
    with pytest.raises(BadSubmission) as refusal:
        read_submission(body, 2)

    assert told in str(refusal.value)


def test_what_is_not_json_is_malformed() -> None:
    """As for all endpoints."""
    with pytest.raises(Malformed, match="not JSON"):
        read_submission(b"{", 1)


def test_credentials_are_not_stored() -> None:
    """Nor headers; the cache is written unless the row says what it wants."""
    row = {"input": {}, "credentials": {"k": "v"}, "extra_headers": [{"name": "a", "value": "b"}]}

    assert without_secrets(row) == {"input": {}, "cache_options": {"enabled": "write_only"}}
    assert secrets_of(row) == {
        "credentials": row["credentials"],
        "extra_headers": row["extra_headers"],
    }
    assert secrets_of({"credentials": {}, "extra_headers": []}) == {}
    asked = {"cache_options": {"enabled": "on", "max_age_s": 5}}
    assert without_secrets(asked) == asked


@pytest.mark.parametrize(
    "field",
    ["stream", "dryrun", "include_original_response", "include_raw_usage"],
)
def test_some_flags_have_no_place_in_a_batch(field: str) -> None:
    """True is refused by name."""
    fit = structure_inference_request({"input": {}, field: False})
    unfit = structure_inference_request({"input": {}, field: True})

    check_fit(fit)
    with pytest.raises(BadRequest, match=field):
        check_fit(unfit)


def test_no_variant_can_be_brought_along() -> None:
    """There is no dry run that it could be for."""
    request = structure_inference_request({"input": {}, "internal_dynamic_variant_config": {}})

    with pytest.raises(BadRequest, match="internal_dynamic_variant_config"):
        check_fit(request)

"""Whole messages from Bedrock, as it really sends them, become responses or failures."""

import pytest

from lsd.conversation import AttemptFailed
from tests.unit.providers.recorded import Fixture, fixtures, shown_failure, shown_response


@pytest.mark.parametrize("fixture", fixtures("answers", ("aws_bedrock",)))
def test_an_answer_means_what_the_fixture_says(fixture: Fixture) -> None:
    """Content, counts, stop reasons and errors: each recorded body gives its neutral result."""
    dialect = fixture.dialect()

    if "failure" not in fixture.expected:
        response = dialect.decode(fixture.status, fixture.headers, fixture.wire)
        assert shown_response(response) == fixture.expected
        return

    with pytest.raises(AttemptFailed) as failed:
        dialect.decode(fixture.status, fixture.headers, fixture.wire)
    assert shown_failure(failed.value) == fixture.expected["failure"]
    assert failed.value.raw_response == fixture.wire.decode()

"""Every dialect offers the same, and holds no state between calls."""

import pytest

from lsd.conversation import NO_EDITS, AttemptFailed
from tests.unit.providers.recorded import CREDENTIALS, PROVIDERS, make_dialect, request


@pytest.mark.parametrize("provider_type", PROVIDERS)
def test_a_dialect_is_the_same_after_a_failure(provider_type: str) -> None:
    """What one call met does not show in the next."""
    dialect = make_dialect(provider_type)
    asked = request()
    before = dialect.encode(asked, CREDENTIALS, NO_EDITS)

    with pytest.raises(AttemptFailed):
        dialect.decode(500, {}, b"")
    with pytest.raises(AttemptFailed):
        dialect.stream_decoder(500, {}).finish(cut=False)

    assert dialect.encode(asked, CREDENTIALS, NO_EDITS) == before
    assert dialect.provider_type == provider_type

"""Every dialect of embeddings offers the same, and holds no state between calls."""

import pytest

from lsd.conversation import NO_EDITS, AttemptFailed, EmbeddingRequest
from tests.unit.providers.test_openai_embeddings import TYPES, dialect

ASKED = EmbeddingRequest(inputs=("a",))


@pytest.mark.parametrize("kind", TYPES)
def test_a_dialect_is_the_same_after_a_failure(kind: str) -> None:
    """What one call met does not show in the next."""
    asked = dialect(kind)
    before = asked.encode(ASKED, {"api_key": "k"}, NO_EDITS)

    with pytest.raises(AttemptFailed):
        asked.decode(500, {}, b"", count=1)

    assert asked.encode(ASKED, {"api_key": "k"}, NO_EDITS) == before
    assert (asked.provider_type, asked.api_type) == (kind, "embeddings")

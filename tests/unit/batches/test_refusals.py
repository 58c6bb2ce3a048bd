"""What callers are told."""

import pytest

from lsd.batches import (
    BadSubmission,
    ItemRefused,
    NotConfiguredAnyMore,
    RecordsAreOff,
    UnknownBatch,
    UnknownItem,
)
from lsd.conversation import LsdError
from lsd.inference import BadRequest


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (BadSubmission("tags", "found 1"), ["tags: found 1"]),
        (BadSubmission("", "found 1"), ["found 1"]),
        (ItemRefused(7, BadRequest("input", "bad")), ["7: input: bad"]),
        (RecordsAreOff(), ["gateway.observability.enabled", "need observability"]),
        (UnknownBatch("b"), ["'b'", "wanted the id of a batch"]),
        (UnknownItem("b", "i"), ["'i'", "of batch b"]),
        (NotConfiguredAnyMore("function", "f"), ["function 'f'", "not configured any more"]),
    ],
)
def test_errors_name_what_was_found(error: LsdError, words: list[str]) -> None:
    """And what would be right."""
    assert all(word in str(error) for word in words)

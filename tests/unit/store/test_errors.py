"""What the errors of the store say."""

import copy

import pytest

from lsd.conversation import LsdError
from lsd.store.errors import (
    AlreadyRecorded,
    StoreFailed,
    StoreFull,
    StoreRefused,
    UnknownTarget,
    WriteFailed,
    WriteRefused,
)

TOLD = [
    (StoreRefused("/d", "is not writable"), "/d: is not writable"),
    (
        StoreFull("/d", "max_map_size", 4096),
        "/d: the store is full at 4096 bytes; wanted a greater storage.max_map_size",
    ),
    (StoreFull("/d", "disk", 4096), "/d: the disk is full; wanted room for one more commit"),
    (StoreFailed("/d", "input/output error"), "/d: input/output error"),
    (WriteFailed("the writer is closed"), "the write was not stored: the writer is closed"),
    (UnknownTarget("episode", "0198"), "episode 0198: not found in the store"),
    (AlreadyRecorded("0198"), "0198: a record with this id is in the store already"),
]


@pytest.mark.parametrize(("error", "text"), TOLD, ids=lambda value: type(value).__name__)
def test_an_error_says_where_and_what(error: LsdError, text: str) -> None:
    """Each error makes its own sentence, and survives a copy."""
    assert str(error) == text
    assert str(copy.copy(error)) == text


def test_refusals_of_writes_are_told_apart() -> None:
    """What a write itself refuses is not a failure of the store."""
    assert issubclass(UnknownTarget, WriteRefused)
    assert issubclass(AlreadyRecorded, WriteRefused)
    assert not issubclass(StoreFull, WriteRefused)

"""What the store raises: refused at the start, full, failed, or a write that may not happen."""

from typing import Literal

import attrs

from lsd.conversation import LsdError


@attrs.frozen
class StoreRefused(LsdError):
    """The folder cannot serve as a store; nothing was opened."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


@attrs.frozen
class StoreInUse(StoreRefused):
    """Another server has the folder; the reason names its process."""


@attrs.frozen
class StoreFull(LsdError):
    """There is no room for a write; nothing of it is stored. Reads go on."""

    path: str
    bound: Literal["max_map_size", "disk"]
    bytes_max: int

    def __str__(self) -> str:
        if self.bound == "disk":
            return f"{self.path}: the disk is full; wanted room for one more commit"
        return (
            f"{self.path}: the store is full at {self.bytes_max} bytes; "
            "wanted a greater storage.max_map_size"
        )


@attrs.frozen
class StoreFailed(LsdError):
    """The engine could not do its work for a reason other than room: a device, damage, a bug."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


@attrs.frozen
class WriteFailed(LsdError):
    """A write was not stored, and nothing of it is in the store."""

    reason: str

    def __str__(self) -> str:
        return f"the write was not stored: {self.reason}"


class WriteRefused(LsdError):
    """What a write asks for may not be done.

    Raised by a write before it has put anything, so that its neighbours in the same commit need
    not be taken back.
    """


@attrs.frozen
class UnknownTarget(WriteRefused):
    """Feedback is about something that the store does not hold."""

    target_type: Literal["inference", "episode"]
    target_id: str

    def __str__(self) -> str:
        return f"{self.target_type} {self.target_id}: not found in the store"


@attrs.frozen
class UnknownDatapoint(WriteRefused):
    """A change is for a datapoint that is not there, not live, or in another dataset."""

    dataset_name: str
    id: str

    def __str__(self) -> str:
        found = f"datapoint {self.id}: not found in the dataset {self.dataset_name!r}"
        return f"{found}; wanted one that is neither deleted nor replaced by a newer version"


@attrs.frozen
class AlreadyRecorded(WriteRefused):
    """A record with this id is in the store; records are written once."""

    id: str

    def __str__(self) -> str:
        return f"{self.id}: a record with this id is in the store already"

"""The row that counts the inferences of a variant."""

import attrs

from lsd.store.layout import COUNT_AND_ID, ID_MIN


@attrs.define(eq=False)
class VariantCounter:
    """How many there are, and the last of them; one process may count below zero."""

    count: int = 0
    last: bytes = ID_MIN

    @classmethod
    def read(cls, row: bytes | None) -> "VariantCounter":
        """The inverse of `encode`."""
        return cls() if row is None else cls(*COUNT_AND_ID.unpack(row))

    def encode(self) -> bytes:
        """The row as it is stored."""
        return COUNT_AND_ID.pack(self.count, self.last)

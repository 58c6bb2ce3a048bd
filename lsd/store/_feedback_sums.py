"""The row that sums up the feedback of one metric on one variant: entries, and latest values."""

from typing import Any

import attrs

from lsd.conversation import encode_json, reread_json
from lsd.store.moments import EMPTY, ExactSum, Moments


@attrs.define(eq=False)
class FeedbackSums:
    """How many entries there are, and the moments of the latest value of each target."""

    entries: int = 0
    moments: Moments = EMPTY

    @classmethod
    def read(cls, row: bytes | None) -> "FeedbackSums":
        """The inverse of `encode`."""
        if row is None:
            return cls()
        fields: dict[str, Any] = reread_json(row)
        moments = Moments(
            fields["targets"], ExactSum.decode(fields["sum"]), ExactSum.decode(fields["squares"])
        )
        return cls(fields["entries"], moments)

    def encode(self) -> bytes | None:
        """The row as it is stored; None if there is nothing in it."""
        moments = self.moments
        fields = {
            "entries": self.entries,
            "targets": moments.count,
            "sum": moments.sum.encode(),
            "squares": moments.squares.encode(),
        }
        is_empty = not (self.entries or moments.count or moments.squares.mantissa)
        return None if is_empty else encode_json(fields)

    def merge(self, other: "FeedbackSums") -> None:
        """Adds what another process has counted."""
        self.entries += other.entries
        self.moments = self.moments.merged(other.moments)

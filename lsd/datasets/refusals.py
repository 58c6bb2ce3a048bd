"""Why a change of a dataset is not made, where it is nobody's mistake."""

import attrs

from lsd.conversation import LsdError


@attrs.frozen
class DatasetUnchanged(LsdError):
    """The store could not keep a change, and nothing of it is stored."""

    reason: str

    def __str__(self) -> str:
        return f"nothing was stored, the dataset is unchanged: {self.reason}"

"""Why a command did not do what it was asked."""

import attrs

from lsd.conversation import LsdError


@attrs.frozen
class CommandFailed(LsdError):
    """A command cannot do what it was asked; the sentence tells why."""

    reason: str

    def __str__(self) -> str:
        return self.reason

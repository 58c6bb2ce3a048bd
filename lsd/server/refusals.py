"""Why the daemon does not start."""

import attrs

from lsd.conversation import LsdError


@attrs.frozen
class StartRefused(LsdError):
    """Something that the daemon needs is not to be had; the sentence tells what, and what helps."""

    reason: str

    def __str__(self) -> str:
        return self.reason

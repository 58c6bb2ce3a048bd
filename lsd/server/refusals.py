"""Why the daemon does not start, or does not take another configuration."""

import attrs

from lsd.conversation import LsdError


@attrs.frozen
class StartRefused(LsdError):
    """Something that the daemon needs is not to be had; the sentence tells what, and what helps."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@attrs.frozen
class ReloadRefused(LsdError):
    """A configuration cannot be put in force; nothing has changed."""

    reason: str

    def __str__(self) -> str:
        return self.reason

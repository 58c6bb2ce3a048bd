"""Why feedback is not taken: its sender's doing, a name that is not configured, or the store's."""

import attrs

from lsd.conversation import LsdError


@attrs.frozen
class BadFeedback(LsdError):
    """The request breaks a rule; `where` is the path of the field."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


@attrs.frozen
class UnknownMetric(LsdError):
    """The request names a metric that is not configured."""

    name: str

    def __str__(self) -> str:
        return (
            f"metric_name: found {self.name!r}; wanted the name of a configured metric, "
            "'comment' or 'demonstration'"
        )


@attrs.frozen
class UnknownFunction(LsdError):
    """A demonstration is for an inference of a function that is no longer configured."""

    name: str

    def __str__(self) -> str:
        return (
            f"inference_id: found an inference of the function {self.name!r}, which is not "
            "configured; wanted one of a configured function for a demonstration"
        )


@attrs.frozen
class NotStored(LsdError):
    """The store could not keep the entry, and nothing of it is stored."""

    reason: str

    def __str__(self) -> str:
        return f"the feedback was not stored: {self.reason}"

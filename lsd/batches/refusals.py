"""Why a submission is not taken, a batch is not found, or an item cannot run any more."""

import attrs

from lsd.conversation import LsdError


@attrs.frozen
class BadSubmission(LsdError):
    """The body of a submission breaks a rule that is not about one item."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}" if self.where else self.reason


@attrs.frozen
class ItemRefused(LsdError):
    """One item is wrong, and with it the whole submission; `refusal` is what alone it would get."""

    index: int
    refusal: LsdError

    def __str__(self) -> str:
        return f"{self.index}: {self.refusal}"


@attrs.frozen
class RecordsAreOff(LsdError):
    """There is nowhere to keep a batch."""

    def __str__(self) -> str:
        return (
            "batches: gateway.observability.enabled is false; "
            "batches need observability, which keeps their results"
        )


@attrs.frozen
class BatchNotStored(LsdError):
    """The store could not keep a batch, and nothing of it is stored."""

    reason: str

    def __str__(self) -> str:
        return f"nothing was accepted, the batch could not be stored: {self.reason}"


@attrs.frozen
class NativeStartsFailed(LsdError):
    """No provider has taken a part of the batch as a job, and LSD was not to run it itself.

    `causes` tell of each that was asked, in order.
    """

    causes: tuple[str, ...]

    def __str__(self) -> str:
        return f"batch not started: {'; '.join(self.causes)}"


@attrs.frozen
class UnknownBatch(LsdError):
    """There is no batch with this id."""

    batch_id: str

    def __str__(self) -> str:
        return f"batch_id: found {self.batch_id!r}; wanted the id of a batch"


@attrs.frozen
class UnknownItem(LsdError):
    """The batch has no such inference."""

    batch_id: str
    inference_id: str

    def __str__(self) -> str:
        return (
            f"inference_id: found {self.inference_id!r}; "
            f"wanted the id of an inference of batch {self.batch_id}"
        )


@attrs.frozen
class NotConfiguredAnyMore(LsdError):
    """What an item was submitted for has gone from the configuration, or is another thing now."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r}: not configured any more as it was at the submission"


@attrs.frozen
class CredentialsLost(LsdError):
    """What an item or a job had been given to be used for it alone was in memory, and is gone."""

    def __str__(self) -> str:
        return "credentials: per-request credentials do not survive a restart"

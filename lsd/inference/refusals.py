"""Why a request gets no answer: it was wrong, or what it asked for failed."""

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from lsd.conversation import AttemptFailed, LsdError

FailureCause = Literal[
    "providers",
    "timeout",
    "rendering",
    "template",
    "unfit",
    "candidates",
    "examples",
    "nothing_to_try",
    "rate_limit",
    "limits_unavailable",
    "function",
]
"""`unfit`: the type of variant cannot do what the request asks for; `candidates`: all of those that
a variant runs have failed; `examples`: those that a variant shows cannot be used."""


CAUSES_BY_LIMITS: Mapping[str, FailureCause] = {
    "own_limit": "rate_limit",
    "limits_unavailable": "limits_unavailable",
}
"""Of failed attempts, by their kind: these decide about an answer in whatever they happen last."""


@attrs.frozen
class BadRequest(LsdError):
    """The request breaks a rule; `where` is the path of the field."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


@attrs.frozen
class UnknownName(LsdError):
    """The request names something that is not configured."""

    where: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.where}: found {self.name!r}; wanted the name of a configured {self.kind}"


@attrs.frozen
class ProviderFailure:
    """Why one call of one provider gave no answer."""

    model: str
    provider: str
    failure: AttemptFailed


@attrs.define(eq=False)
class InferenceFailed(LsdError):
    """All that could be tried for a well-formed request has failed.

    `pinned`: the caller had fixed the variant. `raw_response` holds the entries of the bodies
    that failed calls had received, for callers who asked for them. `tree` tells the causes as
    nested objects: variants, models, tries, providers. `failures` are those of the providers, in
    the order in which they were asked.
    """

    cause: FailureCause
    text: str
    pinned: bool = False
    inference_id: str | None = None
    episode_id: str | None = None
    raw_response: list[dict[str, Any]] = attrs.Factory(list)
    tree: list[dict[str, Any]] = attrs.Factory(list)
    failures: tuple[ProviderFailure, ...] = ()

    @property
    def retry_after_s(self) -> float | None:
        """Seconds after which the first of the providers may answer; None if none has said so.

        Where a limit of LSD's own has decided, seconds until it would let the call pass, None for
        never.
        """
        if self.cause == "rate_limit":
            refused = [each.failure for each in self.failures if each.failure.kind == "own_limit"]
            return refused[-1].retry_after_s if refused else None
        asked = (each.failure.retry_after_s for each in self.failures)
        return min((seconds for seconds in asked if seconds is not None), default=None)

    def __str__(self) -> str:
        return self.text


@attrs.define(eq=False)
class VariantFailed(LsdError):
    """One variant gave no answer; another may. `models` tells of each model that was asked."""

    cause: FailureCause
    text: str
    models: list[dict[str, Any]] = attrs.Factory(list)
    failures: tuple[ProviderFailure, ...] = ()

    def __str__(self) -> str:
        return self.text

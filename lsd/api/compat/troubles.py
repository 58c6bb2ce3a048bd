"""From errors to what clients of compatible endpoints are told."""

from collections.abc import Mapping

import attrs

from lsd.access import NotAuthenticated
from lsd.api.bodies import BodyTooLarge, CodingBroken, CodingUnknown
from lsd.api.compat.conditions import Condition, Trouble
from lsd.api.compat.failures import trouble_of_failures
from lsd.api.errors import Refused
from lsd.conversation import LsdError, Malformed
from lsd.inference import BadRequest, InferenceFailed
from lsd.store import StoreFailed, StoreFull


@attrs.frozen
class UnknownModel(LsdError):
    """The request names a model that does not exist."""

    name: str

    def __str__(self) -> str:
        return f"The model {self.name!r} does not exist here; the list of models tells which do"


@attrs.frozen
class Unsupported(LsdError):
    """The request wants something that the endpoint does not do; `where` is the field.

    `details` are words by which a client's library may help itself.
    """

    where: str
    reason: str
    details: Mapping[str, str] | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


@attrs.frozen
class UnusableAnswer(LsdError):
    """What a provider has answered cannot be said in the words of the endpoint."""

    provider: str
    reason: str
    inference_id: str

    def __str__(self) -> str:
        return f"{self.reason} [provider {self.provider}]"


@attrs.frozen
class MediaTypeUnknown(LsdError):
    """The body is said to be no JSON."""

    found: str

    def __str__(self) -> str:
        return f"content-type: found {self.found[:100]!r}; wanted application/json"


_CONDITIONS: dict[type[LsdError], Condition] = {
    NotAuthenticated: Condition.NO_KEY,
    CodingBroken: Condition.MALFORMED,
    BodyTooLarge: Condition.TOO_LARGE,
    CodingUnknown: Condition.MEDIA_TYPE,
    MediaTypeUnknown: Condition.MEDIA_TYPE,
    StoreFull: Condition.UNAVAILABLE,
    StoreFailed: Condition.UNAVAILABLE,
}

_REFUSED = {
    400: Condition.MALFORMED,
    403: Condition.DENIED,
    404: Condition.UNKNOWN_PATH,
    405: Condition.WRONG_METHOD,
    413: Condition.TOO_LARGE,
    503: Condition.UNAVAILABLE,
}

UNAVAILABLE_RETRY_S = 5.0
"""After a store that cannot commit, or a daemon that stops, another try makes sense soon."""


def trouble_of(error: Exception) -> Trouble | None:
    """What an expected error is to a client; None for a bug."""
    match error:
        case InferenceFailed():
            return trouble_of_failures(error)
        case Malformed():
            path = error.problems[0].path or None
            return Trouble(condition=Condition.MALFORMED, message=str(error), param=path)
        case BadRequest():
            return Trouble(
                condition=Condition.MALFORMED, message=str(error), param=error.where or None
            )
        case Unsupported():
            return Trouble(
                condition=Condition.UNSUPPORTED,
                message=str(error),
                param=error.where or None,
                details=error.details,
            )
        case UnusableAnswer():
            return Trouble(
                condition=Condition.UPSTREAM, message=str(error), inference_id=error.inference_id
            )
        case UnknownModel():
            return Trouble(condition=Condition.UNKNOWN_MODEL, message=str(error), param="model")
        case Refused():
            condition = _REFUSED.get(error.status, Condition.BUG)
        case _:
            found = _CONDITIONS.get(type(error)) if isinstance(error, LsdError) else None
            if found is None:
                return None
            condition = found
    retry_after_s = UNAVAILABLE_RETRY_S if condition is Condition.UNAVAILABLE else None
    return Trouble(condition=condition, message=str(error), retry_after_s=retry_after_s)

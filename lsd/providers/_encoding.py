"""One request on its way to one provider: what is said about it in the log and in refusals."""

from collections.abc import Iterable, Mapping
from typing import Generic, Protocol, TypeVar

import attrs

from lsd.conversation import NOTHING_DERIVED, UNSUPPORTED_CODE, AttemptFailed, ModelRequest
from lsd.telemetry import logger

log = logger(__name__)


class Addressee(Protocol):
    """One configured provider; the names are those in `lsd.toml`."""

    @property
    def provider_type(self) -> str: ...

    @property
    def model_name(self) -> str: ...

    @property
    def provider_name(self) -> str: ...


TargetT = TypeVar("TargetT", bound=Addressee)


@attrs.define(eq=False)
class EncodingFor(Generic[TargetT]):
    """One request that is being encoded for one target; warns of each thing once."""

    request: ModelRequest
    target: TargetT
    left_out: tuple[str, ...] = ()
    """What is not sent although it was asked for."""
    derived: Mapping[str, str] = NOTHING_DERIVED
    """Fields of the body that nobody has asked for, by name, with the parameters they stand for."""
    _told: frozenset[str] = frozenset()

    def leave_out(self, parameter: str, hint: str | None = None) -> None:
        """Warns that `parameter` is not sent; `hint` says why, or what would work."""
        if parameter not in self.left_out:
            self.left_out += (parameter,)
        self._warn("provider takes no such parameter", parameter, hint)

    def derive(self, fields: Iterable[str], parameter: str) -> None:
        """`fields` of the body stand for `parameter`, and nobody has asked for them."""
        self.derived = {**self.derived, **dict.fromkeys(fields, parameter)}

    def leave_out_wishes(self) -> None:
        """Warns of what only clients of other languages ask for, and most providers do not have."""
        for parameter in ("top_k", "user"):
            if getattr(self.request, parameter) is not None:
                self.leave_out(parameter)

    def alter(self, parameter: str, hint: str) -> None:
        """Warns that `parameter` is sent otherwise than it was asked for."""
        self._warn("provider takes the parameter in another form only", parameter, hint)

    def refusal(
        self, reason: str, *, shown: str | None = None, refused_field: str | None = None
    ) -> AttemptFailed:
        """The failure of a request that this provider cannot take; nothing was sent.

        `shown` is the text that was the reason, if there was one; `refused_field` its path in the
        request of a client.
        """
        text = f"{self.target.provider_type}: {reason}"
        return AttemptFailed(
            kind="config",
            text=text,
            code=UNSUPPORTED_CODE,
            refused_field=refused_field,
            raw_response=shown,
        )

    def _warn(self, event: str, parameter: str, hint: str | None) -> None:
        if parameter in self._told:
            return
        self._told |= {parameter}
        hints = {} if hint is None else {"hint": hint}
        log.warning(event, provider_type=self.target.provider_type, parameter=parameter, **hints)

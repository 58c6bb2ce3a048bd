"""What the log tells of calls that have failed, whether or not others have answered instead."""

from lsd.conversation import FailureKind
from lsd.inference.journal import ModelCall
from lsd.telemetry import logger

log = logger(__name__)

_NO_FAULT_OF_PROVIDERS: frozenset[FailureKind] = frozenset({"client_fault", "config", "timeout"})
"""Limits are set by those who run LSD, and requests made by others."""


def log_failed_call(call: ModelCall, kind: FailureKind) -> None:
    """A call is over without a whole answer. Who was refused by a limit of LSD's own is told so."""
    if kind == "own_limit":
        return
    tell = log.warning if kind in _NO_FAULT_OF_PROVIDERS else log.error
    tell(
        "call failed",
        model=call.model_name,
        provider=call.provider_name,
        kind=kind,
        reason=call.error,
    )

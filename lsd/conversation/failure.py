"""How a call of a provider fails: whose fault it was, and whether trying again may help."""

from typing import Literal

import attrs

from lsd.conversation.errors import LsdError

FailureKind = Literal[
    "client_fault",
    "auth",
    "quota",
    "rate_limited",
    "server",
    "generation",
    "transport",
    "timeout",
    "malformed",
    "config",
    "own_limit",
    "limits_unavailable",
]

TRANSIENT_KINDS = frozenset({"rate_limited", "server", "transport", "timeout", "malformed"})
"""A later call may well succeed. All others would burn time and quota for the same answer."""

UNSUPPORTED_CODE = "unsupported_value"
"""The `code` of a request that a provider cannot take; of kind `config`, as nothing was sent."""

MISSING_CREDENTIAL_CODE = "missing_credential"
"""The `code` of a request that should have brought its provider's credential along."""


@attrs.define(eq=False, kw_only=True)
class AttemptFailed(LsdError):
    """One call of one provider gave no usable answer; the next provider may.

    `text` is the sentence for people, `message` the provider's own within it. `status` is the
    provider's HTTP status, `code` its word for the error, `retry_after_s` what it asked to wait,
    `final` that it forbade to try again.
    `refused_field` is the path of what it cannot take in the request of a client.
    `final` that it forbade to try again. `resource` is what LSD's own limit has refused, and then
    `retry_after_s` when it will not any more, None for never.
    `raw_response` is the body it sent, if any; `raw_request` the body it was sent.
    """

    kind: FailureKind
    text: str
    message: str | None = None
    status: int | None = None
    code: str | None = None
    request_id: str | None = None
    retry_after_s: float | None = None
    final: bool = False
    refused_field: str | None = None
    resource: Literal["model_inference", "token", "cost"] | None = None
    raw_request: str | None = None
    raw_response: str | None = None

    @property
    def transient(self) -> bool:
        """Whether the same call may succeed a little later."""
        return not self.final and self.kind in TRANSIENT_KINDS

    def __str__(self) -> str:
        return self.text

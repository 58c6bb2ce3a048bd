"""What can go wrong for a client of a compatible endpoint, and what each API calls it.

The statuses decide which exception a client's library raises, the types and codes are what agents
branch on. Source: OpenAI's and Anthropic's pages on errors, and their Python libraries, autumn
2026.
"""

from collections.abc import Mapping
from enum import StrEnum, auto

import attrs


class Condition(StrEnum):
    """One kind of trouble, the same for both APIs."""

    MALFORMED = auto()
    UNSUPPORTED = auto()
    CONTEXT_TOO_LONG = auto()
    MISSING_CREDENTIAL = auto()
    NO_KEY = auto()
    DENIED = auto()
    UNKNOWN_MODEL = auto()
    UNKNOWN_PATH = auto()
    WRONG_METHOD = auto()
    TOO_LARGE = auto()
    MEDIA_TYPE = auto()
    OWN_LIMIT = auto()
    RATE_LIMITED = auto()
    OUT_OF_FUNDS = auto()
    OVERLOADED = auto()
    TIMEOUT = auto()
    UPSTREAM = auto()
    UPSTREAM_AUTH = auto()
    UNAVAILABLE = auto()
    BUG = auto()


@attrs.frozen(kw_only=True)
class Row:
    """How a condition is told: status, type and code at OpenAI, status and type at Anthropic.

    `may_be_mended`: the same request may be answered a little later.
    """

    openai: tuple[int, str, str | None]
    anthropic: tuple[int, str]
    may_be_mended: bool = True


_INVALID = "invalid_request_error"

ROWS: dict[Condition, Row] = {
    Condition.MALFORMED: Row(openai=(400, _INVALID, None), anthropic=(400, _INVALID)),
    Condition.UNSUPPORTED: Row(
        openai=(400, _INVALID, "unsupported_value"), anthropic=(400, _INVALID)
    ),
    Condition.CONTEXT_TOO_LONG: Row(
        openai=(400, _INVALID, "context_length_exceeded"), anthropic=(400, _INVALID)
    ),
    Condition.MISSING_CREDENTIAL: Row(
        openai=(400, _INVALID, "missing_credential"), anthropic=(400, _INVALID)
    ),
    Condition.NO_KEY: Row(
        openai=(401, _INVALID, "invalid_api_key"), anthropic=(401, "authentication_error")
    ),
    Condition.DENIED: Row(
        openai=(403, "permission_error", None), anthropic=(403, "permission_error")
    ),
    Condition.UNKNOWN_MODEL: Row(
        openai=(404, _INVALID, "model_not_found"), anthropic=(404, "not_found_error")
    ),
    Condition.UNKNOWN_PATH: Row(
        openai=(404, _INVALID, "unknown_url"), anthropic=(404, "not_found_error")
    ),
    Condition.WRONG_METHOD: Row(
        openai=(405, _INVALID, "method_not_allowed"), anthropic=(405, _INVALID)
    ),
    Condition.TOO_LARGE: Row(
        openai=(413, _INVALID, "request_too_large"), anthropic=(413, "request_too_large")
    ),
    Condition.MEDIA_TYPE: Row(
        openai=(415, _INVALID, "unsupported_media_type"), anthropic=(415, _INVALID)
    ),
    # OpenAI's type is the resource that has run out, which the trouble tells.
    Condition.OWN_LIMIT: Row(
        openai=(429, "requests", "rate_limit_exceeded"), anthropic=(429, "rate_limit_error")
    ),
    Condition.RATE_LIMITED: Row(
        openai=(429, "requests", "rate_limit_exceeded"), anthropic=(429, "rate_limit_error")
    ),
    Condition.OUT_OF_FUNDS: Row(
        openai=(429, "insufficient_quota", "insufficient_quota"),
        anthropic=(402, "billing_error"),
        may_be_mended=False,
    ),
    Condition.OVERLOADED: Row(
        openai=(503, "server_error", "overloaded"), anthropic=(529, "overloaded_error")
    ),
    Condition.TIMEOUT: Row(
        openai=(504, "server_error", "timeout"), anthropic=(504, "timeout_error")
    ),
    Condition.UPSTREAM: Row(
        openai=(502, "server_error", "upstream_error"), anthropic=(502, "api_error")
    ),
    # Never 401 or 403: clients would ask their users to sign in.
    Condition.UPSTREAM_AUTH: Row(
        openai=(502, "server_error", "upstream_auth"),
        anthropic=(502, "api_error"),
        may_be_mended=False,
    ),
    Condition.UNAVAILABLE: Row(
        openai=(503, "server_error", "unavailable"), anthropic=(503, "api_error")
    ),
    Condition.BUG: Row(
        openai=(500, "server_error", "internal_error"), anthropic=(500, "api_error")
    ),
}


@attrs.frozen(kw_only=True)
class Trouble:
    """What a client is told. `message` stands in both APIs' bodies.

    `param` is the path of the field, `code` a provider's own word and `resource` what has run out;
    only OpenAI's body has places for them. `details` are for Anthropic's. `retry_after_s` is how
    long to wait, where that is known. `inference_id` names the record.
    """

    condition: Condition
    message: str
    param: str | None = None
    code: str | None = None
    resource: str | None = None
    details: Mapping[str, str] | None = None
    retry_after_s: float | None = None
    inference_id: str | None = None

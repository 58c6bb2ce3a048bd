"""Failures of providers, as clients of compatible endpoints are told of them: which one decides."""

from collections.abc import Sequence

from lsd.api.compat.conditions import Condition, Trouble
from lsd.conversation import (
    MISSING_CREDENTIAL_CODE,
    TRANSIENT_KINDS,
    UNSUPPORTED_CODE,
    AttemptFailed,
    FailureKind,
    NotJson,
    decode_json,
)
from lsd.inference import InferenceFailed

CONTEXT_PHRASES = (
    "prompt is too long",
    "maximum context length",
    "context window",
    "exceed context limit",
    "input is too long",
)
"""How providers say that a conversation does not fit, in lower case. Agents shorten it then."""

_CONTEXT_CODE = "context_length_exceeded"

_CONDITIONS: dict[FailureKind, Condition] = {
    "rate_limited": Condition.RATE_LIMITED,
    "quota": Condition.OUT_OF_FUNDS,
    "auth": Condition.UPSTREAM_AUTH,
    "timeout": Condition.TIMEOUT,
    "own_limit": Condition.OWN_LIMIT,
    "limits_unavailable": Condition.UNAVAILABLE,
}
"""The kinds that say enough; a status or a code decides about the others."""

_STATUSES = {408: Condition.TIMEOUT, 503: Condition.OVERLOADED, 529: Condition.OVERLOADED}

_CODES = {
    UNSUPPORTED_CODE: Condition.UNSUPPORTED,
    MISSING_CREDENTIAL_CODE: Condition.MISSING_CREDENTIAL,
}

_PASSED_ON = {400: Condition.MALFORMED, 413: Condition.TOO_LARGE, 422: Condition.MALFORMED}
"""What a provider finds wrong with the request, the client has to hear as its own mistake."""

_WAITED_FOR = (Condition.RATE_LIMITED, Condition.OVERLOADED, Condition.OWN_LIMIT)

_MAY_HEAL = TRANSIENT_KINDS | {"own_limit", "limits_unavailable"}
"""Here, where nothing is tried again for the client, LSD's own limits are like those of others."""

_LIMITED = ("rate_limited", "own_limit")

_RESOURCES = {"model_inference": "requests", "token": "tokens", "cost": "cost"}
"""How OpenAI's errors name what has run out."""

_Named = tuple[str, AttemptFailed]


def condition_of(failure: AttemptFailed) -> Condition:
    """What one failure is to a client."""
    if _is_about_context(failure):
        return Condition.CONTEXT_TOO_LONG
    if failure.kind == "config":
        return _CODES.get(failure.code or "", Condition.UPSTREAM_AUTH)
    if failure.kind in ("client_fault", "generation"):
        return _PASSED_ON.get(failure.status or 0, Condition.UPSTREAM)
    if failure.kind == "server":
        return _STATUSES.get(failure.status or 0, Condition.UPSTREAM)
    return _CONDITIONS.get(failure.kind, Condition.UPSTREAM)


def trouble_of_failure(provider: str, failure: AttemptFailed) -> Trouble:
    """The trouble that the failure of one provider is."""
    return _trouble([(provider, failure)], provider, failure, failure.retry_after_s)


def trouble_of_failures(error: InferenceFailed) -> Trouble:
    """The trouble when all providers have failed.

    If a later try may help, the last failure of that kind is told, a rate limit before others that
    are only broken; else the last that the client can mend; else money, else credentials.
    """
    failures = [(each.provider, each.failure) for each in error.failures]
    if error.cause == "timeout":
        failures.append(("all", AttemptFailed(kind="timeout", text=str(error))))
    if not failures:
        return Trouble(
            condition=Condition.UPSTREAM, message=str(error), inference_id=error.inference_id
        )
    provider, failure = _deciding(failures)
    return _trouble(failures, provider, failure, error.retry_after_s, error.inference_id)


def _deciding(failures: Sequence[_Named]) -> _Named:
    transient = [each for each in failures if each[1].kind in _MAY_HEAL]
    if transient:
        last = transient[-1]
        if condition_of(last[1]) in (Condition.UPSTREAM, Condition.TIMEOUT):
            limited = [each for each in transient if each[1].kind in _LIMITED]
            return limited[-1] if limited else last
        return last

    def importance(each: _Named) -> int:
        condition = condition_of(each[1])
        return {Condition.UPSTREAM_AUTH: 0, Condition.OUT_OF_FUNDS: 1}.get(condition, 2)

    most = max(map(importance, failures))
    return [each for each in failures if importance(each) == most][-1]


def _trouble(
    failures: Sequence[_Named],
    provider: str,
    failure: AttemptFailed,
    retry_after_s: float | None,
    inference_id: str | None = None,
) -> Trouble:
    condition = condition_of(failure)
    param, code = _own_words(failure)
    if condition is Condition.CONTEXT_TOO_LONG:
        param, code = "messages", None
    if condition is Condition.OWN_LIMIT:
        retry_after_s = failure.retry_after_s
    return Trouble(
        condition=condition,
        message=_message(failures, provider, failure),
        param=param,
        code=code,
        resource=_RESOURCES.get(failure.resource or ""),
        retry_after_s=retry_after_s if condition in _WAITED_FOR else None,
        inference_id=inference_id,
    )


def _message(failures: Sequence[_Named], provider: str, failure: AttemptFailed) -> str:
    others = [
        f"{name} ({each.status or each.kind})" for name, each in failures if each is not failure
    ]
    also = f"; also failed: {', '.join(others)}" if others else ""
    return f"{failure.message or failure.text} [provider {provider}{also}]"


def _is_about_context(failure: AttemptFailed) -> bool:
    if failure.code == _CONTEXT_CODE:
        return True
    if failure.status not in (400, 413):
        return False
    text = (failure.message or failure.text).lower()
    return any(phrase in text for phrase in CONTEXT_PHRASES)


def _own_words(failure: AttemptFailed) -> tuple[str | None, str | None]:
    """`param` and `code` that the provider has named, as servers of OpenAI's kind do."""
    if failure.refused_field is not None:
        return failure.refused_field, None
    if failure.kind != "client_fault" or failure.raw_response is None:
        return None, None
    try:
        document = decode_json(failure.raw_response)
    except NotJson:
        return None, None
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return None, None
    param, code = error.get("param"), error.get("code")
    return (
        param if isinstance(param, str) else None,
        code if isinstance(code, str) else None,
    )

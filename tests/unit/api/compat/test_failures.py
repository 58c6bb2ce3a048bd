"""Which of several failures a client is told of, and as what."""

from typing import Any

import pytest

from lsd.api.compat.conditions import Condition
from lsd.api.compat.failures import condition_of, trouble_of_failure, trouble_of_failures
from lsd.conversation import AttemptFailed, FailureKind
from lsd.inference import FailureCause, InferenceFailed, ProviderFailure


def failed(kind: FailureKind, status: int | None = None, **more: Any) -> AttemptFailed:
    """A failure; its own words are its kind."""
    return AttemptFailed(**{"kind": kind, "text": kind, "status": status, **more})


LIMITED = failed("rate_limited", 429, retry_after_s=7.0)
TIMEOUT = failed("timeout")
BROKEN = failed("server", 500)
OVERLOADED = failed("server", 503)
WRONG = failed("client_fault", 400)
BROKE = failed("quota", 402)
LOCKED = failed("auth", 401)


def all_failed(*failures: AttemptFailed, cause: FailureCause = "providers") -> InferenceFailed:
    """The providers a, b, c … have failed in this way."""
    return InferenceFailed(
        cause,
        "all failed",
        inference_id="0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44",
        failures=tuple(
            ProviderFailure("m", name, failure)
            for name, failure in zip("abcdef", failures, strict=False)
        ),
    )


@pytest.mark.parametrize(
    ("failure", "condition"),
    [
        (LIMITED, Condition.RATE_LIMITED),
        (failed("own_limit"), Condition.OWN_LIMIT),
        (failed("limits_unavailable"), Condition.UNAVAILABLE),
        (BROKE, Condition.OUT_OF_FUNDS),
        (failed("quota", 429), Condition.OUT_OF_FUNDS),
        (LOCKED, Condition.UPSTREAM_AUTH),
        (TIMEOUT, Condition.TIMEOUT),
        (failed("server", 408), Condition.TIMEOUT),
        (failed("server", 409), Condition.UPSTREAM),
        (failed("server", 425), Condition.UPSTREAM),
        (BROKEN, Condition.UPSTREAM),
        (failed("server"), Condition.UPSTREAM),
        (OVERLOADED, Condition.OVERLOADED),
        (failed("server", 529), Condition.OVERLOADED),
        (failed("transport"), Condition.UPSTREAM),
        (failed("malformed"), Condition.UPSTREAM),
        (WRONG, Condition.MALFORMED),
        (failed("client_fault", 422), Condition.MALFORMED),
        (failed("client_fault", 413), Condition.TOO_LARGE),
        (failed("client_fault", 404), Condition.UPSTREAM),
        (failed("client_fault", 405), Condition.UPSTREAM),
        (failed("client_fault"), Condition.UPSTREAM),
        (failed("generation", 400), Condition.MALFORMED),
        (failed("generation", 424), Condition.UPSTREAM),
        (failed("config", code="unsupported_value"), Condition.UNSUPPORTED),
        (failed("config", code="missing_credential"), Condition.MISSING_CREDENTIAL),
        (failed("config"), Condition.UPSTREAM_AUTH),
        (failed("client_fault", 400, code="context_length_exceeded"), Condition.CONTEXT_TOO_LONG),
        (
            failed("client_fault", 400, message="This model's Maximum Context Length is 8"),
            Condition.CONTEXT_TOO_LONG,
        ),
        (
            failed("client_fault", 413, message="Prompt is too long: 9 > 8"),
            Condition.CONTEXT_TOO_LONG,
        ),
        (failed("server", 500, message="context window lost"), Condition.UPSTREAM),
    ],
    ids=str,
)
def test_each_failure_is_one_condition(failure: AttemptFailed, condition: Condition) -> None:
    """Kinds and statuses of providers become what clients' libraries know."""
    assert condition_of(failure) is condition


@pytest.mark.parametrize(
    ("failures", "condition", "message"),
    [
        ([BROKEN, WRONG], Condition.UPSTREAM, "server [provider a; also failed: b (400)]"),
        (
            [LIMITED, TIMEOUT],
            Condition.RATE_LIMITED,
            "rate_limited [provider a; also failed: b (timeout)]",
        ),
        ([LOCKED], Condition.UPSTREAM_AUTH, "auth [provider a]"),
        ([BROKEN, TIMEOUT], Condition.TIMEOUT, "timeout [provider b; also failed: a (500)]"),
        (
            [LIMITED, OVERLOADED],
            Condition.OVERLOADED,
            "server [provider b; also failed: a (429)]",
        ),
        (
            [WRONG, LOCKED, BROKE],
            Condition.MALFORMED,
            "client_fault [provider a; also failed: b (401), c (402)]",
        ),
        ([LOCKED, BROKE], Condition.OUT_OF_FUNDS, "quota [provider b; also failed: a (401)]"),
    ],
    ids=["5a", "5b", "5c", "last", "overload", "client", "money"],
)
def test_one_failure_decides(
    failures: list[AttemptFailed], condition: Condition, message: str
) -> None:
    """Case 5: what may pass counts before what is wrong, money and credentials come last."""
    trouble = trouble_of_failures(all_failed(*failures))

    assert (trouble.condition, trouble.message) == (condition, message)
    assert trouble.inference_id == "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"


def test_how_long_to_wait_is_told_where_waiting_helps() -> None:
    """Case 5: the smallest that any provider has asked for."""
    slower = failed("rate_limited", 429, retry_after_s=30.0)

    assert trouble_of_failures(all_failed(slower, LIMITED)).retry_after_s == 7.0
    assert trouble_of_failures(all_failed(WRONG)).retry_after_s is None
    assert trouble_of_failures(all_failed(OVERLOADED)).retry_after_s is None


def test_the_time_of_the_whole_model_may_be_over() -> None:
    """It is a timeout like any other."""
    assert trouble_of_failures(all_failed(cause="timeout")).condition is Condition.TIMEOUT


def test_without_any_failure_the_gateways_own_words_are_told() -> None:
    """There may have been nobody to ask."""
    trouble = trouble_of_failures(all_failed(cause="nothing_to_try"))

    assert (trouble.condition, trouble.message) == (Condition.UPSTREAM, "all failed")


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ('{"error":{"message":"no","param":"temperature","code":"bad"}}', ("temperature", "bad")),
        ('{"error":{"message":"no","param":null,"code":400}}', (None, None)),
        ('{"type":"error","error":{"type":"invalid_request_error","message":"no"}}', (None, None)),
        ('{"error":"no"}', (None, None)),
        ("no", (None, None)),
        ("[]", (None, None)),
    ],
)
def test_the_providers_own_words_for_a_mistake_are_passed_on(
    raw: str, told: tuple[str | None, str | None]
) -> None:
    """Servers of OpenAI's kind name the field and the mistake."""
    trouble = trouble_of_failure("a", failed("client_fault", 400, raw_response=raw))

    assert (trouble.param, trouble.code) == told


def test_what_cannot_be_translated_is_named_by_its_path() -> None:
    """The client finds the place."""
    refused = failed("config", code="unsupported_value", refused_field="messages[1].content[0]")

    assert trouble_of_failure("a", refused).param == "messages[1].content[0]"


def test_a_conversation_that_is_too_long_is_about_its_messages() -> None:
    """Agents look at the code, which is always the same."""
    failure = failed("client_fault", 400, message="prompt is too long", raw_response="{}")

    assert trouble_of_failure("a", failure).param == "messages"


@pytest.mark.parametrize(
    ("resource", "named"), [("model_inference", "requests"), ("token", "tokens"), ("cost", "cost")]
)
def test_a_limit_of_ones_own_is_told_with_its_resource_and_its_time(
    resource: str, named: str
) -> None:
    """Whatever other providers have asked to wait for, and whoever else has broken."""
    own = failed("own_limit", resource=resource, retry_after_s=39.5)

    trouble = trouble_of_failures(all_failed(LIMITED, own, BROKEN))

    assert trouble.condition is Condition.OWN_LIMIT
    assert (trouble.resource, trouble.retry_after_s) == (named, 39.5)


def test_a_limit_that_never_gives_tells_no_time() -> None:
    """Not that of another provider either."""
    own = failed("own_limit", resource="token")

    trouble = trouble_of_failures(all_failed(LIMITED, own, cause="rate_limit"))

    assert (trouble.resource, trouble.retry_after_s) == ("tokens", None)

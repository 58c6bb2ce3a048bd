"""Which failures of a provider are worth another try."""

from typing import get_args

import pytest

from lsd.conversation import TRANSIENT_KINDS, AttemptFailed, FailureKind


@pytest.mark.parametrize("kind", get_args(FailureKind))
def test_only_what_may_pass_by_itself_is_tried_again(kind: FailureKind) -> None:
    """Overload, outages, broken connections and answers pass; refusals and empty accounts stay."""
    expected = kind in ("rate_limited", "server", "transport", "timeout", "malformed")

    assert AttemptFailed(kind=kind, text="failed").transient == expected
    assert (kind in TRANSIENT_KINDS) == expected


def test_a_provider_may_forbid_to_try_again() -> None:
    """Its word counts more than the kind of its failure."""
    assert not AttemptFailed(kind="server", text="failed", final=True).transient


def test_a_failure_reads_as_its_sentence() -> None:
    """What people see is one sentence; the rest is for the machine."""
    failure = AttemptFailed(kind="server", text="openai: 503: overloaded", status=503)

    assert str(failure) == "openai: 503: overloaded"

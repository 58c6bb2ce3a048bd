"""Failures of commands."""

from lsd.cli.failures import CommandFailed


def test_a_failure_is_its_reason() -> None:
    """The sentence that the operator reads."""
    assert (
        str(CommandFailed("found nothing; wanted something")) == "found nothing; wanted something"
    )

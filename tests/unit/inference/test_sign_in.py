"""Credentials that are fetched rather than written down."""

from lsd.config import EchoProvider
from lsd.inference.sign_in import no_sign_in


def test_a_provider_whose_credentials_are_written_down_is_not_signed_in_to() -> None:
    """Most providers have a key, and need nothing else."""
    assert no_sign_in(EchoProvider()) is None

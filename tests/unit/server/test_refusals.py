"""Why a daemon does not start."""

from lsd.server import StartRefused


def test_a_refusal_is_its_reason() -> None:
    """The operator reads a sentence, not the name of an exception."""
    assert str(StartRefused("cannot listen on 127.0.0.1:3000: it is in use")) == (
        "cannot listen on 127.0.0.1:3000: it is in use"
    )

"""Credentials in memory."""

from lsd.batches import HeldCredentials


def test_credentials_are_held_until_they_are_forgotten() -> None:
    """They are shown to nobody on the way."""
    held = HeldCredentials()
    held.hold("one", {"credentials": {"key": "secret"}})

    assert held.fields_for("one") == {"credentials": {"key": "secret"}}
    assert held.fields_for("two") == {}
    assert "secret" not in repr(held)
    held.forget("one")
    held.forget("one")
    assert held.fields_for("one") == {}

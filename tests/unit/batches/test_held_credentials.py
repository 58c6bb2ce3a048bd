"""Credentials in memory."""

from lsd.batches import HeldCredentials


def test_credentials_are_held_until_they_are_forgotten() -> None:
    """They are shown to nobody on the way."""
    held = HeldCredentials()
    held.hold("batch", "one", {"credentials": {"key": "secret"}})

    assert held.fields_for("one") == {"credentials": {"key": "secret"}}
    assert held.fields_for("two") == {}
    assert "secret" not in repr(held)
    held.forget("one")
    held.forget("one")
    assert held.fields_for("one") == {}


def test_a_batch_is_forgotten_as_a_whole() -> None:
    """And no other."""
    held = HeldCredentials()
    for batch_id, inference_id in (("a", "one"), ("a", "two"), ("b", "three")):
        held.hold(batch_id, inference_id, {"credentials": {"key": "secret"}})

    held.forget_batch("a")

    assert held.batch_ids() == {"b"}
    assert held.fields_for("two") == {}
    assert held.fields_for("three") != {}

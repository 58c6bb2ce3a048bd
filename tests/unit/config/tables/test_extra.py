"""Edits of what is sent."""

from lsd.config import ExtraBodyEntry, ExtraHeaderEntry
from lsd.conversation import BodyEdit, HeaderEdit


def test_entries_become_edits_of_a_request() -> None:
    """The two ways of saying it have the same meaning."""
    value, gone = ExtraBodyEntry(pointer="/a", value=0), ExtraBodyEntry(pointer="/a", delete=True)

    assert value.edit == BodyEdit(pointer="/a", value=0)
    assert gone.edit == BodyEdit(pointer="/a", delete=True)
    assert ExtraHeaderEntry(name="A", value="b").edit == HeaderEdit(name="A", value="b")
    assert ExtraHeaderEntry(name="A", delete=True).edit == HeaderEdit(name="A", delete=True)


def test_the_value_of_a_header_is_not_shown() -> None:
    """It is often a credential."""
    assert "sk-very-secret" not in repr(ExtraHeaderEntry(name="A", value="sk-very-secret"))

"""Edits as the configuration wants them."""

from lsd.config import EchoEmbeddingProvider, EchoProvider
from lsd.config.tables.extra import ExtraBodyEntry, ExtraHeaderEntry
from lsd.conversation import NO_EDITS, BodyEdit, Edits, HeaderEdit
from lsd.inference.configured_edits import configured_edits


def test_edits_are_those_of_the_table_in_their_order() -> None:
    """For chats and for embeddings alike."""
    body = (ExtraBodyEntry(pointer="/a", value=1), ExtraBodyEntry(pointer="/b", delete=True))
    headers = (ExtraHeaderEntry(name="x-a", value="b"),)

    for table in (
        EchoProvider(extra_body=body, extra_headers=headers),
        EchoEmbeddingProvider(extra_body=body, extra_headers=headers),
    ):
        assert configured_edits(table) == Edits(
            body=(BodyEdit(pointer="/a", value=1), BodyEdit(pointer="/b", delete=True)),
            headers=(HeaderEdit(name="x-a", value="b"),),
        )


def test_a_table_without_edits_has_none() -> None:
    """Which is seen at a glance."""
    assert configured_edits(EchoProvider()) is NO_EDITS

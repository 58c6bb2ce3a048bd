"""Edits of what is sent, as a table of the configuration wants them."""

from lsd.config import EmbeddingProvider, Generation, Provider
from lsd.conversation import NO_EDITS, Edits


def configured_edits(table: Generation | Provider | EmbeddingProvider) -> Edits:
    """The edits of the table in their order; always the same object for a table without any."""
    if not table.extra_body and not table.extra_headers:
        return NO_EDITS
    return Edits(
        body=tuple(entry.edit for entry in table.extra_body),
        headers=tuple(entry.edit for entry in table.extra_headers),
    )

"""A model at Bedrock as it is configured, and a request on its way there."""

from collections.abc import Mapping
from typing import Any

import attrs

from lsd.providers._encoding import EncodingFor
from lsd.providers.claude_models import ClaudeFamily

PROVIDER_TYPE = "aws_bedrock"

Body = dict[str, Any]
"""A JSON object of the wire that is being made."""

Received = Mapping[str, Any]
"""A JSON object of the wire that was received."""


@attrs.frozen(kw_only=True)
class Target:
    """One configured provider. `family` is what is known of its model, None if it is no Claude."""

    model_id: str
    family: ClaudeFamily | None
    model_name: str
    provider_name: str

    @property
    def provider_type(self) -> str:
        """The `type` of the provider."""
        return PROVIDER_TYPE


@attrs.define(eq=False)
class Encoding(EncodingFor[Target]):
    """One request that is being encoded for one target; counts the documents in it."""

    _documents: int = attrs.field(default=0, init=False)

    def next_document_name(self) -> str:
        """A name that no other document of the request has: Bedrock refuses equal ones."""
        self._documents += 1
        return f"document-{self._documents}"

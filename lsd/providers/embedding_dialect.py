"""What every dialect of embeddings offers: a neutral request to HTTP, and HTTP back."""

from collections.abc import Mapping
from typing import Protocol

from lsd.conversation import ApiType, Edits, EmbeddingRequest, EmbeddingResponse, WireRequest


class EmbeddingDialect(Protocol):
    """How one configured provider is asked for vectors. Holds no state between calls."""

    @property
    def provider_type(self) -> str:
        """The `type` of the provider, as in `lsd.toml`."""

    @property
    def api_type(self) -> ApiType:
        """The kind of API that usage objects come from."""

    def encode(
        self, request: EmbeddingRequest, credentials: Mapping[str, str | None], edits: Edits
    ) -> WireRequest:
        """The HTTP request; `credentials` as for a dialect of chats.

        Raises AttemptFailed of kind `config` for what this provider cannot take.
        """

    def decode(
        self, status: int, headers: Mapping[str, str], body: bytes, *, count: int
    ) -> EmbeddingResponse:
        """The answer to a request with `count` inputs; header names are lower-case.

        The vectors are in the form in which they came. Raises AttemptFailed for error statuses,
        for bodies that cannot be understood, and for another number of vectors.
        """

"""What every dialect offers: a neutral request to HTTP, and HTTP back, without doing any I/O."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from lsd.conversation import (
    ApiType,
    Edits,
    Lane,
    ModelRequest,
    ModelResponse,
    StreamEvent,
    UrlFile,
    WireRequest,
)


class StreamDecoder(Protocol):
    """Reads one streamed answer. It is fed the bytes as they come, however they were cut."""

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be read: the end mark was seen, or a fatal fault told."""

    def feed(self, data: bytes) -> list[StreamEvent]:
        """The events that `data` completes; often none."""

    def finish(self, *, cut: bool) -> list[StreamEvent]:
        """What is left when the bytes end; `cut` if the connection broke.

        Raises AttemptFailed when the whole body was an error, or no stream at all.
        """


class Dialect(Protocol):
    """How one configured provider is spoken to. Holds no state between calls."""

    @property
    def provider_type(self) -> str:
        """The `type` of the provider, as in `lsd.toml`."""

    @property
    def api_type(self) -> ApiType:
        """The kind of API that usage objects come from."""

    def encode(
        self, request: ModelRequest, credentials: Mapping[str, str | None], edits: Edits
    ) -> WireRequest:
        """The HTTP request. Thoughts and blocks meant for others are gone from `request`.

        `credentials` holds what this type needs by name; None sends no authentication. Raises
        AttemptFailed of kind `config` for what this provider cannot take.
        """

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> ModelResponse:
        """The answer to a request that was not streamed; header names are lower-case.

        Raises AttemptFailed for error statuses and for bodies that cannot be understood.
        """

    def stream_decoder(self, status: int, headers: Mapping[str, str]) -> StreamDecoder:
        """The reader of a streamed answer; never raises.

        If the answer is an error or no event stream, the reader collects its body, up to a
        bound, and decodes it in `finish`.
        """

    def forwards(self, file: UrlFile) -> bool:
        """Whether the URL itself is sent. If not, the caller fetches the bytes beforehand."""


@runtime_checkable
class Counting(Protocol):
    """What a dialect offers, too, if its provider counts the tokens of a request."""

    def count_request(
        self, request: ModelRequest, credentials: Mapping[str, str | None], edits: Edits
    ) -> WireRequest | None:
        """The HTTP request that asks for the count; nothing is generated.

        `request` has the client's own words. None: this provider cannot be asked. Of the edits
        only those of headers are made. Raises AttemptFailed of kind `config` as `encode` does.
        """

    def read_count(self, status: int, headers: Mapping[str, str], body: bytes) -> int:
        """The count in the answer. Raises AttemptFailed as `decode` does."""


@runtime_checkable
class Relaying(Protocol):
    """What a dialect offers, too, if clients of LSD may speak it themselves."""

    @property
    def lane(self) -> Lane:
        """The API that the provider speaks."""

    def relay(
        self, request: ModelRequest, credentials: Mapping[str, str | None], edits: Edits
    ) -> WireRequest:
        """The HTTP request for a `request` whose client speaks the provider's own language.

        Its body is the client's, changed only where the provider needs it; `left_out` names the
        client's fields that are gone. Raises AttemptFailed of kind `config` as `encode` does.
        """

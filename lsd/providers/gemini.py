"""The dialect of Gemini, for Google AI Studio and for Vertex AI."""

from collections.abc import Mapping

import attrs

from lsd.conversation import (
    ApiType,
    AttemptFailed,
    Edits,
    JsonValue,
    ModelRequest,
    ModelResponse,
    UrlFile,
    WireRequest,
)
from lsd.providers._empty_answers import told_if_empty
from lsd.providers._gemini_answer import is_error, read_answer, reported_error
from lsd.providers._gemini_body import gemini_body
from lsd.providers._gemini_stream import ContentStream
from lsd.providers._gemini_target import Encoding, Target
from lsd.providers._host import Credentials, Host
from lsd.providers._http_errors import failed_answer
from lsd.providers._sealing import seal
from lsd.providers._stream_opening import opened_events
from lsd.providers.dialect import StreamDecoder


def gemini_method(stream: bool) -> str:
    """What is called, at the end of a URL; a stream comes as one JSON array unless told not to."""
    return "streamGenerateContent?alt=sse" if stream else "generateContent"


@attrs.frozen(eq=False)
class Gemini:
    """Contents of one configured provider."""

    target: Target
    host: Host

    @property
    def provider_type(self) -> str:
        return self.target.provider_type

    @property
    def api_type(self) -> ApiType:
        return "chat_completions"

    def encode(self, request: ModelRequest, credentials: Credentials, edits: Edits) -> WireRequest:
        encoding = Encoding(request, self.target)
        body = gemini_body(encoding)
        return seal(
            self.host.url(request.stream),
            self.host.headers(request.stream, credentials),
            body,
            edits,
            self.provider_type,
            left_out=encoding.left_out,
        )

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> ModelResponse:
        if not 200 <= status < 300:
            raise self._failed(status, headers, body)
        return told_if_empty(read_answer(self.target, headers, body), self.provider_type)

    def stream_decoder(self, status: int, headers: Mapping[str, str]) -> StreamDecoder:
        return opened_events(
            self.provider_type,
            status,
            headers,
            stream=lambda: ContentStream(self.target, headers),
            failed=lambda body: self._failed(status, headers, body),
            reported=lambda document, raw: self._reported(document, headers, raw),
        )

    def forwards(self, _: UrlFile) -> bool:
        """Never: links are for Google's own storage."""
        return False

    def _failed(self, status: int, headers: Mapping[str, str], body: bytes) -> AttemptFailed:
        return self.host.explained(failed_answer(self.provider_type, status, headers, body))

    def _reported(
        self, document: JsonValue, headers: Mapping[str, str], raw: str
    ) -> AttemptFailed | None:
        if not is_error(document):
            return None
        return self.host.explained(reported_error(self.target, document, headers, raw))

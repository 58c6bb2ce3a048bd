"""The dialect of Gemini, for Google AI Studio and for Vertex AI."""

from collections.abc import Mapping

import attrs

from lsd.conversation import (
    ApiType,
    AttemptFailed,
    Edits,
    ModelRequest,
    ModelResponse,
    NotJson,
    UrlFile,
    WireRequest,
    decode_json,
)
from lsd.providers._gemini_answer import is_error, read_answer, reported_error
from lsd.providers._gemini_body import gemini_body
from lsd.providers._gemini_stream import ContentStream
from lsd.providers._gemini_target import Encoding, Target
from lsd.providers._host import Credentials, Host
from lsd.providers._http_errors import excerpt, failed_answer, undecodable
from lsd.providers._sealing import Draft, seal
from lsd.providers._whole_body import failing
from lsd.providers.dialect import StreamDecoder
from lsd.telemetry import logger

log = logger(__name__)


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
        draft = Draft(
            url=self.host.url(request.stream),
            headers=self.host.headers(request.stream, credentials),
            body=body,
            left_out=encoding.left_out,
        )
        return seal(draft, edits, self.provider_type)

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> ModelResponse:
        if not 200 <= status < 300:
            raise self._failed(status, headers, body)
        response = read_answer(self.target, headers, body)
        if not response.output:
            log.warning(
                "provider gave an empty answer",
                provider_type=self.provider_type,
                finish_reason=response.finish_reason,
            )
        return response

    def stream_decoder(self, status: int, headers: Mapping[str, str]) -> StreamDecoder:
        if not 200 <= status < 300:
            return failing(lambda body: self._failed(status, headers, body))
        if headers.get("content-type", "").strip().lower().startswith("text/event-stream"):
            return ContentStream(self.target, headers)
        return failing(lambda body: self._no_stream(headers, body))

    def forwards(self, _: UrlFile) -> bool:
        """Never: links are for Google's own storage."""
        return False

    def _failed(self, status: int, headers: Mapping[str, str], body: bytes) -> AttemptFailed:
        return self.host.explained(failed_answer(self.provider_type, status, headers, body))

    def _no_stream(self, headers: Mapping[str, str], body: bytes) -> AttemptFailed:
        raw = body.decode(errors="replace")
        try:
            document = decode_json(body)
        except NotJson:
            document = None
        if is_error(document):
            return self.host.explained(reported_error(self.target, document, headers, raw))
        kind = headers.get("content-type") or "no content type"
        reason = f"found {kind}; wanted text/event-stream: {excerpt(body)}"
        return undecodable(self.provider_type, reason, headers, raw)

"""The dialect of OpenAI's chat completions, for all types that speak it."""

from collections.abc import Mapping

import attrs

from lsd.conversation import (
    ApiType,
    AttemptFailed,
    Edits,
    ModelRequest,
    ModelResponse,
    StreamEvent,
    UrlFile,
    WireRequest,
)
from lsd.providers._http_errors import excerpt, failed_answer, undecodable
from lsd.providers._openai_address import request_headers, request_url
from lsd.providers._openai_answer import read_answer, response_of
from lsd.providers._openai_body import chat_body
from lsd.providers._openai_family import Body, Encoding, Target
from lsd.providers._openai_files import is_forwarded
from lsd.providers._openai_stream import ChatStream
from lsd.providers._sealing import Draft, seal
from lsd.providers._whole_body import ANSWER_BYTES_MAX, WholeBody, failing
from lsd.providers.dialect import StreamDecoder


@attrs.frozen(eq=False)
class OpenAIChat:
    """Chat completions with one configured provider."""

    target: Target

    @property
    def provider_type(self) -> str:
        return self.target.provider_type

    @property
    def api_type(self) -> ApiType:
        return "chat_completions"

    def encode(
        self, request: ModelRequest, credentials: Mapping[str, str | None], edits: Edits
    ) -> WireRequest:
        encoding = Encoding(request, self.target)
        body = chat_body(encoding)
        return self._sealed(request.stream, body, encoding.left_out, credentials, edits)

    def _sealed(
        self,
        stream: bool,
        body: Body,
        left_out: tuple[str, ...],
        credentials: Mapping[str, str | None],
        edits: Edits,
    ) -> WireRequest:
        target, member = self.target, self.target.member
        base = target.base or credentials.get("endpoint")
        draft = Draft(
            url=request_url(self.provider_type, base, target.path, target.query),
            headers=request_headers(
                credentials.get("api_key"),
                stream=stream,
                key_header=member.key_header,
                key_prefix=member.key_prefix,
                further=member.headers,
            ),
            body=body,
            left_out=left_out,
        )
        return seal(draft, edits, self.provider_type)

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> ModelResponse:
        if not 200 <= status < 300:
            raise failed_answer(self.provider_type, status, headers, body)
        return response_of(self.target, read_answer(self.target, headers, body))

    def stream_decoder(self, status: int, headers: Mapping[str, str]) -> StreamDecoder:
        if not 200 <= status < 300:
            return failing(lambda body: failed_answer(self.provider_type, status, headers, body))
        kind = headers.get("content-type", "").strip().lower()
        if kind.startswith("text/event-stream"):
            return ChatStream(self.target, headers)
        if kind.partition(";")[0].strip() == "application/json":
            return WholeBody(
                lambda body, whole: self._whole_answer(headers, body, whole), ANSWER_BYTES_MAX
            )
        return failing(lambda body: self._no_stream(headers, body))

    def forwards(self, file: UrlFile) -> bool:
        return is_forwarded(file)

    def _whole_answer(
        self, headers: Mapping[str, str], body: bytes, whole: bool
    ) -> list[StreamEvent]:
        if not whole:
            raise AttemptFailed(
                kind="transport",
                text=f"{self.provider_type}: stream ended before first chunk; the answer was cut",
                raw_response=body.decode(errors="replace"),
            )
        return [read_answer(self.target, headers, body)]

    def _no_stream(self, headers: Mapping[str, str], body: bytes) -> AttemptFailed:
        kind = headers.get("content-type") or "no content type"
        reason = f"found {kind}; wanted text/event-stream: {excerpt(body)}"
        return undecodable(self.provider_type, reason, headers, body.decode(errors="replace"))

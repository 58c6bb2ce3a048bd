"""The dialect of OpenAI's chat completions, for all types that speak it."""

from collections.abc import Mapping

import attrs

from lsd.conversation import (
    ApiType,
    Edits,
    Lane,
    ModelRequest,
    ModelResponse,
    UrlFile,
    WireRequest,
)
from lsd.providers._http_errors import failed_answer
from lsd.providers._openai_address import request_headers, request_url
from lsd.providers._openai_answer import read_answer, response_of
from lsd.providers._openai_body import chat_body
from lsd.providers._openai_family import Body, Encoding, Target
from lsd.providers._openai_files import is_forwarded
from lsd.providers._openai_relay import relayed_body
from lsd.providers._openai_stream import ChatStream
from lsd.providers._sealing import Draft, seal
from lsd.providers._stream_opening import opened_stream
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
        wire = self._sealed(request.stream, body, encoding.left_out, credentials, edits)
        return attrs.evolve(wire, derived=encoding.derived) if encoding.derived else wire

    @property
    def lane(self) -> Lane:
        return "openai"

    def relay(
        self, request: ModelRequest, credentials: Mapping[str, str | None], edits: Edits
    ) -> WireRequest:
        assert request.client is not None, "there is something to relay"
        encoding = Encoding(request, self.target)
        body = relayed_body(request.client, encoding)
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
            url=request_url(
                self.provider_type, base, target.path, target.query, source=target.base_source
            ),
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
        return opened_stream(
            self.provider_type,
            status,
            headers,
            stream=lambda: ChatStream(self.target, headers),
            whole=lambda body: read_answer(self.target, headers, body),
        )

    def forwards(self, file: UrlFile) -> bool:
        return is_forwarded(file)

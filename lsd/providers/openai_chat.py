"""The dialect of OpenAI's chat completions, for all types that speak it."""

from collections.abc import Mapping

import attrs

from lsd.conversation import (
    ApiType,
    AttemptFailed,
    Edits,
    Lane,
    ModelRequest,
    ModelResponse,
    UrlFile,
    WireRequest,
)
from lsd.providers._http_errors import failed_answer
from lsd.providers._openai_address import ProviderHeaders, request_url
from lsd.providers._openai_answer import read_answer, read_completion
from lsd.providers._openai_body import chat_body
from lsd.providers._openai_family import Body, Encoding, Target
from lsd.providers._openai_files import is_forwarded
from lsd.providers._openai_relay import relayed_body
from lsd.providers._openai_stream import ChatStream
from lsd.providers._sealing import seal
from lsd.providers._stream_opening import opened_stream
from lsd.providers.dialect import StreamDecoder


@attrs.frozen(eq=False)
class OpenAIChat:
    """Chat completions with one configured provider."""

    target: Target
    provider_type: str = attrs.field(init=False)
    _url: str | None = attrs.field(init=False)
    """None: it is another with each request's credentials, or there is none."""
    _headers: ProviderHeaders = attrs.field(init=False)

    @provider_type.default
    def _type_of_target(self) -> str:
        return self.target.provider_type

    @_url.default
    def _fixed_url(self) -> str | None:
        try:
            return None if self.target.base is None else self._url_below(self.target.base)
        except AttemptFailed:
            return None  # It is told to those who ask.

    @_headers.default
    def _headers_of_member(self) -> ProviderHeaders:
        member = self.target.member
        return ProviderHeaders(member.key_header, member.key_prefix, member.headers)

    @property
    def api_type(self) -> ApiType:
        return "chat_completions"

    def encode(
        self, request: ModelRequest, credentials: Mapping[str, str | None], edits: Edits
    ) -> WireRequest:
        encoding = Encoding(request, self.target)
        return self._sealed(encoding, chat_body(encoding), credentials, edits)

    @property
    def lane(self) -> Lane:
        return "openai"

    def relay(
        self, request: ModelRequest, credentials: Mapping[str, str | None], edits: Edits
    ) -> WireRequest:
        assert request.client is not None, "there is something to relay"
        encoding = Encoding(request, self.target)
        body = relayed_body(request.client, encoding)
        return self._sealed(encoding, body, credentials, edits)

    def _sealed(
        self,
        encoding: Encoding,
        body: Body,
        credentials: Mapping[str, str | None],
        edits: Edits,
    ) -> WireRequest:
        return seal(
            self._url or self._url_below(self.target.base or credentials.get("endpoint")),
            self._headers.of(credentials.get("api_key"), encoding.request.stream),
            body,
            edits,
            self.provider_type,
            left_out=encoding.left_out,
            derived=encoding.derived,
        )

    def _url_below(self, base: str | None) -> str:
        target = self.target
        return request_url(
            target.provider_type, base, target.path, target.query, source=target.base_source
        )

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> ModelResponse:
        if not 200 <= status < 300:
            raise failed_answer(self.provider_type, status, headers, body)
        return read_completion(self.target, headers, body)

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

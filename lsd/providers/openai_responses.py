"""The dialect of OpenAI's Responses API, for OpenAI and every server that offers it."""

from collections.abc import Mapping

import attrs

from lsd.conversation import (
    ApiType,
    Edits,
    ModelRequest,
    ModelResponse,
    UrlFile,
    WireRequest,
)
from lsd.providers._http_errors import failed_answer
from lsd.providers._openai_address import request_headers, request_url
from lsd.providers._openai_answer import response_of
from lsd.providers._openai_family import Encoding, Target
from lsd.providers._openai_files import is_forwarded
from lsd.providers._responses_answer import read_response
from lsd.providers._responses_body import responses_body
from lsd.providers._responses_stream import ResponsesStream
from lsd.providers._sealing import seal
from lsd.providers._stream_opening import opened_stream
from lsd.providers.dialect import StreamDecoder


@attrs.frozen(eq=False)
class OpenAIResponses:
    """Responses of one configured provider."""

    target: Target

    @property
    def provider_type(self) -> str:
        return self.target.provider_type

    @property
    def api_type(self) -> ApiType:
        return "responses"

    def encode(
        self, request: ModelRequest, credentials: Mapping[str, str | None], edits: Edits
    ) -> WireRequest:
        target = self.target
        encoding = Encoding(request, target)
        url = request_url(self.provider_type, target.base, target.path, target.query)
        headers = request_headers(credentials.get("api_key"), stream=request.stream)
        body = responses_body(encoding)
        return seal(
            url,
            headers,
            body,
            edits,
            self.provider_type,
            left_out=encoding.left_out,
            derived=encoding.derived,
        )

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> ModelResponse:
        if not 200 <= status < 300:
            raise failed_answer(self.provider_type, status, headers, body)
        return response_of(self.target, read_response(self.target, headers, body))

    def stream_decoder(self, status: int, headers: Mapping[str, str]) -> StreamDecoder:
        return opened_stream(
            self.provider_type,
            status,
            headers,
            stream=lambda: ResponsesStream(self.target, headers),
            whole=lambda body: read_response(self.target, headers, body),
        )

    def forwards(self, file: UrlFile) -> bool:
        return is_forwarded(file)

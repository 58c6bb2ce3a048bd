"""Models at Amazon Bedrock, by its Converse API, which is one for all of them."""

from collections.abc import Mapping
from urllib.parse import quote

import attrs

from lsd.config import AwsBedrockProvider
from lsd.conversation import (
    ApiType,
    Edits,
    ModelRequest,
    ModelResponse,
    UrlFile,
    WireRequest,
)
from lsd.providers._aws_errors import failed_call
from lsd.providers._aws_requests import EVENT_STREAM, AwsService
from lsd.providers._bedrock_answer import read_message
from lsd.providers._bedrock_body import converse_body
from lsd.providers._bedrock_stream import ConverseStream
from lsd.providers._bedrock_target import PROVIDER_TYPE, Encoding, Target
from lsd.providers._empty_answers import told_if_empty
from lsd.providers._host import Credentials
from lsd.providers._stream_opening import opened_events
from lsd.providers.claude_models import claude_family, family_name
from lsd.providers.dialect import StreamDecoder


@attrs.frozen(eq=False)
class BedrockConverse:
    """Conversations with one configured model."""

    target: Target
    service: AwsService

    @property
    def provider_type(self) -> str:
        return PROVIDER_TYPE

    @property
    def api_type(self) -> ApiType:
        return "chat_completions"

    def encode(self, request: ModelRequest, credentials: Credentials, edits: Edits) -> WireRequest:
        encoding = Encoding(request, self.target)
        body, prefill = converse_body(encoding)
        method = "converse-stream" if request.stream else "converse"
        wire = self.service.request(
            f"/model/{quote(self.target.model_id, safe='-_.~')}/{method}",
            body,
            credentials,
            edits,
            stream=request.stream,
            prefill=prefill,
            left_out=encoding.left_out,
        )
        return attrs.evolve(wire, derived=encoding.derived) if encoding.derived else wire

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> ModelResponse:
        if not 200 <= status < 300:
            raise failed_call(PROVIDER_TYPE, status, headers, body)
        return told_if_empty(read_message(self.target, headers, body), PROVIDER_TYPE)

    def stream_decoder(self, status: int, headers: Mapping[str, str]) -> StreamDecoder:
        return opened_events(
            PROVIDER_TYPE,
            status,
            headers,
            stream=lambda: ConverseStream(headers),
            failed=lambda body: failed_call(PROVIDER_TYPE, status, headers, body),
            content_type=EVENT_STREAM,
        )

    def forwards(self, _: UrlFile) -> bool:
        return False


def bedrock_dialect(
    provider: AwsBedrockProvider, *, model_name: str, provider_name: str
) -> BedrockConverse:
    """The dialect of Bedrock for one entry of a model."""
    model_id = provider.model_id
    is_claude = family_name(model_id).startswith("claude-")
    target = Target(
        model_id=model_id,
        family=claude_family(model_id) if is_claude else None,
        model_name=model_name,
        provider_name=provider_name,
    )
    service = AwsService.of(provider, PROVIDER_TYPE, host="bedrock-runtime", signed_as="bedrock")
    return BedrockConverse(target, service)

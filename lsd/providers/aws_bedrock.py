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
from lsd.providers._aws_requests import (
    AwsService,
    Credentials,
    is_event_stream,
    no_event_stream,
)
from lsd.providers._bedrock_answer import read_message
from lsd.providers._bedrock_body import converse_body
from lsd.providers._bedrock_stream import ConverseStream
from lsd.providers._bedrock_target import PROVIDER_TYPE, Encoding, Target
from lsd.providers._whole_body import failing
from lsd.providers.claude_models import claude_family, family_name
from lsd.providers.dialect import StreamDecoder
from lsd.telemetry import logger

log = logger(__name__)


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
        return self.service.request(
            f"/model/{quote(self.target.model_id, safe='-_.~')}/{method}",
            body,
            credentials,
            edits,
            stream=request.stream,
            prefill=prefill,
            left_out=encoding.left_out,
        )

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> ModelResponse:
        if not 200 <= status < 300:
            raise failed_call(PROVIDER_TYPE, status, headers, body)
        response = read_message(self.target, headers, body)
        if not response.output:
            log.warning(
                "provider gave an empty answer",
                provider_type=PROVIDER_TYPE,
                finish_reason=response.finish_reason,
            )
        return response

    def stream_decoder(self, status: int, headers: Mapping[str, str]) -> StreamDecoder:
        if not 200 <= status < 300:
            return failing(lambda body: failed_call(PROVIDER_TYPE, status, headers, body))
        if is_event_stream(headers):
            return ConverseStream(headers)
        return failing(lambda body: no_event_stream(PROVIDER_TYPE, headers, body))

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

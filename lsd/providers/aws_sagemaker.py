"""Models behind an endpoint of Amazon SageMaker: what it hosts speaks OpenAI's language."""

from collections.abc import Mapping
from random import Random
from urllib.parse import quote

import attrs

from lsd.config import AwsSagemakerProvider
from lsd.conversation import (
    ApiType,
    Edits,
    Lane,
    ModelRequest,
    ModelResponse,
    UrlFile,
    WireRequest,
)
from lsd.providers._aws_errors import failed_call
from lsd.providers._aws_requests import EVENT_STREAM, AwsService
from lsd.providers._host import Credentials
from lsd.providers._openai_answer import read_completion
from lsd.providers._openai_body import chat_body
from lsd.providers._openai_family import Body, Encoding, Member, Target
from lsd.providers._openai_files import is_forwarded
from lsd.providers._openai_relay import relayed_body
from lsd.providers._sagemaker_stream import HostedStream
from lsd.providers._stream_opening import opened_events
from lsd.providers.dialect import StreamDecoder
from lsd.providers.openai import OPENAI_COMPATIBLE
from lsd.providers.tgi import MODEL, TGI

PROVIDER_TYPE = "aws_sagemaker"


@attrs.frozen(eq=False)
class SagemakerEndpoint:
    """Chat completions with what one endpoint hosts."""

    endpoint_name: str
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
        wire = self._signed(encoding, chat_body(encoding), credentials, edits)
        return attrs.evolve(wire, derived=encoding.derived) if encoding.derived else wire

    @property
    def lane(self) -> Lane:
        return "openai"

    def relay(self, request: ModelRequest, credentials: Credentials, edits: Edits) -> WireRequest:
        assert request.client is not None, "there is something to relay"
        encoding = Encoding(request, self.target)
        return self._signed(encoding, relayed_body(request.client, encoding), credentials, edits)

    def _signed(
        self, encoding: Encoding, body: Body, credentials: Credentials, edits: Edits
    ) -> WireRequest:
        stream = encoding.request.stream
        method = "invocations-response-stream" if stream else "invocations"
        return self.service.request(
            f"/endpoints/{quote(self.endpoint_name, safe='-_.~')}/{method}",
            body,
            credentials,
            edits,
            stream=stream,
            left_out=encoding.left_out,
        )

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> ModelResponse:
        if not 200 <= status < 300:
            raise failed_call(PROVIDER_TYPE, status, headers, body)
        return read_completion(self.target, headers, body)

    def stream_decoder(self, status: int, headers: Mapping[str, str]) -> StreamDecoder:
        return opened_events(
            PROVIDER_TYPE,
            status,
            headers,
            stream=lambda: HostedStream(self.target, headers),
            failed=lambda body: failed_call(PROVIDER_TYPE, status, headers, body),
            content_type=EVENT_STREAM,
        )

    def forwards(self, file: UrlFile) -> bool:
        return is_forwarded(file)


def sagemaker_dialect(
    provider: AwsSagemakerProvider, *, model_name: str, provider_name: str, random: Random
) -> SagemakerEndpoint:
    """The dialect of an endpoint for one entry of a model."""
    target = Target(
        member=_member(provider),
        base=None,
        model=MODEL if provider.hosted_provider == "tgi" else provider.model_name,
        model_name=model_name,
        provider_name=provider_name,
        discard_unknown_chunks=provider.discard_unknown_chunks,
        thought_mark=provider.thought_type,
        random=random,
    )
    service = AwsService.of(
        provider, PROVIDER_TYPE, host="runtime.sagemaker", signed_as="sagemaker"
    )
    return SagemakerEndpoint(provider.endpoint_name, target, service)


def _member(provider: AwsSagemakerProvider) -> Member:
    hosted = TGI if provider.hosted_provider == "tgi" else OPENAI_COMPATIBLE
    return attrs.evolve(hosted, provider_type=PROVIDER_TYPE)

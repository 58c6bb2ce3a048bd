"""The dialect of Anthropic's Messages, for Anthropic itself and for hosts of its models."""

from collections.abc import Callable, Mapping
from typing import ClassVar
from urllib.parse import urlsplit, urlunsplit

import attrs

from lsd.config import AnthropicProvider
from lsd.conversation import (
    ApiType,
    AttemptFailed,
    ClientRequest,
    Edits,
    HeaderEdit,
    JsonValue,
    Lane,
    ModelRequest,
    ModelResponse,
    UrlFile,
    WireRequest,
)
from lsd.providers._anthropic_answer import read_message, read_token_count, reported_error
from lsd.providers._anthropic_body import messages_body
from lsd.providers._anthropic_messages import is_forwarded
from lsd.providers._anthropic_relay import Relay
from lsd.providers._anthropic_stream import MessageStream
from lsd.providers._anthropic_target import STRUCTURED_OUTPUTS, Encoding, Target
from lsd.providers._empty_answers import told_if_empty
from lsd.providers._host import Credentials, Host
from lsd.providers._http_errors import failed_answer
from lsd.providers._sealing import seal
from lsd.providers._stream_opening import opened_events
from lsd.providers.claude_models import claude_family
from lsd.providers.dialect import StreamDecoder
from lsd.telemetry import logger

log = logger(__name__)

API_VERSION = "2023-06-01"
_VERSION = "anthropic-version"
_BETA = "anthropic-beta"


@attrs.frozen(kw_only=True)
class TokenCounter:
    """Where the tokens of a request are counted, and what the model is called there."""

    url: Callable[[], str]
    model: str


@attrs.frozen(eq=False)
class AnthropicMessages:
    """Messages of one configured provider; `counter` is None if it counts no tokens."""

    target: Target
    host: Host
    counter: TokenCounter | None = None
    lane: ClassVar[Lane] = "anthropic"
    provider_type: str = attrs.field(init=False)

    @provider_type.default
    def _type_of_target(self) -> str:
        return self.target.provider_type

    @property
    def api_type(self) -> ApiType:
        return "chat_completions"

    def encode(self, request: ModelRequest, credentials: Credentials, edits: Edits) -> WireRequest:
        encoding = Encoding(request, self.target)
        body, prefill = messages_body(encoding)
        return seal(
            self.host.url(request.stream),
            self._headers(request.stream, credentials),
            body,
            _with_betas(edits, self.target.betas),
            self.provider_type,
            prefill=prefill,
            left_out=encoding.left_out,
            derived=encoding.derived,
        )

    def relay(self, request: ModelRequest, credentials: Credentials, edits: Edits) -> WireRequest:
        assert request.client is not None, "only a client's own request is relayed"
        relay = Relay(self.target)
        body = relay.body(request.client.body)
        headers, betas = self._client_headers(request.client, request.stream, credentials)
        return seal(
            self.host.url(request.stream),
            headers,
            body,
            _with_betas(edits, betas),
            self.provider_type,
            left_out=tuple(relay.left_out),
        )

    def count_request(
        self, request: ModelRequest, credentials: Credentials, edits: Edits
    ) -> WireRequest | None:
        assert request.client is not None, "only a client's own request is counted"
        if self.counter is None:
            return None
        body = Relay(self.target).count_body(request.client.body, self.counter.model)
        headers, betas = self._client_headers(request.client, False, credentials)
        edits = _with_betas(Edits(headers=edits.headers), betas)
        return seal(self.counter.url(), headers, body, edits, self.provider_type)

    def read_count(self, status: int, headers: Mapping[str, str], body: bytes) -> int:
        if not 200 <= status < 300:
            raise self._failed(status, headers, body)
        return read_token_count(self.target, headers, body)

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> ModelResponse:
        if not 200 <= status < 300:
            raise self._failed(status, headers, body)
        return told_if_empty(read_message(self.target, headers, body), self.provider_type)

    def stream_decoder(self, status: int, headers: Mapping[str, str]) -> StreamDecoder:
        return opened_events(
            self.provider_type,
            status,
            headers,
            stream=lambda: MessageStream(self.target, headers),
            failed=lambda body: self._failed(status, headers, body),
            reported=lambda document, raw: self._reported(document, headers, raw),
        )

    def forwards(self, file: UrlFile) -> bool:
        if file.mime_type is None:
            log.warning(
                "a URL without mime_type cannot be forwarded; it is fetched",
                provider_type=self.provider_type,
                url=file.url,
            )
        return is_forwarded(file)

    def _headers(self, stream: bool, credentials: Credentials) -> dict[str, str]:
        headers = self.host.headers(stream, credentials)
        if self.target.betas:
            headers[_BETA] = ",".join(self.target.betas)
        return headers

    def _client_headers(
        self, client: ClientRequest, stream: bool, credentials: Credentials
    ) -> tuple[dict[str, str], tuple[str, ...]]:
        """The headers with those of the client among them, and all that is asked for as a beta."""
        headers = self.host.headers(stream, credentials)
        if _VERSION in headers:
            headers[_VERSION] = client.headers.get(_VERSION, API_VERSION)
        betas = self.target.betas
        wanted = client.headers.get(_BETA) if self.target.forwards_betas else None
        if wanted:
            known = {each.strip() for each in wanted.split(",")}
            betas = (wanted, *(beta for beta in betas if beta not in known))
        if betas:
            headers[_BETA] = ",".join(betas)
        return headers, betas

    def _failed(self, status: int, headers: Mapping[str, str], body: bytes) -> AttemptFailed:
        return self.host.explained(failed_answer(self.provider_type, status, headers, body))

    def _reported(
        self, document: JsonValue, headers: Mapping[str, str], raw: str
    ) -> AttemptFailed | None:
        if not isinstance(document, dict) or not document.get("error"):
            return None
        return reported_error(self.target, document, headers, raw)


def anthropic_dialect(
    provider: AnthropicProvider, *, model_name: str, provider_name: str
) -> AnthropicMessages:
    """The dialect of Anthropic, or of another host under its base, for one entry of a model."""
    url = _messages_url(provider.api_base)
    wants_schema = provider.beta_structured_outputs
    target = Target(
        provider_type="anthropic",
        model=provider.model_name,
        family=claude_family(provider.model_name),
        model_name=model_name,
        provider_name=provider_name,
        provider_tools=provider.provider_tools,
        takes_schema=wants_schema is not False,
        takes_prefill=True,
        takes_service_tier=True,
        betas=(STRUCTURED_OUTPUTS,) if wants_schema else (),
        forwards_betas=provider.forward_anthropic_beta,
        discard_unknown_chunks=provider.discard_unknown_chunks,
    )
    counter = TokenCounter(url=lambda: _counting_url(url), model=provider.model_name)
    return AnthropicMessages(target, Host(url=lambda _: url, credentials=_key_headers), counter)


def _messages_url(base: str) -> str:
    """The base may end where the messages are, or above."""
    parts = urlsplit(base)
    path = parts.path.removesuffix("/").removesuffix("/messages").removesuffix("/")
    return urlunsplit((parts.scheme, parts.netloc, f"{path}/messages", parts.query, ""))


def _counting_url(messages_url: str) -> str:
    parts = urlsplit(messages_url)
    return urlunsplit(parts._replace(path=f"{parts.path}/count_tokens"))


def _key_headers(credentials: Credentials) -> dict[str, str]:
    headers = {_VERSION: API_VERSION}
    key = credentials.get("api_key")
    return headers if key is None else {**headers, "x-api-key": key}


def _with_betas(edits: Edits, betas: tuple[str, ...]) -> Edits:
    """The edits, those of the beta header with what LSD asks for itself in front."""
    if not betas or not any(_is_beta(each) for each in edits.headers):
        return edits
    headers = tuple(
        attrs.evolve(each, value=",".join((*betas, each.value))) if _is_beta(each) else each
        for each in edits.headers
    )
    return attrs.evolve(edits, headers=headers)


def _is_beta(edit: HeaderEdit) -> bool:
    return edit.name.lower() == _BETA and not edit.delete

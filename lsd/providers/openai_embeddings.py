"""The dialect of OpenAI's embeddings, for all types that speak it."""

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from lsd.conversation import (
    UNSUPPORTED_CODE,
    ApiType,
    AttemptFailed,
    Edits,
    EmbeddingInput,
    EmbeddingRequest,
    EmbeddingResponse,
    WireRequest,
)
from lsd.providers._http_errors import failed_answer
from lsd.providers._openai_address import request_headers, request_url
from lsd.providers._openai_vectors import read_vectors
from lsd.providers._sealing import seal
from lsd.telemetry import logger

log = logger(__name__)


@attrs.frozen(kw_only=True)
class EmbeddingMember:
    """One provider type: how it is told the key, and which fields it takes.

    Without `takes_format` numbers are asked for, whatever the caller wants them to be.
    """

    provider_type: str
    key_header: str = "Authorization"
    key_prefix: str = "Bearer "
    headers: Mapping[str, str] = attrs.field(factory=dict)
    takes_format: bool = False
    takes_dimensions: bool = True
    takes_tokens: bool = True
    takes_user: bool = False


@attrs.frozen(kw_only=True, eq=False)
class OpenAIEmbeddings:
    """Embeddings of one configured provider.

    `base` None: it comes with the credentials, as `endpoint`, from `base_source`; `model` None:
    the URL says it.
    """

    api_type: ClassVar[ApiType] = "embeddings"

    member: EmbeddingMember
    base: str | None
    base_source: str = "api_base"
    path: str = "embeddings"
    query: str = ""
    model: str | None

    @property
    def provider_type(self) -> str:
        return self.member.provider_type

    def encode(
        self, request: EmbeddingRequest, credentials: Mapping[str, str | None], edits: Edits
    ) -> WireRequest:
        member = self.member
        base = self.base or credentials.get("endpoint")
        url = request_url(
            member.provider_type, base, self.path, self.query, source=self.base_source
        )
        headers = request_headers(
            credentials.get("api_key"),
            key_header=member.key_header,
            key_prefix=member.key_prefix,
            further=member.headers,
        )
        return seal(url, headers, self._body(request), edits, member.provider_type)

    def decode(
        self, status: int, headers: Mapping[str, str], body: bytes, *, count: int
    ) -> EmbeddingResponse:
        if not 200 <= status < 300:
            raise failed_answer(self.provider_type, status, headers, body)
        return read_vectors(self.provider_type, headers, body, count)

    def _body(self, request: EmbeddingRequest) -> dict[str, Any]:
        member = self.member
        if request.has_tokens and not member.takes_tokens:
            reason = "found token ids as input; wanted texts, which is all that this type takes"
            text = f"{member.provider_type}: {reason}"
            raise AttemptFailed(
                kind="config", text=text, code=UNSUPPORTED_CODE, refused_field="input"
            )
        body: dict[str, Any] = {} if self.model is None else {"model": self.model}
        body["input"] = _sent(request.inputs[0]) if request.is_single else _listed(request.inputs)
        body["encoding_format"] = request.encoding_format if member.takes_format else "float"
        if request.dimensions is not None:
            if member.takes_dimensions:
                body["dimensions"] = request.dimensions
            else:
                log.warning(
                    "provider takes no such parameter",
                    provider_type=member.provider_type,
                    parameter="dimensions",
                )
        if request.user is not None and member.takes_user:
            body["user"] = request.user
        return {**body, **request.further}


def _listed(inputs: tuple[EmbeddingInput, ...]) -> list[Any]:
    return [_sent(each) for each in inputs]


def _sent(each: EmbeddingInput) -> Any:
    return each if isinstance(each, str) else list(each)

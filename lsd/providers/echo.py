"""The offline provider's dialect: a small JSON of its own, answered in this very process.

It needs no key and no socket, and says the same to the same request: for the first call, for tests
and for load runs. `play` stands where other providers have a server.
"""

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import quote

import attrs

from lsd.config import EchoProvider
from lsd.conversation import (
    ApiType,
    AttemptFailed,
    Edits,
    ModelRequest,
    ModelResponse,
    NotJson,
    ScriptedAnswer,
    ToolSet,
    UrlFile,
    WireRequest,
    decode_json,
    encode_json,
)
from lsd.providers._http_errors import failed_answer, undecodable
from lsd.providers._sealing import seal
from lsd.providers._whole_body import failing
from lsd.providers.dialect import StreamDecoder
from lsd.providers.echo_reply import Replier, ReplyFailed
from lsd.providers.echo_script import JSON_HEADERS, EchoScript
from lsd.providers.echo_wire import EchoStream, answer_json, events_of, request_json, response_of

_STREAM_HEADERS = {"Content-Type": "text/event-stream"}


@attrs.frozen(kw_only=True)
class EchoRequest(WireRequest):
    """A request to the offline provider; what `asked` says is answered.

    The body only shows it, edited as the operator wishes.
    """

    asked: ModelRequest


class EchoDialect:
    """The dialect of one `echo` entry, and the provider behind it.

    `play` counts its calls, for the scripted failures; the rest holds no state.
    """

    provider_type: ClassVar[str] = "echo"
    api_type: ClassVar[ApiType] = "other"

    def __init__(self, settings: EchoProvider, *, provider_name: str) -> None:
        self._settings = settings
        self._provider_name = provider_name
        self._replier = Replier(model_name=settings.model_name, reply=settings.reply)
        self._script = EchoScript(settings)

    def encode(
        self,
        request: ModelRequest,
        credentials: Mapping[str, str | None],  # noqa: ARG002 - there are none to need
        edits: Edits,
    ) -> EchoRequest:
        self._refuse_provider_tools(request.tools)
        sealed = seal(
            f"echo://{quote(self._settings.model_name, safe='')}",
            dict(JSON_HEADERS),
            request_json(request, self._settings.model_name),
            edits,
            self.provider_type,
        )
        return EchoRequest(
            method=sealed.method,
            url=sealed.url,
            headers=sealed.headers,
            body=sealed.body,
            asked=request,
        )

    def decode(self, status: int, headers: Mapping[str, str], body: bytes) -> ModelResponse:
        if status != 200:
            raise failed_answer(self.provider_type, status, headers, body)
        try:
            return response_of(decode_json(body))
        except (NotJson, KeyError, TypeError):
            shown = body.decode(errors="replace")
            reason = "found another shape than echo's own"
            raise undecodable(self.provider_type, reason, headers, shown) from None

    def stream_decoder(self, status: int, headers: Mapping[str, str]) -> StreamDecoder:
        if status != 200:
            return failing(lambda body: failed_answer(self.provider_type, status, headers, body))
        return EchoStream()

    def forwards(self, file: UrlFile) -> bool:  # noqa: ARG002 - none is looked at or fetched
        return True

    def play(self, request: WireRequest) -> ScriptedAnswer:
        """What a server would send: the reply, or the failure whose turn it is."""
        assert isinstance(request, EchoRequest), "a request of another dialect"
        failure = self._script.next_failure()
        if failure is not None:
            return failure
        try:
            reply = self._replier.reply_to(request.asked)
        except ReplyFailed as error:
            return self._script.failure(400, str(error))
        if request.asked.stream:
            return self._script.answer(200, _STREAM_HEADERS, events_of(reply))
        body = encode_json(answer_json(reply, self._settings.model_name))
        return self._script.answer(200, JSON_HEADERS, [body])

    def _refuse_provider_tools(self, tools: ToolSet | None) -> None:
        count = 0 if tools is None else len(tools.provider_tools)
        if count:
            raise AttemptFailed(
                kind="config",
                text=f'echo: provider "{self._provider_name}" got {count} of provider_tools '
                "and takes none",
            )

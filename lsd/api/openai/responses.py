"""`POST /openai/v1/responses`."""

from functools import partial

import attrs

from lsd.api.bodies import beside_the_loop
from lsd.api.compat.called_model import called_model
from lsd.api.compat.extension_fields import CompatibleBody, read_compatible_body
from lsd.api.compat.headers import STREAM_HEADERS, reply_headers
from lsd.api.exchange import Answer, Endpoint, Headers, Request, Send, Start
from lsd.api.openai.response_fields import KNOWN
from lsd.api.openai.response_object import ResponseObject
from lsd.api.openai.response_request import ResponseRequest, read_response_request
from lsd.api.openai.response_stream import ResponseStream
from lsd.conversation import encode_json
from lsd.inference import DirectCall, InferenceService, Reply, StreamWriter

API = "openai.responses"
"""How records say where they come from."""


@attrs.frozen
class Responses:
    """Serves responses, none of which is kept for later requests."""

    _inferences: InferenceService

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        return (
            Endpoint(
                method="POST",
                path="/openai/v1/responses",
                handle=self.responses,
                when_client_leaves=None,
                is_hot=True,
            ),
        )

    async def responses(self, request: Request, start: Start) -> Answer | None:
        """Answers whole, or by a stream of events."""
        body, asked = await beside_the_loop(request.body, _read, request)
        model = called_model(self._inferences.prepared, asked.model)
        tags = body.tags(API, asked.tags)
        call = DirectCall(model, asked.neutral, tags, request.api_key_public_id, body.options)
        if asked.neutral.stream:
            await self._inferences.stream_call(call, partial(_open, start, asked))
            return None
        reply = await self._inferences.call(call)
        whole = _response(asked, reply).whole()
        return Answer(body=encode_json(whole), headers=_headers(asked, reply))


def _read(request: Request) -> tuple[CompatibleBody, ResponseRequest]:
    body = read_compatible_body(request)
    body.check_known(KNOWN)
    return body, read_response_request(body.fields)


def _response(asked: ResponseRequest, reply: Reply) -> ResponseObject:
    return ResponseObject(reply=reply, model=asked.model, body=asked.body)


async def _open(start: Start, asked: ResponseRequest, reply: Reply) -> tuple[StreamWriter, Send]:
    send = await start((*STREAM_HEADERS, *_headers(asked, reply)))
    return ResponseStream(_response(asked, reply)), send


def _headers(asked: ResponseRequest, reply: Reply) -> Headers:
    return reply_headers("openai", reply, asked.ignored(reply.call.left_out))

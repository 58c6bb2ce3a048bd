"""`POST /openai/v1/chat/completions`."""

from functools import partial

import attrs

from lsd.api.bodies import beside_the_loop
from lsd.api.compat.called_model import called_model
from lsd.api.compat.extension_fields import CompatibleBody, read_compatible_body
from lsd.api.compat.headers import STREAM_HEADERS, reply_headers
from lsd.api.compat.raw_fields import raw_fields
from lsd.api.exchange import Answer, Endpoint, Headers, Request, Send, Start
from lsd.api.openai.chat_answer import completion
from lsd.api.openai.chat_fields import KNOWN
from lsd.api.openai.chat_request import ChatRequest, read_chat_request
from lsd.api.openai.chat_stream import ChatStream
from lsd.conversation import encode_json
from lsd.inference import (
    NO_OPTIONS,
    BadRequest,
    DirectCall,
    InferenceService,
    Reply,
    StreamWriter,
)

API = "openai.chat_completions"
"""How records say where they come from."""


@attrs.frozen
class ChatCompletions:
    """Serves chat completions."""

    _inferences: InferenceService

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        return (
            Endpoint(
                method="POST",
                path="/openai/v1/chat/completions",
                handle=self.chat_completions,
                when_client_leaves=None,
                is_hot=True,
            ),
        )

    async def chat_completions(self, request: Request, start: Start) -> Answer | None:
        """Answers whole, or by a stream of chunks."""
        body, asked = await beside_the_loop(request.body, _read, request)
        inferences, options = self._inferences, body.options
        model, tags = called_model(inferences.prepared, asked.model), body.tags(API, asked.tags)
        call = DirectCall(model, asked.neutral, tags, request.api_key_public_id, options)
        if asked.neutral.stream:
            include_usage = _includes_usage(asked, body)
            await inferences.stream_call(call, partial(_open, start, asked, include_usage))
            return None
        reply = await inferences.call(call)
        shown = completion(reply, asked.model)
        if options is not NO_OPTIONS:
            shown.update(raw_fields(reply))
        return Answer(encode_json(shown), headers=_headers(asked, reply))


def _read(request: Request) -> tuple[CompatibleBody, ChatRequest]:
    body = read_compatible_body(request)
    body.check_known(KNOWN)
    return body, read_chat_request(body.fields)


def _includes_usage(asked: ChatRequest, body: CompatibleBody) -> bool:
    """Whether the stream tells its usage. Raises BadRequest for a contradiction."""
    if not body.extensions.include_raw_usage:
        return asked.include_usage
    options = body.fields.get("stream_options", {})
    if options.get("include_usage") is False:
        reason = "found false with lsd::include_raw_usage; wanted true, or neither"
        raise BadRequest("stream_options.include_usage", reason)
    return True


async def _open(
    start: Start, asked: ChatRequest, include_usage: bool, reply: Reply
) -> tuple[StreamWriter, Send]:
    send = await start((*STREAM_HEADERS, *_headers(asked, reply)))
    writer = ChatStream(reply=reply, model=asked.model, include_usage=include_usage)
    return writer, send


def _headers(asked: ChatRequest, reply: Reply) -> Headers:
    left_out, is_relayed = reply.call.left_out, reply.call.is_relayed
    is_whole = is_relayed and not left_out
    ignored = () if is_whole else asked.ignored(left_out, is_relayed=is_relayed)
    return reply_headers("openai", reply, ignored)

"""`POST /anthropic/v1/messages` and the count of its tokens, from bytes to bytes."""

from collections.abc import Mapping
from typing import Any

import attrs

from lsd.api.anthropic.answer import UnusableCall, message_body
from lsd.api.anthropic.estimate import estimated_tokens
from lsd.api.anthropic.relayed import relayed_message
from lsd.api.anthropic.request import (
    FIELD_OF_PARAMETER,
    MessagesRequest,
    read_messages_request,
)
from lsd.api.anthropic.streams import Message, writer_of
from lsd.api.anthropic.top_level import KNOWN
from lsd.api.bodies import beside_the_loop
from lsd.api.compat.called_model import called_model
from lsd.api.compat.extension_fields import CompatibleBody, read_compatible_body
from lsd.api.compat.headers import STREAM_HEADERS, identity_headers, reply_headers
from lsd.api.compat.raw_fields import raw_fields
from lsd.api.compat.troubles import UnusableAnswer
from lsd.api.exchange import Answer, Endpoint, Request, Start
from lsd.conversation import JsonValue, encode_json
from lsd.inference import DirectCall, InferenceService, Reply, Send, StreamWriter

API = "anthropic.messages"
"""The value of the tag that tells records by which endpoint they were made."""

_LANE_HEADERS = ("anthropic-version", "anthropic-beta")

_ONLY_FOR_ANSWERS = ("max_tokens", "stream")


@attrs.frozen
class Messages:
    """Serves Messages requests."""

    _inferences: InferenceService

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module.

        One library wants the version in its base URL, another adds it by itself, and both read the
        same variable: so it may be missing.
        """
        return tuple(
            Endpoint(
                method="POST",
                path=f"{base}/messages{path}",
                handle=handle,
                when_client_leaves=None,
                is_hot=True,
            )
            for base in ("/anthropic/v1", "/anthropic")
            for path, handle in (("", self.messages), ("/count_tokens", self.count_tokens))
        )

    async def messages(self, request: Request, start: Start) -> Answer | None:
        """`POST /anthropic/v1/messages`."""
        body, asked = await beside_the_loop(request.body, _read, request)
        call = self._call(request, body, asked)
        if not asked.neutral.stream:
            return self._answer(body, asked, await self._inferences.call(call))

        async def open_writer(reply: Reply) -> tuple[StreamWriter, Send]:
            message = Message(reply=reply, model=asked.model)
            if message.needs_estimate:
                tokens = await beside_the_loop(request.body, estimated_tokens, body.fields)
                message = attrs.evolve(message, estimate=tokens)
            headers = reply_headers("anthropic", reply, _ignored(asked, body.fields, reply))
            return writer_of(message), await start((*STREAM_HEADERS, *headers))

        await self._inferences.stream_call(call, open_writer)
        return None

    async def count_tokens(self, request: Request, _start: Start) -> Answer:
        """`POST /anthropic/v1/messages/count_tokens`: nothing is generated, nothing recorded."""
        body, asked = await beside_the_loop(request.body, _read_to_count, request)
        count = await self._inferences.count_tokens(self._call(request, body, asked))
        headers = identity_headers("anthropic", None)
        if count is None:
            count = await beside_the_loop(request.body, estimated_tokens, body.fields)
            headers += ((b"x-lsd-estimated", b"true"),)
        return Answer(body=encode_json({"input_tokens": count}), headers=headers)

    def _call(self, request: Request, body: CompatibleBody, asked: MessagesRequest) -> DirectCall:
        model = called_model(self._inferences.prepared, asked.model, may_have_suffix=True)
        tags, key = body.tags(API, asked.tags), request.api_key_public_id
        return DirectCall(model, asked.neutral, tags, key, body.options)

    def _answer(self, body: CompatibleBody, asked: MessagesRequest, reply: Reply) -> Answer:
        message = Message(reply=reply, model=asked.model)
        if message.is_relayed:
            made = relayed_message(reply.call.answer.document, message.id, message.model)
        else:
            made = _translated(message)
        headers = reply_headers("anthropic", reply, _ignored(asked, body.fields, reply))
        return Answer(body=encode_json({**made, **raw_fields(reply)}), headers=headers)


def _read(request: Request) -> tuple[CompatibleBody, MessagesRequest]:
    body = read_compatible_body(request)
    body.check_known(KNOWN)
    return body, read_messages_request(body.fields, _lane_headers(request))


def _read_to_count(request: Request) -> tuple[CompatibleBody, MessagesRequest]:
    body = read_compatible_body(request)
    fields = {name: value for name, value in body.fields.items() if name not in _ONLY_FOR_ANSWERS}
    body = attrs.evolve(body, fields=fields)
    body.check_known(KNOWN)
    checked = {**fields, "max_tokens": 1}  # it is not sent
    return body, read_messages_request(checked, _lane_headers(request))


def _lane_headers(request: Request) -> dict[str, str]:
    """The headers of this API that came along."""
    return {name: request.headers[name] for name in _LANE_HEADERS if name in request.headers}


def _translated(message: Message) -> dict[str, Any]:
    call = message.reply.call
    try:
        return message_body(
            message.id,
            message.model,
            call.answer.output,
            message.usage,
            message.ending,
            keeps_unknown=call.is_relayed,
        )
    except UnusableCall as error:
        inference_id = message.reply.run.inference_id
        raise UnusableAnswer(call.provider_name, str(error), inference_id) from error


def _ignored(
    asked: MessagesRequest, fields: Mapping[str, JsonValue], reply: Reply
) -> tuple[str, ...]:
    """The fields that the provider was not sent, in the order of the request."""
    left_out = {FIELD_OF_PARAMETER.get(name, name) for name in reply.call.left_out}
    if not reply.call.is_relayed:
        left_out.update(asked.ignored)
    return tuple(name for name in fields if name in left_out)

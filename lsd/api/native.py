"""The native endpoints of every day: `/inference` and `/feedback`, from bytes to bytes."""

from functools import partial

import attrs

from lsd.api.bodies import parse_body
from lsd.api.errors import Refused
from lsd.api.exchange import EVENT_STREAM, Answer, Endpoint, Request, Start
from lsd.api.tracing import traced_feedback
from lsd.conversation import encode_json
from lsd.feedback import FeedbackService, read_feedback_request
from lsd.inference import InferenceService, read_inference_request
from lsd.telemetry import current_trace

STREAM_HEADERS = ((b"content-type", EVENT_STREAM.encode()), (b"cache-control", b"no-cache"))


@attrs.frozen
class Native:
    """Serves inferences and feedback; for the latter there must be a store."""

    _inferences: InferenceService
    _feedback: FeedbackService | None

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        return (
            Endpoint(
                method="POST",
                path="/inference",
                handle=self.inference,
                when_client_leaves=None,
                is_hot=True,
            ),
            Endpoint(method="POST", path="/feedback", handle=self.feedback, is_hot=True),
        )

    async def inference(self, request: Request, start: Start) -> Answer | None:
        """`POST /inference`."""
        asked = await parse_body(read_inference_request, request.body)
        key = request.api_key_public_id
        if asked.stream:
            start_events = partial(start, STREAM_HEADERS)
            await self._inferences.stream(asked, start_events, api_key_public_id=key)
            return None
        return Answer(await self._inferences.infer(asked, api_key_public_id=key))

    async def feedback(self, request: Request, _start: Start) -> Answer:
        """`POST /feedback`."""
        given = await parse_body(read_feedback_request, request.body)
        if self._feedback is None:
            raise Refused(503, "the feedback is not stored: the store could not be opened")
        key = request.api_key_public_id
        trace = current_trace()
        if trace is None:
            feedback_id = await self._feedback.give(given, api_key_public_id=key)
        else:
            feedback_id = await traced_feedback(trace, self._feedback, given, key)
        return Answer(body=encode_json({"feedback_id": feedback_id}))

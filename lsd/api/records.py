"""What was recorded, read back by id: model inferences, feedback."""

import attrs
import trio

from lsd.api.exchange import Answer, Endpoint, Request, Start
from lsd.api.parameters import cursor_in, flag_in, id_in, integer_in
from lsd.api.record_json import feedback_json, model_inference_json
from lsd.conversation import encode_json
from lsd.store import Store, Writer

FEEDBACK_LIMIT = 100
"""Entries of a page when the caller names no limit."""


@attrs.frozen
class Records:
    """Serves what the store holds. Everything answered before is visible."""

    _store: Store
    _writer: Writer

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        return (
            Endpoint(
                method="GET",
                path="/internal/model_inferences/{inference_id}",
                handle=self.model_inferences,
            ),
            Endpoint(method="GET", path="/internal/feedback/{target_id}", handle=self.feedback),
        )

    async def model_inferences(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/model_inferences/{inference_id}`: the calls of one inference.

        With `include_failed`, an episode's id shows the calls of its inferences that had no answer.
        """
        inference_id = id_in(request, "inference_id")
        failed = flag_in(request, "include_failed")
        await self._writer.settle()
        inferences = self._store.inferences
        calls = inferences.model_inferences(inference_id, include_failed=failed)
        if failed and not calls:
            calls = await trio.to_thread.run_sync(inferences.failed_attempts, inference_id)
        shown = [model_inference_json(call) for call in calls]
        return Answer(body=encode_json({"model_inferences": shown}))

    async def feedback(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/feedback/{target_id}`: entries on a target, newest first."""
        target_id = id_in(request, "target_id")
        cursor = cursor_in(request)
        limit = integer_in(request, "limit", default=FEEDBACK_LIMIT)
        await self._writer.settle()
        entries = await trio.to_thread.run_sync(
            lambda: self._store.feedback.page(
                target_id, before=cursor.before, after=cursor.after, limit=limit
            )
        )
        return Answer(body=encode_json({"feedback": [feedback_json(entry) for entry in entries]}))

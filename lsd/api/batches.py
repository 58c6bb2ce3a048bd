"""Batches over HTTP: submitting, asking for state and results, cancelling."""

from functools import partial

import attrs
import trio

from lsd.api.bodies import INLINE_LIST_BYTES_MAX, parse_body
from lsd.api.exchange import JSON, Answer, Endpoint, Request, Start
from lsd.api.parameters import id_in
from lsd.batches import BatchService, read_submission
from lsd.conversation import encode_json

WHOLE_ITEMS_MAX = 500
"""The results of larger batches are sent as they are read, without a `content-length`."""

_PATH = "/batch_inference/{batch_id}"

_END = b""
"""Follows the last piece of an answer; no piece is empty."""


@attrs.frozen
class Batches:
    """Serves batches. `items_max` bounds a submission."""

    _batches: BatchService
    _items_max: int

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        return (
            Endpoint(method="POST", path="/batch_inference", handle=self.submit),
            Endpoint(method="GET", path=_PATH, handle=self.show, when_client_leaves="cancel"),
            Endpoint(
                method="GET",
                path=f"{_PATH}/inference/{{inference_id}}",
                handle=self.item,
                when_client_leaves="cancel",
            ),
            Endpoint(method="POST", path=f"{_PATH}/cancel", handle=self.cancel),
        )

    async def submit(self, request: Request, _start: Start) -> Answer:
        """`POST /batch_inference`."""
        read = partial(read_submission, items_max=self._items_max)
        submission = await parse_body(read, request.body, inline_bytes_max=INLINE_LIST_BYTES_MAX)
        key = request.api_key_public_id
        accepted = await self._batches.submit(submission, api_key_public_id=key)
        return Answer(body=encode_json(accepted))

    async def show(self, request: Request, start: Start) -> Answer | None:
        """`GET /batch_inference/{batch_id}`."""
        batch_id = id_in(request, "batch_id")
        await self._batches.refresh(batch_id)
        return await self._shown(batch_id, start)

    async def item(self, request: Request, _start: Start) -> Answer:
        """`GET /batch_inference/{batch_id}/inference/{inference_id}`."""
        batch_id, inference_id = id_in(request, "batch_id"), id_in(request, "inference_id")
        return Answer(body=encode_json(await self._batches.item(batch_id, inference_id)))

    async def cancel(self, request: Request, start: Start) -> Answer | None:
        """`POST /batch_inference/{batch_id}/cancel`."""
        batch_id = id_in(request, "batch_id")
        await self._batches.cancel(batch_id)
        return await self._shown(batch_id, start)

    async def _shown(self, batch_id: str, start: Start) -> Answer | None:
        batch = self._batches.get(batch_id)
        pieces = self._batches.pieces(batch)
        if batch.counts.total <= WHOLE_ITEMS_MAX or batch.is_under_way:
            return Answer(body=await trio.to_thread.run_sync(b"".join, pieces))
        send = await start(((b"content-type", JSON.encode()),))
        while piece := await trio.to_thread.run_sync(next, pieces, _END):
            await send(piece)
        return None

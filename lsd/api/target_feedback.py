"""What was said about an inference or an episode: entries, how many, the first, last and latest."""

from collections.abc import Callable
from typing import Any, Final, get_args

import attrs

from lsd.api.exchange import Answer, Endpoint, Request, Start
from lsd.api.parameters import cursor_in, id_in, integer_in
from lsd.api.reading import Reading
from lsd.api.record_json import feedback_json
from lsd.conversation import encode_json
from lsd.store import FeedbackBounds, FeedbackKind, FeedbackRecord

LIMIT: Final = 100
"""Entries of a page when the caller names no limit."""

_KINDS: Final[tuple[FeedbackKind, ...]] = get_args(FeedbackKind)


@attrs.frozen
class TargetFeedback:
    """Serves the feedback of the store by what it is about. Unknown targets have none."""

    _reading: Reading

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        path = "/internal/feedback/{target_id}"
        return (
            Endpoint(method="GET", path=path, handle=self.page),
            Endpoint(method="GET", path=f"{path}/count", handle=self.count),
            Endpoint(method="GET", path=f"{path}/bounds", handle=self.bounds),
            Endpoint(
                method="GET", path=f"{path}/latest_id_by_metric", handle=self.latest_by_metric
            ),
            Endpoint(method="GET", path=f"{path}/demonstrations", handle=self.demonstrations),
        )

    async def page(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/feedback/{target_id}`: entries of all kinds, newest first."""
        return await self._page(request, _KINDS, feedback_json)

    async def demonstrations(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/feedback/{inference_id}/demonstrations`: newest first."""
        return await self._page(request, ("demonstration",), _demonstration)

    async def count(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/feedback/{target_id}/count`: every entry counts."""
        target_id = id_in(request, "target_id")
        feedback = self._reading.store.feedback
        count = await self._reading.read(lambda: feedback.count(target_id))
        return Answer(body=encode_json({"count": count}))

    async def bounds(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/feedback/{target_id}/bounds`: the first and last entry, and by kind."""
        target_id = id_in(request, "target_id")
        feedback = self._reading.store.feedback
        bounds = await self._reading.read(lambda: feedback.bounds(target_id))
        firsts = [each.first_id for each in bounds.values()]
        lasts = [each.last_id for each in bounds.values()]
        whole = FeedbackBounds(first_id=min(firsts), last_id=max(lasts)) if bounds else None
        shown = {kind: _bounds(bounds.get(kind)) for kind in _KINDS}
        return Answer(body=encode_json({**_bounds(whole), "by_type": shown}))

    async def latest_by_metric(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/feedback/{target_id}/latest_id_by_metric`: of booleans and numbers."""
        target_id = id_in(request, "target_id")
        feedback = self._reading.store.feedback
        latest = await self._reading.read(lambda: feedback.latest_by_metric(target_id))
        ids = {name: each.feedback_id for name, each in sorted(latest.items())}
        return Answer(body=encode_json({"feedback_id_by_metric": ids}))

    async def _page(
        self,
        request: Request,
        kinds: tuple[FeedbackKind, ...],
        show: Callable[[FeedbackRecord], dict[str, Any]],
    ) -> Answer:
        target_id = id_in(request, "target_id")
        cursor = cursor_in(request)
        limit = integer_in(request, "limit", default=LIMIT)

        def read() -> bytes:
            entries = self._reading.store.feedback.page(
                target_id, before=cursor.before, after=cursor.after, limit=limit, kinds=kinds
            )
            return encode_json({"feedback": [show(each) for each in entries]})

        return Answer(body=await self._reading.read(read))


def _demonstration(entry: FeedbackRecord) -> dict[str, Any]:
    shown = feedback_json(entry)
    del shown["type"]
    return shown


def _bounds(bounds: FeedbackBounds | None) -> dict[str, Any]:
    if bounds is None:
        return {}
    return {"first_id": bounds.first_id, "last_id": bounds.last_id}

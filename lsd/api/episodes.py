"""Episodes that were recorded: in pages, their bounds, their size."""

from typing import Any, Final

import attrs

from lsd.api.bodies import parse_body
from lsd.api.errors import Refused
from lsd.api.exchange import Answer, Endpoint, Request, Start
from lsd.api.filters import FilterBody, filter_of
from lsd.api.inference_query import register_queries
from lsd.api.parameters import cursor_in, id_in, integer_in, text_in
from lsd.api.reading import Reading
from lsd.conversation import Id, Structurer, encode_json, id_time_ms
from lsd.store import Episode, Filter
from lsd.telemetry import rfc3339_ms

LIMIT_MAX: Final = 100
"""Episodes of a page."""


@attrs.frozen(kw_only=True)
class _ListBody:
    limit: int
    before: Id | None = None
    after: Id | None = None
    function_name: str | None = None
    filters: FilterBody | None = None


@attrs.frozen
class Episodes:
    """Serves the episodes of the store."""

    _reading: Reading

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        path = "/internal/episodes"
        return (
            Endpoint(method="GET", path=path, handle=self.page),
            Endpoint(method="POST", path=path, handle=self.filtered),
            Endpoint(method="GET", path=f"{path}/bounds", handle=self.bounds),
            Endpoint(
                method="GET", path=f"{path}/{{episode_id}}/inference_count", handle=self.count
            ),
        )

    async def page(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/episodes`: those with the greatest ids first."""
        text_in(request, "limit")
        limit = integer_in(request, "limit", default=LIMIT_MAX)
        cursor = cursor_in(request)
        return await self._page(
            limit,
            before=cursor.before,
            after=cursor.after,
            function_name=request.query.get("function_name"),
        )

    async def filtered(self, request: Request, _start: Start) -> Answer:
        """`POST /internal/episodes`: those with an inference for which a filter holds."""
        asked = await parse_body(lambda body: _STRUCTURER.read(body, _ListBody), request.body)
        if asked.before is not None and asked.after is not None:
            raise Refused(400, "before, after: found both; wanted at most one of them")
        condition = None
        if asked.filters is not None:
            condition = filter_of(asked.filters, self._reading.config)
        return await self._page(
            asked.limit,
            before=asked.before,
            after=asked.after,
            function_name=asked.function_name,
            condition=condition,
        )

    async def bounds(self, _request: Request, _start: Start) -> Answer:
        """`GET /internal/episodes/bounds`."""
        bounds = await self._reading.read(self._reading.store.episodes.bounds)
        shown = {"first_id": bounds.first_id, "last_id": bounds.last_id}
        given = {name: each for name, each in shown.items() if each is not None}
        return Answer(body=encode_json({**given, "count": bounds.count}))

    async def count(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/episodes/{episode_id}/inference_count`."""
        episode_id = id_in(request, "episode_id")
        episode = await self._reading.read(lambda: self._reading.store.episodes.get(episode_id))
        count = 0 if episode is None else episode.count
        return Answer(body=encode_json({"inference_count": count}))

    async def _page(
        self,
        limit: int,
        *,
        before: str | None,
        after: str | None,
        function_name: str | None,
        condition: Filter | None = None,
    ) -> Answer:
        if not 1 <= limit <= LIMIT_MAX:
            raise Refused(400, f"limit: found {limit}; wanted an integer from 1 to {LIMIT_MAX}")
        episodes = await self._reading.read(
            lambda: self._reading.store.episodes.page(
                function_name=function_name,
                filter=condition,
                before=before,
                after=after,
                limit=limit,
            )
        )
        return Answer(body=encode_json({"episodes": [_episode(each) for each in episodes]}))


def _episode(episode: Episode) -> dict[str, Any]:
    return {
        "episode_id": episode.episode_id,
        "count": episode.count,
        "start_time": rfc3339_ms(id_time_ms(episode.first_inference_id)),
        "end_time": rfc3339_ms(id_time_ms(episode.last_inference_id)),
        "last_inference_id": episode.last_inference_id,
    }


def _structurer() -> Structurer:
    structurer = Structurer()
    register_queries(structurer)
    return structurer


_STRUCTURER: Final = _structurer()

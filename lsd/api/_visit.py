"""The work for one request: done until it is answered, its client leaves, or the daemon stops."""

from collections.abc import Awaitable, Callable, Mapping

import attrs
import trio

from lsd.api.bodies import ClientGone, Receive, read_body
from lsd.api.errors import ErrorWords
from lsd.api.exchange import Answer, Endpoint, Request, WhenClientLeaves
from lsd.api.in_flight import InFlight
from lsd.api.responder import Exchange, Responder
from lsd.conversation import IdGenerator
from lsd.telemetry import Clock, RequestContext, logger

log = logger(__name__)

Work = Callable[[bytes], Awaitable[Answer | None]]
"""Is given the body of the request; gives the answer, unless it has sent one itself."""


@attrs.frozen(kw_only=True)
class Route:
    """What method and path tell of a request; `path` is None if it is none of ours.

    `endpoint` serves it if it is a hot one. `name` is how it is counted and logged.
    """

    name: str
    path: str | None
    words: ErrorWords
    endpoint: Endpoint | None
    when_client_leaves: WhenClientLeaves


@attrs.frozen(kw_only=True)
class Reception:
    """What all visits of one configuration share."""

    in_flight: InFlight
    ids: IdGenerator
    clock: Clock
    body_bytes_max: int


@attrs.define(eq=False)
class Visit:
    """A request that was let in; its client is told whatever its work ends with.

    `work` is what an application behind does where the route has no endpoint of its own. It is
    served within `scope`, which whoever wants it to end may cancel.
    """

    _reception: Reception
    _route: Route
    _headers: Mapping[str, str]
    _api_key_public_id: str | None
    _work: Work | None
    _out: Responder
    _context: RequestContext
    _started_at: float
    _scope: trio.CancelScope

    def serve(self, receive: Receive, exchange: Exchange | None) -> Awaitable[None]:
        """Serves the request. `exchange` is None where the server has only messages.

        Nobody has entered the scope then; that of an exchange is entered.
        """
        serving = self._run(receive, exchange)
        if exchange is None:
            serving = self._within_scope(serving)
        return self._told_of(serving) if log.is_debug else serving

    async def _within_scope(self, serving: Awaitable[None]) -> None:
        with self._scope:
            await serving

    async def _told_of(self, serving: Awaitable[None]) -> None:
        log.debug("request started")
        try:
            await serving
        finally:
            log.debug("request finished", status=self._out.status, latency_ms=self._latency_ms())

    async def _run(self, receive: Receive, exchange: Exchange | None) -> None:
        reception, out = self._reception, self._out
        reception.in_flight.begin(self._scope, self._route.name)
        try:
            bytes_max = reception.body_bytes_max
            body = None if exchange is None else exchange.whole_body
            if body is None or len(body) > bytes_max or "content-encoding" in self._headers:
                body = await read_body(receive, self._headers, bytes_max)
            if exchange is None:
                answer = await _done_beside_watch(self._done, body, receive, self._hear_leaving)
            else:
                exchange.when_gone(self._hear_leaving)
                answer = await self._done(body)
            if answer is not None:
                await out.answer(answer)
            elif not out.is_done:
                await out.end()
        except ClientGone:
            log.warning("client left", latency_ms=self._latency_ms())
        except trio.Cancelled:
            await self._end_cancelled()
            raise
        except Exception as error:  # noqa: BLE001 (the edge of a request: everything is answered)
            await self._tell(error)
        except BaseExceptionGroup as group:
            # Several tasks were cancelled, and some may have failed on their way out.
            failed, cancelled = group.split(Exception)
            try:
                if failed is not None:
                    await self._tell(failed)
                else:
                    await self._end_cancelled()
                if cancelled is not None:
                    raise cancelled from None
            finally:
                # They know this frame, and with it all that was said, until the collector comes.
                del failed, cancelled
        finally:
            reception.in_flight.end(self._scope)

    def _done(self, body: bytes) -> Awaitable[Answer | None]:
        endpoint = self._route.endpoint
        if endpoint is None:
            assert self._work is not None, "what has no endpoint is done by the application behind"
            return self._work(body)
        request = Request(self._headers, body, self._api_key_public_id)
        return endpoint.handle(request, self._out.start)

    async def _tell(self, error: Exception) -> None:
        out = self._out
        answer = out.words.answer_and_log(error, self._route.name, self._reception.ids)
        if self._scope.cancel_called:
            await out.say_at_last(answer)
        else:
            await out.answer_or_break_off(answer)

    async def _end_cancelled(self) -> None:
        if self._scope.cancel_called and self._reception.in_flight.is_stopping:
            await self._out.say_stopping()

    def _hear_leaving(self) -> None:
        """The server may call this in a task that knows of no request."""
        out = self._out
        if out.is_done:
            return
        out.client_left()
        if not out.is_head:
            log.warning("client left", latency_ms=self._latency_ms(), **self._context.fields())
        if self._route.when_client_leaves == "cancel":
            self._scope.cancel()

    def _latency_ms(self) -> int:
        return round((self._reception.clock.monotonic() - self._started_at) * 1000)


async def _done_beside_watch(
    work: Work, body: bytes, receive: Receive, hear_leaving: Callable[[], None]
) -> Answer | None:
    """For servers that tell of it by a message only: a second task waits for that."""
    answer: Answer | None = None
    failed: Exception | None = None

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        hear_leaving()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        try:
            answer = await work(body)
        except Exception as error:  # noqa: BLE001 (raised again outside of the nursery)
            failed = error
        nursery.cancel_scope.cancel()
    if failed is not None:
        raise failed
    return answer

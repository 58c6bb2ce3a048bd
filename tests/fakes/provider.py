"""A provider that does what it is told: scripts by name, and a memory of what it was asked."""

from collections import Counter
from types import TracebackType
from typing import Any, Self

import orjson
import trio

from tests.fakes.connection import Connection
from tests.fakes.recorded import WAIT_S_MAX, RecordedRequest
from tests.fakes.script import Answer, Body, Header, Script, Status


class FakeProvider:
    """Serves scripts at `/s/SCENARIO/v1/...` while its `async with` block runs.

    The scenario `seq:a,b,c` answers the n-th request by the n-th of these scripts; the last one
    repeats. Scripts may be registered and replaced at any time.
    """

    def __init__(self) -> None:
        self.requests: list[RecordedRequest] = []
        self.port = 0
        self._answers: dict[str, Answer] = {}
        self._asked: Counter[str] = Counter()
        self._connections = 0
        self._news = trio.Event()
        self._manager: Any = None
        self._nursery: trio.Nursery

    async def __aenter__(self) -> Self:
        self._manager = trio.open_nursery()
        self._nursery = await self._manager.__aenter__()
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self.port = listener.socket.getsockname()[1]
        self._nursery.start_soon(trio.serve_listeners, self._serve, [listener])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # The test's own failure goes its way unwrapped; the nursery holds only our tasks.
        self._nursery.cancel_scope.cancel()
        await self._manager.__aexit__(None, None, None)

    def will(self, scenario: str, answer: Answer) -> str:
        """Registers what `scenario` answers; returns its `api_base`."""
        self._answers[scenario] = answer
        return self.url(scenario)

    def url(self, scenario: str) -> str:
        """The `api_base` of a scenario, `seq:a,b` included."""
        return f"{self.root(scenario)}/v1"

    def root(self, scenario: str) -> str:
        """The same without `/v1`, for providers that have other paths."""
        return f"http://127.0.0.1:{self.port}/s/{scenario}"

    def requests_to(self, scenario: str) -> list[RecordedRequest]:
        """The requests that asked for `scenario`, by its full name."""
        return [request for request in self.requests if request.scenario == scenario]

    def forget(self) -> None:
        """As if nothing had been asked yet; scripts stay."""
        self.requests.clear()
        self._asked.clear()

    async def wait_for_request(
        self, number: int = 1, *, scenario: str | None = None, timeout_s: float = WAIT_S_MAX
    ) -> RecordedRequest:
        """The `number`-th request, counted from 1, as soon as it has arrived."""
        with trio.fail_after(timeout_s):
            while True:
                arrived = self.requests if scenario is None else self.requests_to(scenario)
                if len(arrived) >= number:
                    return arrived[number - 1]
                await self._news.wait()

    async def _serve(self, stream: trio.SocketStream) -> None:
        self._connections += 1
        connection = Connection(stream, self._connections)
        async with stream:
            while True:
                request = await connection.receive_request()
                if request is None:
                    return
                self._remember(request)
                if not await connection.play(self._script_for(request), request):
                    return

    def _remember(self, request: RecordedRequest) -> None:
        self.requests.append(request)
        self._news.set()
        self._news = trio.Event()

    def _script_for(self, request: RecordedRequest) -> Script:
        self._asked[request.scenario] += 1
        name = request.scenario
        if name.startswith("seq:"):
            names = name.removeprefix("seq:").split(",")
            name = names[min(self._asked[request.scenario], len(names)) - 1]
        answer = self._answers.get(name)
        if answer is None:
            return _refusal(404, {"error": {"message": f"fake: no scenario {name!r}"}})
        script = answer if isinstance(answer, Script) else answer(request)
        if script.require_key is not None and script.require_key not in _keys(request):
            return _wrong_key(request)
        return script


def _keys(request: RecordedRequest) -> list[str]:
    """The credentials that a request shows, wherever dialects put them."""
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    return [bearer, *(request.headers.get(name, "") for name in ("x-api-key", "api-key"))]


def _wrong_key(request: RecordedRequest) -> Script:
    text = "Incorrect API key provided"
    if request.path.endswith("/messages"):
        error = {"type": "authentication_error", "message": text}
        return _refusal(401, {"type": "error", "error": error})
    kind = {"type": "invalid_request_error", "code": "invalid_api_key"}
    return _refusal(401, {"error": {"message": text, **kind}})


def _refusal(status: int, body: object) -> Script:
    return Script(
        (Status(status), Header("Content-Type", "application/json"), Body(orjson.dumps(body)))
    )

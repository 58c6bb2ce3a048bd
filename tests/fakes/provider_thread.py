"""The fake provider for tests that are not async: it runs trio in a thread of its own."""

from collections.abc import Awaitable, Callable
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Self, TypeVar

import trio

from tests.fakes.provider import FakeProvider
from tests.fakes.recorded import WAIT_S_MAX, RecordedRequest
from tests.fakes.script import Answer

T = TypeVar("T")


class FakeProviderThread:
    """`FakeProvider` with plain methods, running while its `with` block does."""

    def __init__(self) -> None:
        self._ready: SimpleQueue[tuple[FakeProvider, trio.lowlevel.TrioToken, trio.CancelScope]]
        self._ready = SimpleQueue()
        self._thread = Thread(target=trio.run, args=(self._run,), name="fake-provider")

    def __enter__(self) -> Self:
        self._thread.start()
        self._fake, self._token, self._scope = self._ready.get(timeout=WAIT_S_MAX)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._token.run_sync_soon(self._scope.cancel)
        self._thread.join()

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests so far, in the order of their arrival."""
        return self._fake.requests

    def will(self, scenario: str, answer: Answer) -> str:
        """Registers what `scenario` answers; returns its `api_base`."""
        return self._fake.will(scenario, answer)

    def url(self, scenario: str) -> str:
        """The `api_base` of a scenario, `seq:a,b` included."""
        return self._fake.url(scenario)

    def root(self, scenario: str) -> str:
        """The same without `/v1`."""
        return self._fake.root(scenario)

    def requests_to(self, scenario: str) -> list[RecordedRequest]:
        """The requests that asked for `scenario`, by its full name."""
        return self._fake.requests_to(scenario)

    def forget(self) -> None:
        """As if nothing had been asked yet; scripts stay."""
        trio.from_thread.run_sync(self._fake.forget, trio_token=self._token)

    def set(self, event: trio.Event) -> None:
        """Lets scripts go on that say nothing `Until` this."""
        trio.from_thread.run_sync(event.set, trio_token=self._token)

    def wait_for_request(
        self, number: int = 1, *, scenario: str | None = None, timeout_s: float = WAIT_S_MAX
    ) -> RecordedRequest:
        """The `number`-th request, counted from 1, as soon as it has arrived."""
        return self._in_thread(
            lambda: self._fake.wait_for_request(number, scenario=scenario, timeout_s=timeout_s)
        )

    def wait_ended(self, request: RecordedRequest, timeout_s: float = WAIT_S_MAX) -> None:
        """Until the answer is written or the peer has gone."""
        self._in_thread(lambda: request.wait_ended(timeout_s))

    def wait_closed(self, request: RecordedRequest, timeout_s: float = WAIT_S_MAX) -> None:
        """Until the peer has gone before its answer was complete; fails if it stayed."""
        self._in_thread(lambda: request.wait_closed(timeout_s))

    def _in_thread(self, wait: Callable[[], Awaitable[T]]) -> T:
        return trio.from_thread.run(wait, trio_token=self._token)

    async def _run(self) -> None:
        async with FakeProvider() as fake:
            with trio.CancelScope() as scope:
                self._ready.put((fake, trio.lowlevel.current_trio_token(), scope))
                await trio.sleep_forever()

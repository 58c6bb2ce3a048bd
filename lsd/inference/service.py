"""What happens to one inference, from the checked request to the last byte and the record."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from random import Random

import attrs
import trio

from lsd.conversation import IdGenerator, encode_json
from lsd.inference.accept import Accepted, accept
from lsd.inference.answers import Answer, answer_json
from lsd.inference.call_cache import CallCache
from lsd.inference.file_desk import FileDesk
from lsd.inference.journal import ModelCall
from lsd.inference.prepared import DEFAULT_FUNCTION, Prepared
from lsd.inference.records import Recorder
from lsd.inference.request import InferenceRequest
from lsd.inference.run import Run
from lsd.inference.running import RunningInferences
from lsd.inference.started_answer import StartedAnswer
from lsd.inference.stream_answer import END_OF_STREAM, KEEP_ALIVE, StreamAnswer
from lsd.inference.variants import first_answer, first_started_answer
from lsd.store import InferenceCache
from lsd.telemetry import Clock, Metrics

KEEP_ALIVE_S = 15.0
"""Silence after which a comment is sent, so that nothing between LSD and the caller gives up."""

CUT_OFF = "the request ended before the provider's answer was complete"

Send = Callable[[bytes], Awaitable[None]]


@attrs.define(eq=False, kw_only=True)
class InferenceService:
    """Runs inferences. One serves all requests of a process.

    `recorder` is None when nothing is recorded, `cache` when nothing is cached.
    """

    prepared: Prepared
    recorder: Recorder | None
    ids: IdGenerator
    clock: Clock
    random: Random
    metrics: Metrics
    cache: InferenceCache | None = None
    file_desk: FileDesk
    running: RunningInferences = attrs.Factory(RunningInferences)

    async def infer(
        self, request: InferenceRequest, *, api_key_public_id: str | None = None
    ) -> bytes:
        """The JSON body of a plain answer; `api_key_public_id` tells who asks.

        Raises BadRequest, UnknownName or InferenceFailed. When cancelled, what had been asked of
        providers is recorded as interrupted.
        """
        accepted, run = self._begin(request, api_key_public_id)
        with self._in_progress(run, accepted):
            await self.file_desk.keep_files_of(run)
            answer = await first_answer(run, accepted)
            await self._record(run, accepted, answer)
            self._observe(run)
            return encode_json(answer_json(run, answer))

    async def stream(
        self,
        request: InferenceRequest,
        start: Callable[[], Awaitable[Send]],
        *,
        api_key_public_id: str | None = None,
    ) -> None:
        """Sends a streamed answer as server-sent events.

        `start` is called when the first chunk is there, and gives what takes the bytes; until
        then everything can be raised as in `infer`. When cancelled, what had arrived is recorded.
        """
        accepted, run = self._begin(request, api_key_public_id)
        with self._in_progress(run, accepted):
            await self.file_desk.keep_files_of(run)
            started = await first_started_answer(run, accepted)
            try:
                await self._deliver(run, accepted, started, await start())
            except BaseException:
                self._record_cut_off(run, accepted, started)
                raise
            finally:
                await started.stream.aclose()

    def sampling_probabilities(
        self, function_name: str, namespace: str | None
    ) -> dict[str, float] | None:
        """How likely each variant is for the next episode; None for an unknown function."""
        if function_name == DEFAULT_FUNCTION:
            return {}
        function = self.prepared.functions.get(function_name)
        return None if function is None else function.draw_for(namespace).probabilities()

    def _begin(
        self, request: InferenceRequest, api_key_public_id: str | None
    ) -> tuple[Accepted, Run]:
        started_at = self.clock.monotonic()
        accepted = accept(
            request,
            self.prepared,
            now_ms=self.clock.now_ms(),
            api_key_public_id=api_key_public_id,
        )
        if not request.dryrun:
            self.metrics.count_inference(accepted.function.name, request.model_name)
        run = Run(
            episode_id=accepted.episode_id or self.ids.new(),
            inference_id=self.ids.new(),
            request=request,
            prepared=self.prepared,
            ids=self.ids,
            clock=self.clock,
            random=self.random,
            streaming=bool(request.stream),
            started_at=started_at,
            cache=CallCache.of(
                request.cache_options,
                cache=self.cache,
                clock=self.clock,
                function_type=accepted.function.config.type,
                toolbox=accepted.toolbox,
                fetches_all_files=self.file_desk.fetches_all,
                is_dryrun=bool(request.dryrun),
            ),
            files=self.file_desk.files_for(request),
            on_call_ended=self._count_call,
        )
        return accepted, run

    @contextmanager
    def _in_progress(self, run: Run, accepted: Accepted) -> Iterator[None]:
        """The inference can be waited for, and leaves its attempts if it gives no answer."""
        is_dryrun = bool(accepted.request.dryrun)
        with self.running.during(run.inference_id, run.episode_id, is_dryrun=is_dryrun):
            try:
                yield
            except BaseException:
                run.end_open_calls("interrupted", CUT_OFF)
                if self.recorder is not None and not is_dryrun and not run.is_recorded:
                    self.recorder.record_attempts(run, accepted)
                raise

    async def _deliver(
        self, run: Run, accepted: Accepted, started: StartedAnswer, send: Send
    ) -> None:
        events_of = StreamAnswer(run, accepted, started)
        stream = started.stream
        sender = _Sender(send)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sender.keep_alive)
            await sender.send(events_of.opening())
            while events := await stream.receive():
                await sender.send(events_of.events(events))
            await sender.end_keep_alive()
        await stream.settle()
        answer = started.answer()
        await sender.send(events_of.closing(answer))
        await self._record(run, accepted, answer)
        self._observe(run)
        await sender.send(END_OF_STREAM)

    async def _record(self, run: Run, accepted: Accepted, answer: Answer) -> None:
        run.is_recorded = True
        if self.recorder is not None and not accepted.request.dryrun:
            await self.recorder.record(run, accepted, answer)

    def _record_cut_off(self, run: Run, accepted: Accepted, started: StartedAnswer) -> None:
        """The caller left in the middle of a stream: what had arrived is kept, if it was any."""
        started.stream.note()
        run.end_open_calls("interrupted", CUT_OFF)
        if run.is_recorded or not started.stream.has_content:
            return
        run.is_recorded = True
        if self.recorder is not None and not accepted.request.dryrun:
            self.recorder.record_interrupted(run, accepted, started.answer())

    def _count_call(self, call: ModelCall) -> None:
        if not call.cached:
            self.metrics.count_call(call.usage.input_tokens, call.usage.output_tokens, call.cost)

    def _observe(self, run: Run) -> None:
        now = self.clock.monotonic()
        overhead = now - run.started_at - run.journal.seconds_at_providers(now)
        tried = {call.variant_name for call in run.journal.calls}
        variant = tried.pop() if len(tried) == 1 else None
        function = run.request.function_name or DEFAULT_FUNCTION
        self.metrics.observe_overhead(function, variant, overhead)


@attrs.define(eq=False)
class _Sender:
    """Sends the events of one stream, and a comment when there was nothing for a while."""

    _send: Send
    _last_at: float = attrs.field(factory=trio.current_time, init=False)
    _turn: trio.Lock = attrs.field(factory=trio.Lock, init=False)
    _keeping_alive: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)

    async def send(self, data: bytes) -> None:
        """Waits until the caller takes `data`; sends nothing if it is empty."""
        if data:
            async with self._turn:
                await self._send(data)
                self._last_at = trio.current_time()

    async def keep_alive(self) -> None:
        """Runs until `end_keep_alive` is called."""
        with self._keeping_alive:
            while True:
                await trio.sleep_until(self._last_at + KEEP_ALIVE_S)
                if trio.current_time() - self._last_at >= KEEP_ALIVE_S:
                    await self.send(KEEP_ALIVE)

    async def end_keep_alive(self) -> None:
        """No comment follows; one that is being sent is sent to its end."""
        async with self._turn:
            self._keeping_alive.cancel()

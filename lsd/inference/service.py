"""What happens to one inference, from the checked request to the last byte and the record."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from random import Random

import attrs
import trio

from lsd.conversation import IdGenerator, encode_json
from lsd.inference.accept import Accepted, accept
from lsd.inference.answers import Output, answer_json, read_output
from lsd.inference.call_cache import CallCache
from lsd.inference.file_desk import FileDesk
from lsd.inference.journal import ModelCall
from lsd.inference.model_request import Asked
from lsd.inference.open_stream import StartedStream
from lsd.inference.prepared import DEFAULT_FUNCTION, Prepared
from lsd.inference.records import Recorder
from lsd.inference.request import InferenceRequest
from lsd.inference.routing import started_stream, whole_answer
from lsd.inference.run import Run
from lsd.inference.running import RunningInferences
from lsd.inference.stream_answer import END_OF_STREAM, KEEP_ALIVE, StreamAnswer
from lsd.inference.variants import first_answer
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

    async def infer(self, request: InferenceRequest) -> bytes:
        """The JSON body of a plain answer.

        Raises BadRequest, UnknownName or InferenceFailed. When cancelled, what had been asked of
        providers is recorded as interrupted.
        """
        accepted, run = self._begin(request)
        with self._in_progress(run, accepted):
            await self.file_desk.keep_files_of(run)
            asked, call = await first_answer(run, accepted, whole_answer)
            output = read_output(accepted, asked, call)
            await self._record(run, accepted, asked, call, output)
            self._observe(run)
            return encode_json(answer_json(run, accepted, call, output))

    async def stream(self, request: InferenceRequest, start: Callable[[], Awaitable[Send]]) -> None:
        """Sends a streamed answer as server-sent events.

        `start` is called when the first chunk is there, and gives what takes the bytes; until
        then everything can be raised as in `infer`. When cancelled, what had arrived is recorded.
        """
        accepted, run = self._begin(request)
        with self._in_progress(run, accepted):
            await self.file_desk.keep_files_of(run)
            asked, stream = await first_answer(run, accepted, started_stream)
            try:
                await self._deliver(run, accepted, asked, stream, await start())
            except BaseException:
                self._record_cut_off(run, accepted, asked, stream)
                raise
            finally:
                await stream.aclose()

    def sampling_probabilities(
        self, function_name: str, namespace: str | None
    ) -> dict[str, float] | None:
        """How likely each variant is for the next episode; None for an unknown function."""
        if function_name == DEFAULT_FUNCTION:
            return {}
        function = self.prepared.functions.get(function_name)
        return None if function is None else function.draw_for(namespace).probabilities()

    def _begin(self, request: InferenceRequest) -> tuple[Accepted, Run]:
        started_at = self.clock.monotonic()
        accepted = accept(request, self.prepared, now_ms=self.clock.now_ms())
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
        self, run: Run, accepted: Accepted, asked: Asked, stream: StartedStream, send: Send
    ) -> None:
        answer = StreamAnswer(run, accepted, asked, stream.entry)
        sender = _Sender(send)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sender.keep_alive)
            await sender.send(answer.opening())
            while events := await stream.receive():
                await sender.send(answer.events(events))
            await sender.end_keep_alive()
        await stream.settle()
        output = read_output(accepted, asked, stream.entry)
        await sender.send(answer.closing(output))
        await self._record(run, accepted, asked, stream.entry, output)
        self._observe(run)
        await sender.send(END_OF_STREAM)

    async def _record(
        self, run: Run, accepted: Accepted, asked: Asked, call: ModelCall, output: Output
    ) -> None:
        run.is_recorded = True
        if self.recorder is not None and not accepted.request.dryrun:
            await self.recorder.record(run, accepted, asked, call, output)

    def _record_cut_off(
        self, run: Run, accepted: Accepted, asked: Asked, stream: StartedStream
    ) -> None:
        """The caller left in the middle of a stream: what had arrived is kept, if it was any."""
        stream.note()
        run.end_open_calls("interrupted", CUT_OFF)
        call = stream.entry
        if run.is_recorded or not call.output:
            return
        run.is_recorded = True
        if self.recorder is not None and not accepted.request.dryrun:
            output = read_output(accepted, asked, call)
            self.recorder.record_interrupted(run, accepted, asked, call, output)

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

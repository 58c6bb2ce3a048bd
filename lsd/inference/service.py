"""What happens to one inference, from the checked request to the last byte and the record."""

from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import attrs
import trio

from lsd.access import CallLimits, RateLimiter
from lsd.conversation import IdGenerator, encode_json
from lsd.experiments import AdaptiveDraw
from lsd.inference.accept import Accepted, accept
from lsd.inference.adaptive_experiments import AdaptiveExperiments, standing_shown
from lsd.inference.answers import Answer, answer_json, usage_json
from lsd.inference.call_cache import CallCache
from lsd.inference.direct_call import DirectCall, accept_direct
from lsd.inference.ended import Answered, Ended, Unanswered
from lsd.inference.example_memory import ExampleMemory
from lsd.inference.file_desk import FileDesk
from lsd.inference.inference_trace import trace_inference, traced_apart, traced_write
from lsd.inference.journal import CUT_OFF, Journal, ModelCall
from lsd.inference.prepared import DEFAULT_FUNCTION, Prepared, PreparedVariant
from lsd.inference.records import Recorder
from lsd.inference.refusals import InferenceFailed
from lsd.inference.reply import OpenWriter, Reply, Send, StreamWriter
from lsd.inference.request import InferenceRequest
from lsd.inference.run import Run, Shared
from lsd.inference.running import RunningInferences
from lsd.inference.started_answer import StartedAnswer
from lsd.inference.stream_answer import StreamAnswer
from lsd.inference.stream_sender import StreamSender
from lsd.inference.token_counts import counted_tokens
from lsd.inference.variants import first_answer, first_started_answer
from lsd.store import InferenceCache
from lsd.telemetry import Clock, Metrics, Tracer

PATIENCE_S = 15.0
"""Clients of the compatible endpoints hear so soon that a provider has accepted their request,
whether it has said anything or not."""

_Open = Callable[[Run, StartedAnswer], Awaitable[tuple[StreamWriter, Send]]]


@attrs.define(eq=False, kw_only=True)
class InferenceService:
    """Runs inferences. One serves all requests of a process.

    `recorder` is None when nothing is recorded, `cache` when nothing is cached, `examples` when
    there are none, `limiter` when nothing is limited.
    """

    prepared: Prepared
    recorder: Recorder | None
    ids: IdGenerator
    clock: Clock
    random: Random
    metrics: Metrics
    cache: InferenceCache | None = None
    examples: ExampleMemory | None = None
    experiments: AdaptiveExperiments = attrs.Factory(AdaptiveExperiments)
    limiter: RateLimiter | None = None
    file_desk: FileDesk
    running: RunningInferences = attrs.Factory(RunningInferences)
    tracer: Tracer | None = None
    _shared: Shared = attrs.field(init=False)

    @_shared.default
    def _what_runs_share(self) -> Shared:
        return Shared(
            prepared=self.prepared,
            ids=self.ids,
            clock=self.clock,
            random=self.random,
            examples=self.examples,
            experiments=self.experiments,
            on_call_ended=self._count_call,
        )

    async def infer(
        self, request: InferenceRequest, *, api_key_public_id: str | None = None
    ) -> bytes:
        """The JSON body of a plain answer; `api_key_public_id` tells who asks.

        Raises BadRequest, UnknownName or InferenceFailed. When cancelled, what had been asked of
        providers is recorded as interrupted.
        """
        started_at = self.clock.monotonic()
        accepted = self.accept(request, api_key_public_id)
        run, answer = await self._complete(accepted, started_at)
        self._observe(run, accepted, answer)
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
        started_at = self.clock.monotonic()
        accepted = self.accept(request, api_key_public_id)

        async def open_writer(run: Run, started: StartedAnswer) -> tuple[StreamWriter, Send]:
            return StreamAnswer(run, accepted, started), await start()

        await self._stream(accepted, started_at, open_writer)

    def run_elsewhere(self, inference_id: str, accepted: Accepted) -> Run:
        """The run of a request that a provider runs in a job of its own."""
        run = self._begin(accepted, self.clock.monotonic(), inference_id)
        run.is_timed = False
        return run

    async def run_under(
        self,
        inference_id: str,
        accepted: Accepted,
        *,
        first_variant: PreparedVariant | None = None,
        first_provider: int = 0,
    ) -> Ended:
        """Runs a request that was accepted before, under an id that it has already.

        It begins with a variant that was drawn before, and at a place of its model's routing.

        Its records are not written but given back. It is not counted, and feedback does not wait
        for it. When cancelled, nothing is left of it.
        """
        assert self.recorder is not None, "what is run for its record needs a place for it"
        run = self._begin(accepted, self.clock.monotonic(), inference_id)
        run.first_variant, run.first_provider = first_variant, first_provider
        try:
            with traced_apart(self.tracer, run, accepted):
                await self.file_desk.keep_files_of(run)
                answer = await first_answer(run, accepted)
        except InferenceFailed as failure:
            run.end_open_calls("interrupted", CUT_OFF)
            records = self.recorder.attempts(run, accepted)
            return Unanswered(failure=failure, records=records)
        return Answered(
            variant_name=answer.variant_name,
            usage=encode_json(usage_json(answer.parts)),
            finish_reason=answer.finish_reason,
            records=self.recorder.answered(run, accepted, answer),
        )

    async def call(self, call: DirectCall) -> Reply:
        """The whole answer to a call of a model.

        Raises BadRequest or InferenceFailed. When cancelled, as `infer`.
        """
        started_at = self.clock.monotonic()
        accepted = accept_direct(call, self.prepared)
        run, answer = await self._complete(accepted, started_at)
        assert answer.deciding is not None, "a direct call is made by one call"
        return Reply(run, accepted, answer.deciding)

    async def stream_call(self, call: DirectCall, open_writer: OpenWriter) -> None:
        """Sends the streamed answer to a call of a model.

        Until `open_writer` is called, everything can be raised as in `call`. An error that the
        writer has to tell is the end.
        """
        started_at = self.clock.monotonic()
        accepted = accept_direct(call, self.prepared)

        async def open_reply(run: Run, started: StartedAnswer) -> tuple[StreamWriter, Send]:
            assert started.call is not None, "a direct call is made by one call"
            return await open_writer(Reply(run, accepted, started.call))

        await self._stream(accepted, started_at, open_reply)

    async def count_tokens(self, call: DirectCall) -> int | None:
        """How many tokens the request of a call has, by a provider of its model that counts them.

        None: nobody has. Nothing is generated and nothing recorded. Raises BadRequest.
        """
        started_at = self.clock.monotonic()
        options = attrs.evolve(call.options, dryrun=True)
        accepted = accept_direct(attrs.evolve(call, options=options), self.prepared)
        return await counted_tokens(self._begin(accepted, started_at), accepted, call.model)

    def sampling(self, function_name: str, namespace: str | None) -> dict[str, Any] | None:
        """How likely each variant is for the next episode, as JSON; None for an unknown function.

        An adaptive experiment tells how it stands, too.
        """
        if function_name == DEFAULT_FUNCTION:
            return {"probabilities": {}}
        function = self.prepared.functions.get(function_name)
        if function is None:
            return None
        draw = function.draw_for(namespace)
        if isinstance(draw, AdaptiveDraw):
            return standing_shown(draw, self.experiments.standing(draw))
        return {"probabilities": draw.probabilities()}

    def accept(self, request: InferenceRequest, api_key_public_id: str | None) -> Accepted:
        """The plan of a request. Raises BadRequest, UnknownName or InferenceFailed."""
        return accept(
            request,
            self.prepared,
            now_ms=self.clock.now_ms,
            api_key_public_id=api_key_public_id,
        )

    async def _complete(self, accepted: Accepted, started_at: float) -> tuple[Run, Answer]:
        run = self._enter(accepted, started_at)
        try:
            if run.files is not None:
                await self.file_desk.keep_files_of(run)
            answer = await first_answer(run, accepted)
            if self.recorder is not None and not accepted.request.dryrun:
                await self._record(run, accepted, answer, self.recorder)
        except BaseException as error:
            self._leave(run, accepted, error)
            raise
        self._leave(run, accepted)
        return run, answer

    async def _stream(self, accepted: Accepted, started_at: float, open_writer: _Open) -> None:
        run = self._enter(accepted, started_at)
        run.patience_s = None if accepted.direct is None else PATIENCE_S
        try:
            await self.file_desk.keep_files_of(run)
            started = await first_started_answer(run, accepted)
            try:
                writer, send = await open_writer(run, started)
                await self._deliver(run, accepted, started, writer, send)
            except BaseException:
                self._record_cut_off(run, accepted, started)
                raise
            finally:
                await started.stream.aclose()
        except BaseException as error:
            self._leave(run, accepted, error)
            raise
        self._leave(run, accepted)

    def _enter(self, accepted: Accepted, started_at: float) -> Run:
        """The run of a new inference, which counts, and can be waited for from now on."""
        request = accepted.request
        is_dryrun = request.dryrun is True
        if not is_dryrun:
            self.metrics.count_inference(accepted.function.name, request.model_name)
        run = self._begin(accepted, started_at)
        self.running.begin(run.inference_id, run.episode_id, is_dryrun=is_dryrun)
        return run

    def _leave(self, run: Run, accepted: Accepted, error: BaseException | None = None) -> None:
        """The inference is over; one that gives no answer leaves its attempts."""
        try:
            if error is not None:
                self._leave_attempts(run, accepted)
            if self.tracer is not None:
                trace_inference(self.tracer, run, accepted, error)
        finally:
            self.running.end(run.inference_id)

    def _leave_attempts(self, run: Run, accepted: Accepted) -> None:
        run.end_open_calls("interrupted", CUT_OFF)
        is_dryrun = bool(accepted.request.dryrun)
        if self.recorder is not None and not is_dryrun and not run.is_recorded:
            self.recorder.record_attempts(run, accepted)

    def _begin(self, accepted: Accepted, started_at: float, inference_id: str | None = None) -> Run:
        """A new run, perhaps of an inference that has an id already."""
        request = accepted.request
        # By position: keywords would cost more than the rest of it.
        return Run(
            accepted.episode_id or self.ids.new(),
            inference_id or self.ids.new(),
            request,
            self._shared,
            started_at,
            request.stream is True,
            None if request.cache_options.enabled == "off" else self._cache_for(accepted),
            None if accepted.is_text else self.file_desk.files_for(request),
            None if self.limiter is None else self._limits(accepted, self.limiter),
            Journal([]),
        )

    def _cache_for(self, accepted: Accepted) -> CallCache | None:
        request = accepted.request
        if self.cache is None:
            return None
        return CallCache.of(
            request.cache_options,
            cache=self.cache,
            clock=self.clock,
            function_type=accepted.function.config.type,
            toolbox=accepted.toolbox,
            fetches_all_files=self.file_desk.fetches_all,
            is_dryrun=bool(request.dryrun),
        )

    def _limits(self, accepted: Accepted, limiter: RateLimiter) -> CallLimits | None:
        return limiter.limits_for(accepted.tags, accepted.api_key_public_id)

    async def _deliver(
        self,
        run: Run,
        accepted: Accepted,
        started: StartedAnswer,
        writer: StreamWriter,
        send: Send,
    ) -> None:
        stream = started.stream
        silent_s = self.clock.monotonic() - run.started_at
        sender = StreamSender(send, writer, trio.current_time() - silent_s)
        await sender.send(writer.opening())
        if stream.is_ready:
            # The first words do not wait for what watches over the silence after them.
            await sender.send(writer.events(await stream.receive()))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sender.keep_alive)
            while not writer.is_broken_off and (events := await stream.receive()):
                await sender.send(writer.events(events))
            await sender.end_keep_alive()
        if writer.is_broken_off:
            stream.give_up()
        await stream.settle()
        answer = started.answer()
        if not writer.is_broken_off:
            await sender.send(writer.closing(answer))
        if self.recorder is not None and not accepted.request.dryrun:
            await self._record(run, accepted, answer, self.recorder)
        if accepted.direct is None:
            self._observe(run, accepted, answer)
        if not writer.is_broken_off:
            await sender.send(writer.end_mark)

    def _record(
        self, run: Run, accepted: Accepted, answer: Answer, recorder: Recorder
    ) -> Awaitable[None]:
        run.is_recorded = True
        if self.tracer is None:
            return recorder.record(run, accepted, answer)
        return self._record_traced(run, accepted, answer, recorder)

    async def _record_traced(
        self, run: Run, accepted: Accepted, answer: Answer, recorder: Recorder
    ) -> None:
        with traced_write(run.inference_id, run.episode_id, accepted.tags):
            await recorder.record(run, accepted, answer)

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
            usage = call.answer.usage
            self.metrics.count_call(usage.input_tokens, usage.output_tokens, call.cost)

    def _observe(self, run: Run, accepted: Accepted, answer: Answer) -> None:
        now = self.clock.monotonic()
        overhead = now - run.started_at - run.journal.seconds_at_providers(now)
        # Other calls than those of the answer were made for variants that have failed before.
        is_sole = len(answer.calls) == len(run.journal.calls)
        variant_name = answer.variant_name if is_sole else None
        self.metrics.observe_overhead(accepted.function.name, variant_name, overhead)

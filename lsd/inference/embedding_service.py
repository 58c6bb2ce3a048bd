"""What happens to one request for embeddings, from the model's name to vectors and the record."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs

from lsd.access import CallLimits, RateLimiter
from lsd.conversation import Embedding, EmbeddingRequest, IdGenerator, Usage, embedding_numbers
from lsd.inference.accept import API_KEY_TAG
from lsd.inference.answers import BILLED_NOTHING
from lsd.inference.embedding_cache import EmbeddingCache
from lsd.inference.embedding_call import Embedded, EmbeddingRun, embed
from lsd.inference.embedding_trace import trace_embeddings
from lsd.inference.inference_trace import traced_write
from lsd.inference.journal import CUT_OFF, ModelCall, raw_responses
from lsd.inference.prepared import Prepared
from lsd.inference.records import Recorder
from lsd.inference.refusals import InferenceFailed, UnknownName
from lsd.inference.request import NO_CACHE, CacheOptions
from lsd.store import EmbeddingRecord, InferenceCache, ModelInferenceStatus
from lsd.telemetry import Clock, Metrics, Tracer, current_trace


@attrs.frozen(kw_only=True)
class EmbeddingOptions:
    """What a caller says beside what is to be embedded.

    `api_key_public_id` tells who asks, and becomes a tag.
    """

    tags: Mapping[str, str] = attrs.field(factory=dict)
    api_key_public_id: str | None = None
    dryrun: bool = False
    cache_options: CacheOptions = NO_CACHE
    credentials: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    include_raw_response: bool = False

    @property
    def final_tags(self) -> dict[str, str]:
        """The caller's tags, and LSD's own."""
        own = {API_KEY_TAG: self.api_key_public_id} if self.api_key_public_id is not None else {}
        return {**self.tags, **own}


@attrs.frozen(kw_only=True)
class EmbeddingAnswer:
    """Vectors in the order of the inputs, in the form in which the provider gave them.

    `raw_response` holds the entries of all bodies received, for callers who asked for them.
    """

    inference_id: str
    provider_name: str
    embeddings: tuple[Embedding, ...]
    usage: Usage
    cost: Decimal | None
    cached: bool
    raw_response: list[dict[str, Any]]


@attrs.define(eq=False, kw_only=True)
class EmbeddingService:
    """Makes embeddings. One serves all requests of a process.

    `recorder` is None when nothing is recorded, `cache` when nothing is cached, `limiter` when
    nothing is limited.
    """

    prepared: Prepared
    recorder: Recorder | None
    ids: IdGenerator
    clock: Clock
    metrics: Metrics
    cache: InferenceCache | None = None
    limiter: RateLimiter | None = None
    tracer: Tracer | None = None

    async def embed(
        self, model_name: str, request: EmbeddingRequest, options: EmbeddingOptions
    ) -> EmbeddingAnswer:
        """The vectors of all inputs, by the first provider that answers; nothing is retried.

        Raises UnknownName or InferenceFailed. When cancelled, what had been asked of providers is
        recorded as interrupted.
        """
        started_at = self.clock.monotonic()
        model = self.prepared.embeddings.model(model_name)
        if model is None:
            raise UnknownName("model", "embedding model", model_name)
        if not options.dryrun:
            self.metrics.count_embeddings(model_name, len(request.inputs))
        run = self._run(options)
        record = _Recording(self, self.ids.new(), model_name, request, options, started_at)
        try:
            embedded = await embed(run, model, request)
        except InferenceFailed as failure:
            record.queue(run, "error")
            failure.inference_id = record.inference_id
            if options.include_raw_response:
                failure.raw_response = raw_responses(run.journal.calls)
            raise
        except BaseException:
            run.end_open_calls("interrupted", CUT_OFF)
            record.queue(run, "interrupted")
            raise
        finally:
            if self.tracer is not None:
                self._trace(self.tracer, run, record.inference_id, options)
        await record.commit(run, embedded)
        call = embedded.call
        return EmbeddingAnswer(
            inference_id=record.inference_id,
            provider_name=call.provider_name,
            embeddings=embedded.embeddings,
            usage=BILLED_NOTHING if call.cached else call.answer.usage,
            cost=call.cost,
            cached=call.cached,
            raw_response=raw_responses(run.journal.calls) if options.include_raw_response else [],
        )

    def _run(self, options: EmbeddingOptions) -> EmbeddingRun:
        return EmbeddingRun(
            secrets=self.prepared.loaded.secrets,
            credentials=options.credentials,
            outbound_limit=self.prepared.outbound_limit,
            ids=self.ids,
            clock=self.clock,
            cache=EmbeddingCache.of(
                options.cache_options,
                cache=self.cache,
                clock=self.clock,
                is_dryrun=options.dryrun,
            ),
            limits=self._limits(options),
            on_call_ended=self._count_call,
        )

    def _limits(self, options: EmbeddingOptions) -> CallLimits | None:
        if self.limiter is None:
            return None
        return self.limiter.limits_for(options.final_tags, options.api_key_public_id)

    def _trace(
        self, tracer: Tracer, run: EmbeddingRun, inference_id: str, options: EmbeddingOptions
    ) -> None:
        trace = current_trace()
        if trace is not None:
            tags = options.final_tags
            trace_embeddings(trace, tracer, self.prepared, run, inference_id, tags)

    def _count_call(self, call: ModelCall) -> None:
        if not call.cached:
            self.metrics.count_call(
                call.answer.usage.input_tokens, call.answer.usage.output_tokens, call.cost
            )


@attrs.frozen
class _Recording:
    """How one request is recorded: not at all if it is a dry run, or if nothing is."""

    _service: EmbeddingService
    inference_id: str
    _model_name: str
    _request: EmbeddingRequest
    _options: EmbeddingOptions
    _started_at: float

    async def commit(self, run: EmbeddingRun, embedded: Embedded) -> None:
        """Records a request that was answered, before it is, if that is how things are recorded."""
        if self._recorder is not None:
            dimensions = len(embedding_numbers(embedded.embeddings[0]))
            record = self._record("ok", dimensions)
            if self._service.tracer is None:
                await self._recorder.record_embedding(record, run.journal.calls)
                return
            with traced_write(self.inference_id, None, self._options.final_tags):
                await self._recorder.record_embedding(record, run.journal.calls)

    def queue(self, run: EmbeddingRun, status: ModelInferenceStatus) -> None:
        """Records a request without an answer; nobody waits for it."""
        if self._recorder is not None and run.journal.calls:
            self._recorder.record_failed_embedding(self._record(status, None), run.journal.calls)

    @property
    def _recorder(self) -> Recorder | None:
        return None if self._options.dryrun else self._service.recorder

    def _record(self, status: ModelInferenceStatus, dimensions: int | None) -> EmbeddingRecord:
        service = self._service
        return EmbeddingRecord(
            id=self.inference_id,
            model_name=self._model_name,
            status=status,
            input_count=len(self._request.inputs),
            dimensions=dimensions,
            tags=self._options.final_tags,
            processing_time_ms=round((service.clock.monotonic() - self._started_at) * 1000),
            snapshot_hash=service.prepared.loaded.hash,
        )

"""The parts of a daemon put together: from a configuration and a store to an ASGI application."""

import ssl
from collections.abc import Mapping, Sequence
from functools import partial
from random import Random

import attrs

from lsd.access import Authenticator, RateLimiter
from lsd.api import (
    AnthropicModels,
    Authentication,
    Batches,
    ChatCompletions,
    Configurations,
    Cors,
    Datapoints,
    Datasets,
    Edge,
    Embeddings,
    Endpoint,
    Episodes,
    ErrorAnswers,
    ExampleEndpoints,
    Front,
    Functions,
    FunctionStatistics,
    HumanFeedback,
    Inferences,
    Messages,
    MetricStatistics,
    ModelStatistics,
    Native,
    OpenAIModels,
    Operations,
    Reading,
    Records,
    Responses,
    RoutedApp,
    TargetFeedback,
    Tracing,
    error_desk,
    hot_endpoints,
    probes,
)
from lsd.batches import NativeWork, QueueWork
from lsd.config import (
    Auth,
    Config,
    Gateway,
    Loaded,
    RateLimiting,
    Storage,
)
from lsd.datasets import DatasetService
from lsd.feedback import FeedbackService
from lsd.inference import (
    AdaptiveExperiments,
    EmbeddingService,
    ExampleMemory,
    ExampleService,
    ExperimentStore,
    FileDesk,
    InferenceService,
    Prepared,
    Recorder,
    prepare,
)
from lsd.server.batching import batch_service, native_work, queue_work
from lsd.server.equipment import Equipment
from lsd.server.kept import Kept, key_that_insists
from lsd.server.provider_access import dialect_maker, embedding_maker, sign_in_maker
from lsd.server.sweeper import Swept
from lsd.server.tls import tls_context
from lsd.store import Buckets, InferenceCache
from lsd.telemetry import Clock, Metrics, Tracer


@attrs.frozen(kw_only=True)
class Assembled:
    """All that serves one configuration; `swept` are parts of the store that grow old, by name."""

    loaded: Loaded
    front: Front
    swept: Mapping[str, Swept]
    experiments: AdaptiveExperiments
    queue_work: QueueWork | None
    native_work: NativeWork | None
    tls: ssl.SSLContext | None


def assemble(loaded: Loaded, equipment: Equipment) -> Assembled:
    """Everything between the socket and the store. Blocks. Raises OSError for files of TLS."""
    gateway, kept, clock = loaded.config.gateway, equipment.kept, equipment.clock
    cache = _cache(kept, gateway)
    buckets = None if kept is None else kept.store.buckets(kept.state_writer)
    tracer = _tracer(gateway, equipment)
    inferences = _inferences(loaded, equipment, cache, buckets, tracer)
    needs_store = gateway.observability.enabled is not False or key_that_insists(loaded.config)
    check = kept.check if kept is not None and needs_store else None
    feedback = None if kept is None else _feedback(loaded, kept, equipment)
    embeddings = _embeddings(inferences)
    endpoints = [
        *Native(inferences, feedback).endpoints(),
        *Operations(loaded.hash, equipment.metrics, check, equipment.in_flight).endpoints(),
        *Functions(inferences).endpoints(),
        *Configurations(loaded, None if kept is None else kept.store.snapshots).endpoints(),
        *_compatible_endpoints(inferences, embeddings, clock),
    ]
    queue, work, native = equipment.batch_queue, None, None
    if kept is not None and queue is not None:
        work = queue_work(inferences, queue)
        native = native_work(inferences, kept, work, queue.credentials)
        batches = batch_service(inferences, kept, queue, native)
        endpoints += Batches(batches, gateway.batch_inference.max_items).endpoints()
        endpoints += _reading_endpoints(kept, loaded.config, clock)
        endpoints += ExampleEndpoints(_examples(inferences, embeddings, kept)).endpoints()
        endpoints += _dataset_endpoints(inferences, kept)
    return Assembled(
        loaded=loaded,
        front=_front(
            gateway,
            endpoints,
            _authentication(gateway.auth, kept, clock),
            equipment,
            tracer,
        ),
        swept=_swept(kept, loaded.config.storage, cache, buckets),
        experiments=inferences.experiments,
        queue_work=work,
        native_work=native,
        tls=tls_context(gateway.tls, http2=gateway.http2),
    )


def _inferences(
    loaded: Loaded,
    equipment: Equipment,
    cache: InferenceCache | None,
    buckets: Buckets | None,
    tracer: Tracer | None,
) -> InferenceService:
    kept, transport, clock = equipment.kept, equipment.transport, equipment.clock
    metrics = equipment.metrics
    prepared = prepare(
        loaded,
        dialect_maker(transport),
        embedding_maker(transport),
        sign_in_maker(loaded, equipment),
    )
    return InferenceService(
        prepared=prepared,
        recorder=_recorder(kept, loaded.config.gateway),
        ids=equipment.ids,
        clock=clock,
        random=equipment.random,
        metrics=metrics,
        cache=cache,
        examples=None if kept is None else ExampleMemory(kept.store.examples),
        experiments=_experiments(prepared, kept, clock, equipment.random),
        limiter=_limiter(loaded.config.rate_limiting, buckets, clock, metrics),
        file_desk=FileDesk(
            transport=transport,
            objects=equipment.objects,
            fetches_all=loaded.config.gateway.fetch_and_encode_input_files_before_inference,
        ),
        running=equipment.running,
        tracer=tracer,
    )


def _tracer(gateway: Gateway, equipment: Equipment) -> Tracer | None:
    if equipment.traces is None:
        return None
    table = gateway.export.otlp.traces
    return Tracer(
        format=table.format,
        include_content=table.include_content,
        clock=equipment.clock,
        export=partial(equipment.traces.put_nowait, extra_headers=table.extra_headers),
    )


def _swept(
    kept: Kept | None, storage: Storage, cache: InferenceCache | None, buckets: Buckets | None
) -> dict[str, Swept]:
    if kept is None:
        return {}
    retention = kept.store.retention(
        bodies_days=storage.inference_data_retention_days,
        records_days=storage.inference_metadata_retention_days,
    )
    swept: dict[str, Swept | None] = {
        "records": retention,
        "inference cache": cache,
        "rate limits": buckets,
    }
    return {name: part for name, part in swept.items() if part is not None}


def _embeddings(inferences: InferenceService) -> EmbeddingService:
    """With all that inferences have, too."""
    return EmbeddingService(
        prepared=inferences.prepared,
        recorder=inferences.recorder,
        ids=inferences.ids,
        clock=inferences.clock,
        metrics=inferences.metrics,
        cache=inferences.cache,
        limiter=inferences.limiter,
        tracer=inferences.tracer,
    )


def _compatible_endpoints(
    inferences: InferenceService, embeddings: EmbeddingService, clock: Clock
) -> list[Endpoint]:
    """Those that clients of OpenAI and Anthropic know."""
    return [
        *Messages(inferences).endpoints(),
        *AnthropicModels(inferences, clock.now_ms()).endpoints(),
        *probes(),
        *ChatCompletions(inferences).endpoints(),
        *Responses(inferences).endpoints(),
        *OpenAIModels(inferences, clock.now_ms() // 1000).endpoints(),
        *Embeddings(embeddings).endpoints(),
    ]


def _experiments(
    prepared: Prepared, kept: Kept | None, clock: Clock, random: Random
) -> AdaptiveExperiments:
    store = None
    if kept is not None:
        store = ExperimentStore(kept.store, kept.writer, kept.store.leases(clock))
    return AdaptiveExperiments(
        draws=prepared.adaptive_draws, kept=store, clock=clock, random=random
    )


def _examples(
    inferences: InferenceService, embeddings: EmbeddingService, kept: Kept
) -> ExampleService:
    return ExampleService(
        prepared=inferences.prepared,
        examples=kept.store.examples,
        datapoints=kept.store.datapoints,
        writer=kept.writer,
        embeddings=embeddings,
        ids=inferences.ids,
    )


def _reading_endpoints(kept: Kept, config: Config, clock: Clock) -> list[Endpoint]:
    """The routes that show what was recorded."""
    reading = Reading(kept.store, config, kept.writer)
    return [
        *Inferences(reading).endpoints(),
        *Records(reading).endpoints(),
        *Episodes(reading).endpoints(),
        *TargetFeedback(reading).endpoints(),
        *MetricStatistics(reading).endpoints(),
        *FunctionStatistics(reading).endpoints(),
        *ModelStatistics(reading, clock).endpoints(),
        *HumanFeedback(reading).endpoints(),
    ]


def _dataset_endpoints(inferences: InferenceService, kept: Kept) -> list[Endpoint]:
    prepared = inferences.prepared
    datasets = DatasetService(
        prepared=prepared,
        store=kept.store,
        writer=kept.writer,
        ids=inferences.ids,
        clock=inferences.clock,
        file_desk=inferences.file_desk,
    )
    return [
        *Datapoints(datasets, prepared.config).endpoints(),
        *Datasets(datasets, prepared.config, kept.store).endpoints(),
    ]


def _feedback(loaded: Loaded, kept: Kept, equipment: Equipment) -> FeedbackService:
    return FeedbackService(
        config=loaded.config,
        config_hash=loaded.hash,
        store=kept.store,
        writer=kept.writer,
        ids=equipment.ids,
        running=equipment.running,
        on_accepted=equipment.metrics.count_feedback,
    )


def _front(
    gateway: Gateway,
    endpoints: Sequence[Endpoint],
    authentication: Authentication,
    equipment: Equipment,
    tracer: Tracer | None,
) -> Front:
    ids, bytes_max = equipment.ids, gateway.max_request_bytes
    errors = error_desk(ErrorAnswers(gateway.unstable_error_json, gateway.debug), gateway.base_path)
    rest = RoutedApp(endpoints=endpoints, ids=ids, errors=errors, body_bytes_max=bytes_max)
    return Front(
        hot=hot_endpoints(endpoints),
        rest=rest,
        edge=Edge.of(
            gateway.bind_address.host,
            allow_origins=gateway.cors.allow_origins,
            auth_is_on=gateway.auth.enabled,
        ),
        authentication=authentication,
        cors=Cors(gateway.cors.allow_origins, rest.methods_of),
        errors=errors,
        base_path=gateway.base_path,
        body_bytes_max=bytes_max,
        when_client_leaves=gateway.on_client_disconnect,
        in_flight=equipment.in_flight,
        ids=ids,
        clock=equipment.clock,
        tracing=None if tracer is None else Tracing.of(tracer, endpoints),
    )


def _authentication(auth: Auth, kept: Kept | None, clock: Clock) -> Authentication:
    if not auth.enabled:
        return Authentication(authenticator=None)
    assert kept is not None, "a daemon that wants keys does not start without a store"
    ttl_s = auth.cache.ttl_ms / 1000 if auth.cache.enabled else None
    return Authentication(
        authenticator=Authenticator(kept.store.api_keys, clock, ttl_s),
        metrics_are_public=auth.public_metrics,
    )


def _limiter(
    table: RateLimiting, buckets: Buckets | None, clock: Clock, metrics: Metrics
) -> RateLimiter | None:
    if buckets is None:
        return None  # a daemon that limits anything does not start without a store
    return RateLimiter.of(table, buckets, clock, metrics.count_rate_limited)


def _cache(kept: Kept | None, gateway: Gateway) -> InferenceCache | None:
    if kept is None or gateway.cache.enabled is False:
        return None
    return kept.store.inference_cache(ttl_s=gateway.cache.ttl_s, max_bytes=gateway.cache.max_bytes)


def _recorder(kept: Kept | None, gateway: Gateway) -> Recorder | None:
    observability = gateway.observability
    if kept is None or observability.enabled is False:
        return None
    waits = not observability.async_writes and not observability.batch_writes.enabled
    return Recorder(kept.store, kept.writer, waits)

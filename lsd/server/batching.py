"""Batches under one configuration: what takes them, and how their items are run."""

from lsd.api import status_of
from lsd.batches import (
    BatchService,
    Decider,
    HeldCredentials,
    ItemRunner,
    LocalQueue,
    NativeCalls,
    NativeJobs,
    NativeResults,
    NativeSubmission,
    NativeWork,
    OrphanedJobs,
    QueueWork,
)
from lsd.inference import InferenceService
from lsd.server.kept import Kept


def native_work(
    inferences: InferenceService, kept: Kept, work: QueueWork | None, held: HeldCredentials
) -> NativeWork | None:
    """What is done with batch APIs of providers; None where nothing is recorded."""
    if work is None:
        return None
    calls = NativeCalls(inferences.prepared)
    store, writer, runner = kept.store, kept.writer, work.runner
    results = NativeResults(inferences=inferences, runner=runner, store=store, writer=writer)
    return NativeWork(
        submission=NativeSubmission(
            inferences=inferences, runner=runner, calls=calls, store=store, writer=writer
        ),
        jobs=NativeJobs(
            prepared=inferences.prepared,
            calls=calls,
            results=results,
            store=store,
            writer=writer,
            credentials=held.of_parts,
        ),
        orphans=OrphanedJobs(
            prepared=inferences.prepared,
            calls=calls,
            store=store,
            writer=writer,
            clock=inferences.clock,
        ),
    )


def batch_service(
    inferences: InferenceService, kept: Kept, queue: LocalQueue, native: NativeWork | None
) -> BatchService:
    """What takes batches and tells of them."""
    return BatchService(
        inferences=inferences, store=kept.store, writer=kept.writer, queue=queue, native=native
    )


def queue_work(inferences: InferenceService, queue: LocalQueue) -> QueueWork | None:
    """How items are run; None where they are not, as nothing is recorded."""
    if inferences.recorder is None:
        return None
    table = inferences.prepared.config.gateway.batch_inference
    runner = ItemRunner(
        inferences=inferences,
        credentials=queue.credentials,
        decider=Decider(
            attempts_max=table.item_max_attempts,
            status_of=status_of,
            uniform=inferences.random.random,
        ),
        now_ms=inferences.clock.now_ms,
    )
    return QueueWork(
        runner=runner,
        running_max=table.max_concurrency,
        model_running_max=table.max_concurrency_per_model,
    )

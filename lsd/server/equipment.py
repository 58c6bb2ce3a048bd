"""What a serving process has from its start to its end, whichever configuration is in force."""

import os
from random import Random, SystemRandom
from typing import TYPE_CHECKING

import attrs

from lsd.api import InFlight
from lsd.batches import LocalQueue
from lsd.config import Loaded
from lsd.conversation import IdGenerator
from lsd.inference import AwsKeyChain, RunningInferences
from lsd.network import BadCertificates, OutboundTransport
from lsd.server.kept import Kept, open_objects
from lsd.server.refusals import StartRefused
from lsd.store import FileObjects
from lsd.telemetry import Clock, Metrics

if TYPE_CHECKING:
    from lsd.server.trace_export import TraceExport


@attrs.frozen(kw_only=True)
class Equipment:
    """The parts that requests of several configurations share."""

    kept: Kept | None
    objects: FileObjects | None
    clock: Clock
    metrics: Metrics
    random: Random
    ids: IdGenerator
    transport: OutboundTransport
    aws: AwsKeyChain
    running: RunningInferences
    in_flight: InFlight
    batch_queue: LocalQueue | None
    traces: "TraceExport | None" = None

    @classmethod
    def of(cls, loaded: Loaded, kept: Kept | None, clock: Clock, metrics: Metrics) -> "Equipment":
        """The equipment of a start with this configuration. Raises StartRefused."""
        objects = open_objects(loaded.config, has_store=kept is not None)
        random = SystemRandom()
        peers = None if kept is None else kept.peers
        ids = IdGenerator(clock.now_ns, random, None if peers is None else peers.progress)
        if kept is not None:
            ids.start_after(kept.store.greatest_id())
        try:
            transport = OutboundTransport()
        except BadCertificates as error:
            raise StartRefused(str(error)) from None
        running = RunningInferences(None if peers is None else peers.running)
        return cls(
            kept=kept,
            objects=objects,
            clock=clock,
            metrics=metrics,
            random=random,
            ids=ids,
            transport=transport,
            aws=AwsKeyChain(transport=transport, clock=clock, environment=os.environ),
            running=running,
            in_flight=InFlight(),
            batch_queue=None if kept is None else _batch_queue(kept, clock, running),
            traces=_trace_export(loaded, transport),
        )


def _trace_export(loaded: Loaded, transport: OutboundTransport) -> "TraceExport | None":
    if not loaded.config.gateway.export.otlp.traces.enabled:
        return None
    # Few export traces; the others need not load what does.
    from lsd.server.trace_collector import Collector  # noqa: PLC0415
    from lsd.server.trace_export import TraceExport  # noqa: PLC0415 (the same)

    return TraceExport(Collector.of(os.environ), transport)


def _batch_queue(kept: Kept, clock: Clock, running: RunningInferences) -> LocalQueue:
    return LocalQueue(batches=kept.store.batches, writer=kept.writer, clock=clock, callers=running)

"""Batches within the test's own process: a real service, a real queue, providers that are told."""

from pathlib import Path
from random import Random
from typing import Any

import attrs
from trio.testing import wait_all_tasks_blocked

from lsd.api import status_of
from lsd.batches import (
    BatchService,
    Decider,
    ItemRunner,
    LocalQueue,
    QueueWork,
    read_submission,
)
from lsd.conversation import decode_json, encode_json
from lsd.server.batching import native_work
from lsd.server.kept import Kept
from lsd.store import Store, Writer
from tests.unit.inference.fake_providers import FakeProvider
from tests.unit.inference.gateway import PLAIN, Gateway, Shelf, start_gateway

ITEM = {"function_name": "chat", "input": {"messages": [{"role": "user", "content": "Hi"}]}}


@attrs.define(eq=False)
class Desk:
    """A service and a queue on one store, with the model of the usual configuration."""

    gateway: Gateway
    store: Store
    writer: Writer
    service: BatchService
    queue: LocalQueue
    work: QueueWork | None

    @property
    def provider(self) -> FakeProvider:
        """Who is asked for every item."""
        return self.gateway["one"]

    async def run(self) -> None:
        """Runs items."""
        await self.queue.run(lambda: self.work)

    async def submit(self, *rows: Any) -> dict[str, Any]:
        """The ids of a batch of these rows."""
        return await self.service.submit(read_submission(encode_json(rows), 1000))

    def shown(self, batch_id: str) -> dict[str, Any]:
        """What is told of a batch now."""
        pieces = self.service.pieces(self.service.get(batch_id))
        shown: dict[str, Any] = decode_json(b"".join(pieces))
        return shown

    async def settled(self, batch_id: str) -> dict[str, Any]:
        """What is told of a batch when nothing moves any more."""
        while True:
            await wait_all_tasks_blocked()
            await self.writer.settle()
            shown = self.shown(batch_id)
            if not shown["progress"]["running"] and not shown["progress"]["pending"]:
                return shown


def open_desk(
    folder: Path,
    shelf: Shelf,
    *,
    running_max: int = 8,
    attempts_max: int = 1,
    is_native: bool = False,
) -> Desk:
    """A desk on the store of `shelf`; only a native one makes jobs of its items."""
    gateway = start_gateway(folder, PLAIN, shelf=shelf)
    queue = LocalQueue(
        batches=shelf.store.batches,
        writer=shelf.writer,
        clock=gateway.clock,
        callers=gateway.service.running,
    )
    runner = ItemRunner(
        inferences=gateway.service,
        credentials=queue.credentials,
        decider=Decider(attempts_max=attempts_max, status_of=status_of, uniform=Random(7).random),
        now_ms=gateway.clock.now_ms,
    )
    work = QueueWork(runner=runner, running_max=running_max)
    kept = Kept(store=shelf.store, writer=shelf.writer, state_writer=shelf.writer, peers=None)
    native = native_work(gateway.service, kept, work, queue.credentials)
    service = BatchService(
        inferences=gateway.service,
        store=shelf.store,
        writer=shelf.writer,
        queue=queue,
        native=native if is_native else None,
    )
    return Desk(gateway, shelf.store, shelf.writer, service, queue, work)

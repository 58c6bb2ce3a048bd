"""The jobs of one batch: begun at the first provider that takes them, or given up together."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial

import attrs
import trio

from lsd.batches.native_calls import NativeCalls
from lsd.batches.native_lines import NativeLine, in_files
from lsd.batches.refusals import NativeStartsFailed
from lsd.conversation import AttemptFailed, LsdError
from lsd.providers import BatchFile
from lsd.store import BatchPart, NewItem


@attrs.define(eq=False, kw_only=True)
class JobStart:
    """The start of all jobs of a batch.

    `items` are as they are to be stored, more and more of them placed: in one of the parts, or with
    LSD itself. `line_at` makes the line of an item for the provider at another place of its
    routing; `numbers` counts the files of the batch; `shard` is this process among the workers.
    `is_uncertain`: a provider may go on with a job that nobody knows.
    """

    calls: NativeCalls
    batch_id: str
    now_ms: int
    shard: int
    items: list[NewItem]
    numbers: Iterator[int]
    line_at: Callable[[NewItem, int], Awaitable[NativeLine | None]]
    is_uncertain: bool = attrs.field(default=False, init=False)
    _begun: list[tuple[NativeLine, BatchPart]] = attrs.field(factory=list, init=False)
    """The parts, each with one of its lines."""

    @property
    def parts(self) -> list[BatchPart]:
        """What has begun."""
        return [part for _, part in self._begun]

    @property
    def credentials(self) -> list[Mapping[str, str]]:
        """What callers brought along for each part."""
        return [line.credentials for line, _ in self._begun]

    async def start(self, lines: Mapping[int, NativeLine]) -> None:
        """Places the items of `lines`, by their index.

        Raises NativeStartsFailed if nobody takes some of them. What has begun stays under way then,
        as when this is cancelled.
        """
        for file in in_files(lines):
            await self._start_file(file, ())

    async def give_up(self) -> None:
        """Has the providers end what has begun. A job whose provider has not heard is uncertain."""
        while self._begun:
            line, part = self._begun[-1]
            secrets = line.credentials
            if not await self.calls.give_up(line.api, line.provider, part.job_id, secrets):
                self.is_uncertain = True
            self._begun.pop()

    async def _start_file(self, file: Mapping[int, NativeLine], causes: Sequence[str]) -> None:
        first = next(iter(file.values()))
        try:
            job_id = await self._begin(first, [line.text for line in file.values()])
        except AttemptFailed as failure:
            told = f'provider "{first.provider.name}": {failure}'
            await self._go_on(file, first, (*causes, told))
            return
        for index in file:
            self._place(index, part=len(self._begun))
        costs = first.costs
        part = BatchPart(
            model_name=first.model.name,
            provider_name=first.provider.name,
            variant_name=first.variant.name,
            job_id=job_id,
            costs=None if costs is None else costs.to_json(),
            holder=self.shard if first.credentials else None,
        )
        self._begun.append((first, part))

    async def _begin(self, first: NativeLine, texts: Sequence[bytes]) -> str:
        """The id of the job. Raises AttemptFailed."""
        api, provider, secrets = first.api, first.provider, first.credentials
        file = BatchFile(batch_id=self.batch_id, number=next(self.numbers))
        ask = self.calls.ask
        file_id = await ask(
            provider, secrets, partial(api.upload, file, texts), partial(api.file_id, file)
        )
        try:
            return await ask(provider, secrets, partial(api.create, file, file_id), api.job_id)
        except AttemptFailed as failure:
            self.is_uncertain |= failure.status is None or failure.status >= 500
            raise
        except trio.Cancelled:
            self.is_uncertain = True
            raise

    async def _go_on(
        self, file: Mapping[int, NativeLine], first: NativeLine, causes: Sequence[str]
    ) -> None:
        """With the next provider of the routing: as a job again, or item by item."""
        place = first.place + 1
        if place == len(first.model.providers):
            raise NativeStartsFailed(tuple(causes))
        again: dict[int, NativeLine] = {}
        if first.model.providers[place].batches is not None:
            for index in file:
                line = await self._maybe_line(self.items[index], place)
                if line is not None:
                    again[index] = line
                await trio.lowlevel.checkpoint()
        for index in file.keys() - again.keys():
            self._place(index, first_provider=place)
        for each in in_files(again):
            await self._start_file(each, causes)

    async def _maybe_line(self, new: NewItem, place: int) -> NativeLine | None:
        try:
            return await self.line_at(new, place)
        except LsdError:  # it fails in the same way when it runs, and by itself
            return None

    def _place(self, index: int, *, part: int | None = None, first_provider: int = 0) -> None:
        new = self.items[index]
        # A variant drawn for this item alone may give way to others, now that nobody has it.
        drawn = None if new.item.first_variant is not None else new.item.drawn_variant
        item = attrs.evolve(new.item, first_provider=first_provider, drawn_variant=drawn)
        if part is not None:
            item = attrs.evolve(
                new.item,
                state="running",
                part=part,
                holder=None,
                run=1,
                attempts=1,
                started_ms=self.now_ms,
            )
        self.items[index] = attrs.evolve(new, item=item)

"""Datasets: every change of them, checked against the configuration and made in one transaction."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Final

import attrs
import trio

from lsd.conversation import IdGenerator, LsdError
from lsd.datasets.checks import Checks, below
from lsd.datasets.harvest import Chosen, Harvest
from lsd.datasets.refusals import DatasetUnchanged
from lsd.datasets.request import KEEP, NewDatapoint, Patch, Renaming
from lsd.datasets.versions import Versions, check_type
from lsd.inference import FileDesk, Prepared
from lsd.store import (
    Datapoint,
    DatapointQuery,
    Dataset,
    Revision,
    Store,
    StoreFailed,
    StoreFull,
    UnknownDatapoint,
    Write,
    WriteFailed,
    Writer,
)
from lsd.telemetry import Clock

_AT_ONCE: Final = 8
"""Items of a call that are made at the same time: one that fetches a file does not keep the next
one waiting, and no more than so many files are in memory."""

_Make = Callable[[int, str], Awaitable[Datapoint]]
"""Makes the item at a place; it is given its id."""


@attrs.define(eq=False, kw_only=True)
class DatasetService:
    """Serves the datasets of a store under one configuration.

    Names of datasets are good ones, by `check_dataset_name`. All changes are all or nothing, and
    committed when they return; when cancelled during the commit, they are made all the same. All
    raise DatasetUnchanged when the store cannot keep them.
    """

    _prepared: Prepared
    _store: Store
    _writer: Writer
    _ids: IdGenerator
    _clock: Clock
    _file_desk: FileDesk
    _checks: Checks = attrs.field(init=False)
    _versions: Versions = attrs.field(init=False)
    _harvest: Harvest = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        config_hash = self._prepared.loaded.hash
        self._checks = Checks(prepared=self._prepared, file_desk=self._file_desk)
        self._versions = Versions(checks=self._checks, config_hash=config_hash)
        self._harvest = Harvest(
            checks=self._checks, config_hash=config_hash, store=self._store, ids=self._ids
        )

    async def create(self, dataset_name: str, new: Sequence[NewDatapoint]) -> list[str]:
        """The ids of new datapoints, in the order of `new`, rising.

        Raises BadRequest and Malformed, of the first item that is wrong.
        """

        async def first(place: int, own_id: str) -> Datapoint:
            return await self._versions.first(new[place], dataset_name, own_id)

        made = await self._each(len(new), first)
        return await self._add(dataset_name, made)

    async def update(self, dataset_name: str, patches: Sequence[Patch]) -> list[str]:
        """The ids of the new versions, in the order of `patches`, rising.

        Raises UnknownDatapoint, UnknownName, BadRequest and Malformed, of the first item that is
        wrong.
        """
        old = await self._whole(each.id for each in patches)

        async def following(place: int, own_id: str) -> Datapoint:
            patch = patches[place]
            replaced = old.get(patch.id)
            is_elsewhere = replaced is not None and replaced.dataset_name != dataset_name
            if replaced is None or is_elsewhere or replaced.staled_at_us is not None:
                raise UnknownDatapoint(dataset_name, patch.id)
            check_type(replaced, patch)
            return await self._versions.following(replaced, patch, own_id)

        made = await self._each(len(patches), following)
        revisions = [
            Revision(replaced_id=patch.id, version=version, keeps_name=patch.name is KEEP)
            for patch, version in zip(patches, made, strict=True)
        ]
        now_us = self._now_us()
        await self._commit(self._store.datapoints.revise(dataset_name, revisions, now_us=now_us))
        return [each.id for each in made]

    async def rename(self, dataset_name: str, renamings: Sequence[Renaming]) -> list[str]:
        """The ids that were given. Raises UnknownDatapoint."""
        ids: list[str] = [each.id for each in renamings]
        names: dict[str, str | None] = {
            each.id: each.name for each in renamings if each.name is not KEEP
        }
        rename = self._store.datapoints.rename
        await self._commit(rename(dataset_name, ids, names, now_us=self._now_us()))
        return ids

    async def delete(self, dataset_name: str, datapoint_ids: Collection[str] | None) -> int:
        """How many live datapoints, of these ids or with None of all, are stale now."""
        deleted: list[int] = []
        delete = self._store.datapoints.delete
        now_us = self._now_us()
        await self._commit(delete(dataset_name, datapoint_ids, deleted, now_us=now_us))
        return deleted[0]

    async def clone(self, dataset_name: str, source_ids: Sequence[str]) -> list[str | None]:
        """The ids of copies of live datapoints of any dataset; None for those that are not."""
        copies = {source: self._ids.new() for source in dict.fromkeys(source_ids)}
        if not copies:
            return []
        copied: set[str] = set()
        clone = self._store.datapoints.clone
        await self._commit(clone(dataset_name, copies, copied, now_us=self._now_us()))
        return [copies[source] if source in copied else None for source in source_ids]

    async def from_inferences(self, dataset_name: str, chosen: Chosen) -> list[str]:
        """The ids of new datapoints, one for each chosen inference, in their order.

        Everything answered before is among the inferences. Raises BadRequest and UnknownName.
        """
        await self._writer.settle()
        made = await self._harvest.gather(dataset_name, chosen)
        return await self._add(dataset_name, made) if made else []

    async def get(
        self, datapoint_ids: Iterable[str], *, dataset_name: str | None = None
    ) -> list[Datapoint]:
        """The datapoints of these ids, live or stale, changed last first.

        With a dataset, those of others are left out.
        """
        found = (await self._whole(datapoint_ids)).values()
        return sorted(
            (each for each in found if dataset_name in (None, each.dataset_name)),
            key=lambda each: (each.updated_at_us, each.id),
            reverse=True,
        )

    async def select(self, query: DatapointQuery) -> list[Datapoint]:
        """The live datapoints of a query, of one moment."""
        return await trio.to_thread.run_sync(self._store.datapoints.select, query)

    async def count(self, dataset_name: str, function_name: str | None) -> int:
        """How many live datapoints there are, of one function or of all."""
        count = self._store.datapoints.count
        return await trio.to_thread.run_sync(count, dataset_name, function_name)

    async def datasets(self, function_name: str | None) -> list[Dataset]:
        """All datasets, changed last first, or what they hold for one function."""
        found = await trio.to_thread.run_sync(self._store.datapoints.datasets, function_name)
        return sorted(found, key=lambda each: (-each.last_updated_us, each.name))

    async def _each(self, number: int, make: _Make) -> list[Datapoint]:
        """All items made, some at once, with room for other requests in between.

        Ids rise with their places; what is wrong with the first item that is wrong is raised.
        """
        made: list[Datapoint] = []
        outcomes: dict[int, Datapoint | LsdError] = {}

        async def one(place: int, own_id: str) -> None:
            try:
                with below(f"datapoints[{place}]"):
                    outcomes[place] = await make(place, own_id)
            except LsdError as error:
                outcomes[place] = error

        for start in range(0, number, _AT_ONCE):
            async with trio.open_nursery() as nursery:
                for place in range(start, min(start + _AT_ONCE, number)):
                    nursery.start_soon(one, place, self._ids.new())
            for place in sorted(outcomes):
                outcome = outcomes[place]
                if isinstance(outcome, LsdError):
                    raise outcome
                made.append(outcome)
            outcomes.clear()
        return made

    async def _whole(self, datapoint_ids: Iterable[str]) -> dict[str, Datapoint]:
        """What there is of these ids, by id."""
        ids = list(datapoint_ids)
        found = await trio.to_thread.run_sync(self._store.datapoints.get, ids)
        return {each.id: each for each in found}

    async def _add(self, dataset_name: str, made: Sequence[Datapoint]) -> list[str]:
        add = self._store.datapoints.add
        await self._commit(add(dataset_name, made, now_us=self._now_us()))
        return [each.id for each in made]

    async def _commit(self, write: Write) -> None:
        try:
            await self._writer.commit(write)
        except (StoreFull, StoreFailed, WriteFailed) as error:
            raise DatasetUnchanged(str(error)) from error

    def _now_us(self) -> int:
        return self._clock.now_ns() // 1000

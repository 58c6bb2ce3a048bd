"""Datapoints: versions of examples, in datasets, which are no more than names for some of them.

Nothing is ever removed: a datapoint that is deleted, or replaced by a newer version, is *stale*,
and can still be read by its id. Gets of a few are quick enough for the event loop; lists scan.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby

import attrs

from lsd.store import _encoding as encoding
from lsd.store._datapoint_lists import DatapointQuery, list_datapoints, read_at
from lsd.store._datapoint_writes import (
    NUMBER_BYTES,
    TIME_BYTES,
    change_datapoint,
    moment,
    put_datapoint,
    stale_datapoint,
)
from lsd.store._group_commit import Write
from lsd.store._writing import Writing
from lsd.store.engine import Environment
from lsd.store.errors import AlreadyRecorded, UnknownDatapoint
from lsd.store.layout import (
    BY_DATASET,
    BY_DATASET_AND_FUNCTION,
    DATAPOINT_COUNTS,
    DATAPOINTS,
    UNSIGNED,
    end_of,
    id_key,
    id_text,
)
from lsd.store.names import DATASET, FUNCTION, Names
from lsd.store.records import Datapoint
from lsd.store.transaction import Transaction


@attrs.frozen(kw_only=True)
class Revision:
    """`version` takes the place of a live datapoint.

    With `keeps_name` its name is the one that the other has when it is replaced.
    """

    replaced_id: str
    version: Datapoint
    keeps_name: bool


@attrs.frozen(kw_only=True)
class Dataset:
    """A dataset, or what it holds for one function: live datapoints only."""

    name: str
    datapoints: int
    last_updated_us: int


@attrs.define(eq=False)
class Datapoints:
    """The datapoints of a store.

    Writes are all or nothing. They take the time at which they were asked for, in microseconds
    since 1970, and give all that they change one time, which no change of that dataset had before.
    """

    _data: Environment
    _names: Names
    _shard: int

    def add(self, dataset_name: str, datapoints: Sequence[Datapoint], *, now_us: int) -> Write:
        """The write of new datapoints of one dataset."""

        def apply(transaction: Transaction) -> None:
            writing = self._writing(transaction)
            at_us = self._moment(writing, dataset_name, now_us)
            for datapoint in datapoints:
                put_datapoint(writing, attrs.evolve(datapoint, updated_at_us=at_us))

        return Write(apply=apply, rows=len(datapoints))

    def restore(self, datapoint: Datapoint) -> Write:
        """The write of a datapoint with the times that it had. Refused (AlreadyRecorded) once."""

        def apply(transaction: Transaction) -> None:
            if transaction.get(DATAPOINTS, id_key(datapoint.id)) is not None:
                raise AlreadyRecorded(datapoint.id)
            put_datapoint(self._writing(transaction), datapoint)

        return Write(apply=apply)

    def revise(self, dataset_name: str, revisions: Sequence[Revision], *, now_us: int) -> Write:
        """The write of new versions. Refused (UnknownDatapoint) if one of the old is not live."""

        def apply(transaction: Transaction) -> None:
            replaced = [
                _require_live(transaction, dataset_name, each.replaced_id) for each in revisions
            ]
            writing = self._writing(transaction)
            at_us = self._moment(writing, dataset_name, now_us)
            for old, revision in zip(replaced, revisions, strict=True):
                name = old.name if revision.keeps_name else revision.version.name
                stale_datapoint(writing, old, at_us)
                put_datapoint(
                    writing, attrs.evolve(revision.version, updated_at_us=at_us, name=name)
                )

        return Write(apply=apply, rows=2 * len(revisions))

    def rename(
        self,
        dataset_name: str,
        datapoint_ids: Iterable[str],
        names: Mapping[str, str | None],
        *,
        now_us: int,
    ) -> Write:
        """The write of new names, by id. Refused (UnknownDatapoint) if one of the ids is not live.

        An id without an entry in `names` keeps its name and its time; None takes the name away.
        """
        ids = list(datapoint_ids)

        def apply(transaction: Transaction) -> None:
            found = [_require_live(transaction, dataset_name, each) for each in ids]
            writing = self._writing(transaction)
            at_us = self._moment(writing, dataset_name, now_us)
            for datapoint in found:
                if datapoint.id in names:
                    name = names[datapoint.id]
                    renamed = attrs.evolve(datapoint, name=name, updated_at_us=at_us)
                    change_datapoint(writing, datapoint, renamed)

        return Write(apply=apply, rows=len(ids))

    def delete(
        self,
        dataset_name: str,
        datapoint_ids: Collection[str] | None,
        deleted: list[int],
        *,
        now_us: int,
    ) -> Write:
        """The write that makes live datapoints of a dataset stale: of these ids, or with None all.

        `deleted` learns how many they were.
        """

        def apply(transaction: Transaction) -> None:
            keys = (
                self._live_keys(transaction, dataset_name)
                if datapoint_ids is None
                else [id_key(each) for each in dict.fromkeys(datapoint_ids)]
            )
            found = [_live(transaction, dataset_name, key) for key in keys]
            live = [datapoint for datapoint in found if datapoint is not None]
            deleted[:] = [len(live)]
            if live:
                writing = self._writing(transaction)
                at_us = self._moment(writing, dataset_name, now_us)
                for datapoint in live:
                    stale_datapoint(writing, datapoint, at_us)

        return Write(apply=apply, rows=1 if datapoint_ids is None else len(datapoint_ids))

    def clone(
        self, dataset_name: str, copies: Mapping[str, str], copied: set[str], *, now_us: int
    ) -> Write:
        """The write of copies in a dataset, of live datapoints of any: `copies` has the new ids.

        `copied` learns which of the sources there were.
        """

        def apply(transaction: Transaction) -> None:
            keys = [id_key(source) for source in copies]
            found = [_live(transaction, None, key) for key in keys]
            live = [datapoint for datapoint in found if datapoint is not None]
            copied.clear()
            copied.update(datapoint.id for datapoint in live)
            if live:
                writing = self._writing(transaction)
                at_us = self._moment(writing, dataset_name, now_us)
                for datapoint in live:
                    put_datapoint(
                        writing,
                        attrs.evolve(
                            read_at(transaction, id_key(datapoint.id)),
                            id=copies[datapoint.id],
                            dataset_name=dataset_name,
                            updated_at_us=at_us,
                        ),
                    )

        return Write(apply=apply, rows=len(copies))

    def get(self, datapoint_ids: Iterable[str]) -> list[Datapoint]:
        """The datapoints, live or stale, each once, in no particular order; unknown left out."""
        with self._data.read() as transaction:
            keys = (id_key(each) for each in dict.fromkeys(datapoint_ids))
            return [
                read_at(transaction, key)
                for key in keys
                if transaction.get(DATAPOINTS, key) is not None
            ]

    def select(self, query: DatapointQuery) -> list[Datapoint]:
        """The datapoints of a query, in its order, of one snapshot. Scans."""
        with self._data.read() as transaction:
            return list_datapoints(transaction, self._names, query)

    def count(self, dataset_name: str, function_name: str | None = None) -> int:
        """How many live ones a dataset has, of one function or of all."""
        with self._data.read() as transaction:
            prefix = self._names.find(transaction, DATASET, dataset_name)
            if prefix is not None and function_name is not None:
                function = self._names.find(transaction, FUNCTION, function_name)
                prefix = None if function is None else prefix + function
            if prefix is None:
                return 0
            rows = transaction.range(DATAPOINT_COUNTS, prefix, end_of(prefix))
            return sum(UNSIGNED.unpack(row)[0] for _, row in rows)

    def datasets(self, function_name: str | None = None) -> list[Dataset]:
        """All datasets, or those with datapoints of a function; in no particular order.

        Scans the counts, not the datapoints.
        """
        with self._data.read() as transaction:
            function = b""
            if function_name is not None:
                found = self._names.find(transaction, FUNCTION, function_name)
                if found is None:
                    return []
                function = found
            rows = [row for row in transaction.range(DATAPOINT_COUNTS) if row[0].endswith(function)]
            by_dataset = groupby(rows, key=lambda row: row[0][:NUMBER_BYTES])
            return [
                Dataset(
                    name=self._names.name(transaction, DATASET, dataset),
                    datapoints=sum(UNSIGNED.unpack(count)[0] for _, count in counts),
                    last_updated_us=_latest(transaction, dataset, function),
                )
                for dataset, counts in by_dataset
            ]

    def _live_keys(self, transaction: Transaction, dataset_name: str) -> list[bytes]:
        dataset = self._names.find(transaction, DATASET, dataset_name)
        if dataset is None:
            return []
        entries = transaction.range(BY_DATASET, dataset, end_of(dataset))
        return [key[NUMBER_BYTES + TIME_BYTES :] for key, _ in entries]

    def _moment(self, writing: Writing, dataset_name: str, now_us: int) -> int:
        return moment(writing.transaction, writing.number(DATASET, dataset_name), now_us)

    def _writing(self, transaction: Transaction) -> Writing:
        return Writing(transaction, self._names, self._shard)


def _latest(transaction: Transaction, dataset: bytes, function: bytes) -> int:
    """When one of the live datapoints was changed last; there is one."""
    database = BY_DATASET_AND_FUNCTION if function else BY_DATASET
    prefix = dataset + function
    ((key, _),) = transaction.range(database, prefix, end_of(prefix), reverse=True, limit=1)
    latest: int = UNSIGNED.unpack_from(key, len(prefix))[0]
    return latest


def _live(transaction: Transaction, dataset_name: str | None, key: bytes) -> Datapoint | None:
    """The datapoint without its body, if it is live, and in this dataset if one is named."""
    head = transaction.get(DATAPOINTS, key)
    if head is None:
        return None
    datapoint = encoding.read_datapoint(id_text(key), head)
    is_elsewhere = dataset_name is not None and datapoint.dataset_name != dataset_name
    return None if is_elsewhere or datapoint.staled_at_us is not None else datapoint


def _require_live(transaction: Transaction, dataset_name: str, datapoint_id: str) -> Datapoint:
    datapoint = _live(transaction, dataset_name, id_key(datapoint_id))
    if datapoint is None:
        raise UnknownDatapoint(dataset_name, datapoint_id)
    return datapoint

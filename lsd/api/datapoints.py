"""Datapoints over HTTP: created, changed, deleted, read by id, listed."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import attrs
import trio

from lsd.api.bodies import INLINE_LIST_BYTES_MAX, parse_body
from lsd.api.datapoint_json import datapoint_json
from lsd.api.datapoint_query import read_datapoint_query
from lsd.api.exchange import Answer, Endpoint, Request, Start
from lsd.config import Config
from lsd.conversation import Id, Structurer, encode_json, register_ids
from lsd.datasets import (
    DatasetService,
    check_dataset_name,
    check_given,
    read_new_datapoints,
    read_patches,
    read_renamings,
)
from lsd.store import Datapoint
from lsd.telemetry import logger

log = logger(__name__)

T = TypeVar("T")

PATH: Final = "/v1/datasets/{dataset_name}"

_INLINE_MAX: Final = 100
"""More datapoints are made into JSON in a thread, as nothing bounds how many there are."""


@attrs.frozen(kw_only=True)
class _Ids:
    ids: tuple[Id, ...]


@attrs.frozen
class Datapoints:
    """Serves the datapoints of all datasets."""

    _datasets: DatasetService
    _config: Config

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        return (
            Endpoint(method="POST", path=f"{PATH}/datapoints", handle=self.create),
            Endpoint(method="PATCH", path=f"{PATH}/datapoints", handle=self.update),
            Endpoint(method="PATCH", path=f"{PATH}/datapoints/metadata", handle=self.rename),
            Endpoint(method="DELETE", path=f"{PATH}/datapoints", handle=self.delete),
            Endpoint(method="POST", path=f"{PATH}/get_datapoints", handle=self.get),
            Endpoint(method="POST", path="/v1/datasets/get_datapoints", handle=self.get_anywhere),
            Endpoint(method="POST", path=f"{PATH}/list_datapoints", handle=self.some),
        )

    async def create(self, request: Request, _start: Start) -> Answer:
        """`POST …/datapoints`: all are created, or none."""
        dataset_name = dataset_in(request)
        new = await _parsed(read_new_datapoints, request.body)
        return _ids(await self._datasets.create(dataset_name, new))

    async def update(self, request: Request, _start: Start) -> Answer:
        """`PATCH …/datapoints`: new versions of all, or of none."""
        dataset_name = dataset_in(request)
        patches = await _parsed(read_patches, request.body)
        return _ids(await self._datasets.update(dataset_name, patches))

    async def rename(self, request: Request, _start: Start) -> Answer:
        """`PATCH …/datapoints/metadata`: names, without a new version."""
        dataset_name = dataset_in(request)
        renamings = await _parsed(read_renamings, request.body)
        return _ids(await self._datasets.rename(dataset_name, renamings))

    async def delete(self, request: Request, _start: Start) -> Answer:
        """`DELETE …/datapoints`: those of some ids."""
        dataset_name = dataset_in(request)
        ids = await _ids_in(request)
        check_given("ids", ids)
        return deletion(await self._datasets.delete(dataset_name, ids))

    async def get(self, request: Request, _start: Start) -> Answer:
        """`POST …/get_datapoints`: by id, stale ones, too."""
        dataset_name = dataset_in(request)
        ids = await _ids_in(request)
        return await _shown(await self._datasets.get(ids, dataset_name=dataset_name))

    async def get_anywhere(self, request: Request, _start: Start) -> Answer:
        """`POST /v1/datasets/get_datapoints`: the same, of any dataset."""
        log.warning(
            "deprecated route; wanted /v1/datasets/{dataset_name}/get_datapoints",
            route="POST /v1/datasets/get_datapoints",
        )
        return await _shown(await self._datasets.get(await _ids_in(request)))

    async def some(self, request: Request, _start: Start) -> Answer:
        """`POST …/list_datapoints`: live ones, by what is said of them."""
        dataset_name = dataset_in(request)
        query = await parse_body(
            lambda body: read_datapoint_query(body, dataset_name, self._config), request.body
        )
        return await _shown(await self._datasets.select(query))


def dataset_in(request: Request) -> str:
    """The dataset of the path. Raises BadRequest for a name that none can have."""
    name = request.query["dataset_name"]
    check_dataset_name(name)
    return name


def deletion(number: int) -> Answer:
    """How many were deleted."""
    return Answer(body=encode_json({"num_deleted_datapoints": number}))


async def _parsed(read: Callable[[bytes], T], body: bytes) -> T:
    return await parse_body(read, body, inline_bytes_max=INLINE_LIST_BYTES_MAX)


async def _ids_in(request: Request) -> Sequence[str]:
    asked = await parse_body(lambda body: _STRUCTURER.read(body, _Ids), request.body)
    return asked.ids


def _ids(ids: Sequence[str]) -> Answer:
    return Answer(body=encode_json({"ids": ids}))


async def _shown(datapoints: Sequence[Datapoint]) -> Answer:
    if len(datapoints) <= _INLINE_MAX:
        return _all_shown(datapoints)
    return await trio.to_thread.run_sync(_all_shown, datapoints)


def _all_shown(datapoints: Sequence[Datapoint]) -> Answer:
    return Answer(body=encode_json({"datapoints": [*map(datapoint_json, datapoints)]}))


def _structurer() -> Structurer:
    structurer = Structurer(unknown_keys="ignored")
    register_ids(structurer)
    return structurer


_STRUCTURER: Final = _structurer()

"""Datasets over HTTP: listed, counted, cloned, deleted, and built from recorded inferences."""

from typing import Final

import attrs

from lsd.api.bodies import parse_body
from lsd.api.datapoints import PATH, dataset_in, deletion
from lsd.api.exchange import Answer, Endpoint, Request, Start
from lsd.api.filters import FilterBody
from lsd.api.inference_query import OutputSource, QueryBody, query_of, register_queries
from lsd.api.known_names import KnownNames
from lsd.api.parameters import integer_in
from lsd.config import Config
from lsd.conversation import Id, Structurer, encode_json
from lsd.datasets import Chosen, DatasetService
from lsd.store import Store
from lsd.telemetry import rfc3339_us

_ALL: Final = 10**18
"""Datasets of a list when the caller names no limit."""


@attrs.frozen(kw_only=True)
class _ByIds:
    inference_ids: tuple[Id, ...]
    output_source: OutputSource = "inference"


@attrs.frozen(kw_only=True)
class _ByQuery(QueryBody):
    filter: FilterBody | None = None
    """The older name of `filters`."""


_Choice = _ByIds | _ByQuery


@attrs.frozen(kw_only=True)
class _Clone:
    datapoint_ids: tuple[Id, ...]


@attrs.frozen
class Datasets:
    """Serves datasets as a whole."""

    _datasets: DatasetService
    _config: Config
    _store: Store

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        internal = "/internal/datasets"
        counted = f"{internal}/{{dataset_name}}/datapoints"
        return (
            Endpoint(method="GET", path=internal, handle=self.list),
            Endpoint(method="GET", path="/v1/datasets", handle=self.list),
            Endpoint(method="GET", path=f"{counted}/count", handle=self.count),
            Endpoint(method="POST", path=f"{counted}/clone", handle=self.clone),
            Endpoint(method="DELETE", path=PATH, handle=self.delete),
            Endpoint(method="POST", path=f"{PATH}/from_inferences", handle=self.from_inferences),
        )

    async def list(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/datasets`: names and what is in them, changed last first."""
        offset = integer_in(request, "offset", default=0)
        limit = integer_in(request, "limit", default=_ALL)
        found = await self._datasets.datasets(request.query.get("function_name"))
        shown = [
            {
                "dataset_name": each.name,
                "datapoint_count": each.datapoints,
                "last_updated": rfc3339_us(each.last_updated_us),
            }
            for each in found[offset : offset + limit]
        ]
        return Answer(body=encode_json({"datasets": shown}))

    async def count(self, request: Request, _start: Start) -> Answer:
        """`GET …/datapoints/count`: live ones, of one function or of all."""
        dataset_name = dataset_in(request)
        count = await self._datasets.count(dataset_name, request.query.get("function_name"))
        return Answer(body=encode_json({"datapoint_count": count}))

    async def clone(self, request: Request, _start: Start) -> Answer:
        """`POST …/datapoints/clone`: copies of datapoints of any dataset."""
        dataset_name = dataset_in(request)
        asked = await parse_body(lambda body: _STRUCTURER.read(body, _Clone), request.body)
        copies = await self._datasets.clone(dataset_name, asked.datapoint_ids)
        return Answer(body=encode_json({"datapoint_ids": copies}))

    async def delete(self, request: Request, _start: Start) -> Answer:
        """`DELETE /v1/datasets/{dataset_name}`: all that is in it."""
        return deletion(await self._datasets.delete(dataset_in(request), None))

    async def from_inferences(self, request: Request, _start: Start) -> Answer:
        """`POST …/from_inferences`: a datapoint for each of some inferences."""
        dataset_name = dataset_in(request)
        asked = await parse_body(_read_choice, request.body)
        if isinstance(asked, _ByIds):
            chosen = Chosen(by=asked.inference_ids, output_source=asked.output_source)
        else:
            chosen = self._by_query(asked)
        ids = await self._datasets.from_inferences(dataset_name, chosen)
        return Answer(body=encode_json({"ids": ids}))

    def _by_query(self, asked: _ByQuery) -> Chosen:
        if asked.filters is None:
            asked = attrs.evolve(asked, filters=asked.filter)
        query = query_of(asked, self._config, default_limit=None)
        if asked.function_name is not None:
            KnownNames(self._config, self._store).require_function(asked.function_name)
        return Chosen(by=query, output_source=asked.output_source)


def _read_choice(body: bytes) -> _Choice:
    choice: _Choice = _STRUCTURER.read(body, _Choice)  # type: ignore[arg-type]
    return choice


def _structurer() -> Structurer:
    structurer = Structurer(unknown_keys="ignored")
    register_queries(structurer)
    structurer.tagged(_Choice, {"inference_ids": _ByIds, "inference_query": _ByQuery})
    return structurer


_STRUCTURER: Final = _structurer()

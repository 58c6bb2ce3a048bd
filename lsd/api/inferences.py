"""Inferences that were recorded: by id, in lists, counted."""

from collections.abc import Callable, Iterable
from typing import Any, Final

import attrs

from lsd.api.bodies import parse_body
from lsd.api.exchange import Answer, Endpoint, Request, Start
from lsd.api.inference_query import (
    OutputSource,
    QueryBody,
    SelectionBody,
    query_of,
    register_queries,
    selection_of,
)
from lsd.api.parameters import cursor_in, integer_in, maybe_id_in
from lsd.api.reading import Reading
from lsd.api.record_json import inference_json, inference_metadata_json
from lsd.conversation import Id, Structurer, encode_json, reread_json
from lsd.store import InferenceRecord, Selection

LIMIT: Final = 20
"""Inferences of a page when the caller names no limit."""


@attrs.frozen(kw_only=True)
class _GetBody:
    ids: tuple[Id, ...]
    function_name: str | None = None
    output_source: OutputSource = "inference"


@attrs.frozen
class Inferences:
    """Serves the inferences of the store. Everything answered before is visible."""

    _reading: Reading

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes of this module."""
        return (
            Endpoint(method="POST", path="/v1/inferences/get_inferences", handle=self.get),
            Endpoint(method="POST", path="/v1/inferences/list_inferences", handle=self.some),
            Endpoint(method="POST", path="/internal/inferences/count", handle=self.count),
            Endpoint(method="GET", path="/internal/inference_metadata", handle=self.metadata),
        )

    async def get(self, request: Request, _start: Start) -> Answer:
        """`POST /v1/inferences/get_inferences`: records by id, newest first."""
        asked = await parse_body(lambda body: _STRUCTURER.read(body, _GetBody), request.body)

        def read() -> bytes:
            self._require_function(asked.function_name)
            records = self._reading.store.inferences.get(asked.ids)
            if asked.function_name is not None:
                records = [each for each in records if each.function_name == asked.function_name]
            return self._shown(records, asked.output_source)

        return Answer(body=await self._reading.read(read))

    async def some(self, request: Request, _start: Start) -> Answer:
        """`POST /v1/inferences/list_inferences`: records by what is said of them."""
        asked = await parse_body(lambda body: _STRUCTURER.read(body, QueryBody), request.body)
        query = query_of(asked, self._reading.config, default_limit=LIMIT)

        def read() -> bytes:
            self._require_function(asked.function_name)
            records = self._reading.store.inferences.select(query)
            return self._shown(records, asked.output_source)

        return Answer(body=await self._reading.read(read))

    async def count(self, request: Request, _start: Start) -> Answer:
        """`POST /internal/inferences/count`."""
        asked = await parse_body(lambda body: _STRUCTURER.read(body, SelectionBody), request.body)
        selection = selection_of(asked, self._reading.config)
        count = await self._reading.read(lambda: self._reading.store.inferences.count(selection))
        return Answer(body=encode_json({"count": count}))

    async def metadata(self, request: Request, _start: Start) -> Answer:
        """`GET /internal/inference_metadata`: ids and names, newest first."""
        cursor = cursor_in(request)
        limit = integer_in(request, "limit", default=LIMIT)
        selection = Selection(
            function_name=request.query.get("function_name"),
            variant_name=request.query.get("variant_name"),
            episode_id=maybe_id_in(request, "episode_id"),
        )

        def read() -> bytes:
            records = self._reading.store.inferences.page(
                selection, before=cursor.before, after=cursor.after, limit=limit
            )
            shown = [inference_metadata_json(record) for record in records]
            return encode_json({"inference_metadata": shown})

        return Answer(body=await self._reading.read(read))

    def _require_function(self, name: str | None) -> None:
        if name is not None:
            self._reading.names.require_function(name)

    def _shown(self, records: Iterable[InferenceRecord], source: OutputSource) -> bytes:
        show = self._with_demonstration if source == "demonstration" else _FORMS[source]
        shown = [show(record) for record in records]
        return encode_json({"inferences": [each for each in shown if each is not None]})

    def _with_demonstration(self, record: InferenceRecord) -> dict[str, Any] | None:
        """The latest demonstration in the output's place; None if there is none."""
        demonstration = self._reading.store.feedback.latest_demonstration(record.inference_id)
        if demonstration is None:
            return None
        assert isinstance(demonstration.value, str), "demonstrations are texts"
        shown = inference_json(record)
        original = [shown["output"]] if "output" in shown else []
        output = reread_json(demonstration.value)
        return shown | {"output": output, "dispreferred_outputs": original}


def _without_output(record: InferenceRecord) -> dict[str, Any]:
    shown = inference_json(record)
    shown.pop("output", None)
    return shown


_FORMS: Final[dict[OutputSource, Callable[[InferenceRecord], dict[str, Any]]]] = {
    "inference": inference_json,
    "none": _without_output,
}


def _structurer() -> Structurer:
    structurer = Structurer()
    register_queries(structurer)
    return structurer


_STRUCTURER: Final = _structurer()

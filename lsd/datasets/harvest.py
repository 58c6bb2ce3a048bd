"""Datapoints out of inferences that were recorded: which are taken, and what is copied of them."""

from collections.abc import Sequence
from typing import Any, Final, Literal

import attrs
import trio

from lsd.config import ChatFunction
from lsd.conversation import IdGenerator, reread_json
from lsd.datasets.checks import Checks, below
from lsd.datasets.tool_settings import ToolSettings
from lsd.datasets.versions import encoded
from lsd.inference import BadRequest
from lsd.store import (
    Datapoint,
    DatapointBody,
    InferenceBody,
    InferenceQuery,
    InferenceRecord,
    Store,
)

OutputSource = Literal["inference", "demonstration", "none"]
"""What becomes the reference output: what was answered, the latest demonstration, or nothing."""

_INFERENCES_PER_READ: Final = 200
"""Inferences that are in memory with all of their bodies; of the others, only what is copied is."""


@attrs.frozen(kw_only=True)
class Chosen:
    """Which inferences are taken: those of these ids, all of which must be there, or of a query."""

    by: tuple[str, ...] | InferenceQuery
    output_source: OutputSource


@attrs.frozen(kw_only=True)
class Harvest:
    """Makes datapoints of inferences under one configuration, whose hash they carry."""

    _checks: Checks
    _config_hash: str
    _store: Store
    _ids: IdGenerator

    async def gather(self, dataset_name: str, chosen: Chosen) -> list[Datapoint]:
        """A new datapoint for each inference, in the order of the ids or of the query.

        Raises BadRequest and UnknownName.
        """
        made = []
        ids = await trio.to_thread.run_sync(self._chosen_ids, chosen)
        for start in range(0, len(ids), _INFERENCES_PER_READ):
            some = ids[start : start + _INFERENCES_PER_READ]
            read = await trio.to_thread.run_sync(self._read, some, chosen)
            for record, output in read:
                await trio.lowlevel.checkpoint()
                with below(f"inference {record.inference_id}"):
                    made.append(self._datapoint(dataset_name, record, output))
        return made

    def _chosen_ids(self, chosen: Chosen) -> list[str]:
        """Scans."""
        if isinstance(chosen.by, tuple):
            return list(dict.fromkeys(chosen.by))
        found = self._store.inferences.select(chosen.by, with_bodies=False)
        return [record.inference_id for record in found]

    def _read(
        self, inference_ids: Sequence[str], chosen: Chosen
    ) -> list[tuple[InferenceRecord, Any]]:
        """Records in the order of the ids, each with what becomes its output."""
        records = {each.inference_id: each for each in self._store.inferences.get(inference_ids)}
        is_listed = isinstance(chosen.by, tuple)
        read = []
        for inference_id in inference_ids:
            record = records.get(inference_id)
            demonstration = None
            if record is not None and chosen.output_source == "demonstration":
                demonstration = self._store.feedback.latest_demonstration(inference_id)
                record = None if demonstration is None else record
            if record is None:  # of a query: gone since
                if is_listed:
                    raise _not_found(inference_id, chosen.output_source)
                continue
            if chosen.output_source != "inference":
                output = None if demonstration is None else reread_json(str(demonstration.value))
            elif record.status == "interrupted" and not is_listed:
                continue
            else:
                output = _answer(record)
            read.append((record, output))
        return read

    def _datapoint(self, dataset_name: str, record: InferenceRecord, output: Any) -> Datapoint:
        body = record.body
        if body is None:
            raise BadRequest("input", "missing input: the body of this inference is no longer kept")
        target = self._checks.old_target(record.function_name, record.function_type)
        return Datapoint(
            id=self._ids.new(),
            dataset_name=dataset_name,
            function_name=record.function_name,
            function_type=record.function_type,
            episode_id=record.episode_id,
            tags=record.tags,
            is_custom=False,
            source_inference_id=record.inference_id,
            snapshot_hash=self._config_hash,
            body=DatapointBody(
                input=encoded(body.input),
                output=encoded(output),
                output_schema=body.output_schema if record.function_type == "json" else None,
                **self._tools(body, target.config),
            ),
        )

    def _tools(self, body: InferenceBody, function: object) -> dict[str, Any]:
        if not isinstance(function, ChatFunction):
            return {}
        prepared = self._checks.prepared
        settings = ToolSettings.of_stored(body)
        toolbox = settings.toolbox(function, prepared.config.tools, prepared.schemas)
        return settings.resulting(toolbox)


def _answer(record: InferenceRecord) -> Any:
    """What was answered. Raises BadRequest for an inference that has no whole answer."""
    where = f"inference {record.inference_id}.output"
    if record.status == "interrupted":
        raise BadRequest(where, "missing output: this inference was interrupted")
    if record.body is None or record.body.output is None:
        raise BadRequest(where, "missing output: the body of this inference is no longer kept")
    return record.body.output


def _not_found(inference_id: str, source: OutputSource) -> BadRequest:
    wanted = "the id of a recorded inference"
    if source == "demonstration":
        wanted += " with a demonstration"
    return BadRequest("inference_ids", f"inference {inference_id} not found; wanted {wanted}")

"""Versions of datapoints: made of what is sent, and of what was there before."""

from typing import Any

import attrs

from lsd.config import ChatFunction, JsonFunction
from lsd.conversation import Fragment, Input, JsonValue, encode_json, input_to_json
from lsd.datasets.checks import Checks, Target
from lsd.datasets.request import (
    KEEP,
    ChatPatch,
    JsonPatch,
    NewChatDatapoint,
    NewDatapoint,
    NewJsonDatapoint,
    Patch,
)
from lsd.datasets.tool_settings import ToolSettings
from lsd.inference import (
    BadRequest,
    chat_reference,
    fitting_value,
    json_reference,
    read_reference_blocks,
)
from lsd.store import Datapoint, DatapointBody


@attrs.frozen(kw_only=True)
class Versions:
    """Makes versions under one configuration, whose hash they carry."""

    _checks: Checks
    _config_hash: str

    async def first(self, new: NewDatapoint, dataset_name: str, own_id: str) -> Datapoint:
        """The first version of a new datapoint. Raises BadRequest and Malformed."""
        target = self._checks.new_target(new.function_name, new.type)
        value = await self._checks.stored_input(new.input, target)
        if isinstance(new, NewChatDatapoint):
            body = self._chat_body(new, value, target)
        else:
            body = self._json_body(new, value, target)
        return Datapoint(
            id=own_id,
            dataset_name=dataset_name,
            function_name=new.function_name,
            function_type=new.type,
            episode_id=new.episode_id,
            tags=dict(new.tags or {}),
            name=new.name,
            snapshot_hash=self._config_hash,
            body=body,
        )

    async def following(self, old: Datapoint, patch: Patch, own_id: str) -> Datapoint:
        """The version after `old`, which is whole and of the patch's type.

        Raises BadRequest, Malformed, and UnknownName if its function is configured no longer.
        """
        assert old.body is not None, "a version is made of a whole one"
        target = self._checks.old_target(old.function_name, old.function_type)
        kept = old.body.input
        if patch.input is not None:
            kept = input_to_json(await self._checks.stored_input(patch.input, target))
        if isinstance(patch, ChatPatch):
            body = self._patched_chat(old.body, patch, target)
        else:
            body = self._patched_json(old.body, patch)
        return attrs.evolve(
            old,
            id=own_id,
            tags=old.tags if patch.tags is None else dict(patch.tags),
            name=old.name if patch.name is KEEP else patch.name,
            is_custom=True,
            snapshot_hash=self._config_hash,
            body=attrs.evolve(body, input=encoded(kept)),
        )

    def _chat_body(self, new: NewChatDatapoint, value: Input, target: Target) -> DatapointBody:
        config = target.config
        assert isinstance(config, ChatFunction), "the type of the function was checked"
        settings = ToolSettings.of_new(new)
        prepared = self._checks.prepared
        toolbox = settings.toolbox(config, prepared.config.tools, prepared.schemas)
        output = None if new.output is None else chat_reference(new.output, toolbox)
        return DatapointBody(
            input=encoded(input_to_json(value)),
            output=encoded(output),
            **settings.resulting(toolbox),
        )

    def _json_body(self, new: NewJsonDatapoint, value: Input, target: Target) -> DatapointBody:
        config = target.config
        assert isinstance(config, JsonFunction), "the type of the function was checked"
        schema = config.output_schema
        if new.output_schema is not None:
            schema = self._checks.schema(new.output_schema)
        output = None if new.output is None else json_reference(new.output, "output", schema)
        return DatapointBody(
            input=encoded(input_to_json(value)),
            output=encoded(output),
            output_schema=schema.value,
        )

    def _patched_chat(self, body: DatapointBody, patch: ChatPatch, target: Target) -> DatapointBody:
        config = target.config
        assert isinstance(config, ChatFunction), "the type of the function was checked"
        stored = ToolSettings.of_stored(body)
        settings = stored.patched(patch)
        prepared = self._checks.prepared
        tools: dict[str, Any] = {}
        if settings is stored:
            toolbox = stored.surviving_toolbox(config, prepared.config.tools, prepared.schemas)
        else:
            toolbox = settings.toolbox(config, prepared.config.tools, prepared.schemas)
            tools = dict.fromkeys(attrs.fields_dict(ToolSettings)) | settings.resulting(toolbox)
        output = body.output
        if patch.output is not KEEP:
            output = None if patch.output is None else chat_reference(patch.output, toolbox)
        elif settings is not stored and output is not None:
            output = chat_reference(read_reference_blocks(output, "output"), toolbox)
        return attrs.evolve(body, output=encoded(output), **tools)

    def _patched_json(self, body: DatapointBody, patch: JsonPatch) -> DatapointBody:
        schema_value = body.output_schema if patch.output_schema is None else patch.output_schema
        output: JsonValue = body.output
        if patch.output is None:
            output = None
        elif patch.output is not KEEP:
            output = json_reference(patch.output, "output", self._checks.schema(schema_value))
        elif patch.output_schema is not None:
            schema = self._checks.schema(schema_value)
            raw = None if output is None else output["raw"]
            if raw is not None:
                output = {"raw": raw, "parsed": fitting_value(raw, schema)}
        return attrs.evolve(body, output=encoded(output), output_schema=schema_value)


def check_type(old: Datapoint, patch: Patch) -> None:
    """Raises BadRequest for a patch of another type than the datapoint that it is for."""
    if old.function_type != patch.type:
        reason = f"found {patch.type!r} for {patch.id}; wanted {old.function_type!r}, as it is"
        raise BadRequest("type", reason)


def encoded(value: JsonValue) -> JsonValue:
    """`value` as its text, which takes a fraction of its room in memory; None stays None."""
    return None if value is None else Fragment(encode_json(value))

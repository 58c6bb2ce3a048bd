"""Demonstrations: the output that an inference should have given, and so must have been able to.

They are judged by the tools and the schema which that inference had, not by today's.
"""

from collections.abc import Mapping

import attrs

from lsd.config import Config
from lsd.conversation import JsonValue
from lsd.feedback.configurations import Configurations
from lsd.feedback.demonstrated_blocks import DemonstratedCall, read_blocks, stored_block
from lsd.feedback.offered_tools import offered_tools
from lsd.feedback.refusals import BadFeedback, UnknownFunction
from lsd.feedback.schema_check import SchemaCheck
from lsd.feedback.stored_text import stored_text
from lsd.feedback.targets import Target, unknown_target
from lsd.store import InferenceBody, InferenceRecord, Inferences

DEFAULT_FUNCTION = "lsd::default"
"""The built-in function of calls by `model_name`; it is in no configuration."""


@attrs.define(eq=False, kw_only=True)
class Demonstrations:
    """Makes of what people send what is stored."""

    _config: Config
    _configurations: Configurations
    _inferences: Inferences
    _check: SchemaCheck

    async def stored_form(self, inference_id: str, value: JsonValue) -> str:
        """The JSON text of `value` as the output of an inference.

        Raises BadFeedback, and UnknownFunction if the inference's function is not configured.
        """
        record, body = self._read(inference_id)
        output = (
            self._json_output(body, value)
            if record.function_type == "json"
            else await self._chat_output(record, body, value)
        )
        return stored_text(output)

    def _read(self, inference_id: str) -> tuple[InferenceRecord, InferenceBody]:
        records = self._inferences.get((inference_id,))
        if not records:
            raise unknown_target(Target(level="inference", id=inference_id))
        (record,) = records
        name = record.function_name
        if name not in self._config.functions and name != DEFAULT_FUNCTION:
            raise UnknownFunction(name)
        if record.body is None:
            found = f"the data of Inference {inference_id} is no longer kept"
            wanted = "one younger than storage.inference_data_retention_days"
            raise BadFeedback("inference_id", f"{found}; wanted {wanted}")
        return record, record.body

    def _json_output(self, body: InferenceBody, value: JsonValue) -> JsonValue:
        findings = self._check.findings(body.output_schema, value)
        if findings:
            raise BadFeedback("value", f"does not fit the output schema: {findings}")
        return {"raw": stored_text(value), "parsed": value}

    async def _chat_output(
        self, record: InferenceRecord, body: InferenceBody, value: JsonValue
    ) -> JsonValue:
        blocks = read_blocks(value)
        tools: Mapping[str, JsonValue] = {}
        if any(isinstance(block, DemonstratedCall) for block in blocks):
            tools = await self._tools(record, body)
        return [
            stored_block(block, f"value[{place}]", tools, self._check)
            for place, block in enumerate(blocks)
        ]

    async def _tools(self, record: InferenceRecord, body: InferenceBody) -> Mapping[str, JsonValue]:
        config = await self._configurations.get(record.snapshot_hash)
        if config is None:
            found = f"the store has no configuration of Inference {record.inference_id}"
            wanted = "one whose tools are known, or no tool call"
            raise BadFeedback("inference_id", f"{found}; wanted {wanted}")
        return offered_tools(record.function_name, body, config)

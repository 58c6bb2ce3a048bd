"""Datapoints as they are shown."""

from typing import Any

from lsd.store import Datapoint
from lsd.telemetry import rfc3339_us


def datapoint_json(datapoint: Datapoint) -> dict[str, Any]:
    """A whole datapoint, without what it does not have."""
    body = datapoint.body
    assert body is not None, "datapoints are shown whole"
    stale = datapoint.staled_at_us
    shown = {
        "type": datapoint.function_type,
        "dataset_name": datapoint.dataset_name,
        "function_name": datapoint.function_name,
        "id": datapoint.id,
        "episode_id": datapoint.episode_id,
        "input": body.input,
    }
    further = {
        "output": body.output,
        "output_schema": body.output_schema,
        "allowed_tools": body.allowed_tools,
        "additional_tools": body.additional_tools,
        "tool_choice": body.tool_choice,
        "parallel_tool_calls": body.parallel_tool_calls,
    }
    if datapoint.function_type == "chat":
        further["provider_tools"] = [{"scope": None, **each} for each in body.provider_tools or ()]
    further |= {
        "tags": datapoint.tags,
        "name": datapoint.name,
        "is_custom": datapoint.is_custom,
        "is_deleted": False,  # deletion is `staled_at`; older clients want the field
        "source_inference_id": datapoint.source_inference_id,
        "staled_at": None if stale is None else rfc3339_us(stale),
        "updated_at": rfc3339_us(datapoint.updated_at_us),
    }
    return shown | {key: value for key, value in further.items() if value is not None}

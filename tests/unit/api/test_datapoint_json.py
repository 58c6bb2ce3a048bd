"""Datapoints as they are shown."""

from lsd.api.datapoint_json import datapoint_json
from lsd.store import DatapointBody
from tests.unit.store.makers import Maker


def test_what_is_not_there_is_not_shown() -> None:
    """But for what always is."""
    body = DatapointBody(input={"messages": []}, output=[])
    datapoint = Maker().datapoint(id="i", body=body, updated_at_us=1_770_000_000_123_456)

    assert datapoint_json(datapoint) == {
        "type": "chat",
        "dataset_name": "gold",
        "function_name": "write_haiku",
        "id": "i",
        "episode_id": None,
        "input": {"messages": []},
        "output": [],
        "provider_tools": [],
        "tags": {},
        "is_custom": True,
        "is_deleted": False,
        "updated_at": "2026-02-02T02:40:00.123456Z",
    }


def test_what_is_there_is_shown() -> None:
    """Times in microseconds; tools of providers always with their scope."""
    body = DatapointBody(
        input={},
        output={"raw": None, "parsed": None},
        output_schema={},
        allowed_tools=[],
        additional_tools=[{"name": "fax"}],
        tool_choice="none",
        parallel_tool_calls=False,
        provider_tools=[{"tool": {}}, {"tool": {}, "scope": {"model_name": "m"}}],
    )
    datapoint = Maker().datapoint(body=body, name="n", staled_at_us=1, source_inference_id="s")

    shown = datapoint_json(datapoint)

    assert shown["provider_tools"] == [
        {"tool": {}, "scope": None},
        {"tool": {}, "scope": {"model_name": "m"}},
    ]
    assert shown["staled_at"] == "1970-01-01T00:00:00.000001Z"
    for field in ("output", "output_schema", "allowed_tools", "additional_tools", "tool_choice"):
        assert shown[field] == getattr(body, field)
    assert (shown["parallel_tool_calls"], shown["name"]) == (False, "n")
    json = Maker().datapoint(body=body, function_type="json")
    assert "provider_tools" not in datapoint_json(json)

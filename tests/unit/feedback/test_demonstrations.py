"""Demonstrations are judged by what their inference had."""

from typing import Any

import attrs
import pytest

from lsd.feedback import BadFeedback, FeedbackRequest, UnknownFunction
from tests.unit.feedback.desk import Desk, desk_config

CALL = {"type": "tool_call", "id": "c1", "name": "lookup_order", "arguments": {"order": 7}}
WEATHER = {
    "name": "weather",
    "description": "Tells the weather",
    "parameters": {"type": "object", "required": ["town"]},
    "strict": False,
}
WEATHER_CALL = {"type": "tool_call", "id": "c2", "name": "weather", "arguments": {"town": "Bonn"}}
LOOSE = {"type": "object", "properties": {"urgent": {"type": "string"}}}


async def demonstrate(desk: Desk, inference_id: str, value: Any) -> Any:
    """What is stored of a demonstration."""
    await desk.give(inference_id=inference_id, metric_name="demonstration", value=value)
    return desk.demonstrated(inference_id)


async def test_a_chat_demonstration_is_stored_as_blocks(desk: Desk) -> None:
    """The tool call is one that the function's tools allow."""
    inference = await desk.infer()

    stored = await demonstrate(desk, inference.inference_id, [CALL])

    assert stored == [CALL | {"raw_name": "lookup_order", "raw_arguments": '{"order":7}'}]


async def test_the_latest_demonstration_counts(desk: Desk) -> None:
    """Both stay readable."""
    inference = await desk.infer()

    await demonstrate(desk, inference.inference_id, "First")
    stored = await demonstrate(desk, inference.inference_id, "Second")

    assert stored == [{"type": "text", "text": "Second"}]
    assert len(desk.entries(inference.inference_id)) == 2


# case 14
async def test_a_tool_of_one_request_is_not_one_of_another(desk: Desk) -> None:
    """Tools that came with a request belong to its inference alone."""
    inference = await desk.infer(body={"additional_tools": [WEATHER]})
    other = await desk.infer()

    stored = await demonstrate(desk, inference.inference_id, [WEATHER_CALL, CALL])

    assert [block["name"] for block in stored] == ["weather", "lookup_order"]
    with pytest.raises(BadFeedback, match=r"value\[0\]\.name: invalid tool name"):
        await demonstrate(desk, other.inference_id, [WEATHER_CALL])


# case 15
async def test_a_tool_that_was_left_out_cannot_be_called(desk: Desk) -> None:
    """The request allowed others only."""
    inference = await desk.infer(body={"additional_tools": [WEATHER], "allowed_tools": ["weather"]})

    await demonstrate(desk, inference.inference_id, [WEATHER_CALL])

    with pytest.raises(BadFeedback, match=r"value\[0\]\.name: invalid tool name"):
        await demonstrate(desk, inference.inference_id, [CALL])


async def test_an_inference_without_tools_calls_none(desk: Desk) -> None:
    """Text it can always give."""
    inference = await desk.infer("chatter")

    await demonstrate(desk, inference.inference_id, "Hello")

    with pytest.raises(BadFeedback, match="invalid tool name"):
        await demonstrate(desk, inference.inference_id, [CALL])


async def test_calls_by_model_take_demonstrations(desk: Desk) -> None:
    """The built-in function is in no configuration, and always there."""
    inference = await desk.infer("lsd::default", body={"additional_tools": [WEATHER]})

    await demonstrate(desk, inference.inference_id, [WEATHER_CALL])


async def test_tools_are_those_of_the_inferences_day(desk: Desk) -> None:
    """A tool that has changed since is judged in its old form."""
    old_tool = {
        "name": "lookup_order",
        "description": "Finds an order",
        "parameters": {"path": "lookup.json", "text": '{"required": ["number"]}'},
    }
    old_config = {
        "functions": {"support": {"type": "chat", "tools": ["lookup"], "variants": {}}},
        "tools": {"lookup": old_tool},
    }
    await desk.keep_snapshot("ab" * 32, old_config)
    inference = await desk.infer(snapshot_hash="ab" * 32)

    await demonstrate(desk, inference.inference_id, [CALL | {"arguments": {"number": "7"}}])

    with pytest.raises(BadFeedback, match="invalid tool call arguments"):
        await demonstrate(desk, inference.inference_id, [CALL])


async def test_without_the_configuration_of_its_day_only_text_can_be_judged(desk: Desk) -> None:
    """The message says what is missing."""
    inference = await desk.infer(snapshot_hash="ee" * 32)

    await demonstrate(desk, inference.inference_id, "Gladly")

    with pytest.raises(BadFeedback, match="inference_id: the store has no configuration"):
        await demonstrate(desk, inference.inference_id, [CALL])


async def test_a_json_demonstration_is_stored_with_its_text(desk: Desk) -> None:
    """The text is compact, and keys keep their order."""
    inference = await desk.infer("triage")

    stored = await demonstrate(desk, inference.inference_id, {"z": 1, "urgent": False})

    assert stored == {"raw": '{"z":1,"urgent":false}', "parsed": {"z": 1, "urgent": False}}


# case 16
async def test_a_json_demonstration_fits_the_schema_of_its_inference(desk: Desk) -> None:
    """What the function asks for today does not matter."""
    usual = await desk.infer("triage")
    special = await desk.infer("triage", body={"output_schema": LOOSE})

    await demonstrate(desk, usual.inference_id, {"urgent": True})
    await demonstrate(desk, special.inference_id, {"urgent": "very"})

    for inference, value in ((usual, {"urgent": "very"}), (special, {"urgent": True})):
        with pytest.raises(BadFeedback, match="value: does not fit the output schema: urgent: "):
            await demonstrate(desk, inference.inference_id, value)


# case 17
@pytest.mark.parametrize(
    "value", ['{"urgent":true}', [{"type": "text", "text": '{"urgent":true}'}], None]
)
async def test_a_json_demonstration_is_the_value_itself(desk: Desk, value: Any) -> None:
    """A text that holds JSON is a text, and an array of blocks is an array."""
    inference = await desk.infer("triage")

    with pytest.raises(BadFeedback, match="does not fit the output schema"):
        await demonstrate(desk, inference.inference_id, value)


async def test_an_inference_whose_data_has_expired_takes_no_demonstration(desk: Desk) -> None:
    """Its tools and its schema are gone; other feedback it takes."""
    inference = await desk.infer(is_expired=True)
    target = {"inference_id": inference.inference_id}

    await desk.give(**target, metric_name="solved", value=True)

    with pytest.raises(BadFeedback, match=r"inference_id: the data of .* is no longer kept"):
        await desk.give(**target, metric_name="demonstration", value="Gladly")


async def test_a_demonstration_can_nest_too_deeply(desk: Desk) -> None:
    """What cannot be written is refused, not dropped."""
    inference = await desk.infer("triage", body={"output_schema": {}})
    value: list[Any] = []
    for _ in range(300):
        value = [value]
    request = FeedbackRequest(
        inference_id=inference.inference_id, metric_name="demonstration", value=value
    )

    with pytest.raises(BadFeedback, match="value: found more levels of nesting"):
        await desk.service.give(request)


# case 21
async def test_a_function_that_is_gone_takes_other_feedback_only(desk: Desk) -> None:
    """Nobody knows any more what its outputs are for."""
    inference = await desk.infer()
    config = desk_config()
    functions = {name: each for name, each in config.functions.items() if name != "support"}
    desk.configure(attrs.evolve(config, functions=functions))
    target = {"inference_id": inference.inference_id}

    await desk.give(**target, metric_name="solved", value=True)
    await desk.give(**target, metric_name="comment", value="Well done")

    with pytest.raises(UnknownFunction, match="'support'"):
        await desk.give(**target, metric_name="demonstration", value="Gladly")

"""From an accepted request and a variant to what the model is asked."""

from typing import Any

import pytest

from lsd.conversation import (
    ChatCompletionParams,
    FunctionTool,
    ModelRequest,
    SpecificTool,
    Text,
    ToolSet,
)
from lsd.inference.model_request import calls_are_text, model_request
from lsd.inference.refusals import VariantFailed
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.gateway import VERDICT_SCHEMA, Gateway

CONFIG = """
[models.m]
routing = ["one"]
providers.one = { type = "openai", model_name = "gpt-1" }

[tools.page]
description = "Calls somebody"
parameters = "verdict.json"

[functions.chat]
type = "chat"
[functions.chat.variants.v]
model = "m"
temperature = 0.5
max_tokens = 100
stop_sequences = ["END"]

[functions.helper]
type = "chat"
tools = ["page"]
variants.v.model = "m"

[functions.verdict]
type = "json"
output_schema = "verdict.json"
variants.v.model = "m"
variants.on = { model = "m", json_mode = "on" }
variants.forced = { model = "m", json_mode = "tool" }

[functions.greeting]
type = "chat"
[functions.greeting.variants.v]
model = "m"
templates.system.path = "system.minijinja"
"""

NUMBER = {"type": "object", "properties": {"n": {"type": "integer"}}}


@pytest.fixture
async def gateway(start: StartGateway) -> Gateway:
    """A gateway with functions of all kinds."""
    return start(CONFIG, files={"system.minijinja": "Be {{ mood }}."})


def asked(gateway: Gateway, variant: str = "v", **fields: Any) -> ModelRequest:
    """What the model of a variant is asked."""
    accepted = gateway.accept(**fields)
    return model_request(accepted, accepted.function.variants[variant].generation)


async def test_a_chat_is_asked_in_plain_text(gateway: Gateway) -> None:
    """Without anything said about JSON, a chat function wants text."""
    request = asked(gateway, input={"system": "Be kind.", "messages": []})

    assert request == ModelRequest(
        system="Be kind.",
        messages=(),
        params=ChatCompletionParams(temperature=0.5, max_tokens=100, stop_sequences=("END",)),
    )


async def test_params_of_the_request_go_before_those_of_the_variant(gateway: Gateway) -> None:
    """Field by field: what the request says counts, the variant's word where it says nothing."""
    made = asked(
        gateway, params={"chat_completion": {"temperature": 0, "seed": 7, "stop_sequences": []}}
    )

    assert made.params == ChatCompletionParams(
        temperature=0, max_tokens=100, seed=7, stop_sequences=()
    )


async def test_templates_are_rendered(gateway: Gateway) -> None:
    """What a model is sent has no templates any more; one that fails, fails the variant."""
    made = asked(gateway, function_name="greeting", input={"system": {"mood": "kind"}})

    assert made.system == "Be kind."
    with pytest.raises(VariantFailed):
        asked(gateway, function_name="greeting", input={"system": {"food": "cake"}})


@pytest.mark.parametrize("stream", [True, False, None])
async def test_a_stream_is_asked_for_as_the_caller_does(
    gateway: Gateway, stream: bool | None
) -> None:
    """Null is no stream."""
    assert asked(gateway, stream=stream).stream is bool(stream)


async def test_tools_are_those_of_the_request(gateway: Gateway) -> None:
    """The function's tools are offered; without any, nothing is said of tools."""
    tools = asked(gateway, function_name="helper").tools

    assert tools is not None
    assert [tool.name for tool in tools.tools] == ["page"]
    assert asked(gateway).tools is None


@pytest.mark.parametrize(
    ("variant", "asked_mode", "mode", "is_forced"),
    [
        ("v", None, "strict", False),
        ("v", "off", "off", False),
        ("v", "on", "on", False),
        ("v", "strict", "strict", False),
        ("v", "tool", "off", True),
        ("on", None, "on", False),
        ("on", "off", "off", False),
        ("forced", None, "off", True),
        ("forced", "strict", "strict", False),
    ],
)
async def test_the_way_to_json_is_the_requests_the_variants_or_strict(
    gateway: Gateway, variant: str, asked_mode: str | None, mode: str, is_forced: bool
) -> None:
    """`tool` becomes a forced tool with the schema as its parameters."""
    made = asked(
        gateway,
        variant,
        function_name="verdict",
        params={"chat_completion": {"json_mode": asked_mode}},
    )

    assert made.json_mode == mode
    assert made.output_schema == VERDICT_SCHEMA
    assert (made.tools is not None) == is_forced
    assert not calls_are_text(made)


async def test_a_requests_schema_replaces_the_functions(gateway: Gateway) -> None:
    """It is sent, whatever the way to JSON."""
    plain = asked(gateway, function_name="verdict", output_schema=NUMBER)
    forced = asked(gateway, "forced", function_name="verdict", output_schema=NUMBER)

    assert plain.output_schema == NUMBER
    assert forced.tools is not None
    (tool,) = forced.tools.tools
    assert isinstance(tool, FunctionTool)
    assert tool.parameters == NUMBER


async def test_a_chat_may_want_json_too(gateway: Gateway) -> None:
    """With a schema of its own, and with the forced call shown as text."""
    strict = asked(
        gateway, params={"chat_completion": {"json_mode": "strict"}}, output_schema=NUMBER
    )
    forced = asked(gateway, params={"chat_completion": {"json_mode": "tool"}}, output_schema=NUMBER)

    assert (strict.json_mode, strict.output_schema) == ("strict", NUMBER)
    assert not calls_are_text(strict)
    assert isinstance(forced.tools, ToolSet)
    assert forced.tools.choice == SpecificTool(name="respond")
    assert forced.json_mode == "off"
    assert calls_are_text(forced)


async def test_texts_are_sent_in_their_messages(gateway: Gateway) -> None:
    """Roles and blocks stay as the caller gave them."""
    made = asked(
        gateway,
        input={
            "messages": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": [{"type": "raw_text", "value": "Ho"}]},
            ]
        },
    )

    assert [(each.role, each.content) for each in made.messages] == [
        ("user", (Text(text="Hi"),)),
        ("assistant", (Text(text="Ho"),)),
    ]

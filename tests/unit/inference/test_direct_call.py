"""Calls of a model as it is, without function and template."""

from typing import Any

import pytest

from lsd.conversation import (
    ClientRequest,
    CustomTool,
    FunctionTool,
    ModelMessage,
    ModelRequest,
    Text,
    ToolSet,
)
from lsd.inference import BadRequest, InferenceFailed
from lsd.inference.direct_call import DirectCall, accept_direct
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import fails, says
from tests.unit.inference.gateway import PLAIN, TWO_PROVIDERS, Gateway, Shelf

PAGE = FunctionTool(
    name="page", description="Calls somebody", parameters={"type": "object", "required": ["who"]}
)

IN_NAMESPACE = """
[models.inner]
namespace = "tests"
routing = ["one"]
providers.one = { type = "openai", model_name = "gpt-1" }
"""


def said(text: str) -> tuple[Text, ...]:
    """The content of a message of one text."""
    return (Text(text=text),)


def asking(**fields: Any) -> ModelRequest:
    """What a model is asked; by default, it is told "Hi"."""
    return ModelRequest(**{"messages": (ModelMessage(role="user", content=said("Hi")),), **fields})


def call(gateway: Gateway, **fields: Any) -> DirectCall:
    """A call of the model `m`."""
    model = gateway.prepared.model("m")
    assert model is not None
    return DirectCall(**{"model": model, "request": asking(), **fields})


async def test_the_model_is_asked_what_was_given(start: StartGateway, shelf: Shelf) -> None:
    """No template has a part in it, and it is recorded as a call of the built-in function."""
    gateway = start(PLAIN, shelf=shelf)
    gateway["one"].will(says("Hello"))

    reply = await gateway.service.call(
        call(gateway, tags={"lsd::api": "a"}, api_key_public_id="abcdefghijkl")
    )

    assert reply.call.answer.output == said("Hello")
    kept = await gateway.stored(reply.run.inference_id)
    assert kept is not None
    assert (kept.function_name, kept.variant_name) == ("lsd::default", "m")
    assert kept.tags == {"lsd::api": "a", "lsd::api_key_public_id": "abcdefghijkl"}
    assert kept.body is not None
    assert kept.body.output == [{"type": "text", "text": "Hello"}]


async def test_instructions_in_the_middle_are_recorded_with_the_first_ones(
    start: StartGateway,
) -> None:
    """The recorded form of an input has one system text."""
    gateway = start(PLAIN)
    messages = (
        ModelMessage(role="user", content=said("Hi")),
        ModelMessage(role="system", content=said("Be brief")),
        ModelMessage(role="assistant", content=said("Ho")),
    )

    accepted = accept_direct(
        call(gateway, request=asking(system="Be kind", messages=messages)), gateway.prepared
    )

    recorded = accepted.request.input
    assert recorded.system == "Be kind\n\nBe brief"
    assert [message.role for message in recorded.messages] == ["user", "assistant"]


async def test_calls_of_tools_are_checked_where_the_schema_allows_it(start: StartGateway) -> None:
    """What is no schema checks nothing: whether it will do is for the provider to say."""
    gateway = start(PLAIN)
    broken = FunctionTool(name="broken", description="", parameters={"type": "nothing"})
    tools = ToolSet(tools=(PAGE, broken, CustomTool(name="free")))

    toolbox = accept_direct(call(gateway, request=asking(tools=tools)), gateway.prepared).toolbox

    assert toolbox is not None
    assert toolbox.may_call("page")
    assert not toolbox.may_call("absent")
    schema = toolbox.parameters_of("page")
    assert schema is not None
    assert not schema.accepts({})
    assert [toolbox.parameters_of(name) for name in ("broken", "free", "absent")] == [None] * 3


async def test_a_model_of_a_namespace_is_not_for_everybody(start: StartGateway) -> None:
    """There is no way to name a namespace in a direct call."""
    gateway = start(PLAIN + IN_NAMESPACE)
    inner = gateway.prepared.model("inner")

    with pytest.raises(BadRequest, match="belongs to the namespace 'tests'"):
        accept_direct(call(gateway, model=inner), gateway.prepared)


async def test_each_provider_has_its_turn(start: StartGateway) -> None:
    """The routing of the model is the only layer of failure; who failed is known."""
    gateway = start(TWO_PROVIDERS)
    gateway["one"].will(fails(400, "first"))
    gateway["two"].will(fails(500, "second"))

    with pytest.raises(InferenceFailed) as failed:
        await gateway.service.call(call(gateway))

    told = [(each.provider, each.failure.message) for each in failed.value.failures]
    assert told == [("one", "first"), ("two", "second")]


async def test_what_has_no_neutral_form_goes_to_the_clients_own_kind_only(
    start: StartGateway,
) -> None:
    """Any other provider's attempt fails before anything is sent."""
    gateway = start(PLAIN)
    client = ClientRequest(
        lane="anthropic", body={}, refusal="audio is not for everybody", refused_field="messages[0]"
    )

    with pytest.raises(InferenceFailed) as failed:
        await gateway.service.call(call(gateway, request=asking(client=client)))

    (failure,) = failed.value.failures
    assert failure.failure.code == "unsupported_value"
    assert failure.failure.refused_field == "messages[0]"
    assert gateway.providers.asked() == []

"""Tools under names that providers take, and under the client's own in the answers."""

from typing import Any

from lsd.conversation import (
    ClientRequest,
    FunctionTool,
    ModelMessage,
    ModelRequest,
    SpecificTool,
    Text,
    TextChunk,
    ToolCall,
    ToolCallChunk,
    ToolResult,
    ToolSet,
)
from lsd.inference.direct_call import DirectCall
from lsd.inference.tool_naming import (
    restore_names,
    with_fitting_tool_names,
    with_original_names,
)
from lsd.providers import fitting_tool_name
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import calls
from tests.unit.inference.gateway import PLAIN

LONG = "mcp.server." + "x" * 69
SHORT = fitting_tool_name(LONG)


def tool(name: str) -> FunctionTool:
    """A tool of this name."""
    return FunctionTool(name=name, description="", parameters={"type": "object"})


def asking(name: str, **more: Any) -> ModelRequest:
    """A request that offers a tool, and has called it already."""
    return ModelRequest(
        messages=(
            ModelMessage(role="user", content=(Text(text="Hi"),)),
            ModelMessage(role="assistant", content=(ToolCall(id="1", name=name, arguments="{}"),)),
            ModelMessage(role="user", content=(ToolResult(id="1", name=name, result="ok"),)),
        ),
        tools=ToolSet(
            tools=(tool(name), tool("other")), choice=SpecificTool(name=name), allowed=(name,)
        ),
        **more,
    )


def test_a_name_that_does_not_fit_is_replaced_everywhere() -> None:
    """Case 48: where it is offered, chosen, allowed, called and answered."""
    renamed, originals = with_fitting_tool_names(asking(LONG))

    assert renamed == asking(SHORT)
    assert originals == {SHORT: LONG}


def test_names_that_fit_cost_nothing() -> None:
    """The request is the very same."""
    request = asking("get_weather")

    renamed, originals = with_fitting_tool_names(request)

    assert renamed is request
    assert originals == {}


def test_a_result_without_a_name_keeps_none() -> None:
    """There may have been no call that it belongs to."""
    request = ModelRequest(
        messages=(ModelMessage(role="user", content=(ToolResult(id="1", name="", result="ok"),)),),
        tools=ToolSet(tools=(tool(LONG),)),
    )

    renamed, _ = with_fitting_tool_names(request)

    assert renamed.messages == request.messages


def test_answers_have_the_clients_names() -> None:
    """Whole, and in pieces."""
    chunks = [TextChunk(id="0", text=SHORT), ToolCallChunk(id="1", raw_name=SHORT)]

    restore_names(chunks, {SHORT: LONG})

    assert chunks == [TextChunk(id="0", text=SHORT), ToolCallChunk(id="1", raw_name=LONG)]
    called = ToolCall(id="1", name=SHORT, arguments="{}")
    (restored, text) = with_original_names((called, Text(text=SHORT)), {SHORT: LONG})
    assert restored == ToolCall(id="1", name=LONG, arguments="{}")
    assert text == Text(text=SHORT)


async def test_a_call_in_another_language_is_translated_both_ways(start: StartGateway) -> None:
    """Case 48: the provider sees the fitting name, the client its own."""
    gateway = start(PLAIN)
    gateway["one"].will(calls(SHORT, "{}"))
    model = gateway.service.find_model("m")
    assert model is not None
    request = asking(LONG, client=ClientRequest(lane="anthropic", body={}))

    reply = await gateway.service.call(DirectCall(model=model, request=request))

    assert LONG.encode() not in gateway["one"].requests[0].body
    assert SHORT.encode() in gateway["one"].requests[0].body
    assert [block.name for block in reply.call.output if isinstance(block, ToolCall)] == [LONG]

"""The spans of an inference, from its journal. How they look to a collector: tests/api."""

from typing import Any

from lsd.conversation import (
    FunctionTool,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    ToolSet,
    Usage,
    decode_json,
)
from lsd.inference.inference_trace import _content, _total
from lsd.inference.journal import ModelCall


def call_of(request: ModelRequest, **more: Any) -> ModelCall:
    """A call that asks for this."""
    return ModelCall(
        id="1",
        variant_name="v",
        model_name="m",
        provider_name="p",
        provider_type="echo",
        api_type="chat_completions",
        request=request,
        started_at=0.0,
        **more,
    )


def test_what_was_said_is_shown_in_parts() -> None:
    """Texts, calls of tools and their results, thoughts, each in the words of the convention."""
    request = ModelRequest(
        system="be brief",
        messages=(
            ModelMessage(role="user", content=(Text(text="hi"),)),
            ModelMessage(
                role="assistant",
                content=(ToolCall(id="c1", name="look", arguments="{}"), Thought(text="hm")),
            ),
            ModelMessage(role="user", content=(ToolResult(id="c1", name="look", result="sun"),)),
        ),
        tools=ToolSet(
            tools=(FunctionTool(name="look", description="Looks.", parameters={"type": "object"}),)
        ),
    )

    shown = _content(
        call_of(request, answer=ModelResponse((Text(text="sunny"),), finish_reason="stop"))
    )

    assert [decode_json(str(shown["gen_ai.input.messages"]))[n]["parts"] for n in range(3)] == [
        [{"type": "text", "content": "hi"}],
        [
            {"type": "tool_call", "id": "c1", "name": "look", "arguments": "{}"},
            {"type": "reasoning", "content": "hm"},
        ],
        [{"type": "tool_call_response", "content": "sun"}],
    ]
    assert decode_json(str(shown["gen_ai.output.messages"])) == [
        {
            "role": "assistant",
            "parts": [{"type": "text", "content": "sunny"}],
            "finish_reason": "stop",
        }
    ]
    assert decode_json(str(shown["gen_ai.system_instructions"])) == [
        {"type": "text", "content": "be brief"}
    ]
    assert decode_json(str(shown["gen_ai.tool.definitions"]))[0]["name"] == "look"


def test_without_instructions_and_tools_there_are_no_attributes_of_them() -> None:
    """Nothing is shown as an empty list."""
    shown = _content(call_of(ModelRequest(messages=())))

    assert shown["gen_ai.system_instructions"] is None
    assert shown["gen_ai.tool.definitions"] is None


def test_a_sum_needs_both_numbers() -> None:
    """Half a usage is no total."""
    request = ModelRequest(messages=())

    assert _total(call_of(request, answer=ModelResponse((), Usage(2, 3)))) == 5
    assert _total(call_of(request, answer=ModelResponse((), Usage(2)))) is None

"""What the span of a call shows. How it looks to a collector: tests/api."""

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
from lsd.inference.call_attributes import content, gen_ai, openinference, total_tokens
from lsd.inference.journal import EmbeddingCall, ModelCall


def call_of(request: ModelRequest, kind: type[ModelCall] = ModelCall, **more: Any) -> ModelCall:
    """A call that asks for this."""
    return kind(
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

    shown = content(
        call_of(request, answer=ModelResponse((Text(text="sunny"),), finish_reason="stop"))
    )

    assert [decode_json(str(shown["gen_ai.input.messages"]))[n]["parts"] for n in range(3)] == [
        [{"type": "text", "content": "hi"}],
        [
            {"type": "tool_call", "id": "c1", "name": "look", "arguments": "{}"},
            {"type": "reasoning", "content": "hm"},
        ],
        [{"type": "tool_call_response", "id": "c1", "response": "sun"}],
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
    shown = content(call_of(ModelRequest(messages=())))

    assert shown.get("gen_ai.system_instructions") is None
    assert shown.get("gen_ai.tool.definitions") is None


def test_a_sum_needs_both_numbers() -> None:
    """Half a usage is no total."""
    request = ModelRequest(messages=())

    assert total_tokens(call_of(request, answer=ModelResponse((), Usage(2, 3)))) == 5
    assert total_tokens(call_of(request, answer=ModelResponse((), Usage(2)))) is None


def test_embeddings_are_no_chat() -> None:
    """They have an operation and a kind of their own, and nothing is said in return."""
    asked = ModelRequest(messages=(ModelMessage(role="user", content=(Text(text="a"),)),))
    call = call_of(asked, EmbeddingCall)

    shown = gen_ai(call, model="small-1", function=None, include_content=True)

    assert shown["gen_ai.operation.name"] == "embeddings"
    assert "gen_ai.input.messages" in shown
    assert "gen_ai.output.messages" not in shown
    assert openinference(call, model="small-1")["openinference.span.kind"] == "EMBEDDING"


def test_a_credential_that_a_provider_repeats_is_not_shown() -> None:
    """Whatever it says of it."""
    said = ModelResponse((Text(text="your key is sk-12345678"),))
    call = call_of(ModelRequest(messages=()), answer=said, echoed=frozenset({"sk-12345678"}))

    shown = str(content(call)["gen_ai.output.messages"])

    assert "your key is" in shown
    assert "sk-12345678" not in shown

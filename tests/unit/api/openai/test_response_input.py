"""Items of a Responses request as neutral turns."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from lsd.api.openai.response_input import InputReader
from lsd.conversation import (
    Base64File,
    ModelMessage,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    foreign_signature,
)

HI = {"role": "user", "content": "hi"}
IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="}


def call(identifier: str = "c", name: str = "f", arguments: Any = "{}") -> dict[str, Any]:
    """A call of a function."""
    return {
        "type": "function_call",
        "id": "fc_1",
        "call_id": identifier,
        "name": name,
        "arguments": arguments,
    }


def output(identifier: str = "c", said: Any = "ok") -> dict[str, Any]:
    """What a function gave back."""
    return {"type": "function_call_output", "call_id": identifier, "output": said}


def read(*items: dict[str, Any]) -> InputReader:
    """What these items are."""
    reader = InputReader()
    reader.read(items)
    return reader


def turns(*items: dict[str, Any]) -> list[ModelMessage]:
    """The turns that these items make up, nothing being wrong with them."""
    reader = read(*items)
    assert not reader.mistakes
    assert not reader.problems
    return reader.messages


def test_a_text_is_what_the_user_says() -> None:
    """The shortest input there is."""
    reader = InputReader()
    reader.read("hi")

    assert reader.messages == [ModelMessage(role="user", content=(Text(text="hi"),))]


def test_instructions_in_front_are_the_system_text() -> None:
    """Later ones stay where they are."""
    reader = read(
        {"type": "message", "role": "developer", "content": "a"},
        {"role": "system", "content": [{"type": "input_text", "text": "b"}]},
        HI,
        {"role": "developer", "content": "c"},
    )

    assert reader.system == [Text(text="a"), Text(text="b")]
    assert [message.role for message in reader.messages] == ["user", "system"]


def test_neighbouring_items_of_the_model_are_one_turn() -> None:
    """Thought, text and calls, in their order; the results are one turn of the user."""
    said = {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "a"}],
    }
    thought = {"type": "reasoning", "id": "rs_1", "summary": [{"text": "hm"}]}

    made = turns(HI, thought, said, call("1"), call("2", "g"), output("1"), output("2"), HI)

    assert made[1] == ModelMessage(
        role="assistant",
        content=(
            Thought(text="hm"),
            Text(text="a"),
            ToolCall(id="1", name="f", arguments="{}"),
            ToolCall(id="2", name="g", arguments="{}"),
        ),
    )
    assert made[2] == ModelMessage(
        role="user",
        content=(
            ToolResult(id="1", name="f", result="ok"),
            ToolResult(id="2", name="g", result="ok"),
            Text(text="hi"),
        ),
    )
    assert len(made) == 3


def test_free_form_calls_hold_their_text() -> None:
    """And so do their results."""
    made = turns(
        {"type": "custom_tool_call", "call_id": "c", "name": "sh", "input": "ls"},
        {"type": "custom_tool_call_output", "call_id": "c", "output": "a b"},
    )

    assert made[0].content == (ToolCall(id="c", name="sh", arguments="ls"),)
    assert made[1].content == (ToolResult(id="c", name="sh", result="a b"),)


def test_results_may_hold_pictures() -> None:
    """As parts, like those of messages."""
    parts = [{"type": "input_text", "text": "see"}, IMAGE]
    made = turns(call(), output(said=parts))

    image = Base64File(data="iVBORw0KGgo=", mime_type="image/png")
    assert made[1].content == (ToolResult(id="c", name="f", result=(Text(text="see"), image)),)


def thought_in(item: dict[str, Any]) -> Any:
    """The only thing that the model is taken to have said."""
    ((thought,),) = [message.content for message in turns({"type": "reasoning", **item})]
    return thought


def test_a_sealed_thought_is_the_one_that_was_sealed() -> None:
    """Its text is what the client was shown."""
    thought = Thought(text="hm", signature="s", provider_type="anthropic")
    sealed = foreign_signature(thought)

    assert thought_in({"summary": [{"text": "hm"}], "encrypted_content": sealed}) == thought


def test_a_sealed_summary_is_not_taken_for_a_text() -> None:
    """It was shown, too."""
    summary = ({"type": "summary_text", "text": "hm"},)
    thought = Thought(summary=summary, signature="s", provider_type="azure")
    sealed = foreign_signature(thought)

    assert thought_in({"summary": [{"text": "hm"}], "encrypted_content": sealed}) == thought


def test_what_others_have_sealed_is_of_openai() -> None:
    """A conversation may have begun there."""
    assert thought_in({"summary": [], "encrypted_content": "gAAA"}) == Thought(
        signature="gAAA", provider_type="openai"
    )


def test_an_empty_thought_is_none() -> None:
    """Nobody could make anything of it."""
    assert turns(HI, {"type": "reasoning", "summary": [], "encrypted_content": None}) == turns(HI)


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({"role": "robot", "content": "a"}, "input[0].role"),
        ({"role": "user"}, "input[0].content"),
        ({"role": "user", "content": ["a"]}, "input[0].content"),
        ({**call(), "call_id": 1}, "input[0].call_id"),
        ({**call(), "name": None}, "input[0].name"),
        (call(arguments={}), "input[0].arguments"),
    ],
)
def test_mistakes_have_paths(item: dict[str, Any], path: str) -> None:
    """They are the client's."""
    assert [problem.path for problem in read(item).mistakes] == [path]


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({"type": "item_reference", "id": "msg_1"}, "input[0]"),
        (output("x"), "input[0].call_id"),
        (
            {"role": "user", "content": [{"type": "input_file", "file_id": "f"}]},
            "input[0].content[0].file_id",
        ),
    ],
)
def test_what_is_kept_elsewhere_is_noted(item: dict[str, Any], path: str) -> None:
    """Nobody can be sent it."""
    (problem,) = read(item).problems

    assert problem.path == path


@pytest.mark.parametrize("kind", ["web_search_call", "new", 1, ["message"], {}])
def test_items_of_openais_own_tools_are_ignored(kind: Any) -> None:
    """Loudly."""
    with capture_logs() as logs:
        reader = read(HI, {"type": kind, "id": "ws_1"})

    assert reader.ignored == ["input[1]"]
    assert [message.role for message in reader.messages] == ["user"]
    assert [entry["log_level"] for entry in logs] == ["warning"]

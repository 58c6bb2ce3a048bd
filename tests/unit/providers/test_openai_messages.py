"""Turns become chat messages: results of tools on their own, the rest as it was said."""

from typing import Any

import attrs
import pytest

from lsd.conversation import (
    Base64File,
    ClientRequest,
    CustomTool,
    ModelMessage,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    ToolSet,
    Unknown,
)
from tests.unit.providers.recorded import body, make_dialect, refused, request, warned

PNG = Base64File(data="aGk=", mime_type="image/png")
PNG_PART = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}


def text(words: str) -> Text:
    """A text block."""
    return Text(text=words)


def messages(*turns: Any, **fields: Any) -> Any:
    """The messages that are sent to OpenAI for these turns, the user's first."""
    return body(make_dialect(), request(*turns, **fields))["messages"]


def call(identifier: str = "c1", name: str = "wx", arguments: str = "{}") -> ToolCall:
    """A call of the weather tool."""
    return ToolCall(id=identifier, name=name, arguments=arguments)


def result(outcome: Any, *, identifier: str = "c1", is_error: bool = False) -> ToolResult:
    """What the weather tool gave back."""
    return ToolResult(id=identifier, name="wx", result=outcome, is_error=is_error)


def test_a_conversation_reads_as_it_was_held() -> None:
    """System first, then the turns; arguments are passed as the text that they are."""
    said = messages(
        "Weather in Oslo?",
        [call(arguments='{"city": "Oslo"')],
        [result("-3C")],
        system="Be brief.",
    )

    assert said == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather in Oslo?"},
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "wx", "arguments": '{"city": "Oslo"'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "-3C"},
    ]


@pytest.mark.parametrize(
    ("blocks", "content"),
    [
        ([text("a")], "a"),
        ([text("a"), PNG], [{"type": "text", "text": "a"}, PNG_PART]),
        ([text("a"), text("b")], [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]),
        ([Unknown(data={"type": "text", "text": "x"})], [{"type": "text", "text": "x"}]),
    ],
)
def test_a_lone_text_is_a_plain_string(blocks: list[Any], content: Any) -> None:
    """Case 7: one text is a string, everything else an array of parts."""
    assert messages(blocks) == [{"role": "user", "content": content}]
    assert messages("Hi", blocks)[1] == {"role": "assistant", "content": content}


def test_results_of_tools_come_before_the_text() -> None:
    """Case 8: whatever the order of blocks, the tool message precedes one user message."""
    said = messages([text("a"), result("-3C"), text("b")])

    assert said == [
        {"role": "tool", "tool_call_id": "c1", "content": "-3C"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        },
    ]
    assert messages([result("-3C"), text("b")])[1] == {"role": "user", "content": "b"}


def test_files_in_results_go_into_the_user_message_after_them() -> None:
    """A tool message holds text only; it says which attachment follows."""
    said = messages(
        [
            result((text("map:"), PNG)),
            result((PNG, text("seen")), identifier="c2"),
            text("Well?"),
            result((), identifier="c3"),
        ]
    )

    assert said == [
        {"role": "tool", "tool_call_id": "c1", "content": "map:\n\n[attachment 1 follows]"},
        {"role": "tool", "tool_call_id": "c2", "content": "[attachment 2 follows]\n\nseen"},
        {"role": "tool", "tool_call_id": "c3", "content": ""},
        {"role": "user", "content": [PNG_PART, PNG_PART, {"type": "text", "text": "Well?"}]},
    ]


@pytest.mark.parametrize(
    ("outcome", "content"),
    [
        ("no such city", "Error: no such city"),
        ("Error: no", "Error: no"),
        ((text("a"), text("b")), "Error: a\n\nb"),
    ],
)
def test_a_failed_tool_says_so_once(outcome: Any, content: str) -> None:
    """The dialect has no field for failures; the text begins with `Error: `."""
    (said,) = messages([result(outcome, is_error=True)])

    assert said["content"] == content


def test_an_assistant_message_of_a_thought_alone_is_dropped() -> None:
    """Case 9: the messages around it stay apart."""
    turns = request("a", [Thought(text="Hm.")], "b")

    assert body(make_dialect(), turns)["messages"] == [
        {"role": "user", "content": "a"},
        {"role": "user", "content": "b"},
    ]
    assert warned(make_dialect(), turns) == [
        "thought in an assistant message without anything else"
    ]


def test_turns_without_blocks_are_not_sent() -> None:
    """A message that holds nothing is no message."""
    assert messages([], [], "b") == [{"role": "user", "content": "b"}]


def test_thoughts_go_back_in_the_reasoning_field() -> None:
    """Thoughts of one turn are joined by a blank line."""
    said = messages("a", [Thought(text="One."), text("b"), Thought(text="Two."), call()])

    assert said[1] == {
        "role": "assistant",
        "content": "b",
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "wx", "arguments": "{}"}}
        ],
        "reasoning_content": "One.\n\nTwo.",
    }


def test_unknown_blocks_are_parts_as_they_are() -> None:
    """Case 11: what LSD does not know goes through untouched, on both sides."""
    odd = Unknown(data={"type": "odd", "x": [1, None]})

    said = messages([odd, text("a")], [odd])

    assert said == [
        {"role": "user", "content": [odd.data, {"type": "text", "text": "a"}]},
        {"role": "assistant", "content": [odd.data]},
    ]


def test_thoughts_in_user_messages_are_dropped_with_one_warning() -> None:
    """Users do not think in this dialect."""
    turns = request([Thought(text="x"), text("a")], "b", [Thought(text="y"), text("c")])

    assert body(make_dialect(), turns)["messages"][0] == {"role": "user", "content": "a"}
    assert warned(make_dialect(), turns) == ["thought in a user message"]


def test_blocks_in_the_wrong_role_are_refused() -> None:
    """Only assistants call tools, and only users bring results."""
    assert refused(make_dialect(), request([call()])) == (
        "openai: found tool_call 'c1' in a user message"
    )
    assert refused(make_dialect(), request("a", [result("x")])) == (
        "openai: found tool_result 'c1' in an assistant message"
    )


def test_long_ids_are_shortened_alike_in_calls_and_results() -> None:
    """OpenAI takes at most 40 characters; a call and its result stay together."""
    long = "x" * 41

    said = messages("a", [call(long)], [result("1", identifier=long)])

    assert said[1]["tool_calls"][0]["id"] == said[2]["tool_call_id"]
    assert len(said[2]["tool_call_id"]) == 29


def test_a_call_of_a_custom_tool_goes_back_as_one() -> None:
    """The names of declared custom tools tell which calls were theirs."""
    tools = ToolSet(tools=(CustomTool(name="sql"),))

    said = messages("a", [call(name="sql", arguments="SELECT 1")], tools=tools)

    assert said[1]["tool_calls"] == [
        {"id": "c1", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}}
    ]


JSON_PLEASE = {"role": "system", "content": "Respond using JSON."}


@pytest.mark.parametrize(
    ("turns", "system", "first"),
    [
        (["Hi"], None, JSON_PLEASE),
        (["Hi"], "", JSON_PLEASE),
        (["Hi"], "Be nice.", {"role": "system", "content": "Respond using JSON.\n\nBe nice."}),
        (["Hi"], "Use JSON.", {"role": "system", "content": "Use JSON."}),
        (["As json, please"], None, {"role": "user", "content": "As json, please"}),
        (["a", "It is Json"], "Be nice.", {"role": "system", "content": "Be nice."}),
        (
            [[result("{json}")]],
            None,
            {"role": "tool", "tool_call_id": "c1", "content": "{json}"},
        ),
        ([[PNG, result((text("JSON"),))]], "x", {"role": "system", "content": "x"}),
    ],
)
def test_plain_json_mode_says_json_once(
    turns: list[Any], system: str | None, first: dict[str, Any]
) -> None:
    """Case 14: the instruction is added only where nobody has mentioned JSON yet."""
    assert messages(*turns, system=system, json_mode="on")[0] == first


@pytest.mark.parametrize("json_mode", ["off", "strict"])
def test_other_json_modes_add_nothing(json_mode: Any) -> None:
    """Case 14: a schema speaks for itself."""
    assert messages("Hi", json_mode=json_mode) == [{"role": "user", "content": "Hi"}]


def translated(*turns: Any, provider_type: str = "openai", **fields: Any) -> Any:
    """The messages for the turns of a client that speaks another language."""
    asked = attrs.evolve(request(*turns, **fields), client=ClientRequest(lane="anthropic", body={}))
    return body(make_dialect(provider_type), asked)["messages"]


def test_several_texts_of_a_client_are_one() -> None:
    """It had no other way to say them; a call alone has no content."""
    said = translated([text("a"), text("b")], [text("c"), text("d"), call()], [result("1")])

    assert [message["content"] for message in said] == ["a\n\nb", "c\n\nd", "1"]
    assert translated("Hi", [call()], [result("1")])[1]["content"] is None
    assert translated([text("a"), PNG])[0]["content"] == [{"type": "text", "text": "a"}, PNG_PART]


def test_a_result_with_a_picture() -> None:
    """Cases 23 and 24: the picture follows, before what the user says."""
    said = translated("Hi", [call()], [text("and?"), result((text("see"), PNG))])

    assert said[2:] == [
        {"role": "tool", "tool_call_id": "c1", "content": "see\n\n[attachment 1 follows]"},
        {"role": "user", "content": [PNG_PART, {"type": "text", "text": "and?"}]},
    ]


def test_an_instruction_within_the_conversation() -> None:
    """OpenAI's word for whoever gives it is another one than for the first."""
    asked = request("Hi", system="A")
    late = ModelMessage(role="system", content=(text("B"), text("C")))
    asked = attrs.evolve(
        asked,
        messages=(*asked.messages, late),
        client=ClientRequest(lane="anthropic", body={}),
    )

    said = body(make_dialect(), asked)["messages"]

    assert [(message["role"], message["content"]) for message in said] == [
        ("system", "A"),
        ("user", "Hi"),
        ("developer", "B\n\nC"),
    ]


def test_an_answer_that_was_begun_is_passed_on() -> None:
    """Case 56: with a warning, as many models begin anew."""
    client = ClientRequest(lane="anthropic", body={})
    asked = attrs.evolve(request("Hi", "Well, "), client=client)

    assert body(make_dialect(), asked)["messages"][-1]["content"] == "Well, "
    assert warned(make_dialect(), asked) == ["messages"]


def test_marks_for_a_cache_are_for_those_who_know_them() -> None:
    """OpenRouter hands them on to Anthropic."""
    marks = {"type": "ephemeral"}
    marked = Text(text="A", cache_control=marks)
    part = {"type": "text", "text": "A", "cache_control": marks}
    fields = {"system": "A", "system_blocks": (marked,)}

    assert translated([marked], **fields) == [
        {"role": "system", "content": "A"},
        {"role": "user", "content": "A"},
    ]
    assert translated([marked], provider_type="openrouter", **fields) == [
        {"role": "system", "content": [part]},
        {"role": "user", "content": [part]},
    ]

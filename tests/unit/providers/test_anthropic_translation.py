"""What Claude wants otherwise in a request that was made for another API."""

from typing import Any

import attrs
import pytest

from lsd.conversation import (
    NO_EDITS,
    AttemptFailed,
    Base64File,
    ChatCompletionParams,
    ClientRequest,
    CustomTool,
    FunctionTool,
    JsonValue,
    ModelRequest,
    SpecificTool,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    ToolSet,
    UrlFile,
)
from lsd.providers._anthropic_translation import ONE_JSON_OBJECT
from tests.unit.providers.recorded import CREDENTIALS, body, make_dialect, refused, request

CLIENT = ClientRequest(lane="openai", body={})
MARK = {"type": "ephemeral"}
LOOK = FunctionTool(name="look", description="Looks", parameters={"type": "object"})
CALL = ToolCall(id="c1", name="look", arguments="{}")
RESULT = ToolResult(id="c1", name="look", result="ok")


def asked(*turns: Any, **fields: Any) -> ModelRequest:
    """A request of a client that speaks another language."""
    return attrs.evolve(request(*turns, **fields), client=CLIENT)


def sent(*turns: Any, **fields: Any) -> dict[str, Any]:
    """Its body for Claude."""
    return body(make_dialect("anthropic"), asked(*turns, **fields))


def left_out(*turns: Any, **fields: Any) -> tuple[str, ...]:
    """What is not sent of it."""
    return make_dialect("anthropic").encode(asked(*turns, **fields), CREDENTIALS, NO_EDITS).left_out


def test_system_texts_keep_their_parts() -> None:
    """Case 22: in their order, with their marks; blank ones are refused by Claude, so not sent."""
    parts = (Text(text="A", cache_control=MARK), Text(text=" "), Text(text="B"))

    assert sent(system="A\n\n \n\nB", system_blocks=parts)["system"] == [
        {"type": "text", "text": "A", "cache_control": MARK},
        {"type": "text", "text": "B"},
    ]


def test_blank_texts_are_not_sent() -> None:
    """Case 21: a turn of which nothing is left is none."""
    messages = sent("hi", [Text(text=""), CALL], [RESULT], [Text(text=" \n")], "and?")["messages"]

    assert [[block["type"] for block in message["content"]] for message in messages] == [
        ["text"],
        ["tool_use"],
        ["tool_result"],
        ["text"],
    ]


def test_results_of_tools_are_one_turn() -> None:
    """Whatever the user says behind them is a part of it."""
    second = ToolCall(id="c2", name="look", arguments="")
    other = ToolResult(id="c2", name="look", result="no")
    conversation = asked("hi", [CALL, second], [RESULT])
    user = conversation.messages[0]
    more = (
        attrs.evolve(user, content=(other,)),
        attrs.evolve(user, content=(Text(text="and?"),)),
    )

    made = body(
        make_dialect("anthropic"),
        attrs.evolve(conversation, messages=(*conversation.messages, *more)),
    )

    assert [message["role"] for message in made["messages"]] == ["user", "assistant", "user"]
    assert [block["type"] for block in made["messages"][-1]["content"]] == [
        "tool_result",
        "tool_result",
        "text",
    ]


def test_audio_is_refused_by_its_path() -> None:
    """Claude does not hear."""
    part = {"type": "input_audio", "input_audio": {"data": "UklGRgAAAABXQVZF", "format": "wav"}}
    messages: JsonValue = [
        {"role": "system", "content": "S"},
        {"role": "user", "content": [part]},
    ]
    client = ClientRequest(lane="openai", body={"messages": messages})
    audio = Base64File(data="UklGRgAAAABXQVZF", mime_type="audio/wav")

    with pytest.raises(AttemptFailed) as failed:
        body(make_dialect("anthropic"), attrs.evolve(request([audio]), client=client))

    assert "messages[1].content[0]: found audio" in failed.value.text
    assert failed.value.refused_field == "messages[1].content[0]"


def test_a_result_of_no_call_is_refused() -> None:
    """Claude would not know what to do with it."""
    told = refused(make_dialect("anthropic"), asked("hi", ["x"][:0], [RESULT]))

    assert "found the result of tool call 'c1', which was never made" in told


def test_an_answer_that_was_begun_does_not_end_in_a_space() -> None:
    """Case 56: Claude refuses to go on from one."""
    turns = sent("hi", [Text(text="Well, \n")])["messages"]

    assert turns[-1] == {"role": "assistant", "content": [{"type": "text", "text": "Well,"}]}
    assert sent("hi ", "Well, ", "so ")["messages"][1]["content"][0]["text"] == "Well, "


def test_tools_that_were_called_are_named() -> None:
    """Claude wants to know them, and does not call them again."""
    made = sent("hi", [CALL], [RESULT])

    assert made["tools"] == [{"name": "look", "input_schema": {"type": "object"}}]
    assert made["tool_choice"] == {"type": "none"}


@pytest.mark.parametrize("history", [(), ("hi", [CALL], [RESULT])])
def test_no_tool_is_a_choice(history: tuple[Any, ...]) -> None:
    """Case 26: the tools stay, and nothing is said about several at once."""
    made = sent(*history, tools=ToolSet(tools=(LOOK,), choice="none", parallel=False))

    assert [tool["name"] for tool in made["tools"]] == ["look"]
    assert made["tool_choice"] == {"type": "none"}


def test_a_schema_says_that_it_is_of_an_object() -> None:
    """Many tools of the wild leave it out; the order of keys is kept."""
    tool = FunctionTool(
        name="go", description="", parameters={"properties": {}}, strict=True, cache_control=MARK
    )

    assert sent(tools=ToolSet(tools=(tool,)))["tools"] == [
        {
            "name": "go",
            "input_schema": {"type": "object", "properties": {}},
            "strict": True,
            "cache_control": MARK,
        }
    ]


def test_a_tool_of_another_kind_is_refused_by_name() -> None:
    """Claude has functions only."""
    tools = ToolSet(tools=(CustomTool(name="patch"),))

    assert "'patch'" in refused(make_dialect("anthropic"), asked(tools=tools))


@pytest.mark.parametrize(
    ("params", "fields", "gone"),
    [
        ({"temperature": 1.5}, {"temperature": 1}, ("temperature",)),
        ({"temperature": 1, "top_p": 1}, {"temperature": 1}, ()),
        ({"top_p": 1}, {}, ()),
        ({"top_p": 0.5}, {"top_p": 0.5}, ()),
        ({"temperature": 0.5, "top_p": 0.5}, {"temperature": 0.5}, ("top_p",)),
        (
            {"temperature": 0.5, "thinking_budget_tokens": 2048},
            {"thinking": {"type": "enabled", "budget_tokens": 2048}},
            ("temperature",),
        ),
        (
            {"temperature": 1, "reasoning_effort": "minimal"},
            {
                "temperature": 1,
                "thinking": {"type": "adaptive"},
                "output_config": {"effort": "low"},
            },
            (),
        ),
        (
            {"temperature": 0.5, "reasoning_effort": "none"},
            {"temperature": 0.5, "thinking": {"type": "disabled"}},
            (),
        ),
        (
            {"reasoning_effort": "max", "thinking_budget_tokens": 5},
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}},
            (),
        ),
        ({"stop_sequences": (" ", "\n")}, {}, ()),
        ({"stop_sequences": (" ", "X")}, {"stop_sequences": ["X"]}, ()),
        ({"seed": 1, "service_tier": "flex"}, {}, ("service_tier", "seed")),
        ({"service_tier": "priority"}, {"service_tier": "auto"}, ()),
    ],
)
def test_what_steers_the_model(
    params: dict[str, Any], fields: dict[str, Any], gone: tuple[str, ...]
) -> None:
    """Case T24 among others: Claude takes less, and what it does not take is told."""
    wanted = {"params": ChatCompletionParams(max_tokens=9, **params)}

    made = sent(**wanted)

    common = ("model", "messages", "max_tokens", "stream")
    assert {key: made[key] for key in made if key not in common} == fields
    assert left_out(**wanted) == gone


THOUGHT = Thought(text="Hm.", signature="c2ln", provider_type="anthropic")


@pytest.mark.parametrize(
    ("turns", "choice", "thinks"),
    [
        (("hi", [CALL], [RESULT]), "auto", False),
        (("hi", [THOUGHT, CALL], [RESULT]), "auto", True),
        (("hi", [Thought(text="Hm."), CALL], [RESULT]), "auto", False),
        (("hi", "Yes.", "and?"), "auto", True),
        (("hi",), "required", False),
        (("hi",), SpecificTool(name="look"), False),
        (("hi",), "none", True),
    ],
)
def test_claude_does_not_think_where_it_would_refuse_to(
    turns: Any, choice: Any, thinks: bool
) -> None:
    """A forced tool, or a turn that was begun without a thought."""
    wanted: dict[str, Any] = {
        "params": ChatCompletionParams(thinking_budget_tokens=2048),
        "tools": ToolSet(tools=(LOOK,), choice=choice),
    }

    assert ("thinking" in sent(*turns, **wanted)) is thinks
    assert ("thinking" in left_out(*turns, **wanted)) is not thinks


def test_json_is_asked_for_in_words() -> None:
    """There is no mode for it, and the answer is not begun for the model."""
    made = sent(system="Be brief.", json_mode="on")

    assert [block["text"] for block in made["system"]] == ["Be brief.", ONE_JSON_OBJECT]
    assert made["messages"][-1]["role"] == "user"
    assert left_out(json_mode="on") == ()


def test_an_answer_of_a_given_shape() -> None:
    """Case 55: Claude has the same."""
    schema = {"type": "object", "properties": {"b": {}, "a": {}}}

    made = sent(json_mode="strict", output_schema=schema)

    assert made["output_config"] == {"format": {"type": "json_schema", "schema": schema}}


@pytest.mark.parametrize(
    ("user", "told"), [("u-1", {"user_id": "u-1"}), ("a@b.example", None), (None, None)]
)
def test_the_user_is_told_by_name_only(user: str | None, told: dict[str, str] | None) -> None:
    """Anthropic wants no addresses."""
    assert sent(user=user).get("metadata") == told


def test_files_keep_their_names() -> None:
    """Documents have a title, images none; details are the business of others."""
    pdf = Base64File(data="JVBERi0=", mime_type="application/pdf", filename="Plan.pdf")
    image = UrlFile(url="https://x/y", mime_type="image/*", filename="y.png", cache_control=MARK)

    document, picture = sent([pdf, image])["messages"][0]["content"]

    assert document["title"] == "Plan.pdf"
    assert picture == {
        "type": "image",
        "source": {"type": "url", "url": "https://x/y"},
        "cache_control": MARK,
    }


def test_four_marks_for_the_cache_are_enough() -> None:
    """Case 57: those of system texts and tools stay, then the latest ones of the messages."""
    tool = attrs.evolve(LOOK, cache_control=MARK)
    texts = [Text(text=text, cache_control=MARK) for text in ("A", "B", "C")]

    made = sent(
        texts[:2],
        texts[2:],
        system="S",
        system_blocks=(Text(text="S", cache_control=MARK),),
        tools=ToolSet(tools=(tool,)),
    )

    blocks = [block for message in made["messages"] for block in message["content"]]
    assert [block["text"] for block in blocks if "cache_control" in block] == ["B", "C"]
    assert "cache_control" in made["system"][0]
    assert "cache_control" in made["tools"][0]

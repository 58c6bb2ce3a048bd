"""The input of a request: shorthands, content blocks, and what is refused."""

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import (
    Base64File,
    Input,
    InputBlock,
    InputMessage,
    Malformed,
    RawText,
    Template,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Unknown,
    UrlFile,
    block_to_json,
)
from lsd.conversation.input import BLOCK_TAGS
from tests.unit.conversation.json_values import JSON_VALUES
from tests.unit.conversation.reading import INPUTS, problems, read_input

FIRE = "Printer on fire"
CALL = {"type": "tool_call", "id": "1"}
RESULT = {"type": "tool_result", "id": "1", "name": "look"}
ONE_OF_TWO_PAIRS = (
    "wanted a string `name` and string or object `arguments`, or `raw_name` and `raw_arguments`"
)
PLACE = "input.messages[0].content[0]"


def content(value: Any, role: str = "user") -> tuple[InputBlock, ...]:
    """The blocks of a message with this content."""
    (message,) = read_input({"messages": [{"role": role, "content": value}]}).messages
    return message.content


def block(value: dict[str, Any]) -> InputBlock:
    """What one block becomes."""
    (made,) = content([value])
    return made


def flaws(value: dict[str, Any]) -> list[str]:
    """What is wrong with an input."""
    return problems(INPUTS, value, Input, "input")


def flaws_of_block(value: Any) -> list[str]:
    """What is wrong with a block; the place of the block is left out."""
    told = flaws({"messages": [{"role": "user", "content": [value]}]})
    assert all(each.startswith(PLACE) for each in told)
    return [each.removeprefix(PLACE).removeprefix(".").removeprefix(": ") for each in told]


@pytest.mark.parametrize("value", [{}, {"messages": []}, {"system": None}])
def test_nothing_is_an_input(value: dict[str, Any]) -> None:
    """A function with a system template needs no more."""
    assert read_input(value) == Input()


@pytest.mark.parametrize("system", ["Be kind.", "", {"tone": "kind"}, {}])
def test_the_system_is_a_text_or_arguments(system: str | dict[str, str]) -> None:
    """It is taken as it is."""
    assert read_input({"system": system}) == Input(system=system)


def test_messages_keep_their_order() -> None:
    """Also two of the same role in a row."""
    messages = [{"role": role, "content": role} for role in ("user", "user", "assistant")]

    assert read_input({"messages": messages}).messages == (
        InputMessage(role="user", content=(Text(text="user"),)),
        InputMessage(role="user", content=(Text(text="user"),)),
        InputMessage(role="assistant", content=(Text(text="assistant"),)),
    )


def test_a_string_is_one_text_block() -> None:
    """Both ways of writing it become the same input."""  # case 13
    assert content(FIRE) == content([{"type": "text", "text": FIRE}]) == (Text(text=FIRE),)


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_an_object_is_a_template_named_after_the_role(role: str) -> None:
    """So is a text block with arguments; the name is that of the message's own role."""
    expected = (Template(name=role, arguments={"a": 1}),)

    assert content({"a": 1}, role) == expected
    assert content([{"type": "text", "arguments": {"a": 1}}], role) == expected


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ({"type": "text", "text": ""}, Text(text="")),
        ({"type": "text", "text": FIRE, "arguments": None}, Text(text=FIRE)),
        ({"type": "raw_text", "value": "{{ x }}"}, RawText(value="{{ x }}")),
        (
            {"type": "template", "name": "greet", "arguments": {"a": [1]}},
            Template(name="greet", arguments={"a": [1]}),
        ),
        (
            {**RESULT, "result": "sunny"},
            ToolResult(id="1", name="look", result="sunny"),
        ),
        (
            {**RESULT, "result": "", "is_error": True},
            ToolResult(id="1", name="look", result="", is_error=True),
        ),
        (
            {**RESULT, "result": [], "is_error": None},
            ToolResult(id="1", name="look", result=()),
        ),
        (
            {**RESULT, "result": [{"type": "text", "text": "a"}, {"type": "image", "url": "u:x"}]},
            ToolResult(id="1", name="look", result=(Text(text="a"), UrlFile(url="u:x"))),
        ),
        ({"type": "thought"}, Thought()),
        (
            {
                "type": "thought",
                "text": "hm",
                "signature": "s",
                "summary": [{"type": "summary_text", "text": "short"}],
                "provider_type": "openai",
                "extra_data": {"x": [None]},
            },
            Thought(
                text="hm",
                signature="s",
                summary=({"type": "summary_text", "text": "short"},),
                provider_type="openai",
                extra_data={"x": [None]},
            ),
        ),
        (
            {"type": "unknown", "data": None, "model_name": "m", "provider_name": "p"},
            Unknown(data=None, model_name="m", provider_name="p"),
        ),
        ({"type": "unknown", "data": [{"type": "x"}]}, Unknown(data=[{"type": "x"}])),
        (
            {"type": "image", "file_type": "base64", "data": "AAAA", "mime_type": "image/png"},
            Base64File(data="AAAA", mime_type="image/png"),
        ),
    ],
)  # fmt: skip
def test_each_kind_of_block_is_understood(value: dict[str, Any], made: InputBlock) -> None:
    """Null for an optional field is absence; `image` is another word for `file`."""
    assert block(value) == made


@pytest.mark.parametrize(
    ("fields", "name", "arguments"),
    [
        ({"name": "look", "arguments": '{"at": "sky"}'}, "look", '{"at": "sky"}'),
        ({"name": "look", "arguments": "not json"}, "look", "not json"),
        ({"name": "look", "arguments": {"at": "sky", "n": 1}}, "look", '{"at":"sky","n":1}'),
        ({"raw_name": "lok", "raw_arguments": "{"}, "lok", "{"),
        (
            {"name": None, "arguments": None, "raw_name": "lok", "raw_arguments": "{"},
            "lok", "{",
        ),
        (
            {"name": "look", "arguments": None, "raw_name": "look", "raw_arguments": "{"},
            "look", "{",
        ),
        (
            {"name": "look", "arguments": {"at": 1}, "raw_name": "x", "raw_arguments": "y"},
            "look", '{"at":1}',
        ),
        (
            {"name": "look", "arguments": [1], "raw_name": "look", "raw_arguments": "[1]"},
            "look", "[1]",
        ),
        (
            {"name": "look", "arguments": "{}", "raw_name": None, "raw_arguments": None},
            "look", "{}",
        ),
    ],
)  # fmt: skip
def test_a_call_may_be_sent_back_as_it_was_shown(
    fields: dict[str, Any], name: str, arguments: str
) -> None:
    """The parsed pair counts if it is whole, else what the model had written."""  # case 21
    assert block({**CALL, **fields}) == ToolCall(id="1", name=name, arguments=arguments)


@pytest.mark.parametrize(
    "value",
    [
        {**CALL, "name": "look", "arguments": "{}"},
        {"type": "thought", "text": "hm"},
        {"type": "unknown", "data": 1},
    ],
)
def test_blocks_of_answers_may_hold_more(value: dict[str, Any]) -> None:
    """Calls, thoughts and unknown blocks come back from answers; other keys are passed over."""
    assert block({**value, "more": {"x": 1}}) == block(value)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"sytem": "x"},
         "input.sytem: unknown key; did you mean system? known keys: messages, system"),
        ({"system": 5}, "input.system: found 5; wanted a string or an object"),
        ({"system": ["x"]}, "input.system: found an array of 1; wanted a string or an object"),
        ({"messages": None}, "input.messages: found null; wanted an array"),
        ({"messages": [5]}, "input.messages[0]: found 5; wanted an object"),
        ({"messages": [{"content": "x"}]}, "input.messages[0].role: missing; it is required"),
        ({"messages": [{"role": "user"}]}, "input.messages[0].content: missing; it is required"),
        ({"messages": [{"role": "user", "content": None}]},
         "input.messages[0].content: found null; wanted a string or an array of content blocks"),
        ({"messages": [{"role": "user", "content": "x", "name": "Ann"}]},
         "input.messages[0].name: unknown key; known keys: content, role"),
        ({"messages": [{"role": "user", "content": ["x"]}]},
         f'{PLACE}: found "x"; wanted a content block, which is an object'),
    ],
)  # fmt: skip
def test_an_input_of_another_shape_is_refused(value: dict[str, Any], told: str) -> None:
    """The message tells the place."""  # case 3
    assert flaws(value) == [told]


@pytest.mark.parametrize("role", ["system", "tool", "User", ""])
def test_there_are_two_roles(role: str) -> None:
    """Others belong to the wire formats of providers."""  # case 8
    assert flaws({"messages": [{"role": role, "content": "x"}]}) == [
        f'input.messages[0].role: found "{role}"; wanted one of "user", "assistant"'
    ]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({}, f"type: found nothing; wanted one of {', '.join(BLOCK_TAGS)}"),
        ({"type": "video"}, f'type: found "video"; wanted one of {", ".join(BLOCK_TAGS)}'),
        ({"type": ["text"]}, f"type: found an array of 1; wanted one of {', '.join(BLOCK_TAGS)}"),
        ({"type": "text"}, "found neither of `text` and `arguments`; wanted exactly one of them"),
        ({"type": "text", "text": "x", "arguments": {}},
         "found both of `text` and `arguments`; wanted exactly one of them"),
        ({"type": "text", "text": 5}, "text: found 5; wanted a string"),
        ({"type": "text", "arguments": []}, "arguments: found an array of 0; wanted an object"),
        ({"type": "text", "text": "x", "cache": 1},
         "cache: unknown key; known keys: arguments, text"),
        ({"type": "template", "name": "a"}, "arguments: missing; it is required"),
        ({"type": "template", "name": "", "arguments": {}},
         'found `name` ""; wanted the name of a template'),
        ({"type": "template", "name": "a", "arguments": {}, "text": "x"},
         "text: unknown key; known keys: arguments, name"),
        ({"type": "raw_text"}, "value: missing; it is required"),
        ({"type": "raw_text", "value": None}, "value: found null; wanted a string"),
        ({"type": "tool_call", "name": "a", "arguments": "{}"}, "id: missing; it is required"),
        ({**CALL, "name": 5, "arguments": "{}"}, "name: found 5; wanted a string"),
        ({**CALL, "name": "a"},
         f'found `name` "a", `arguments` null; {ONE_OF_TWO_PAIRS}'),
        (RESULT, "result: missing; it is required"),
        ({**RESULT, "result": None},
         "result: found null; wanted a string or an array of text and file blocks"),
        ({**RESULT, "result": "x", "is_error": "yes"},
         'is_error: found "yes"; wanted true or false'),
        ({**RESULT, "result": "x", "more": 1},
         "more: unknown key; known keys: id, is_error, name, result"),
        ({**RESULT, "result": [{"type": "thought"}]},
         'result[0].type: found "thought"; wanted one of text, file'),
        ({**RESULT, "result": [{**RESULT, "result": "x"}]},
         'result[0].type: found "tool_result"; wanted one of text, file'),
        ({**RESULT, "result": [{"type": "text", "arguments": {}}]},
         "result[0].text: missing; it is required"),
        ({"type": "thought", "summary": [{"type": "text", "text": "x"}]},
         'summary[0].type: found "text"; wanted one of "summary_text"'),
        ({"type": "unknown"}, "found no `data`; wanted the block's `data`, any JSON value"),
    ],
)  # fmt: skip
def test_a_block_of_another_shape_is_refused(value: dict[str, Any], told: str) -> None:
    """The place is that of the block or of its field."""  # cases 3 and 14
    assert told in flaws_of_block(value)


def test_all_blocks_are_looked_at() -> None:
    """A caller sees the problems of all messages at once."""
    value = {
        "system": 1,
        "messages": [
            {"role": "tool", "content": [{"type": "text"}, {"type": "text", "text": "fine"}, {}]},
            {"role": "user", "content": [{**RESULT, "result": [{}, {"type": "file"}]}]},
        ],
    }

    assert [told.split(": ")[0] for told in flaws(value)] == [
        "input.system",
        "input.messages[0].role",
        "input.messages[0].content[0]",
        "input.messages[0].content[2].type",
        "input.messages[1].content[0].result[0].type",
        "input.messages[1].content[0].result[1]",
    ]


def test_results_that_nest_without_end_are_refused_like_any_other() -> None:
    """Depth is no way to run out of stack."""
    nested: dict[str, Any] = {**RESULT, "result": "x"}
    for _ in range(5000):
        nested = {**RESULT, "result": [nested]}

    assert flaws_of_block(nested) == [
        'result[0].type: found "tool_result"; wanted one of text, file'
    ]


FIELDS = (
    "text", "value", "name", "arguments", "id", "raw_name", "raw_arguments", "result", "is_error",
    "summary", "data", "url", "file_type", "mime_type", "storage_path", "detail",
)  # fmt: skip
SCRAPS = st.dictionaries(
    st.sampled_from(FIELDS), JSON_VALUES | st.sampled_from(["url", "base64", "low"]), max_size=5
)
BLOCKISH = st.builds(
    lambda tag, fields: {"type": tag, **fields}, st.sampled_from([*BLOCK_TAGS, "image"]), SCRAPS
)
INPUTISH = st.fixed_dictionaries(
    {
        "messages": st.lists(
            st.fixed_dictionaries(
                {
                    "role": st.sampled_from(["user", "assistant"]),
                    "content": st.lists(BLOCKISH, max_size=3) | JSON_VALUES,
                }
            ),
            max_size=3,
        )
    },
    optional={"system": JSON_VALUES},
)


@given(JSON_VALUES | INPUTISH)
def test_any_value_is_an_input_or_malformed(value: Any) -> None:
    """Every problem has a place within the input."""
    try:
        made = read_input(value)
    except Malformed as error:
        places = [problem.path for problem in error.problems]
        is_within = [place == "input" or place.startswith("input.") for place in places]
    else:
        is_within = [isinstance(made, Input)]

    assert is_within
    assert all(is_within)


@pytest.mark.parametrize(
    "value",
    [
        {"type": "text", "text": "hi"},
        {"type": "file", "url": "https://x/y"},
        {**RESULT, "result": [{"type": "text", "text": "1"}]},
    ],
    ids=lambda value: str(value["type"]),
)
def test_marks_for_a_cache_are_no_part_of_an_input(value: dict[str, Any]) -> None:
    """They come by the compatible endpoints only, and are not stored."""
    marks = {"cache_control": {"type": "ephemeral"}}
    read = block(value)

    marked = attrs.evolve(read, **marks)  # type: ignore[type-var]  # all blocks are attrs

    assert block_to_json(marked) == block_to_json(read)
    assert any("cache_control: unknown key" in flaw for flaw in flaws({**value, **marks}))

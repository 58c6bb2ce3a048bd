"""What a model gave back, as an answer shows it and a record keeps it."""

from typing import Any

import pytest

from lsd.conversation import (
    CustomTool,
    FunctionTool,
    OutputBlock,
    Schema,
    Text,
    Thought,
    ToolCall,
    ToolSet,
    Unknown,
)
from lsd.inference.outputs import (
    chat_content,
    has_valid_arguments,
    json_output,
    tool_call_to_json,
)
from lsd.inference.toolbox import Toolbox

PARAMETERS = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
ANSWER = Schema.compile(PARAMETERS)


def toolbox(*allowed: str) -> Toolbox:
    """The tools "count" with a schema, "anything" without demands, "sql" of free form."""
    functions = {"count": PARAMETERS, "anything": {}}
    tools = tuple(
        FunctionTool(name=name, description="", parameters=schema)
        for name, schema in functions.items()
    )
    schemas: dict[str, Schema | None] = {
        name: Schema.compile(schema) for name, schema in functions.items()
    }
    return Toolbox(
        tool_set=ToolSet(tools=(*tools, CustomTool(name="sql"))),
        schemas=schemas | {"sql": None},
        callable=frozenset(allowed or ("count", "anything", "sql")),
    )


def call(name: str, arguments: str) -> ToolCall:
    """A tool call as a model made it."""
    return ToolCall(id="call_1", name=name, arguments=arguments)


@pytest.mark.parametrize(
    ("made", "name", "arguments", "is_usable"),
    [
        (call("count", '{"n":1}'), "count", {"n": 1}, True),
        (call("count", ' {"n" : 1} '), "count", {"n": 1}, True),
        (call("count", '{"n":"1"}'), "count", None, False),
        (call("count", "{}"), "count", None, False),
        (call("count", '{"n":'), "count", None, False),
        (call("count", ""), "count", None, False),
        (call("count", '{"n":NaN}'), "count", None, False),
        (call("anything", "[1]"), "anything", [1], True),
        (call("anything", "null"), "anything", None, True),
        (call("sql", "select 1"), "sql", None, True),
        (call("sql", '{"n":1}'), "sql", None, True),
        (call("unheard", '{"n":1}'), None, None, False),
        (call("Count", '{"n":1}'), None, None, False),
        (call("", "{}"), None, None, False),
    ],
    ids=[
        "valid",
        "valid with spaces",
        "wrong type",
        "missing key",
        "half of it",
        "nothing",
        "not JSON",
        "an array",
        "null",
        "free form",
        "free form that is JSON",
        "unknown tool",
        "letter case",
        "no name",
    ],
)
def test_a_tool_call_is_shown_raw_and_checked(
    made: ToolCall, name: str | None, arguments: Any, is_usable: bool
) -> None:
    """Null arguments mean bad ones, a null name an unknown tool; what was written is kept."""
    assert tool_call_to_json(made, toolbox()) == {
        "type": "tool_call",
        "id": "call_1",
        "raw_name": made.name,
        "raw_arguments": made.arguments,
        "name": name,
        "arguments": arguments,
    }
    assert has_valid_arguments(made, toolbox()) == is_usable


def test_a_call_of_a_tool_that_was_not_allowed_is_one_of_an_unknown_tool() -> None:
    """`allowed_tools` narrows what may be called."""
    shown = tool_call_to_json(call("count", '{"n":1}'), toolbox("sql"))

    assert (shown["name"], shown["arguments"]) == (None, None)
    assert not has_valid_arguments(call("count", '{"n":1}'), toolbox("sql"))


def test_without_tools_every_call_is_unknown() -> None:
    """A model may call what nobody had offered."""
    shown = tool_call_to_json(call("count", '{"n":1}'), None)

    assert (shown["raw_name"], shown["name"], shown["arguments"]) == ("count", None, None)


@pytest.mark.parametrize(
    ("block", "shown"),
    [
        (Text(text="Hi"), {"type": "text", "text": "Hi"}),
        (Text(text=""), {"type": "text", "text": ""}),
        (Thought(), {"type": "thought", "text": None}),
        (
            Thought(text="hm", signature="s", provider_type="anthropic"),
            {"type": "thought", "text": "hm", "signature": "s", "provider_type": "anthropic"},
        ),
        (
            Thought(summary=({"type": "summary_text", "text": "t"},), extra_data=[1]),
            {
                "type": "thought",
                "text": None,
                "summary": [{"type": "summary_text", "text": "t"}],
                "extra_data": [1],
            },
        ),
        (
            Unknown(data={"a": 1}, model_name="m", provider_name="one"),
            {"type": "unknown", "data": {"a": 1}, "model_name": "m", "provider_name": "one"},
        ),
        (Unknown(data=None), {"type": "unknown", "data": None}),
    ],
    ids=["text", "empty text", "empty thought", "thought", "summary", "unknown", "null"],
)
def test_a_block_is_shown_in_its_form(block: OutputBlock, shown: dict[str, Any]) -> None:
    """Fields that are not set are left out, but for a thought's text."""
    assert chat_content([block], None, calls_as_text=False) == [shown]


def test_an_empty_answer_is_an_answer() -> None:
    """A model that says nothing has said that."""
    assert chat_content([], toolbox(), calls_as_text=False) == []


def test_json_by_a_forced_tool_is_shown_as_text() -> None:
    """In a chat answer the arguments of the forced call are the text."""
    blocks = [Thought(text="hm"), call("respond", '{"n":1}')]

    shown = chat_content(blocks, None, calls_as_text=True)

    assert shown == [{"type": "thought", "text": "hm"}, {"type": "text", "text": '{"n":1}'}]


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ('{"n":1}', {"n": 1}),
        (' {"n": 1}\n', {"n": 1}),
        ('{"n":"1"}', None),
        ("null", None),
        ("not JSON", None),
        ("", None),
        ('```json\n{"n":1}\n```', None),
    ],
    ids=["valid", "with spaces", "does not fit", "null", "no JSON", "empty", "fenced"],
)
def test_json_is_parsed_if_it_fits(text: str, parsed: Any) -> None:
    """What the model wrote is always there; its value only if it is valid under the schema."""
    for block in (Text(text=text), call("respond", text)):
        assert json_output([block], ANSWER).to_json() == {"raw": text, "parsed": parsed}


def test_the_last_text_or_call_is_the_json() -> None:
    """All other blocks are set beside it, in their order."""
    thought, other = Thought(text="hm"), Unknown(data=1)
    first, last = Text(text="Here it is:"), Text(text='{"n":1}')

    output = json_output([thought, first, last, other], ANSWER)

    assert output.to_json() == {"raw": '{"n":1}', "parsed": {"n": 1}}
    assert output.auxiliary == (thought, first, other)


@pytest.mark.parametrize("blocks", [[], [Thought(text="hm")]], ids=["nothing", "a thought"])
def test_without_text_there_is_no_json(blocks: list[OutputBlock]) -> None:
    """Both keys are there, and both are null."""
    output = json_output(blocks, ANSWER)

    assert output.to_json() == {"raw": None, "parsed": None}
    assert output.auxiliary == tuple(blocks)

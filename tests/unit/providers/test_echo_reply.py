"""What the offline provider answers."""

from collections.abc import Sequence
from typing import Any

import attrs
import pytest

from lsd.conversation import (
    Base64File,
    ChatCompletionParams,
    CustomTool,
    FunctionTool,
    ModelBlock,
    ModelMessage,
    ModelRequest,
    SpecificTool,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    ToolSet,
    Unknown,
    UrlFile,
    Usage,
    decode_json,
)
from lsd.providers.echo_reply import Replier, Reply, ReplyFailed

PAGE = FunctionTool(
    name="page",
    description="Pages a team",
    parameters={
        "type": "object",
        "properties": {"team": {"type": "string", "maxLength": 3}},
        "required": ["team"],
    },
)
WAIT = FunctionTool(name="wait", description="Waits", parameters={})
PATCH = CustomTool(name="patch")
IMAGE = Base64File(data="aGk=", mime_type="image/png")


def user(*blocks: ModelBlock | str) -> ModelMessage:
    """A turn of the user; strings are text blocks."""
    content = (Text(text=each) if isinstance(each, str) else each for each in blocks)
    return ModelMessage(role="user", content=tuple(content))


def assistant(*blocks: ModelBlock) -> ModelMessage:
    """A turn of the model."""
    return ModelMessage(role="assistant", content=blocks)


def reply_to(*messages: ModelMessage, reply: str = "{{ text }}", **fields: Any) -> Reply:
    """The answer to a conversation."""
    request = ModelRequest(messages=messages, **fields)
    return Replier(model_name="m-1", reply=reply).reply_to(request)


def calls_of(text: str, **fields: Any) -> list[tuple[str, str]]:
    """The calls with which a text is answered: names and arguments."""
    tools = ToolSet(**{"tools": (PAGE, WAIT, PATCH), **fields})
    return [(call.name, call.arguments) for call in reply_to(user(text), tools=tools).calls]


def test_the_last_user_message_comes_back() -> None:
    """By default the answer is the text of the last user message, its blocks joined by lines."""
    reply = reply_to(user("first"), assistant(Text(text="no")), user("one", IMAGE, "two"))

    assert reply == Reply(
        text="one\ntwo", finish_reason="stop", usage=Usage(input_tokens=1004, output_tokens=2)
    )


def test_the_template_knows_the_request() -> None:
    """`reply` may use the text, the system text, the model's name and the count of messages."""
    template = "{{ model }}/{{ message_count }}/{{ system }}/{{ text|upper }}"

    assert reply_to(user("hi"), user("ho"), reply=template, system="be").text == "m-1/2/be/HO"
    assert reply_to(reply=template).text == "m-1/0//"


def test_a_template_that_cannot_be_rendered_says_why() -> None:
    """A name that there is not is an error, as in any template."""
    with pytest.raises(ReplyFailed, match="echo: reply: undefined value"):
        reply_to(user("hi"), reply="{{ txet }}")


def test_tool_results_come_back_as_text() -> None:
    """After tools have run, their results are the answer, by lines and without the template."""
    results = (
        ToolResult(id="1", name="page", result="done"),
        ToolResult(id="2", name="page", result=(Text(text="a"), IMAGE, Text(text="b"))),
    )

    assert reply_to(user(*results), reply="never").text == "done\na\nb"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("call wait", [("wait", "{}")]),
        ('call page {"team": "x"}', [("page", '{"team": "x"}')]),
        ("call page", [("page", '{"team":"ech"}')]),
        ("call page {team}", [("page", '{"team":"ech"}')]),
        ("hello\n  call wait  \ncall page {}", [("wait", "{}"), ("page", "{}")]),
        ("call patch {*** patch}", [("patch", "{*** patch}")]),
        ("call patch", [("patch", "echo")]),
        ("call nobody", []),
        ("please call wait", []),
        ("call wait now", []),
        ("call", []),
    ],
)
def test_lines_call_tools(text: str, expected: list[tuple[str, str]]) -> None:
    """A line `call NAME` calls that tool, with its JSON or with an instance of its schema."""
    assert calls_of(text) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"choice": "none"}, []),
        ({"choice": "required"}, ["page"]),
        ({"choice": "required", "allowed": ("wait",)}, ["wait"]),
        ({"choice": "required", "tools": ()}, []),
        ({"choice": SpecificTool(name="patch")}, ["patch"]),
        ({"choice": SpecificTool(name="nobody")}, []),
        ({"parallel": False}, ["wait"]),
        ({"allowed": ("page",)}, ["page"]),
        ({}, ["wait", "page"]),
    ],
)
def test_the_choice_of_tools_is_obeyed(fields: dict[str, Any], expected: list[str]) -> None:
    """None, forced, one only, or among the allowed ones."""
    assert [name for name, _ in calls_of("call wait\ncall page", **fields)] == expected


def test_a_forced_tool_takes_the_arguments_of_its_line() -> None:
    """The JSON of a line that names the forced tool is used."""
    text = 'call wait {"s": 1}\ncall page {"team": "x"}'

    assert calls_of(text, choice=SpecificTool(name="wait")) == [("wait", '{"s": 1}')]


def test_calls_have_stable_and_different_ids() -> None:
    """The same calls get the same ids; two equal calls in one answer get two."""
    tools = ToolSet(tools=(WAIT,))

    first, again = (reply_to(user("call wait\ncall wait"), tools=tools).calls for _ in range(2))

    assert first == again
    assert first[0].id != first[1].id
    assert all(call.id.startswith("call_") and len(call.id) == 29 for call in first)


def test_calls_replace_the_text() -> None:
    """An answer with calls ends as one, and counts their arguments."""
    reply = reply_to(user('call page {"team": "x"}'), tools=ToolSet(tools=(PAGE,)))

    assert reply.text == ""
    assert reply.finish_reason == "tool_call"
    assert reply.usage.output_tokens == 4


@pytest.mark.parametrize(
    ("text", "schema", "expected"),
    [
        ('{"team": "abc"}', PAGE.parameters, '{"team": "abc"}'),
        ('{"team": "too long"}', PAGE.parameters, '{"team":"ech"}'),
        ("no JSON", PAGE.parameters, '{"team":"ech"}'),
        ("no JSON", None, '{"echo":"no JSON"}'),
        ('{"any": 1}', None, '{"any": 1}'),
        ("no JSON", {"type": "no such type"}, '"echo"'),
    ],
)
@pytest.mark.parametrize("mode", ["on", "strict"])
def test_json_is_the_text_or_an_instance(text: str, schema: Any, expected: str, mode: Any) -> None:
    """A text that is fitting JSON comes back as it is; else something fitting does."""
    reply = reply_to(user(text), json_mode=mode, output_schema=schema)

    assert reply.text == expected


def test_a_forced_respond_uses_a_text_that_fits() -> None:
    """JSON by a forced call answers as JSON without one does."""
    respond = attrs.evolve(PAGE, name="respond")
    tools = ToolSet(tools=(respond,), choice=SpecificTool(name="respond"))

    fitting = reply_to(user('{"team": "abc"}'), tools=tools).calls[0].arguments
    other = reply_to(user("no JSON"), tools=tools).calls[0].arguments

    assert fitting == '{"team": "abc"}'
    assert decode_json(other) == {"team": "ech"}


@pytest.mark.parametrize(
    ("params", "text", "reason"),
    [
        ({}, "An old silent pond", "stop"),
        ({"max_tokens": 2}, "An old s", "length"),
        ({"max_tokens": 5}, "An old silent pond", "stop"),
        ({"stop_sequences": ("pond", "silent")}, "An old ", "stop_sequence"),
        ({"stop_sequences": ("", "frog")}, "An old silent pond", "stop"),
        ({"stop_sequences": ("silent",), "max_tokens": 1}, "An o", "length"),
        ({"stop_sequences": ("old",), "max_tokens": 1}, "An ", "stop_sequence"),
    ],
)
def test_the_text_ends_where_it_must(params: dict[str, Any], text: str, reason: str) -> None:
    """At the limit of tokens or before a stop sequence, whichever comes first."""
    reply = reply_to(user("An old silent pond"), params=ChatCompletionParams(**params))

    assert (reply.text, reply.finish_reason) == (text, reason)


def test_a_cut_never_splits_a_character() -> None:
    """A character of several bytes that does not fit is left out."""
    reply = reply_to(user("a€€"), params=ChatCompletionParams(max_tokens=1))

    assert reply.text == "a€"


@pytest.mark.parametrize(
    ("messages", "tokens"),
    [
        ([], 1),
        ([user("abc")], 2),
        ([user("a", "b"), user("c")], 2),
        ([user("€")], 2),
        ([assistant(ToolCall(id="1", name="ignored", arguments="{...}"))], 2),
        ([user(ToolResult(id="1", name="ignored", result="12345"))], 2),
        ([user(ToolResult(id="1", name="n", result=(Text(text="12345"), IMAGE)))], 1002),
        ([user("abc", IMAGE, UrlFile(url="https://example.com/a.png"))], 2002),
        ([user(Thought(text="deep"), Unknown(data={"x": 1}))], 1),
    ],
)
def test_usage_counts_bytes(messages: Sequence[ModelMessage], tokens: int) -> None:
    """Four bytes are a token, a file is a thousand, thoughts and unknown blocks are nothing."""
    assert reply_to(*messages, system="be ").usage.input_tokens == tokens

"""Messages of OpenAI's clients as neutral turns."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from lsd.api.openai.chat_messages import MessageReader, plain_conversation
from lsd.conversation import (
    Base64File,
    ModelMessage,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Unknown,
    UrlFile,
)

WAVE = "UklGRiQAAABXQVZFZm10IBAAAAABAAEA"
HI = {"role": "user", "content": "hi"}


def call(identifier: str = "c", name: str = "f", arguments: Any = "{}") -> dict[str, Any]:
    """A call of a tool."""
    function = {"name": name, "arguments": arguments}
    return {"id": identifier, "type": "function", "function": function}


def read(*messages: dict[str, Any]) -> MessageReader:
    """What these messages are."""
    reader = MessageReader()
    reader.read(messages)
    return reader


def part(content: dict[str, Any]) -> tuple[Any, list[str]]:
    """The block that a part becomes, and what is wrong with it."""
    reader = read({"role": "user", "content": [content]})
    (message,) = reader.messages
    (block,) = message.content
    return block, [str(problem) for problem in reader.problems]


def test_a_conversation_of_texts_is_known_at_once() -> None:
    """It becomes what reading each of its messages makes of it."""
    texts = [
        {"role": "system", "content": "a"},
        {"role": "developer", "content": "b"},
        HI,
        {"role": "assistant", "content": ""},
        HI,
    ]

    reader = read(*texts)

    assert plain_conversation(texts) == (reader.system, reader.messages)


@pytest.mark.parametrize(
    "messages",
    [
        None,
        [],
        [HI, "hi"],
        [{"role": "user"}],
        [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
        [{"role": "assistant", "content": "hi", "reasoning_content": "hm"}],
        [{"role": ["user"], "content": "hi"}],
        [HI, {"role": "system", "content": "late"}],
    ],
)
def test_any_other_has_to_be_read(messages: Any) -> None:
    """Or to be refused."""
    assert plain_conversation(messages) is None


def test_instructions_in_front_are_the_system_text() -> None:
    """Case 22: each keeps its part; later ones stay where they are."""
    reader = read(
        {"role": "system", "content": "a"},
        {"role": "developer", "content": [{"type": "text", "text": "b"}]},
        HI,
        {"role": "system", "content": "c"},
    )

    assert reader.system == [Text(text="a"), Text(text="b")]
    assert reader.messages == [
        ModelMessage(role="user", content=(Text(text="hi"),)),
        ModelMessage(role="system", content=(Text(text="c"),)),
    ]


def test_results_of_tools_are_one_turn_with_the_user() -> None:
    """Cases 13 and 23, trap 23: in their order, in front of what the user says."""
    reader = read(
        HI,
        {"role": "assistant", "content": None, "tool_calls": [call("1"), call("2", "g")]},
        {"role": "tool", "tool_call_id": "2", "content": "ok"},
        {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "x"}]},
        {"role": "user", "content": "and?"},
    )

    assert reader.messages[2] == ModelMessage(
        role="user",
        content=(
            ToolResult(id="2", name="g", result="ok"),
            ToolResult(id="1", name="f", result=(Text(text="x"),)),
            Text(text="and?"),
        ),
    )
    assert reader.problems == []


def test_results_may_be_the_end() -> None:
    """Or be followed by the model's own turn."""
    turn = {"role": "assistant", "tool_calls": [call()]}
    result = {"role": "tool", "tool_call_id": "c", "content": None}

    ended = read(HI, turn, result)
    followed = read(HI, turn, result, {"role": "assistant", "content": "so"})
    instructed = read(HI, turn, result, {"role": "system", "content": "go"})

    results = ModelMessage(role="user", content=(ToolResult(id="c", name="f", result=""),))
    assert ended.messages[2] == followed.messages[2] == instructed.messages[2] == results
    assert [message.role for message in followed.messages[3:]] == ["assistant"]
    assert [message.role for message in instructed.messages[3:]] == ["system"]


def test_a_result_without_its_call_is_noted() -> None:
    """The id is named."""
    reader = read(HI, {"role": "tool", "tool_call_id": "lost", "content": "ok"})

    (problem,) = reader.problems
    assert problem.path == "messages[1].tool_call_id"
    assert "'lost'" in problem.reason


def test_a_turn_of_the_model_has_an_order() -> None:
    """Thoughts, then texts, then calls; nothing is made of an empty content."""
    (turn,) = read(
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "b"}],
            "refusal": "c",
            "reasoning_content": "hm",
            "tool_calls": [call(arguments="")],
        }
    ).messages

    assert turn.content == (
        Thought(text="hm"),
        Text(text="a"),
        Text(text="b"),
        Text(text="c"),
        ToolCall(id="c", name="f", arguments=""),
    )
    (bare,) = read({"role": "assistant", "content": None, "tool_calls": []}).messages
    assert bare.content == ()


def test_free_form_calls_hold_their_text() -> None:
    """It need not be JSON."""
    custom = {"id": "c", "type": "custom", "custom": {"name": "sh", "input": "ls"}}

    (turn,) = read({"role": "assistant", "tool_calls": [custom]}).messages

    assert turn.content == (ToolCall(id="c", name="sh", arguments="ls"),)


def test_the_signature_of_a_call_stands_in_front_of_it() -> None:
    """Trap 29: for either type of Gemini, and once."""
    signed = {**call(), "extra_content": {"google": {"thought_signature": "g"}}}
    details = [{"type": "reasoning.encrypted", "index": 0, "data": "g", "format": "x"}]

    (turn,) = read(
        {"role": "assistant", "tool_calls": [signed], "reasoning_details": details}
    ).messages

    assert turn.content == (
        Thought(signature="g", provider_type="google_ai_studio_gemini"),
        Thought(signature="g", provider_type="gcp_vertex_gemini"),
        ToolCall(id="c", name="f", arguments="{}"),
    )


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"audio": {"id": "a"}}, "messages[0].audio"),
        ({"function_call": {"name": "f"}}, "messages[0].function_call"),
        ({"tool_calls": [{"id": "c"}]}, "messages[0].tool_calls[0]"),
        ({"tool_calls": [call(arguments={})]}, "messages[0].tool_calls[0].function.arguments"),
    ],
)
def test_what_only_openai_knows_is_noted(fields: dict[str, Any], path: str) -> None:
    """It matters to other providers only."""
    (problem,) = read({"role": "assistant", **fields}).problems

    assert problem.path == path


def test_the_legacy_role_is_noted() -> None:
    """Case of old clients: it has no counterpart."""
    (problem,) = read(HI, {"role": "function", "name": "f", "content": "x"}).problems

    assert problem.path == "messages[1]"


@pytest.mark.parametrize(
    ("content", "block"),
    [
        ({"type": "text", "text": "a"}, Text(text="a")),
        (
            {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
            Text(text="a", cache_control={"type": "ephemeral"}),
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://h/a", "detail": "low"}},
            UrlFile(url="https://h/a", mime_type="image/*", detail="low"),
        ),
        (
            {"type": "image_url", "image_url": "HTTP://h/a"},
            UrlFile(url="HTTP://h/a", mime_type="image/*"),
        ),
        (
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,QQ=="}},
            Base64File(data="QQ==", mime_type="image/png"),
        ),
        (
            {
                "type": "file",
                "file": {"file_data": "data:application/pdf;base64,QQ==", "filename": "a.pdf"},
            },
            Base64File(data="QQ==", mime_type="application/pdf", filename="a.pdf"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": WAVE, "format": "wav"}},
            Base64File(data=WAVE, mime_type="audio/wav"),
        ),
    ],
)
def test_parts_become_blocks(content: dict[str, Any], block: Any) -> None:
    """Trap 21: an image may be named by its URL alone."""
    assert part(content) == (block, [])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            {"type": "image_url", "image_url": {"url": "ftp://h/a"}},
            'messages[0].content[0].image_url.url: found "ftp://h/a"; wanted a URL with',
        ),
        (
            {"type": "image_url", "image_url": {"url": "data:;base64,QQ=="}},
            "messages[0].content[0].image_url.url: found",
        ),
        (
            {"type": "image_url", "image_url": {"url": "data:image/png,QQ=="}},
            "messages[0].content[0].image_url.url: found",
        ),
        (
            {"type": "file", "file": {"file_data": "QQ=="}},
            'messages[0].content[0].file.file_data: found "QQ=="; wanted data:MIME/TYPE;base64,…',
        ),
        (
            {"type": "file", "file": {"file_id": "f"}},
            "messages[0].content[0].file.file_id: found",
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "QQ==", "format": "wav"}},
            "messages[0].content[0].input_audio.data: found no audio",
        ),
        ({"type": "new", "x": 1}, 'messages[0].content[0].type: found "new"; wanted'),
        ({"type": "text"}, 'messages[0].content[0].type: found "text"; wanted'),
    ],
)
def test_what_cannot_be_read_is_kept_and_noted(content: dict[str, Any], told: str) -> None:
    """Providers of the client's own kind may know it."""
    block, (problem,) = part(content)

    assert block == Unknown(data=content)
    assert problem.startswith(told)


def test_audio_of_another_kind_than_told_is_taken() -> None:
    """Its bytes count; the log tells."""
    with capture_logs() as entries:
        block, problems = part(
            {"type": "input_audio", "input_audio": {"data": WAVE, "format": "mp3"}}
        )

    assert block.mime_type == "audio/wav"
    assert problems == []
    assert [each["event"] for each in entries] == ["audio is of another kind than told"]

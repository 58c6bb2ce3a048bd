"""Content blocks of a Messages request in neutral words."""

from typing import Any

import pytest

from lsd.api.anthropic.content import ContentReader
from lsd.conversation import (
    Base64File,
    ModelBlock,
    ModelMessage,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Unknown,
    UrlFile,
)

MARK = {"type": "ephemeral"}
PNG = "iVBORw0KGgo="


def read(*blocks: Any, role: str = "user") -> tuple[ModelBlock, ...]:
    """The blocks of one message, which must be translatable."""
    reader = ContentReader()
    message = reader.message({"role": role, "content": list(blocks)}, "messages[0]")
    assert reader.problems == []
    return message.content


def flaws(block: Any) -> list[str]:
    """What is wrong with a block, which then stays as it is."""
    reader = ContentReader()
    message = reader.message({"role": "user", "content": [block]}, "messages[0]")
    assert message.content == (Unknown(data=block),)
    return [str(problem) for problem in reader.problems]


def base64(media_type: str, data: str = PNG) -> dict[str, Any]:
    """A source with bytes."""
    return {"type": "base64", "media_type": media_type, "data": data}


def test_a_text_is_one_block() -> None:
    """Whichever way it is written."""
    message = ContentReader().message({"role": "user", "content": "hi"}, "messages[0]")

    assert message == ModelMessage(role="user", content=(Text(text="hi"),))
    assert read({"type": "text", "text": "hi"}) == message.content


def test_system_texts_keep_their_parts_and_marks() -> None:
    """In their order."""
    parts = [{"type": "text", "text": "A", "cache_control": MARK}, {"type": "text", "text": "B"}]

    assert ContentReader().system(parts) == (Text(text="A", cache_control=MARK), Text(text="B"))
    assert ContentReader().system("A") == (Text(text="A"),)


def test_a_text_about_the_bill_is_not_translated() -> None:
    """It differs from request to request, and would make every cache of prompts useless."""
    bill = {"type": "text", "text": "x-anthropic-billing-header: cc_version=1; cch=ab;"}

    assert ContentReader().system([bill, {"type": "text", "text": "A"}]) == (Text(text="A"),)


def test_an_instruction_in_the_middle() -> None:
    """One agent sends them; they hold nothing but text."""
    reader = ContentReader()
    content = [{"type": "text", "text": "A"}, {"type": "image", "source": base64("image/png")}]

    message = reader.message({"role": "system", "content": content}, "messages[3]")

    assert message == ModelMessage(role="system", content=(Text(text="A"),))
    assert [problem.path for problem in reader.problems] == ["messages[3].content"]


def test_images() -> None:
    """Their bytes, or where they are: that they are images is said by the block."""
    by_url = {"type": "url", "url": "https://x/y"}

    assert read(
        {"type": "image", "source": base64("image/png"), "cache_control": MARK},
        {"type": "image", "source": by_url},
    ) == (
        Base64File(data=PNG, mime_type="image/png", cache_control=MARK),
        UrlFile(url="https://x/y", mime_type="image/*"),
    )


def test_documents() -> None:
    """Files have a name; texts become texts, headed by their title."""
    document = {"type": "document"}
    parts = [{"type": "text", "text": "A"}, {"type": "image", "source": base64("image/png")}]

    assert read(
        {**document, "source": base64("application/pdf", "JVBERi0=")},
        {**document, "source": base64("application/pdf", "JVBERi0="), "title": "Plan"},
        {**document, "source": {"type": "url", "url": "https://x/y.pdf"}, "cache_control": MARK},
        {**document, "source": {"type": "text", "media_type": "text/plain", "data": "B"}},
        {**document, "source": {"type": "text", "data": "B"}, "title": "Note"},
        {**document, "source": {"type": "content", "content": parts}},
        {**document, "source": {"type": "content", "content": "C"}},
    ) == (
        Base64File(data="JVBERi0=", mime_type="application/pdf", filename="document.pdf"),
        Base64File(data="JVBERi0=", mime_type="application/pdf", filename="Plan"),
        UrlFile(
            url="https://x/y.pdf",
            mime_type="application/pdf",
            filename="document.pdf",
            cache_control=MARK,
        ),
        Text(text="B"),
        Text(text="Note\n\nB"),
        Text(text="A"),
        Base64File(data=PNG, mime_type="image/png"),
        Text(text="C"),
    )


def test_a_search_result_is_text() -> None:
    """Title, source, content."""
    block = {
        "type": "search_result",
        "source": "https://x",
        "title": "Ponds",
        "content": [{"type": "text", "text": "Old"}],
        "citations": {"enabled": True},
    }

    assert read(block) == (Text(text="Ponds\nhttps://x\nOld"),)


def test_a_call_keeps_the_order_of_its_arguments() -> None:
    """They are what some model has written."""
    block = {"type": "tool_use", "id": "t", "name": "f", "input": {"b": 1, "a": {"d": 2, "c": 3}}}

    assert read(block, role="assistant") == (
        ToolCall(id="t", name="f", arguments='{"b":1,"a":{"d":2,"c":3}}'),
    )


def test_results_of_tools() -> None:
    """Texts stay as they are; files stay files; what nobody else knows is shown as JSON."""
    reader = ContentReader()
    call = {"type": "tool_use", "id": "t", "name": "look", "input": {}}
    reader.message({"role": "assistant", "content": [call]}, "messages[0]")
    result = {"type": "tool_result", "tool_use_id": "t"}
    mixed = [
        {"type": "text", "text": "A"},
        {"type": "image", "source": base64("image/png")},
        {"type": "tool_reference", "tool_name": "go"},
    ]
    contents: list[dict[str, Any]] = [
        {"content": "ok"},
        {"content": "no", "is_error": True},
        {},
        {"content": []},
        {"content": None, "is_error": None},
        {"content": mixed, "cache_control": MARK},
    ]

    message = reader.message(
        {"role": "user", "content": [{**result, **each} for each in contents]}, "messages[1]"
    )

    assert reader.problems == []
    parts = (
        Text(text="A"),
        Base64File(data=PNG, mime_type="image/png"),
        Text(text='{"type":"tool_reference","tool_name":"go"}'),
    )
    assert message.content == (
        ToolResult(id="t", name="look", result="ok"),
        ToolResult(id="t", name="look", result="no", is_error=True),
        ToolResult(id="t", name="look", result=""),
        ToolResult(id="t", name="look", result=""),
        ToolResult(id="t", name="look", result=""),
        ToolResult(id="t", name="look", result=parts, cache_control=MARK),
    )


def test_a_result_of_a_call_that_nobody_saw_has_no_name() -> None:
    """The conversation may have been shortened."""
    assert read({"type": "tool_result", "tool_use_id": "t", "content": "ok"}) == (
        ToolResult(id="t", name="", result="ok"),
    )


def test_thoughts() -> None:
    """Each belongs to the type of provider that had it."""
    assert read(
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "thinking", "thinking": "Hm.", "signature": "lsd1:deepseek:"},
        {"type": "redacted_thinking", "data": "EnQ="},
        role="assistant",
    ) == (
        Thought(text="Hm.", signature="c2ln", provider_type="anthropic"),
        Thought(text="Hm.", provider_type="deepseek"),
        Thought(signature="EnQ=", provider_type="anthropic"),
    )


@pytest.mark.parametrize(
    "block", [{"type": "server_tool_use", "id": "s"}, {"type": "container_upload"}]
)
def test_a_block_that_only_anthropic_knows(block: Any) -> None:
    """It is handed on as it is, and is no mistake."""
    assert read(block) == (Unknown(data=block),)


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ({}, "messages[0].content[0].type: found null; wanted the type of a content block"),
        ({"type": 5}, "messages[0].content[0].type: found 5; wanted the type of a content block"),
        ({"type": "text"}, "messages[0].content[0].text: missing; it is required"),
        (
            {"type": "tool_use", "id": "t", "name": "f", "input": "{}"},
            'messages[0].content[0].input: found "{}"; wanted an object',
        ),
        (
            {"type": "image", "source": {"type": "file", "file_id": "f"}},
            (
                "messages[0].content[0].source: found the id of a file; wanted the file itself,"
                " as no files are kept here"
            ),
        ),
        (
            {"type": "image", "source": {"type": "base64", "data": PNG}},
            (
                "messages[0].content[0].source: found a source of type base64 without its fields;"
                " wanted its bytes or URL"
            ),
        ),
        (
            {"type": "document", "source": {"type": "url"}},
            (
                "messages[0].content[0].source: found a source of type url without its fields;"
                " wanted its bytes or URL"
            ),
        ),
        (
            {"type": "tool_result", "tool_use_id": "t", "content": 5},
            (
                "messages[0].content[0].content: found 5; wanted a string or an array of content"
                " blocks"
            ),
        ),
        (
            {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text"}]},
            "messages[0].content[0].content[0].text: missing; it is required",
        ),
    ],
)
def test_a_block_that_cannot_be_translated(block: Any, told: str) -> None:
    """It is told with its place, and stays as it is for whoever understands it."""
    assert flaws(block) == [told]

"""Conversations as Claude takes them: blocks, their order, and what is left out."""

from base64 import b64encode
from typing import Any

import pytest

from lsd.conversation import (
    NO_EDITS,
    AttemptFailed,
    Base64File,
    ModelBlock,
    ModelRequest,
    StoredFile,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Unknown,
    UrlFile,
)
from tests.unit.providers.recorded import (
    CREDENTIALS,
    MESSAGES_TYPES,
    body,
    make_dialect,
    refused,
    request,
    warned,
)

CLAUDE = make_dialect("anthropic", model_name="claude-haiku-4-5")

PNG = b64encode(b"\x89PNG").decode()
SIGNED = Thought(text="hm", signature="c2ln", provider_type="anthropic")


def content(*blocks: ModelBlock, role: str = "user") -> Any:
    """How these blocks are sent in one message."""
    turns = (blocks,) if role == "user" else ("Hi", blocks)
    return body(CLAUDE, request(*turns))["messages"][-1]["content"]


def test_a_whole_conversation() -> None:
    """Turns are sent one by one, with their thoughts, calls and results in place."""
    asked = request(
        "Oslo?",
        [SIGNED, ToolCall(id="t1", name="temp", arguments='{"city": "Oslo"}')],
        [ToolResult(id="t1", name="temp", result="7")],
    )

    assert body(CLAUDE, asked)["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Oslo?"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
                {"type": "tool_use", "id": "t1", "name": "temp", "input": {"city": "Oslo"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "t1",
                    "content": [{"type": "text", "text": "7"}],
                }
            ],
        },
    ]


@pytest.mark.parametrize("provider_type", MESSAGES_TYPES)
@pytest.mark.parametrize(
    "asked",
    [ModelRequest(messages=()), request([Text(text="")]), request([Thought(provider_type=None)])],
    ids=["no message", "nothing said", "nothing left"],
)
def test_there_is_always_a_message(provider_type: str, asked: ModelRequest) -> None:
    """Case 1: the provider is told by its name, and nothing is sent."""
    told = refused(make_dialect(provider_type), asked)

    assert told == f'{provider_type}: provider "box" requires at least one message'


def test_what_is_empty_is_left_out() -> None:
    """Claude refuses empty texts, and messages without content."""
    asked = request("Hi", [Text(text="")], [Text(text=""), Text(text="There?")])

    assert [message["content"] for message in body(CLAUDE, asked)["messages"]] == [
        [{"type": "text", "text": "Hi"}],
        [{"type": "text", "text": "There?"}],
    ]


def test_results_of_tools_come_first() -> None:
    """Claude refuses them behind anything else; their own order stays."""
    sent = content(
        Text(text="And?"),
        ToolResult(id="a", name="x", result="1"),
        Text(text="Well?"),
        ToolResult(id="b", name="x", result="2"),
    )

    kinds = [block.get("tool_use_id") or block["text"] for block in sent]
    assert kinds == ["a", "b", "And?", "Well?"]


def test_the_order_of_an_assistant_stays() -> None:
    """It is the order in which the model spoke."""
    call = ToolCall(id="a", name="x", arguments="{}")

    sent = content(Text(text="First"), call, SIGNED, role="assistant")

    assert [block["type"] for block in sent] == ["text", "tool_use", "thinking"]


@pytest.mark.parametrize(
    ("result", "blocks"),
    [
        ("", []),
        ("7", [{"type": "text", "text": "7"}]),
        ((Text(text=""), Text(text="7")), [{"type": "text", "text": "7"}]),
        (
            (Text(text="See:"), Base64File(data=PNG, mime_type="image/png")),
            [
                {"type": "text", "text": "See:"},
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": PNG},
                },
            ],
        ),
    ],
    ids=["nothing", "a text", "an empty text", "a file"],
)
def test_the_forms_of_a_result(result: Any, blocks: Any) -> None:
    """A tool may give back nothing, a text, or texts and files."""
    (sent,) = content(ToolResult(id="t1", name="x", result=result))

    assert sent == {"type": "tool_result", "tool_use_id": "t1", "content": blocks}


def test_a_failed_tool_says_so() -> None:
    """The model is to know that what it reads is an error."""
    (sent,) = content(ToolResult(id="t1", name="x", result="no", is_error=True))

    assert sent["is_error"] is True


def test_an_id_of_another_form_is_replaced() -> None:
    """Call and result get the same one, which depends on the original alone."""
    asked = request(
        "Hi",
        [ToolCall(id="functions.Bash:0", name="x", arguments="{}")],
        [ToolResult(id="functions.Bash:0", name="x", result="")],
    )

    _, called, answered = body(CLAUDE, asked)["messages"]

    identifier = called["content"][0]["id"]
    assert identifier == answered["content"][0]["tool_use_id"]
    assert identifier.startswith("toolu_")
    assert len(identifier) == len("toolu_") + 24


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("[1]", "must be an object"),
        ('"x"', "must be an object"),
        ("null", "must be an object"),
        ("{", "are not JSON"),
        ("city=Oslo", "are not JSON"),
    ],
)
def test_arguments_must_be_an_object(arguments: str, reason: str) -> None:
    """Case 13: the message says which call and why, and carries the text."""
    asked = request("Hi", [ToolCall(id="t1", name="x", arguments=arguments)])

    with pytest.raises(AttemptFailed) as failed:
        CLAUDE.encode(asked, CREDENTIALS, NO_EDITS)

    assert failed.value.kind == "config"
    assert failed.value.text == f"anthropic: the arguments of tool call 't1' {reason}"
    assert failed.value.raw_response == arguments


def test_no_arguments_are_an_empty_object() -> None:
    """Some models write nothing at all for a tool that takes nothing."""
    (sent,) = content(ToolCall(id="t1", name="x", arguments=" "), role="assistant")

    assert sent["input"] == {}


@pytest.mark.parametrize(
    ("thought", "sent"),
    [
        (SIGNED, [{"type": "thinking", "thinking": "hm", "signature": "c2ln"}]),
        (
            Thought(text="", signature="c2ln"),
            [{"type": "thinking", "thinking": "", "signature": "c2ln"}],
        ),
        (Thought(signature="ZGF0YQ=="), [{"type": "redacted_thinking", "data": "ZGF0YQ=="}]),
        (Thought(text="hm"), []),
        (Thought(text="hm", signature=""), []),
        (Thought(), []),
        (Thought(summary=({"type": "summary_text", "text": "hm"},)), []),
    ],
    ids=["whole", "text hidden", "redacted", "unsigned", "signed empty", "empty", "summary"],
)
def test_the_forms_of_a_thought(thought: Thought, sent: Any) -> None:
    """Case 15: an empty text with a signature is a thought, no text at all is a redacted one."""
    assert content(thought, Text(text="x"), role="assistant")[:-1] == sent


def test_an_unsigned_thought_is_warned_of() -> None:
    """Nobody wonders why the model has forgotten what it thought."""
    asked = request("Hi", [Thought(text="hm"), Thought(text="hm"), Text(text="x")])

    assert warned(CLAUDE, asked) == ["thought"]


def test_unknown_blocks_are_handed_through() -> None:
    """Whatever an operator or a provider has made of them."""
    data = {"type": "server_tool_use", "id": "s1", "cache_control": {"type": "ephemeral"}}

    assert content(Unknown(data=data)) == [data]


def source(file: Any) -> Any:
    """How a file is sent."""
    (block,) = content(file)
    return block["type"], block["source"]


@pytest.mark.parametrize(
    ("mime_type", "kind", "expected"),
    [
        ("image/png", "image", {"type": "base64", "media_type": "image/png", "data": PNG}),
        ("IMAGE/JPEG; q=1", "image", {"type": "base64", "media_type": "image/jpeg", "data": PNG}),
        (
            "application/pdf",
            "document",
            {"type": "base64", "media_type": "application/pdf", "data": PNG},
        ),
    ],
)
def test_inlined_files(mime_type: str, kind: str, expected: Any) -> None:
    """Images are images, all else is a document."""
    assert source(Base64File(data=PNG, mime_type=mime_type)) == (kind, expected)
    stored = StoredFile(storage_path={"kind": "filesystem"}, mime_type=mime_type, data=PNG)
    assert source(stored) == (kind, expected)


@pytest.mark.parametrize("mime_type", ["text/plain", "text/markdown; charset=utf-8", "text/csv"])
def test_text_files(mime_type: str) -> None:
    """Claude reads one kind of text, and gets it as text."""
    data = b64encode("a;ö\n".encode()).decode()

    kind, sent = source(Base64File(data=data, mime_type=mime_type))

    assert kind == "document"
    assert sent == {"type": "text", "media_type": "text/plain", "data": "a;ö\n"}


def test_files_at_a_url() -> None:
    """Images and documents are fetched by Claude itself; of the rest LSD sends the bytes."""
    image = UrlFile(url="https://h/a.png", mime_type="image/png")
    report = UrlFile(url="https://h/a.pdf", mime_type="application/pdf")
    notes = UrlFile(url="https://h/a.txt", mime_type="text/plain")
    anything = UrlFile(url="https://h/a")

    assert source(image) == ("image", {"type": "url", "url": "https://h/a.png"})
    assert source(report) == ("document", {"type": "url", "url": "https://h/a.pdf"})
    assert [CLAUDE.forwards(file) for file in (image, report)] == [True, True]
    assert [CLAUDE.forwards(file) for file in (notes, anything)] == [False, False]


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (UrlFile(url="https://h/a"), "the file at https://h/a is of unknown type;"),
        (
            UrlFile(url="https://h/a", mime_type="text/csv"),
            "the file at https://h/a is text/csv;",
        ),
        (
            StoredFile(storage_path={}, mime_type="image/png"),
            "the bytes of a stored file are not at hand",
        ),
        (
            Base64File(data="ä", mime_type="text/plain"),
            "found a file whose data is not base64",
        ),
    ],
)
def test_files_that_cannot_be_sent(file: Any, reason: str) -> None:
    """The caller hears which file, and why."""
    assert reason in refused(CLAUDE, request([file]))


def test_detail_has_no_effect() -> None:
    """Claude knows no such thing, and the log says so."""
    file = Base64File(data=PNG, mime_type="image/png", detail="low")

    assert warned(CLAUDE, request([file])) == ["detail"]

"""Turns and blocks as Bedrock takes them: what it would refuse is mended before it is sent."""

from typing import Any

import pytest

from lsd.conversation import (
    Base64File,
    StoredFile,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Unknown,
    UrlFile,
)
from tests.unit.providers.recorded import body, make_dialect, refused, request, warned

BEDROCK = make_dialect("aws_bedrock")


def turns(*given: Any) -> list[dict[str, Any]]:
    """The messages as they are sent."""
    sent: list[dict[str, Any]] = body(BEDROCK, request(*given))["messages"]
    return sent


def content(*blocks: Any) -> list[dict[str, Any]]:
    """The blocks of one turn of the user as they are sent."""
    (turn,) = turns(blocks)
    made: list[dict[str, Any]] = turn["content"]
    return made


def said(*blocks: Any) -> list[dict[str, Any]]:
    """The blocks of one turn of the model as they are sent back."""
    made: list[dict[str, Any]] = turns("Hi", blocks)[1]["content"]
    return made


def results(*names: str) -> list[ToolResult]:
    """A result for each of these calls."""
    return [ToolResult(id=name, name="t", result=name) for name in names]


def test_turns_of_one_role_become_one() -> None:
    """Case 38: three results that come one by one follow their calls as Bedrock wants it."""
    calls = [ToolCall(id=name, name="t", arguments="{}") for name in "abc"]
    given = ["Hi", calls, results("a"), [], results("b"), [], results("c")]

    sent = turns(*given)

    assert [turn["role"] for turn in sent] == ["user", "assistant", "user"]
    assert [block["toolResult"]["toolUseId"] for block in sent[2]["content"]] == ["a", "b", "c"]


def test_results_stand_first() -> None:
    """Whatever the user says beside them comes after them."""
    sent = content(Text(text="So?"), *results("a"), Text(text="And?"), *results("b"))

    assert [*map(next, map(iter, sent))] == ["toolResult", "toolResult", "text", "text"]


def test_turns_without_anything_are_left_out() -> None:
    """Empty texts are refused, and so are turns of nothing else."""
    assert turns("Hi", "", "Still there?") == [
        {"role": "user", "content": [{"text": "Hi"}, {"text": "Still there?"}]}
    ]
    assert "requires at least one message" in refused(BEDROCK, request(""))


def test_arguments_must_be_an_object() -> None:
    """Case 13: nothing else can be sent as the input of a tool."""
    call = ToolCall(id="a", name="t", arguments="[1]")

    assert "must be an object" in refused(BEDROCK, request("Hi", [call]))


def test_ids_that_bedrock_would_refuse() -> None:
    """Call and result get the same new one."""
    odd = "call:1|2"

    sent = turns("Hi", [ToolCall(id=odd, name="t", arguments="")], results(odd))

    call, result = sent[1]["content"][0]["toolUse"], sent[2]["content"][0]["toolResult"]
    assert call["toolUseId"] == result["toolUseId"]
    assert call["toolUseId"].startswith("tooluse_")
    assert call["input"] == {}


@pytest.mark.parametrize("result", ["", (), (Text(text=""),)])
def test_a_result_that_says_nothing(result: Any) -> None:
    """Case 40: some text must be there."""
    (sent,) = content(ToolResult(id="a", name="t", result=result))

    assert sent["toolResult"]["content"] == [{"text": "(empty)"}]


def test_a_result_with_files() -> None:
    """Text, images and documents are members of it."""
    image = Base64File(data="AAAA", mime_type="image/png")
    report = Base64File(data="AAAA", mime_type="application/pdf")

    (sent,) = content(
        ToolResult(id="a", name="t", result=(Text(text="See"), image, report), is_error=True)
    )

    assert sent["toolResult"] == {
        "toolUseId": "a",
        "content": [
            {"text": "See"},
            {"image": {"format": "png", "source": {"bytes": "AAAA"}}},
            {"document": {"format": "pdf", "name": "document-1", "source": {"bytes": "AAAA"}}},
        ],
        "status": "error",
    }


@pytest.mark.parametrize(
    ("thought", "sent"),
    [
        (Thought(text="Hm", signature="c2ln"), {"text": "Hm", "signature": "c2ln"}),
        (Thought(text="Hm"), {"text": "Hm"}),
        (Thought(text="", signature="c2ln"), {"text": "", "signature": "c2ln"}),
    ],
)
def test_thoughts_go_back(thought: Thought, sent: dict[str, str]) -> None:
    """Case 15: as they came, also one whose text was kept back."""
    assert said(thought) == [{"reasoningContent": {"reasoningText": sent}}]


def test_a_thought_that_was_redacted() -> None:
    """It has no text, and goes back as what it was."""
    assert said(Thought(signature="ZGF0YQ==")) == [
        {"reasoningContent": {"redactedContent": "ZGF0YQ=="}}
    ]


def test_a_thought_of_nothing_is_left_out() -> None:
    """With a warning."""
    asked = request("Hi", [Thought(), Text(text="Yes.")])

    assert said(Thought(), Text(text="Yes.")) == [{"text": "Yes."}]
    assert warned(BEDROCK, asked) == ["thought"]


def test_blocks_of_unknown_kind_are_refused() -> None:
    """Bedrock takes no block that it does not know."""
    block = Unknown(data={"type": "server_tool_use"})

    assert "unsupported content block" in refused(BEDROCK, request([block]))


@pytest.mark.parametrize(
    ("mime_type", "form"),
    [
        ("image/jpeg", "jpeg"),
        ("image/jpg", "jpeg"),
        ("IMAGE/PNG", "png"),
        ("image/gif", "gif"),
        ("image/webp", "webp"),
    ],
)
def test_images(mime_type: str, form: str) -> None:
    """By their formats."""
    assert content(Base64File(data="AAAA", mime_type=mime_type)) == [
        {"image": {"format": form, "source": {"bytes": "AAAA"}}}
    ]


@pytest.mark.parametrize(
    ("mime_type", "form"),
    [
        ("application/pdf", "pdf"),
        ("text/csv", "csv"),
        ("application/msword", "doc"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
        ("application/vnd.ms-excel", "xls"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
        ("text/html; charset=utf-8", "html"),
        ("text/plain", "txt"),
        ("text/markdown", "md"),
    ],
)
def test_documents(mime_type: str, form: str) -> None:
    """By their formats, each under a name of its own."""
    (sent,) = content(StoredFile(data="AAAA", mime_type=mime_type, storage_path={}))

    assert sent == {"document": {"format": form, "name": "document-1", "source": {"bytes": "AAAA"}}}


def test_no_two_documents_have_one_name() -> None:
    """Case 41: over the whole conversation."""
    report = Base64File(data="AAAA", mime_type="application/pdf", filename="report.pdf")

    sent = turns([report, report], "Read.", [report])

    names = [
        block["document"]["name"]
        for turn in sent
        for block in turn["content"]
        if len(block) == 1 and "document" in block
    ]
    assert names == ["document-1", "document-2", "document-3"]


@pytest.mark.parametrize("mime_type", ["image/tiff", "audio/wav", "application/zip", "text/css"])
def test_files_that_bedrock_does_not_know(mime_type: str) -> None:
    """They are refused before anything is sent, with what would be taken."""
    told = refused(BEDROCK, request([Base64File(data="AAAA", mime_type=mime_type)]))

    assert f"found a file of type {mime_type}; wanted one of csv, doc, docx, gif" in told


def test_files_whose_bytes_are_not_here() -> None:
    """A link is no file to Bedrock."""
    assert "not sent as a URL" in refused(BEDROCK, request([UrlFile(url="https://h/a.png")]))


def test_the_detail_of_an_image_is_left_out() -> None:
    """With a warning."""
    image = Base64File(data="AAAA", mime_type="image/png", detail="low")

    assert warned(BEDROCK, request([image])) == ["detail"]

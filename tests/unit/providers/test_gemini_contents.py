"""The turns of a request to Gemini, and how blocks become parts of them."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from lsd.conversation import (
    NO_EDITS,
    AttemptFailed,
    Base64File,
    ModelBlock,
    ModelMessage,
    ModelRequest,
    StoredFile,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Unknown,
    UrlFile,
    encode_json,
)
from tests.unit.providers.recorded import CREDENTIALS, body, make_dialect, refused, request, warned

GEMINI = make_dialect("google_ai_studio_gemini")
SKIP = "skip_thought_signature_validator"
SIGNATURE = Thought(signature="QUJD")
HI = Text(text="Hi")
CALL = ToolCall(id="t1", name="temp", arguments='{"city":"Oslo"}')
CALLED = {"functionCall": {"name": "temp", "args": {"city": "Oslo"}}}


def turns(asked: ModelRequest) -> list[tuple[str, Any]]:
    """Role and parts of each turn."""
    return [(turn["role"], turn["parts"]) for turn in body(GEMINI, asked)["contents"]]


def said(*blocks: ModelBlock) -> Any:
    """The parts that blocks of the model become."""
    (*_, (role, parts)) = turns(request("Hi", blocks))
    assert role == "model"
    return parts


def asked(*blocks: ModelBlock) -> Any:
    """The parts that blocks of the user become."""
    ((role, parts),) = turns(request(blocks))
    assert role == "user"
    return parts


def test_a_conversation() -> None:
    """Roles map one to one, and each text is a part of its own."""
    conversation = request([HI, Text(text="")], "Hello", "Bye")

    assert turns(conversation) == [
        ("user", [{"text": "Hi"}, {"text": ""}]),
        ("model", [{"text": "Hello"}]),
        ("user", [{"text": "Bye"}]),
    ]


def test_messages_of_one_role_are_one_turn() -> None:
    """The API wants turns that alternate, and nothing is between the two when it is empty."""
    messages = (
        ModelMessage(role="user", content=(HI,)),
        ModelMessage(role="user", content=(HI,)),
        ModelMessage(role="assistant", content=(HI,)),
        ModelMessage(role="user", content=()),
        ModelMessage(role="assistant", content=(HI,)),
    )
    conversation = ModelRequest(messages=messages)

    assert turns(conversation) == [
        ("user", [{"text": "Hi"}, {"text": "Hi"}]),
        ("model", [{"text": "Hi"}, {"text": "Hi"}]),
    ]


@pytest.mark.parametrize("kind", ["google_ai_studio_gemini", "gcp_vertex_gemini"])
@pytest.mark.parametrize("messages", [(), (ModelMessage(role="user", content=()),)])
def test_nothing_to_say_is_not_sent(kind: str, messages: Any) -> None:
    """Case 1: the error names the provider."""
    told = refused(make_dialect(kind), ModelRequest(messages=messages))

    assert told == f'{kind}: provider "box" requires at least one message'


def test_instructions_in_the_middle_are_said_at_the_start() -> None:
    """Gemini has no place for them between the turns."""
    messages = (
        ModelMessage(role="user", content=(HI,)),
        ModelMessage(role="system", content=(Text(text="Be kind."),)),
        ModelMessage(role="user", content=(Text(text="Bye"),)),
    )

    sent = body(GEMINI, ModelRequest(system="Be brief.", messages=messages))

    assert sent["systemInstruction"] == {"parts": [{"text": "Be brief."}, {"text": "Be kind."}]}
    assert [part["text"] for turn in sent["contents"] for part in turn["parts"]] == ["Hi", "Bye"]


@pytest.mark.parametrize("system", [None, "", " \n"])
def test_a_blank_system_text_is_left_out(system: str | None) -> None:
    """There is nothing to instruct."""
    assert "systemInstruction" not in body(GEMINI, request(system=system))


def test_calls_and_results() -> None:
    """They belong together by name and place: ids are not sent."""
    (_, (_, calls), (role, results)) = turns(
        request("Hi", [CALL, CALL], [ToolResult(id="t1", name="temp", result="7"), HI])
    )

    assert calls == [{**CALLED, "thoughtSignature": SKIP}, CALLED]
    assert role == "user"
    assert results == [
        {"functionResponse": {"name": "temp", "response": {"name": "temp", "content": "7"}}},
        {"text": "Hi"},
    ]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [("[1]", "must be an object"), ("null", "must be an object"), ("{", "are not JSON")],
)
def test_arguments_must_be_an_object(arguments: str, reason: str) -> None:
    """Case 13: the message says which call and why, and carries the text."""
    call = ToolCall(id="t1", name="x", arguments=arguments)

    with pytest.raises(AttemptFailed) as failed:
        GEMINI.encode(request("Hi", [call]), CREDENTIALS, NO_EDITS)

    assert failed.value.kind == "config"
    assert f"the arguments of tool call 't1' {reason}" in failed.value.text
    assert failed.value.raw_response == arguments


def test_results_come_first_in_their_turn_and_their_files_behind_them() -> None:
    """As many results as there were calls, in a row; also when they came in several messages."""
    first = ToolResult(id="a", name="a", result=(HI, PNG, Text(text="there")))
    second = ToolResult(id="b", name="b", result="", is_error=True)
    messages = (
        ModelMessage(role="user", content=(Text(text="So?"), first)),
        ModelMessage(role="user", content=(second,)),
    )

    ((_, parts),) = turns(ModelRequest(messages=messages))

    assert parts == [
        {"functionResponse": {"name": "a", "response": {"name": "a", "content": "Hi\n\nthere"}}},
        {"functionResponse": {"name": "b", "response": {"name": "b", "error": ""}}},
        {"inlineData": {"mimeType": "image/png", "data": "iVBORw0="}},
        {"text": "So?"},
    ]


PNG = Base64File(data="iVBORw0=", mime_type="image/png")


@pytest.mark.parametrize(
    "mime_type", ["image/png", "application/pdf", "text/plain", "audio/L16;rate=24000"]
)
def test_files_are_inlined(mime_type: str) -> None:
    """Of every kind; what a type says about itself may matter."""
    sent = [{"inlineData": {"mimeType": mime_type, "data": "AAAA"}}]

    assert asked(Base64File(data="AAAA", mime_type=mime_type)) == sent
    assert asked(StoredFile(storage_path={}, mime_type=mime_type, data="AAAA")) == sent


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (UrlFile(url="https://h/a", mime_type="image/png"), "the file at https://h/a is image/png"),
        (UrlFile(url="https://h/a"), "the file at https://h/a is of unknown type"),
        (StoredFile(storage_path={}, mime_type="image/png"), "bytes of a stored file"),
    ],
)
def test_files_whose_bytes_are_not_at_hand(file: Any, reason: str) -> None:
    """The caller hears which file, and why."""
    assert reason in refused(GEMINI, request([file]))


def test_detail_has_no_effect() -> None:
    """Gemini knows no such thing, and the log says so."""
    file = Base64File(data="AAAA", mime_type="image/png", detail="low")

    assert warned(GEMINI, request([file])) == ["detail"]


@pytest.mark.parametrize(
    ("thought", "sent"),
    [
        (Thought(text="hm"), [{"text": "hm", "thought": True}]),
        (
            Thought(text="hm", signature="QUJD"),
            [{"text": "hm", "thought": True, "thoughtSignature": "QUJD"}],
        ),
        (
            Thought(text="", signature="QUJD"),
            [{"text": "", "thought": True, "thoughtSignature": "QUJD"}],
        ),
        (Thought(), []),
        (Thought(summary=({"type": "summary_text", "text": "hm"},)), []),
    ],
    ids=["unsigned", "whole", "signed empty", "empty", "summary"],
)
def test_thoughts_in_words(thought: Thought, sent: Any) -> None:
    """They go back as they came; summaries are another provider's."""
    assert said(thought, HI) == [*sent, {"text": "Hi"}]


TEXT = {"text": "Hi"}
SIGNED_TEXT = {"text": "Hi", "thoughtSignature": "QUJD"}
SIGNED_CALL = {**CALLED, "thoughtSignature": "QUJD"}
WORDS = Thought(text="hm")
SAID_WORDS = {"text": "hm", "thought": True}


@pytest.mark.parametrize(
    ("blocks", "sent"),
    [
        ([SIGNATURE, HI], [SIGNED_TEXT]),
        ([SIGNATURE, CALL], [SIGNED_CALL]),
        ([SIGNATURE, Text(text="")], [{"text": "", "thoughtSignature": "QUJD"}]),
        ([HI, SIGNATURE, CALL], [TEXT, SIGNED_CALL]),
        ([HI, SIGNATURE], [SIGNED_TEXT]),
        ([WORDS, SIGNATURE], [{**SAID_WORDS, "thoughtSignature": "QUJD"}]),
        ([HI, SIGNATURE, WORDS], [SIGNED_TEXT, SAID_WORDS]),
        ([HI, SIGNATURE, Unknown(data={"a": 1})], [SIGNED_TEXT, {"a": 1}]),
    ],
    ids=[
        "text",
        "call",
        "empty text",
        "only the next",
        "at the end",
        "of a thought",
        "before a thought",
        "before an unknown block",
    ],
)
def test_a_signature_goes_back_on_what_it_signs(blocks: Any, sent: Any) -> None:
    """Case 31: that is the next part, and where there is none, the text before."""
    assert said(*blocks) == sent
    assert warned(GEMINI, request("Hi", blocks)) == []


@pytest.mark.parametrize(
    "blocks",
    [
        [SIGNATURE],
        [CALL, SIGNATURE],
        [Thought(signature="REVG"), HI, SIGNATURE],
        [SIGNATURE, WORDS],
    ],
    ids=["alone", "after a call", "after a signed text", "before a thought"],
)
def test_a_signature_without_a_place_is_left_out(blocks: Any) -> None:
    """A part of its own would be refused; the log tells of it."""
    with capture_logs() as logs:
        sent = body(GEMINI, request("Hi", blocks, "Go on"))

    assert "QUJD" not in str(sent)
    assert [each["parameter"] for each in logs] == ["thought"]


def test_the_signature_of_an_unknown_block_is_in_it_already() -> None:
    """It was told in front of it as well; twice is once too often."""
    data = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thoughtSignature": "QUJD"}

    assert said(HI, SIGNATURE, Unknown(data=data)) == [{"text": "Hi"}, data]
    assert warned(GEMINI, request("Hi", [HI, SIGNATURE, Unknown(data=data)])) == []


@pytest.mark.parametrize(
    ("blocks", "signatures"),
    [
        ([CALL, CALL], [SKIP, None]),
        ([HI, CALL], [None, SKIP]),
        ([SIGNATURE, HI, CALL], ["QUJD", SKIP]),
        ([SIGNATURE, CALL, CALL], ["QUJD", None]),
        ([CALL, SIGNATURE, CALL], [None, "QUJD"]),
        ([HI], [None]),
    ],
)
def test_calls_without_a_signature_are_let_pass(blocks: Any, signatures: list[str | None]) -> None:
    """Case 32: the first of them carries the word for it; one real signature is enough."""
    assert [part.get("thoughtSignature") for part in said(*blocks)] == signatures


def test_unknown_blocks_are_handed_through() -> None:
    """Whatever an operator or Gemini itself has made of them."""
    data = {"executableCode": {"language": "PYTHON", "code": "1"}}

    assert said(Unknown(data=data), Unknown(data=7)) == [data, 7]


def test_an_answer_goes_back_as_it_came() -> None:
    """What was read from the wire is written to it again, part for part."""
    parts = [
        {"text": "hm", "thought": True, "thoughtSignature": "AAAA"},
        {"text": "Let me see."},
        {**CALLED, "thoughtSignature": "QUJD"},
        CALLED,
        {"executableCode": {"language": "PYTHON", "code": "1"}},
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thoughtSignature": "REVG"},
        {"text": "So it is.", "thoughtSignature": "R0hJ"},
    ]
    answer = {
        "candidates": [{"content": {"role": "model", "parts": parts}}],
        "usageMetadata": {"promptTokenCount": 1},
    }

    response = GEMINI.decode(200, {}, encode_json(answer))

    assert said(*response.output) == parts

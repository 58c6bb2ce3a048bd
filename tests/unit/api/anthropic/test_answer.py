"""Neutral answers as messages."""

import pytest

from lsd.api.anthropic.answer import (
    Ending,
    UnusableCall,
    is_sealed,
    joined,
    message_body,
    usage_body,
)
from lsd.conversation import FinishReason, OutputBlock, Text, Thought, ToolCall, Unknown, Usage

MESSAGE_ID = "msg_0195a6c2f3d17b4a9c0e5f1122334455"
CALL = ToolCall(id="toolu_7k", name="read", arguments='{"path":"a.py"}')


def test_a_message() -> None:
    """Every field is there, and in Anthropic's order."""
    usage = Usage(input_tokens=41, output_tokens=17, provider_cache_read_input_tokens=32)

    body = message_body(
        MESSAGE_ID,
        "coder",
        (Text(text="Reading it."), CALL),
        usage,
        Ending(finish_reason="tool_call"),
    )

    assert list(body.items()) == [
        ("id", MESSAGE_ID),
        ("type", "message"),
        ("role", "assistant"),
        ("model", "coder"),
        (
            "content",
            [
                {"type": "text", "text": "Reading it."},
                {"type": "tool_use", "id": "toolu_7k", "name": "read", "input": {"path": "a.py"}},
            ],
        ),
        ("stop_reason", "tool_use"),
        ("stop_sequence", None),
        (
            "usage",
            {
                "input_tokens": 9,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 32,
                "output_tokens": 17,
            },
        ),
    ]


def content(*output: OutputBlock) -> list[dict[str, object]]:
    """The content of a message with this output."""
    made: list[dict[str, object]] = message_body("", "", output, Usage(), Ending())["content"]
    return made


def test_what_cannot_be_shown_is_left_out() -> None:
    """Empty texts, and blocks of another provider's own kind."""
    assert content(Text(text=""), Unknown(data={"type": "x"}), Text(text="hi")) == [
        {"type": "text", "text": "hi"}
    ]


def test_blocks_of_this_apis_own_kinds_may_be_kept() -> None:
    """They come from the cache; a piece of a block is none."""
    block = {"type": "server_tool_use", "id": "s"}
    output = (Unknown(data=block), Unknown(data={"type": "citations_delta"}), Unknown(data=5))

    body = message_body("", "", output, Usage(), Ending(), keeps_unknown=True)

    assert body["content"] == [block]


def test_neighbours_of_one_kind_are_one_block() -> None:
    """As in a stream, where no client could tell them apart."""
    sealed = Thought(text="B", signature="c2ln", provider_type="openrouter")

    assert joined((Text(text="A"), Text(text=""), Text(text="B"))) == [Text(text="AB")]
    assert joined((Thought(text="A"), sealed, Thought(text="C"))) == [
        Thought(text="AB", signature="c2ln", provider_type="openrouter"),
        Thought(text="C"),
    ]
    assert is_sealed(sealed)
    assert not is_sealed(Thought(text="A"))


@pytest.mark.parametrize("arguments", ["", "  ", "{}"])
def test_a_call_without_arguments(arguments: str) -> None:
    """Case 12: it has an empty object."""
    (block,) = content(ToolCall(id="t", name="f", arguments=arguments))

    assert block["input"] == {}


@pytest.mark.parametrize(
    ("arguments", "found"), [("{", "no JSON"), ("[1]", "an array of 1"), ("null", "null")]
)
def test_arguments_that_are_no_object(arguments: str, found: str) -> None:
    """No client could read them."""
    with pytest.raises(UnusableCall) as caught:
        content(ToolCall(id="t", name="f", arguments=arguments))

    told = f"tool call 'f': found {found} as arguments; wanted a JSON object"
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("ending", "calls_tools", "reason", "sequence"),
    [
        (Ending(finish_reason="stop"), False, "end_turn", None),
        (Ending(finish_reason="stop"), True, "tool_use", None),
        (Ending(), False, "end_turn", None),
        (Ending(finish_reason="unknown"), True, "tool_use", None),
        (Ending(finish_reason="stop", stop_sequence="X"), False, "stop_sequence", "X"),
        (Ending(finish_reason="stop_sequence", stop_sequence="X"), True, "stop_sequence", "X"),
        (Ending(finish_reason="stop_sequence"), False, "end_turn", None),
        (Ending(finish_reason="length"), True, "max_tokens", None),
        (Ending(finish_reason="tool_call"), True, "tool_use", None),
        (Ending(finish_reason="content_filter"), False, "refusal", None),
    ],
)
def test_why_it_ended(
    ending: Ending, calls_tools: bool, reason: FinishReason, sequence: str | None
) -> None:
    """Cases 28 and 29: a plain end after a call of a tool is an end for the tool's sake."""
    assert ending.fields(calls_tools=calls_tools) == {
        "stop_reason": reason,
        "stop_sequence": sequence,
    }


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        (Usage(), (0, 0, 0, 0)),
        (Usage(input_tokens=46, provider_cache_read_input_tokens=32), (14, 0, 32, 0)),
        (
            Usage(
                input_tokens=46,
                output_tokens=3,
                provider_cache_read_input_tokens=32,
                provider_cache_write_input_tokens=5,
            ),
            (9, 5, 32, 3),
        ),
        (Usage(input_tokens=1, provider_cache_read_input_tokens=2), (0, 0, 2, 0)),
    ],
)
def test_tokens(usage: Usage, counts: tuple[int, int, int, int]) -> None:
    """Cases 30 and 31: all four counts are there, and input does not hold what the cache did."""
    names = "input_tokens cache_creation_input_tokens cache_read_input_tokens output_tokens"

    assert usage_body(usage) == dict(zip(names.split(), counts, strict=True))


def test_tokens_of_thoughts_are_told_where_they_are_known() -> None:
    """They are among the output tokens."""
    assert usage_body(Usage(reasoning_tokens=7))["output_tokens_details"] == {"thinking_tokens": 7}

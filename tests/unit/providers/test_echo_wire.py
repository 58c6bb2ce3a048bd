"""The JSON of the offline provider."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import (
    ChatCompletionParams,
    CustomTool,
    FunctionTool,
    ModelChunk,
    ModelMessage,
    ModelRequest,
    SpecificTool,
    StreamEvent,
    StreamFault,
    Text,
    TextChunk,
    ToolCall,
    ToolCallChunk,
    ToolSet,
    Usage,
    decode_json,
    encode_json,
)
from lsd.providers.echo_reply import Reply
from lsd.providers.echo_wire import (
    EchoStream,
    answer_json,
    events_of,
    request_json,
    response_of,
)

USAGE = Usage(input_tokens=3, output_tokens=4)
SPOKEN = Reply(text=" An old\n silent pond", finish_reason="stop", usage=USAGE)
CALLED = Reply(
    calls=(
        ToolCall(id="call_1", name="page", arguments='{"team":"facilities","loud":true}'),
        ToolCall(id="call_2", name="wait", arguments=""),
    ),
    finish_reason="tool_call",
    usage=USAGE,
)


def test_a_request_shows_what_is_set() -> None:
    """System text, messages, tools, parameters and modes, each under its neutral name."""
    request = ModelRequest(
        system="be brief",
        messages=(ModelMessage(role="user", content=(Text(text="hi"),)),),
        tools=ToolSet(
            tools=(
                FunctionTool(name="page", description="Pages", parameters={"type": "object"}),
                CustomTool(name="patch"),
            ),
            choice=SpecificTool(name="page"),
            parallel=False,
            allowed=("page",),
        ),
        params=ChatCompletionParams(temperature=0.1, stop_sequences=("x",)),
        json_mode="strict",
        output_schema={"type": "object"},
        stream=True,
    )

    assert decode_json(encode_json(request_json(request, "m-1"))) == {
        "model": "m-1",
        "system": "be brief",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
        "tools": [
            {
                "type": "function",
                "name": "page",
                "description": "Pages",
                "parameters": {"type": "object"},
                "strict": False,
            },
            {"type": "custom", "name": "patch"},
        ],
        "tool_choice": {"name": "page"},
        "parallel_tool_calls": False,
        "allowed_tools": ["page"],
        "temperature": 0.1,
        "stop_sequences": ["x"],
        "json_mode": "strict",
        "output_schema": {"type": "object"},
        "stream": True,
    }


def test_a_plain_request_shows_nothing_more() -> None:
    """What is not set is not shown."""
    request = ModelRequest(messages=(), tools=ToolSet())

    assert request_json(request, "m-1") == {
        "model": "m-1",
        "messages": [],
        "tools": [],
        "tool_choice": "auto",
    }


@pytest.mark.parametrize("reply", [SPOKEN, CALLED], ids=["text", "calls"])
def test_an_answer_is_read_as_it_was_written(reply: Reply) -> None:
    """What is written as JSON comes back as the same blocks, usage and reason."""
    response = response_of(decode_json(encode_json(answer_json(reply, "m-1"))))

    assert response.output == (reply.calls or (Text(text=reply.text),))
    assert (response.usage, response.finish_reason) == (reply.usage, reply.finish_reason)
    assert response.raw_usage == {"input_tokens": 3, "output_tokens": 4}


def test_an_empty_text_is_no_content() -> None:
    """Nothing said is an empty list of blocks."""
    empty = Reply(finish_reason="stop", usage=USAGE)

    assert answer_json(empty, "m-1")["content"] == []
    assert len(events_of(empty)) == 1


def read(pieces: list[bytes]) -> list[StreamEvent]:
    """The events that a stream in these pieces gives."""
    decoder = EchoStream()
    found = [event for piece in pieces for event in decoder.feed(piece)]
    assert decoder.ended
    return [*found, *decoder.finish(cut=False)]


def test_a_text_is_streamed_by_words() -> None:
    """Each word comes with the white space after it; usage and reason come last."""
    *chunks, last = read(events_of(SPOKEN))

    texts = [chunk.content for chunk in chunks if isinstance(chunk, ModelChunk)]
    assert texts == [
        [TextChunk(id="0", text=word)] for word in (" ", "An ", "old\n ", "silent ", "pond")
    ]
    assert isinstance(last, ModelChunk)
    assert (last.content, last.usage, last.finish_reason) == ([], USAGE, "stop")
    assert last.raw == ('{"finish_reason":"stop","usage":{"input_tokens":3,"output_tokens":4}}')


def test_calls_are_streamed_in_pieces() -> None:
    """A call's name comes with its first piece; a call without arguments is one piece."""
    *chunks, _ = read(events_of(CALLED))

    pieces = [each for chunk in chunks if isinstance(chunk, ModelChunk) for each in chunk.content]
    assert pieces == [
        ToolCallChunk(id="call_1", raw_name="page", raw_arguments='{"team":"facilit'),
        ToolCallChunk(id="call_1", raw_arguments='ies","loud":true'),
        ToolCallChunk(id="call_1", raw_arguments="}"),
        ToolCallChunk(id="call_2", raw_name="wait"),
    ]


def test_a_word_without_end_is_cut() -> None:
    """Even a text of one enormous word is streamed in events of some size."""
    reply = Reply(text="x" * 100_000, finish_reason="stop", usage=USAGE)

    assert max(map(len, events_of(reply))) < 5000


STREAMED = b"".join(events_of(CALLED))
WHOLE = read([STREAMED])


@given(places=st.lists(st.integers(0, len(STREAMED))))
def test_where_the_stream_is_cut_does_not_matter(places: list[int]) -> None:
    """However the bytes arrive, the chunks are the same."""
    cuts = [0, *sorted(places), len(STREAMED)]

    assert read([STREAMED[start:end] for start, end in pairwise(cuts)]) == WHOLE


def test_single_bytes_give_the_same_chunks() -> None:
    """Byte by byte, nothing changes."""
    assert read([STREAMED[i : i + 1] for i in range(len(STREAMED))]) == WHOLE


@pytest.mark.parametrize("cut", [True, False])
def test_a_stream_without_its_end_is_a_fault(cut: bool) -> None:
    """What comes before the end mark is given out; then the missing end is told, once."""
    decoder = EchoStream()

    assert len(decoder.feed(events_of(SPOKEN)[0])) == 1
    (fault,) = decoder.finish(cut=cut)

    assert isinstance(fault, StreamFault)
    assert fault.fatal
    assert fault.failure.kind == "transport"
    assert decoder.finish(cut=cut) == []

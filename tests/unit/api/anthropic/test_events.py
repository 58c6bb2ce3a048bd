"""Neutral streams as the events of a message."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import RawMessageStreamEvent
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from lsd.api.anthropic.answer import Ending, message_body
from lsd.api.anthropic.events import (
    PING,
    STOP,
    MessageEvents,
    event,
    message_delta,
    message_start,
)
from lsd.conversation import (
    ContentChunk,
    TextChunk,
    ThoughtChunk,
    ToolCallChunk,
    UnknownChunk,
    Usage,
)
from lsd.inference.collector import ContentCollector

EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)


def parsed(data: bytes) -> list[dict[str, Any]]:
    """The events in `data`, each of one name and one line."""
    events = []
    for frame in data.decode().split("\n\n")[:-1]:
        name, line = frame.split("\n")
        document = orjson.loads(line.removeprefix("data: "))
        assert name == f"event: {document['type']}"
        events.append(document)
    return events


def told(chunks: Iterable[ContentChunk]) -> list[dict[str, Any]]:
    """The events of the content of a stream."""
    events = MessageEvents()
    return parsed(b"".join(events.content([chunk]) for chunk in chunks) + events.end())


def shown(chunks: Iterable[ContentChunk]) -> list[str]:
    """The same in short: `0+` starts a block, `0-` stops it, `0` and a text is a delta."""
    shown = []
    for each in told(chunks):
        if each["type"] == "content_block_start":
            shown.append(f"{each['index']}+{each['content_block']['type']}")
        elif each["type"] == "content_block_stop":
            shown.append(f"{each['index']}-")
        else:
            kind, *texts = each["delta"].values()
            assert kind.endswith("_delta")
            shown.append(f"{each['index']} {texts[0]}")
    return shown


def text(piece: str, identifier: str = "0") -> TextChunk:
    """A piece of text."""
    return TextChunk(id=identifier, text=piece)


def thought(piece: str | None, **more: Any) -> ThoughtChunk:
    """A piece of a thought."""
    return ThoughtChunk(**{"id": "1", "text": piece, "provider_type": "deepseek", **more})


def call(identifier: str, arguments: str = "", name: str = "") -> ToolCallChunk:
    """A piece of a call."""
    return ToolCallChunk(id=identifier, raw_name=name, raw_arguments=arguments)


def test_a_whole_sequence() -> None:
    """Byte by byte as Anthropic's documentation shows it."""
    events = MessageEvents()
    usage = Usage(input_tokens=41, output_tokens=17, provider_cache_read_input_tokens=32)
    sent = message_start("msg_1", "coder", usage)
    chunks = [
        thought("Need the file."),
        call("toolu_7k", name="read"),
        call("toolu_7k", '{"path":"a.py"}'),
    ]
    sent += events.content(chunks) + events.end()
    sent += message_delta(Ending(finish_reason="tool_call"), usage, calls_tools=True) + STOP

    assert sent.decode() == WHOLE.lstrip()


WHOLE = """
event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant",\
"model":"coder","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":9,\
"cache_creation_input_tokens":0,"cache_read_input_tokens":32,"output_tokens":1}}}

event: ping
data: {"type":"ping"}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"",\
"signature":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta",\
"thinking":"Need the file."}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta",\
"signature":"lsd1:deepseek:"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_7k",\
"name":"read","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta",\
"partial_json":"{\\"path\\":\\"a.py\\"}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},\
"usage":{"input_tokens":9,"cache_creation_input_tokens":0,"cache_read_input_tokens":32,\
"output_tokens":17}}

event: message_stop
data: {"type":"message_stop"}

"""


def test_a_text_begins_with_its_first_letter() -> None:
    """An empty piece opens nothing, and nothing is closed that was not opened."""
    assert shown([text("")]) == []
    assert shown([text(""), text("A"), text(""), text("B")]) == ["0+text", "0 A", "0 B", "0-"]


def test_a_change_of_kind_begins_a_new_block() -> None:
    """Pieces of one kind go on with the open one, whatever the provider calls them."""
    chunks = [thought("A"), text("B"), text("C", "2"), thought("D"), text("E")]

    assert shown(chunks) == [
        *("0+thinking", "0 A", "0 lsd1:deepseek:", "0-"),
        *("1+text", "1 B", "1 C", "1-"),
        *("2+thinking", "2 D", "2 lsd1:deepseek:", "2-"),
        *("3+text", "3 E", "3-"),
    ]


def test_a_thought_with_a_signature_is_over() -> None:
    """Another thought behind it is a block of its own, with a signature of its own."""
    sealed = thought(None, signature="c2ln")

    assert shown([thought("A"), sealed, thought("B", id="2")]) == [
        *("0+thinking", "0 A", "0 lsd1:deepseek:YzJsbg", "0-"),
        *("1+thinking", "1 B", "1 lsd1:deepseek:", "1-"),
    ]


def test_a_redacted_thought_is_whole_at_once() -> None:
    """It has nothing to be told in pieces."""
    hidden = thought(None, signature="AAEC", provider_type="aws_bedrock")

    start, stop = told([hidden])

    assert start["content_block"] == {
        "type": "redacted_thinking",
        "data": "lsd1:aws_bedrock:QUFFQw",
    }
    assert stop == {"type": "content_block_stop", "index": 0}


def test_a_signature_without_words_stands_before_its_call() -> None:
    """Gemini wants it back with the call."""
    signed = thought(None, signature="c2ln", provider_type="gcp_vertex_gemini")

    assert shown([signed, call("t", "{}", "f")]) == [
        *("0+thinking", "0 lsd1:gcp_vertex_gemini:YzJsbg", "0-"),
        *("1+tool_use", "1 {}", "1-"),
    ]


def test_summaries_are_shown_as_thoughts() -> None:
    """With a blank line between two of them."""

    def summary(identifier: str, piece: str) -> ThoughtChunk:
        return thought(None, summary_id=identifier, summary_text=piece, provider_type="openai")

    chunks = [summary("0", "A"), summary("0", "B"), summary("1", "C")]

    assert shown(chunks)[:-2] == ["0+thinking", "0 A", "0 B", "0 \n\nC"]


def test_a_call_without_arguments_has_an_empty_object() -> None:
    """Case 12: an empty text would spoil the next turn."""
    assert shown([call("t", name="f")]) == ["0+tool_use", "0 {}", "0-"]


def test_a_call_begins_when_its_name_is_known() -> None:
    """Some servers send it in pieces, or late."""
    start, *_ = told([call("t", name="re"), call("t", name="ad"), call("t", "{}")])

    assert start["content_block"] == {"type": "tool_use", "id": "t", "name": "read", "input": {}}


def test_arguments_wait_for_the_name() -> None:
    """Some servers send it late; no client takes a call without one."""
    pieces = [call("t", '{"a"'), call("t", ":1}"), call("u", "{}", name="g"), call("t", name="f")]

    start, first, _, second, *_ = told(pieces)

    assert start["content_block"] == {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    assert first["delta"]["partial_json"] == '{"a":1}'
    assert second["content_block"]["name"] == "g"


def test_calls_in_turn_are_told_as_they_come() -> None:
    """The second one does not wait for the end of the stream."""
    events = MessageEvents()
    events.content([call("a", '{"x":1}', "f")])

    second = events.content([call("b", '{"y":', "g")])

    assert [each["type"] for each in parsed(second)] == [
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
    ]
    assert events.calls_tools


def test_interleaved_calls_become_one_after_the_other() -> None:
    """Case 11: both are complete."""
    chunks = [
        call("a", name="f"),
        call("b", name="g"),
        call("a", '{"x":'),
        call("b", '{"y":'),
        call("a", "1}"),
        call("b", "2}"),
        text("done"),
    ]

    assert shown(chunks) == [
        *("0+tool_use", '0 {"x":', "0 1}", "0-"),
        *("1+tool_use", '1 {"y":', "1 2}", "1-"),
        *("2+text", "2 done", "2-"),
    ]


def test_an_unfinished_call_ends_with_the_stream() -> None:
    """What waited for it is told then."""
    chunks = [call("a", '{"x":', "f"), call("b", "{}", "g"), text("done"), call("b", " ")]

    assert shown(chunks) == [
        *("0+tool_use", '0 {"x":', "0-"),
        *("1+tool_use", "1 {}", "1  ", "1-"),
        *("2+text", "2 done", "2-"),
    ]


def test_a_closed_call_stays_closed() -> None:
    """More of it would begin a block that nobody could make sense of."""
    assert shown([call("a", "{}", "f"), text("A"), call("a", " ")]) == [
        *("0+tool_use", "0 {}", "0-"),
        *("1+text", "1 A", "1-"),
    ]


def test_blocks_of_others_are_left_out() -> None:
    """No client of this API knows them."""
    assert shown([text("A"), UnknownChunk(id="u", data={"type": "x"}), text("B")]) == [
        *("0+text", "0 A", "0 B", "0-")
    ]


def test_blocks_of_this_apis_own_kinds_may_be_kept() -> None:
    """Each is whole in its start."""
    events = MessageEvents(keeps_unknown=True)
    block = {"type": "server_tool_use", "id": "s", "input": {}}
    chunks: list[ContentChunk] = [text("A"), UnknownChunk(id="u", data=block), text("B", "2")]

    sent = parsed(events.content(chunks) + events.end())

    starts = [each for each in sent if each["type"] == "content_block_start"]
    assert [each["index"] for each in starts] == [0, 1, 2]
    assert starts[1]["content_block"] == block


def test_an_event_may_say_more() -> None:
    """At its top, behind what clients know."""
    last = message_delta(Ending(), Usage(), calls_tools=False, lsd_raw_usage=[])

    assert list(parsed(last)[0]) == ["type", "delta", "usage", "lsd_raw_usage"]
    assert parsed(PING) == [{"type": "ping"}]
    assert parsed(event("error", error={"type": "api_error"})) == [
        {"type": "error", "error": {"type": "api_error"}}
    ]


def test_a_line_separator_within_a_text_is_no_end_of_a_line() -> None:
    """Case 51: some readers of events would take it for one."""
    (_, delta, _) = told([text("a\u2028b\u2029c\x85d\n\ne")])

    assert delta["delta"]["text"] == "a\u2028b\u2029c\x85d\n\ne"


PIECES = st.text(max_size=3)
ARGUMENTS = st.sampled_from(["", "{}", '{"x":[1,2]}'])
MAKERS = st.sampled_from(["text", "thought", "call"])


@st.composite
def streams(draw: st.DrawFn) -> list[ContentChunk]:
    """Streams in which everything that a provider calls by one name stands together."""
    chunks: list[ContentChunk] = []
    for place, maker in enumerate(draw(st.lists(MAKERS, max_size=8))):
        identifier = str(place)
        if maker == "call":
            chunks.append(call(identifier, draw(ARGUMENTS), "f"))
            continue
        for piece in draw(st.lists(PIECES, max_size=3)):
            is_text = maker == "text"
            chunks.append(text(piece, identifier) if is_text else thought(piece, id=identifier))
    return chunks


def accumulated(data: bytes) -> dict[str, Any]:
    """What Anthropic's own client makes of a stream."""
    message: Any = None
    buffers: dict[int, bytes] = {}
    for document in parsed(data):
        if document["type"] != "ping":
            message = accumulate_event(
                event=EVENT.validate_python(document),
                current_snapshot=message,
                json_bufs=buffers,
            )
    made: dict[str, Any] = message.to_dict()
    assert made.pop("stop_details") is None
    return made


@given(streams())
def test_a_stream_adds_up_to_the_whole_answer(chunks: Sequence[ContentChunk]) -> None:
    """Cases 10 and 59: Anthropic's own client ends with what a plain request would have got."""
    usage = Usage(input_tokens=5, output_tokens=7, provider_cache_read_input_tokens=2)
    ending = Ending(finish_reason="stop")
    collector = ContentCollector()
    collector.add(list(chunks))
    events = MessageEvents()
    sent = message_start("msg_1", "m", usage) + events.content(chunks) + events.end()
    sent += message_delta(ending, usage, calls_tools=events.calls_tools) + STOP

    whole = message_body("msg_1", "m", collector.blocks(), usage, ending)

    assert accumulated(sent) == whole

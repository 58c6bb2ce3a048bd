"""A streamed answer on its way to the caller: provider chunks in, server-sent events out."""

from typing import Any

import pytest

from lsd.conversation import (
    AttemptFailed,
    ContentChunk,
    ModelChunk,
    StreamFault,
    TextChunk,
    ThoughtChunk,
    ToolCallChunk,
    UnknownChunk,
    Usage,
    decode_json,
)
from lsd.inference.chat_completion import answer_of as chat_answer
from lsd.inference.model_request import calls_are_text, model_request
from lsd.inference.replayed_stream import ReplayedStream
from lsd.inference.started_answer import StartedAnswer
from lsd.inference.stream_answer import END_OF_STREAM, KEEP_ALIVE, StreamAnswer
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import (
    DONE,
    breaks_after,
    chunk,
    event,
    fails,
    said,
    stream_of,
    streams,
    tool_chunk,
    usage_chunk,
)
from tests.unit.inference.gateway import PLAIN, Client, Gateway, attempt, request

CONFIG = """
[models.m]
routing = ["one", "two"]
providers.one = { type = "openai", model_name = "gpt-1" }
providers.two = { type = "openai", model_name = "gpt-2" }

[tools.page]
description = "Calls somebody"
parameters = "verdict.json"

[functions.chat]
type = "chat"
variants = { v.model = "m", w.model = "m" }

[functions.chat.experimentation]
type = "static"
candidate_variants = { v = 1.0 }
fallback_variants = ["w"]

[functions.helper]
type = "chat"
tools = ["page"]
variants.v.model = "m"

[functions.verdict]
type = "json"
output_schema = "verdict.json"
variants.v.model = "m"
"""

IDS = ("inference_id", "episode_id", "variant_name")


@pytest.fixture
async def gateway(start: StartGateway) -> Gateway:
    """A gateway with two providers."""
    return start(CONFIG)


def without_ids(events: list[Any]) -> list[Any]:
    """The events without what they all have."""
    return [{key: each[key] for key in each if key not in IDS} for each in events]


def text(piece: str, block: str = "0") -> dict[str, str]:
    """A piece of text as a caller sees it."""
    return {"type": "text", "id": block, "text": piece}


async def test_every_event_is_one_line_of_data(gateway: Gateway) -> None:
    """Compact JSON, a blank line, no other fields; the end mark comes last."""
    gateway["one"].will(streams("An old", " pond\n"))
    client = Client()

    await gateway.service.stream(request(stream=True), client.start)

    *events, last, rest = client.text.split("\n\n")
    assert (last, rest) == ("data: [DONE]", "")
    for each in events:
        assert each.startswith("data: {")
        assert "\n" not in each
        assert '": ' not in each
    assert END_OF_STREAM == b"data: [DONE]\n\n"
    assert KEEP_ALIVE.startswith(b":")


async def test_every_chunk_carries_the_same_ids(gateway: Gateway) -> None:
    """Whoever sees one chunk knows what it belongs to."""
    gateway["one"].will(streams("a", "b", "c"))

    events = await gateway.stream()

    assert len(events) == 4
    assert len({tuple(each[name] for name in IDS) for each in events}) == 1
    assert list(events[0])[:3] == list(IDS)


async def test_usage_and_finish_reason_are_told_once_at_the_end(gateway: Gateway) -> None:
    """Wherever the provider reports them; a chunk with nothing else is not passed on."""
    gateway["one"].will(
        stream_of(
            said("a"),
            usage_chunk({"prompt_tokens": 41, "completion_tokens": 1}),
            chunk({"content": "b"}, finish_reason="stop"),
            usage_chunk({"prompt_tokens": 41, "completion_tokens": 2}),
            DONE,
        )
    )

    events = without_ids(await gateway.stream())

    assert events == [
        {"content": [text("a")]},
        {"content": [text("b")]},
        {
            "content": [],
            "usage": {"input_tokens": 41, "output_tokens": 2, "cost": None},
            "finish_reason": "stop",
        },
    ]


async def test_the_final_chunk_is_always_there(gateway: Gateway) -> None:
    """Also without usage, without a reason, and after a break."""
    unknown = {"input_tokens": None, "output_tokens": None, "cost": None}
    gateway["one"].will(stream_of(said("a"), DONE), breaks_after("a"))

    good, broken = await gateway.stream(), await gateway.stream()

    assert without_ids(good)[1:] == [{"content": [], "usage": unknown}]
    assert without_ids(broken)[1:] == [
        {"error": "openai: stream ended early; the connection broke"},
        {"content": [], "usage": unknown},
    ]


async def test_a_fault_is_an_event_of_its_own(gateway: Gateway) -> None:
    """With the raw event for those who asked for raw events; the rest of the stream follows."""
    gateway["one"].will(
        stream_of(said("a"), event({"error": {"message": "ill"}}), said("b"), said("c"), DONE)
    )

    plain = without_ids(await gateway.stream())
    raw = without_ids(await gateway.stream(include_raw_response=True))

    told = "openai reported an error: ill"
    assert plain[:4] == [
        {"content": [text("a")]},
        {"error": told},
        {"content": [text("b")]},
        {"content": [text("c")]},
    ]
    assert raw[1] == {"error": told, "raw_chunk": '{"error":{"message":"ill"}}'}


async def test_a_json_function_streams_pieces_of_its_json(gateway: Gateway) -> None:
    """Thoughts are collected, not streamed; there is no parsed value."""
    gateway["one"].will(
        stream_of(
            chunk({"reasoning_content": "hm"}),
            said('{"urgent":'),
            said("true}"),
            chunk({}, finish_reason="stop"),
            DONE,
        )
    )

    events = without_ids(await gateway.stream(function_name="verdict"))

    assert [each["raw"] for each in events] == ['{"urgent":', "true}", ""]
    assert events[-1]["finish_reason"] == "stop"
    assert all("parsed" not in each and "content" not in each for each in events)


async def test_json_by_a_forced_tool_streams_its_arguments(gateway: Gateway) -> None:
    """The tool's name is not part of the JSON; in a chat the pieces are text."""
    gateway["one"].will(
        stream_of(
            tool_chunk(call_id="c", name="respond"),
            tool_chunk(arguments='{"urgent":'),
            tool_chunk(arguments="true}"),
            chunk({}, finish_reason="tool_calls"),
            DONE,
        )
    )
    mode = {"params": {"chat_completion": {"json_mode": "tool"}}}

    of_json = without_ids(await gateway.stream(function_name="verdict", **mode))
    of_chat = without_ids(await gateway.stream(output_schema={}, **mode))

    assert [each["raw"] for each in of_json] == ['{"urgent":', "true}", ""]
    pieces = [block for each in of_chat for block in each["content"]]
    assert {block["type"] for block in pieces} == {"text"}
    assert [block["text"] for block in pieces] == ['{"urgent":', "true}"]


async def test_tool_calls_are_streamed_in_pieces(gateway: Gateway) -> None:
    """The name in full or in parts, then the arguments; each piece once."""
    gateway["one"].will(
        stream_of(
            tool_chunk(call_id="c-1", name="pa"),
            tool_chunk(name="ge", arguments="{"),
            tool_chunk(arguments="}"),
            chunk({}, finish_reason="tool_calls"),
            DONE,
        )
    )

    events = await gateway.stream(function_name="helper", include_aggregated_response=True)

    pieces = [block for each in events for block in each["content"]]
    assert {block["id"] for block in pieces} == {"c-1"}
    assert "".join(block["raw_name"] for block in pieces) == "page"
    assert "".join(block["raw_arguments"] for block in pieces) == "{}"
    (call,) = events[-1]["aggregated_response"]
    assert (call["raw_name"], call["name"], call["raw_arguments"]) == ("page", "page", "{}")


async def test_the_whole_answer_can_be_had_at_the_end(gateway: Gateway) -> None:
    """For callers that stream for the eye, and want to keep the whole."""
    gateway["one"].will(streams("An old", " pond"), streams('{"urgent":', "true}"))

    chat = await gateway.stream(include_aggregated_response=True)
    json = await gateway.stream(include_aggregated_response=True, function_name="verdict")

    assert chat[-1]["aggregated_response"] == [{"type": "text", "text": "An old pond"}]
    assert json[-1]["aggregated_response"] == {
        "raw": '{"urgent":true}',
        "parsed": {"urgent": True},
    }
    assert all("aggregated_response" not in each for each in chat[:-1])


async def test_raw_events_stand_on_their_chunks(gateway: Gateway) -> None:
    """The provider's own text, and its usage on the chunk that carried it."""
    usage = {"prompt_tokens": 5}
    gateway["one"].will(stream_of(said("a"), usage_chunk(usage), DONE))

    events = without_ids(
        await gateway.stream(
            include_raw_response=True, include_original_response=True, include_raw_usage=True
        )
    )

    first, second, last = events
    assert decode_json(first["raw_chunk"])["choices"][0]["delta"] == {"content": "a"}
    assert first["original_chunk"] == first["raw_chunk"]
    assert "raw_usage" not in first
    assert second["content"] == []
    (entry,) = second["raw_usage"]
    assert entry["data"] == usage
    assert entry["provider_type"] == "openai"
    assert "raw_chunk" not in last


@pytest.mark.parametrize(
    ("flag", "field"),
    [
        ("include_raw_response", "raw_chunk"),
        ("include_original_response", "original_chunk"),
        ("include_raw_usage", "raw_usage"),
    ],
)
async def test_each_raw_part_has_its_own_flag(gateway: Gateway, flag: str, field: str) -> None:
    """Nothing comes that was not asked for."""
    gateway["one"].will(stream_of(said("a"), usage_chunk({"prompt_tokens": 5}), DONE))

    events = await gateway.stream(**{flag: True})

    shown = {key for each in events for key in each}
    assert shown == {*IDS, "content", "usage", field}


async def test_bodies_of_what_failed_stand_before_the_first_chunk(gateway: Gateway) -> None:
    """First those of failed variants, then those of failed attempts of this one."""
    gateway["one"].will(fails(400, "first"), fails(400, "third"))
    gateway["two"].will(fails(400, "second"), streams("a"))

    events = await gateway.stream(include_raw_response=True)

    of_variants, of_attempts, content, *_ = events
    assert {each["variant_name"] for each in events} == {"w"}
    assert of_variants["content"] == of_attempts["content"] == []
    told = [
        [decode_json(entry["data"])["error"]["message"] for entry in each["raw_response"]]
        for each in (of_variants, of_attempts)
    ]
    assert told == [["first", "second"], ["third"]]
    assert content["content"] == [text("a")]
    assert "raw_response" not in content


async def test_without_failures_nothing_stands_before_the_first_chunk(gateway: Gateway) -> None:
    """Chunks that would be empty are not sent."""
    gateway["one"].will(streams("a"))

    events = await gateway.stream(include_raw_response=True)

    assert events[0]["content"] == [text("a")]
    assert "raw_response" not in events[0]


def answer_of(gateway: Gateway, **fields: Any) -> StreamAnswer:
    """The writer of the events of a request."""
    asked = attempt(gateway, stream=True, **fields)
    call = asked.run.begin_call(asked.generation, asked.model, asked.provider, asked.request)
    read_as = model_request(asked.accepted, asked.generation)
    started = StartedAnswer(
        variant_name=call.variant_name,
        stream=ReplayedStream(call, asked.run, []),
        call=call,
        preceding=(),
        calls_as_text=calls_are_text(read_as),
        answer=lambda: chat_answer(asked.run, asked.accepted, read_as, call),
    )
    return StreamAnswer(asked.run, asked.accepted, started)


def shown(answer: StreamAnswer, *events: ModelChunk | StreamFault) -> list[Any]:
    """The events that a caller gets, decoded."""
    lines = answer.events(events).decode().split("\n\n")[:-1]
    return without_ids([decode_json(line.removeprefix("data: ")) for line in lines])


@pytest.mark.parametrize(
    ("piece", "told"),
    [
        (TextChunk(id="0", text="a"), text("a")),
        (
            ToolCallChunk(id="c", raw_arguments="{"),
            {"type": "tool_call", "id": "c", "raw_name": "", "raw_arguments": "{"},
        ),
        (
            ThoughtChunk(id="0", text="hm"),
            {
                "type": "thought",
                "id": "0",
                "text": "hm",
                "signature": None,
                "summary_id": None,
                "summary_text": None,
            },
        ),
        (
            ThoughtChunk(
                id="0",
                signature="s",
                summary_id="1",
                summary_text="t",
                provider_type="anthropic",
                extra_data={"a": 1},
            ),
            {
                "type": "thought",
                "id": "0",
                "text": None,
                "signature": "s",
                "summary_id": "1",
                "summary_text": "t",
                "provider_type": "anthropic",
                "extra_data": {"a": 1},
            },
        ),
        (
            UnknownChunk(id="9", data={"a": 1}),
            {"type": "unknown", "id": "9", "data": {"a": 1}},
        ),
        (
            UnknownChunk(id="9", data=None, model_name="m", provider_name="one"),
            {
                "type": "unknown",
                "id": "9",
                "data": None,
                "model_name": "m",
                "provider_name": "one",
            },
        ),
    ],
    ids=["text", "tool call", "thought", "signed thought", "unknown", "unknown of a provider"],
)
async def test_each_kind_of_piece_has_its_form(
    start: StartGateway, piece: ContentChunk, told: dict[str, Any]
) -> None:
    """Callers put the pieces together by type and id."""
    answer = answer_of(start(PLAIN))

    assert shown(answer, ModelChunk(content=[piece])) == [{"content": [told]}]


@pytest.mark.parametrize(
    "empty",
    [
        ModelChunk(),
        ModelChunk(usage=Usage(input_tokens=1), raw_usage={"a": 1}, raw="{}"),
        ModelChunk(finish_reason="stop"),
    ],
    ids=["nothing", "usage", "finish reason"],
)
async def test_a_chunk_left_empty_is_not_sent(start: StartGateway, empty: ModelChunk) -> None:
    """What was taken off it is told at the end."""
    assert shown(answer_of(start(PLAIN)), empty) == []


@pytest.mark.parametrize(
    "piece",
    [
        ThoughtChunk(id="0", text="hm"),
        UnknownChunk(id="0", data=1),
        ToolCallChunk(id="0", raw_name="respond"),
        TextChunk(id="0", text=""),
    ],
    ids=["thought", "unknown", "name of a tool", "empty text"],
)
async def test_a_json_stream_shows_json_only(start: StartGateway, piece: ContentChunk) -> None:
    """A chunk without a piece of it is not sent, unless its raw form was asked for."""
    gateway = start(PLAIN)
    chunk_of_it = ModelChunk(content=[piece], raw="{}")

    assert shown(answer_of(gateway, function_name="verdict"), chunk_of_it) == []
    assert shown(
        answer_of(gateway, function_name="verdict", include_raw_response=True), chunk_of_it
    ) == [{"raw": "", "raw_chunk": "{}"}]


async def test_what_arrived_together_leaves_together(start: StartGateway) -> None:
    """Several events are handed on in one piece, in their order."""
    fault = StreamFault(failure=AttemptFailed(kind="server", text="ill"), fatal=False)
    pieces = [ModelChunk(content=[TextChunk(id="0", text=each)]) for each in "ab"]

    events = shown(answer_of(start(PLAIN)), pieces[0], fault, pieces[1])

    assert events == [{"content": [text("a")]}, {"error": "ill"}, {"content": [text("b")]}]

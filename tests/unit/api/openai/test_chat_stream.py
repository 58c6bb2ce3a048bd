"""Streamed chat completions: one sequence of chunks, whatever it is made of."""

from typing import Any

import orjson
import pytest

from lsd.api.openai.chat_stream import ChatStream
from lsd.conversation import (
    AttemptFailed,
    ModelChunk,
    StreamEvent,
    StreamFault,
    Text,
    TextChunk,
    ThoughtChunk,
    ToolCall,
    ToolCallChunk,
    UnknownChunk,
    Usage,
)
from lsd.inference import ModelCall
from tests.unit.api.openai.replies import HEX, INFERENCE, model_call, reply

HEAD = {
    "id": f"chatcmpl-{HEX}",
    "object": "chat.completion.chunk",
    "created": 1769831945,
    "model": "fast",
    "service_tier": None,
    "system_fingerprint": None,
}
ANSWER: Any = None
"""What the writer is told at the end; the call has all of it."""


def stream_of(call: ModelCall, *, include_usage: bool = False, **flags: bool) -> ChatStream:
    """The writer for the answer of a call."""
    return ChatStream(reply=reply(call, **flags), model="fast", include_usage=include_usage)


def frames(text: bytes) -> list[Any]:
    """The frames, decoded; each is one line of data and a blank line."""
    *lines, rest = text.split(b"\n\n")
    assert rest == b""
    assert all(line.startswith(b"data: {") and b"\n" not in line for line in lines)
    return [orjson.loads(line.removeprefix(b"data: ")) for line in lines]


def written(*events: StreamEvent, call: ModelCall | None = None, **options: Any) -> list[Any]:
    """All frames of a good stream, but for its end mark."""
    stream = stream_of(call or model_call(Text(text="x")), **options)
    text = stream.opening() + b"".join(stream.events([event]) for event in events)
    return frames(text + stream.closing(ANSWER))


def deltas(*events: StreamEvent, **options: Any) -> list[Any]:
    """The deltas, without the finish, which is empty."""
    *made, last = (frame["choices"][0]["delta"] for frame in written(*events, **options))
    assert last == {}
    return made


def said(text: str, **fields: Any) -> ModelChunk:
    """A piece of text."""
    return ModelChunk(content=[TextChunk(id="0", text=text)], **fields)


def told(delta: Any, **fields: Any) -> dict[str, Any]:
    """The document of a chunk from a provider of OpenAI's kind."""
    return {
        "id": "theirs",
        "choices": [{"index": 0, "delta": delta, "finish_reason": None}],
        **fields,
    }


def test_the_sequence_of_a_text() -> None:
    """Case 9: the role, the pieces, the reason; nobody has asked for usage."""
    role, first, second, finish = written(said("Let me "), said("look."))

    assert role == {
        **HEAD,
        "choices": [
            {
                "index": 0,
                "delta": {"role": "assistant", "content": "", "refusal": None},
                "logprobs": None,
                "finish_reason": None,
            }
        ],
    }
    assert [each["choices"][0]["delta"] for each in (first, second)] == [
        {"content": "Let me "},
        {"content": "look."},
    ]
    assert finish["choices"] == [
        {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}
    ]


def test_usage_comes_last_if_it_was_asked_for() -> None:
    """Case 9: in a chunk of its own; all others have null."""
    *chunks, last = written(said("a"), include_usage=True)

    assert all(chunk["usage"] is None and chunk["choices"] for chunk in chunks)
    assert last == {
        **HEAD,
        "choices": [],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
    }


def test_usage_that_nobody_knows_is_left_out() -> None:
    """Case 31."""
    made = written(said("a"), include_usage=True, call=model_call(usage=Usage()))

    assert len(made) == 3
    assert all(chunk["choices"] for chunk in made)


def test_tools_are_called_in_pieces() -> None:
    """The text has its end before; the first chunk has no text then."""
    call = model_call(ToolCall(id="c", name="f", arguments="{}"))

    made = deltas(
        ModelChunk(content=[ToolCallChunk(id="c", raw_name="f")]),
        ModelChunk(content=[ToolCallChunk(id="c", raw_arguments="{}")]),
        call=call,
    )

    assert made[0] == {"role": "assistant", "content": None, "refusal": None}
    assert [each["tool_calls"][0]["index"] for each in made[1:]] == [0, 0]
    assert made[2] == {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}


def test_a_call_without_arguments_comes_whole_at_the_end() -> None:
    """Case 12; its reason is the call."""
    call = model_call(ToolCall(id="c", name="f", arguments=""), finish_reason="stop")

    made = written(said("a"), ModelChunk(content=[ToolCallChunk(id="c", raw_name="f")]), call=call)

    assert made[-2]["choices"][0]["delta"]["tool_calls"] == [
        {"index": 0, "function": {"arguments": "{}"}}
    ]
    assert made[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_text_behind_a_name_ends_it() -> None:
    """The order of what the model did is kept."""
    made = deltas(ModelChunk(content=[ToolCallChunk(id="c", raw_name="f")]), said("b"))

    assert [sorted(each) for each in made] == [
        ["content", "refusal", "role"],
        ["tool_calls"],
        ["content"],
        ["tool_calls"],
    ]


def test_thoughts_come_before_what_follows_from_them() -> None:
    """With the signature at the call that it belongs to."""
    thought = ThoughtChunk(id="0", signature="g", provider_type="gcp_vertex_gemini")

    made = deltas(
        ModelChunk(content=[ThoughtChunk(id="1", text="hm", provider_type="xai")]),
        ModelChunk(content=[thought, ToolCallChunk(id="c", raw_name="f", raw_arguments="{}")]),
        said("a"),
    )

    assert made[1]["reasoning_content"] == "hm"
    assert made[2]["reasoning_details"][0]["data"] == "g"
    assert made[3]["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "g"}}
    assert "extra_content" not in made[4]["tool_calls"][0]


def test_what_has_no_place_is_left_out() -> None:
    """Blocks of other providers' own kinds, empty texts, and chunks that only count."""
    made = deltas(
        ModelChunk(content=[UnknownChunk(id="u", data={})]), said(""), ModelChunk(), said("a")
    )

    assert made[1:] == [{"content": "a"}]


def test_an_answer_without_anything_has_a_role() -> None:
    """And a reason."""
    (role, finish) = written(call=model_call(finish_reason="content_filter"))

    assert role["choices"][0]["delta"] == {"role": "assistant", "content": None, "refusal": None}
    assert finish["choices"][0]["finish_reason"] == "content_filter"


def test_silence_is_filled_with_an_empty_delta() -> None:
    """Case 37: no comment, which some clients choke on; the first one has the role."""
    stream = stream_of(model_call(), include_usage=True)

    (first,) = frames(stream.keep_alive)
    (frame,) = frames(stream.keep_alive)
    (text,) = frames(stream.events([said("a")]))

    assert first["choices"][0]["delta"] == {"role": "assistant", "content": None, "refusal": None}
    assert text["choices"][0]["delta"] == {"content": "a"}
    assert frame["choices"] == [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": None}]
    assert frame["usage"] is None


def test_an_error_is_the_end() -> None:
    """Case 7: what came before it is told; no reason, no mark, nothing."""
    stream = stream_of(model_call())
    fault = StreamFault(failure=AttemptFailed(kind="server", text="oops", status=529), fatal=False)

    _, text, error = frames(stream.events([said("a"), fault, said("b")]))

    assert stream.is_broken_off
    assert text["choices"][0]["delta"] == {"content": "a"}
    assert error == {
        "error": {
            "message": "oops [provider box]",
            "type": "server_error",
            "param": None,
            "code": "overloaded",
        }
    }


def relayed(*documents: Any, **fields: Any) -> list[Any]:
    """The frames for chunks of a provider of OpenAI's kind, each with the text of its delta."""
    events = []
    for document in documents:
        delta = document["choices"][0]["delta"] if document.get("choices") else {}
        text = delta.get("content") or delta.get("refusal")
        content: list[Any] = [TextChunk(id="0", text=text)] if text else []
        events.append(ModelChunk(content=content, document=document))
    return written(*events, call=model_call(is_relayed=True, **fields))


def test_an_answer_of_the_same_kind_keeps_what_is_its_own() -> None:
    """Tier and fingerprint are the same everywhere; numbers would be added up."""
    logprobs = {"content": [{"token": "a"}]}
    first = told({"content": "a", "annotations": [{"x": 1}], "n": 3, "on": True}, obfuscation="x")
    first |= {"service_tier": "flex", "system_fingerprint": "fp"}
    first["choices"][0]["logprobs"] = logprobs

    role, text, finish = relayed(first, told({}, citations=["u"]))

    assert {each["service_tier"] for each in (role, text, finish)} == {"flex"}
    assert {each["system_fingerprint"] for each in (role, text, finish)} == {"fp"}
    assert text["choices"][0]["delta"] == {"content": "a"}
    assert text["choices"][0]["logprobs"] == logprobs
    assert text["obfuscation"] == "x"
    assert finish["citations"] == ["u"]
    assert {each["id"] for each in (role, text, finish)} == {HEAD["id"]}


def test_arrays_of_the_same_kind_get_indexes() -> None:
    """Clients raise without them."""
    _, text, _ = relayed(told({"content": "a", "sources": [{"x": 1}, "s"], "reasoning": "hm"}))

    assert text["choices"][0]["delta"] == {
        "content": "a",
        "sources": [{"index": 0, "x": 1}, "s"],
        "reasoning": "hm",
    }


def test_details_of_the_same_kind_go_on_as_they_are() -> None:
    """LSD adds none of its own."""
    details = [{"type": "reasoning.text", "text": "hm", "index": 0}]
    thought = ThoughtChunk(id="0", text="hm", provider_type="openrouter")
    document = told({"reasoning": "hm", "reasoning_details": details})

    made = deltas(
        ModelChunk(content=[thought], document=document), call=model_call(is_relayed=True)
    )

    assert made[1] == {
        "reasoning_content": "hm",
        "reasoning_details": details,
        "reasoning": "hm",
    }


def test_a_refusal_of_the_same_kind_is_no_content() -> None:
    """The neutral form of it is text."""
    role, text, _ = relayed(told({"refusal": "no"}))

    assert role["choices"][0]["delta"]["content"] is None
    assert text["choices"][0]["delta"] == {"refusal": "no"}


def test_calls_of_the_same_kind_keep_their_fields() -> None:
    """Trap 29: signatures of Gemini's behind an API like OpenAI's."""
    item = {"index": 0, "id": "c", "extra_content": {"google": {"thought_signature": "g"}}}
    chunk = ModelChunk(
        content=[ToolCallChunk(id="c", raw_name="f", raw_arguments="{}")],
        document=told({"tool_calls": [item]}),
    )

    made = deltas(chunk, call=model_call(is_relayed=True))

    assert made[1]["tool_calls"][0]["extra_content"] == item["extra_content"]


def test_who_asks_in_the_legacy_way_is_answered_in_it() -> None:
    """The call stands in its old place only."""
    piece = {"name": "f", "arguments": ""}
    chunk = ModelChunk(
        content=[ToolCallChunk(id="c", raw_name="f")], document=told({"function_call": piece})
    )

    made = deltas(chunk, call=model_call(is_relayed=True))

    assert made[1] == {"function_call": piece}


@pytest.mark.parametrize("include_usage", [False, True])
def test_raw_texts_stand_in_the_last_frame(include_usage: bool) -> None:
    """For those who ask for them."""
    call = model_call(raw_response="raw", raw_usage={"n": 1})

    *others, last = written(
        said("a"),
        call=call,
        include_usage=include_usage,
        include_raw_response=True,
        include_raw_usage=True,
    )

    (raw,) = last["lsd_raw_response"]
    assert (raw["data"], raw["provider_type"]) == ("raw", "openai")
    assert [each["data"] for each in last["lsd_raw_usage"]] == [{"n": 1}]
    assert not any("lsd_raw_response" in each for each in others)


def test_ids_of_records_and_requests_are_one() -> None:
    """Case 35."""
    assert HEAD["id"] == "chatcmpl-" + INFERENCE.replace("-", "")

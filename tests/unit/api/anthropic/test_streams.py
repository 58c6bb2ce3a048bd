"""Streamed answers to Messages requests, event by event."""

from types import SimpleNamespace
from typing import Any

import attrs
import orjson
import pytest

from lsd.api.anthropic.streams import Message, writer_of
from lsd.conversation import (
    AttemptFailed,
    ChatCompletionParams,
    ModelChunk,
    ModelRequest,
    ModelResponse,
    StreamFault,
    TextChunk,
    Usage,
)
from lsd.inference import ModelCall, StreamWriter
from lsd.inference.journal import Journal

INFERENCE_ID = "0195a6c2-f3d1-7b4a-9c0e-5f1122334455"
MESSAGE_ID = "msg_0195a6c2f3d17b4a9c0e5f1122334455"
START = {"type": "message_start", "message": {"id": "msg_theirs", "usage": {"input_tokens": 9}}}
DELTA = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}}


@attrs.define
class FakeRun:
    """The parts of a run that answers tell of."""

    inference_id: str
    journal: Journal


@attrs.define
class FakeReply:
    """One call, as the service tells of it."""

    call: ModelCall
    accepted: Any

    @property
    def run(self) -> FakeRun:
        """The run of this call alone."""
        return FakeRun(INFERENCE_ID, Journal([self.call]))


OF_ANSWER = ("usage", "raw_usage", "finish_reason", "stop_sequence")


def call(**fields: Any) -> ModelCall:
    """A call of a provider; `fields` are its own or those of its answer."""
    params = ChatCompletionParams(stop_sequences=("END",))
    answered = {name: fields.pop(name) for name in OF_ANSWER if name in fields}
    return ModelCall(
        **{
            "id": "c-1",
            "variant_name": "m",
            "model_name": "m",
            "provider_name": "one",
            "provider_type": "vllm",
            "api_type": "chat_completions",
            "request": ModelRequest(messages=(), params=params),
            "started_at": 0.0,
            "status": "ok",
            "answer": ModelResponse((), **answered),
            **fields,
        }
    )


def writer(made: ModelCall, **fields: Any) -> StreamWriter:
    """What words the answer of a call."""
    request = SimpleNamespace(
        **{"include_raw_response": False, "include_raw_usage": False, **fields}
    )
    reply: Any = FakeReply(made, SimpleNamespace(request=request))
    return writer_of(Message(reply=reply, model="coder", estimate=6))


def parsed(data: bytes) -> list[dict[str, Any]]:
    """The documents of events."""
    return [orjson.loads(frame.split("data: ")[1]) for frame in data.decode().split("\n\n")[:-1]]


def raw(document: dict[str, Any]) -> ModelChunk:
    """An event of a provider that speaks this language itself."""
    return ModelChunk(raw=orjson.dumps(document).decode(), document=document)


ANY_ANSWER: Any = None


def test_a_translated_stream() -> None:
    """The counts at its end are the provider's, and the record's id is the message's."""
    made = call(
        usage=Usage(input_tokens=5, output_tokens=2), finish_reason="stop", stop_sequence="END"
    )
    words = writer(made)

    start, ping = parsed(words.opening())
    block, delta = parsed(words.events([ModelChunk(content=[TextChunk(id="0", text="Hi")])]))
    stop, last = parsed(words.closing(ANY_ANSWER))

    assert (start["message"]["id"], start["message"]["model"]) == (MESSAGE_ID, "coder")
    assert start["message"]["usage"]["input_tokens"] == 5
    assert [each["type"] for each in (ping, block, stop)] == [
        "ping",
        "content_block_start",
        "content_block_stop",
    ]
    assert delta["delta"]["text"] == "Hi"
    assert last["delta"] == {"stop_reason": "stop_sequence", "stop_sequence": "END"}
    assert last["usage"]["output_tokens"] == 2
    assert words.end_mark == b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


def test_a_stop_sequence_that_nobody_asked_for_is_none() -> None:
    """Some servers name the token that ends every answer."""
    words = writer(call(finish_reason="stop", stop_sequence="<|eot|>"))
    words.opening()

    (last,) = parsed(words.closing(ANY_ANSWER))

    assert last["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}


def test_before_anybody_has_counted_an_estimate_is_told() -> None:
    """Agents shorten their conversation by this number, and 0 would tell them not to."""
    start, _ = parsed(writer(call()).opening())

    assert start["message"]["usage"]["input_tokens"] == 6


def test_what_was_at_hand_has_cost_nothing() -> None:
    """Case 32: all counts are 0."""
    made = call(cached=True, is_relayed=True, usage=Usage(input_tokens=5, output_tokens=2))
    words = writer(made)

    start, _ = parsed(words.opening())
    (last,) = parsed(words.closing(ANY_ANSWER))

    assert start["message"]["usage"]["input_tokens"] == 0
    assert set(last["usage"].values()) == {0}


def test_a_relayed_stream() -> None:
    """One to one, but for the names; the end comes when the record is safe."""
    words = writer(call(is_relayed=True))
    unknown = {"type": "yet_to_come", "z": 1}
    events = [raw(START), raw(unknown), raw(DELTA), raw({"type": "message_stop"})]

    assert words.opening() == b""
    start, *others = parsed(words.events(events))

    message = start["message"]
    assert (message["id"], message["model"]) == (MESSAGE_ID, "coder")
    assert message["usage"]["cache_read_input_tokens"] == 0
    assert others == [unknown, DELTA]
    assert words.closing(ANY_ANSWER) == b""


@pytest.mark.parametrize("is_relayed", [False, True])
def test_raw_words_stand_in_the_last_but_one_event(is_relayed: bool) -> None:
    """Where all of them are known."""
    made = call(is_relayed=is_relayed, raw_response="{}", raw_usage={"n": 1})
    words = writer(made, include_raw_response=True, include_raw_usage=True)
    words.opening()

    sent = parsed(words.events([raw(START), raw(DELTA)])) if is_relayed else []
    (last,) = parsed(words.closing(ANY_ANSWER))

    assert [each["type"] for each in sent] == (["message_start"] if is_relayed else [])
    assert last["type"] == "message_delta"
    told = {"model_inference_id": "c-1", "provider_type": "vllm", "api_type": "chat_completions"}
    assert last["lsd_raw_response"] == [{**told, "data": "{}"}]
    assert last["lsd_raw_usage"] == [{**told, "data": {"n": 1}}]


@pytest.mark.parametrize("is_relayed", [False, True])
@pytest.mark.parametrize("fatal", [False, True])
def test_nothing_follows_an_error(is_relayed: bool, fatal: bool) -> None:
    """Case 7: what came before it is told, and the error in its own words."""
    failure = AttemptFailed(kind="server", status=529, text="x", message="Overloaded")
    words = writer(call(is_relayed=is_relayed))
    words.opening()
    first = ModelChunk(
        content=[TextChunk(id="0", text="Hi")], raw='{"type":"a"}', document={"type": "a"}
    )

    sent = words.events([first, StreamFault(failure=failure, fatal=fatal), first])

    *before, error = parsed(sent)
    assert words.is_broken_off
    assert len(before) == (1 if is_relayed else 2)
    assert error == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Overloaded [provider one]"},
        "request_id": "req_" + MESSAGE_ID.removeprefix("msg_"),
    }

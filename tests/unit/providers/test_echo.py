"""The offline provider as others see it: a dialect, and a server that is none."""

from typing import Any

import pytest

from lsd.config import EchoProvider
from lsd.conversation import (
    NO_EDITS,
    AttemptFailed,
    BodyEdit,
    Edits,
    HeaderEdit,
    ModelChunk,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ProviderTool,
    ScriptedAnswer,
    StreamFault,
    Text,
    ToolSet,
    UrlFile,
    Usage,
    decode_json,
)
from lsd.providers import Dialect
from lsd.providers.echo import EchoDialect


def dialect(**keys: Any) -> EchoDialect:
    """The dialect of an entry with these keys."""
    return EchoDialect(EchoProvider(**keys), provider_name="box")


def asking(text: str, *, stream: bool = False) -> ModelRequest:
    """One user message."""
    message = ModelMessage(role="user", content=(Text(text=text),))
    return ModelRequest(messages=(message,), stream=stream)


def play(echo: EchoDialect, request: ModelRequest) -> ScriptedAnswer:
    """What the provider sends."""
    return echo.play(echo.encode(request, {}, NO_EDITS))


def body_of(answer: ScriptedAnswer) -> bytes:
    """All of its bytes."""
    return b"".join(piece for _, piece in answer.pieces)


def test_it_is_a_dialect_without_a_key() -> None:
    """Other rooms use it as any dialect."""
    echo: Dialect = dialect()

    assert (echo.provider_type, echo.api_type) == ("echo", "other")
    assert echo.forwards(UrlFile(url="https://example.com/a.png"))


def test_a_request_is_answered_by_itself() -> None:
    """Encoded, played and decoded, a text comes back with its usage."""
    echo = dialect()

    request = echo.encode(asking("An old silent pond"), {}, NO_EDITS)
    answer = echo.play(request)
    response = echo.decode(answer.status, {}, body_of(answer))

    assert request.url == "echo://echo"
    assert answer.pieces[0][0] == 0
    assert response == ModelResponse(
        output=(Text(text="An old silent pond"),),
        usage=Usage(input_tokens=5, output_tokens=5),
        raw_usage={"input_tokens": 5, "output_tokens": 5},
        finish_reason="stop",
        document=decode_json(body_of(answer)),
    )


def test_equal_requests_get_equal_bytes() -> None:
    """Nothing in an answer depends on time or chance."""
    first, again = (play(dialect(), asking("hi", stream=True)) for _ in range(2))

    assert first == again


def test_edits_change_only_what_is_shown() -> None:
    """Extra body and headers are seen in the raw request; the answer is as without them."""
    echo = dialect(model_name="a/b")
    edits = Edits(
        body=(BodyEdit(pointer="/messages", delete=True), BodyEdit(pointer="/x", value=1)),
        headers=(HeaderEdit(name="X-Team", value="blue"),),
    )

    request = echo.encode(asking("hi"), {}, edits)
    answer = echo.play(request)

    assert request.url == "echo://a%2Fb"
    assert request.headers["X-Team"] == "blue"
    assert decode_json(request.body) == {"model": "a/b", "x": 1}
    assert decode_json(body_of(answer))["content"] == [{"type": "text", "text": "hi"}]


def test_a_stream_comes_with_its_pauses() -> None:
    """The first chunk waits for `delay_ms`, each further one for `chunk_delay_ms`."""
    echo = dialect(delay_ms=50, chunk_delay_ms=20)

    answer = play(echo, asking("An old pond", stream=True))
    decoder = echo.stream_decoder(answer.status, answer.headers)
    events = [event for _, piece in answer.pieces for event in decoder.feed(piece)]

    assert [wait_ms for wait_ms, _ in answer.pieces] == [50, 20, 20, 20]
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert decoder.ended
    assert all(isinstance(event, ModelChunk) for event in events)
    assert len(events) == 4


def test_a_whole_answer_waits_once() -> None:
    """Without a stream only `delay_ms` counts."""
    answer = play(dialect(delay_ms=50, chunk_delay_ms=20), asking("An old pond"))

    assert [wait_ms for wait_ms, _ in answer.pieces] == [50]


def test_statuses_are_a_script_that_repeats() -> None:
    """Call n gets entry n, around and around; each entry of the routing counts for itself."""
    echo = dialect(statuses=(503, 200, 0))

    answers = [play(echo, asking("hi")) for _ in range(6)]

    assert [answer.status for answer in answers] == [503, 200, 0, 503, 200, 0]
    assert [answer.dropped for answer in answers] == [False, False, True] * 2
    assert play(dialect(statuses=(503, 200)), asking("hi")).status == 503


def test_a_dropped_call_waits_before_it_breaks() -> None:
    """A drop comes where the answer would have come."""
    answer = play(dialect(statuses=(0,), delay_ms=30), asking("hi"))

    assert answer.pieces == ((30, b""),)


@pytest.mark.parametrize(
    ("rate", "calls", "failing"),
    [
        (0, 20, []),
        (1, 3, [1, 2, 3]),
        (0.25, 9, [4, 8]),
        (0.4, 10, [3, 5, 8, 10]),
    ],
)
def test_failures_are_spread_evenly(rate: float, calls: int, failing: list[int]) -> None:
    """Case 71: a rate of a quarter fails each fourth call, not a quarter of them by chance."""
    echo = dialect(fail_rate=rate)

    statuses = [play(echo, asking("hi")).status for _ in range(calls)]

    assert [number for number, status in enumerate(statuses, 1) if status == 503] == failing
    assert set(statuses) <= {200, 503}


def test_a_rate_is_taken_as_it_is_written() -> None:
    """Of a hundred calls at 0.29 exactly 29 fail, whatever binary numbers make of it."""
    echo = dialect(fail_rate=0.29)

    statuses = [play(echo, asking("hi")).status for _ in range(100)]

    assert statuses.count(503) == 29


@pytest.mark.parametrize("stream", [False, True])
def test_a_scripted_failure_reads_like_any_other(stream: bool) -> None:
    """Its text, its status and its kind are those of a real provider's error."""
    echo = dialect(statuses=(429,))

    answer = play(echo, asking("hi", stream=stream))
    body = body_of(answer)
    decoder = echo.stream_decoder(answer.status, {})
    decoder.feed(body)
    with pytest.raises(AttemptFailed) as caught:
        decoder.finish(cut=False) if stream else echo.decode(answer.status, {}, body)

    assert body == b'{"error":{"message":"echo: scripted 429"}}'
    assert str(caught.value) == "echo returned HTTP 429: echo: scripted 429"
    assert caught.value.kind == "rate_limited"


def test_a_reply_that_cannot_be_rendered_is_the_requests_fault() -> None:
    """A template's error is an answer of status 400 that names it; no retry would help."""
    echo = dialect(reply="{{ txet }}")

    answer = play(echo, asking("hi"))

    assert answer.status == 400
    assert "echo: reply: undefined value" in decode_json(body_of(answer))["error"]["message"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"content":[1],"usage":{}}'])
def test_an_answer_of_another_shape_is_undecodable(body: bytes) -> None:
    """Bytes that `play` did not write are told, not believed."""
    with pytest.raises(AttemptFailed) as caught:
        dialect().decode(200, {}, body)

    assert caught.value.kind == "malformed"


def test_a_broken_stream_is_a_fatal_fault() -> None:
    """A stream cut before its end is told as such."""
    decoder = dialect().stream_decoder(200, {})

    (fault,) = decoder.finish(cut=True)

    assert isinstance(fault, StreamFault)
    assert str(fault.failure) == "echo: stream ended too early; the connection broke"


def test_provider_tools_are_refused() -> None:
    """A tool that only some provider knows cannot run here; nothing is sent."""
    tools = ToolSet(provider_tools=(ProviderTool(tool={"type": "web_search"}),))

    with pytest.raises(AttemptFailed, match='provider "box" got 1 of provider_tools') as caught:
        dialect().encode(ModelRequest(messages=(), tools=tools), {}, NO_EDITS)

    assert caught.value.kind == "config"

"""OpenAI's own Python library against a running daemon, whatever stands behind it."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import openai
import orjson
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.api.openai_asking import HI, LANES, LOOK, at_rest, configuration
from tests.fakes import anthropic_scripts, openai_scripts
from tests.fakes.openai_scripts import answers
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Fin, Script

Answer = Callable[[RecordedRequest], Script]

IMAGE = "data:image/png;base64,iVBORw0KGgo="


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A gateway with models for each lane."""
    return start_shared(configuration(shared_provider))


@pytest.fixture
def upstream(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """The providers, with nothing asked of them yet."""
    return at_rest(shared_provider)


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Iterator[OpenAI]:
    """The library as anybody would set it up, but for its retries."""
    with OpenAI(base_url=f"{gateway.url}/openai/v1", api_key="any", max_retries=0) as made:
        yield made


def calls(upstream: FakeProviderThread, name: str, arguments: dict[str, Any]) -> None:
    """Either provider calls a tool, and answers when it has the result."""
    block = {"type": "tool_use", "id": "call_1", "name": name, "input": arguments}
    asked = {
        "gpt": openai_scripts.tool_call(name, arguments),
        "claude": anthropic_scripts.gives([block], stop_reason="tool_use"),
    }
    done = {
        "gpt": openai_scripts.says("It is cold."),
        "claude": anthropic_scripts.says("It is cold."),
    }

    def script_of(lane: str) -> Answer:
        def answer(request: RecordedRequest) -> Script:
            has_result = b'"tool_result"' in request.body or b'"role":"tool"' in request.body
            return (done if has_result else asked)[lane](request)

        return answer

    for lane in LANES:
        upstream.will(lane, script_of(lane))


@pytest.mark.parametrize("model", LANES)
def test_a_plain_answer(client: OpenAI, upstream: FakeProviderThread, model: str) -> None:
    """Text, reason, usage and ids are where the library looks for them."""
    answer = client.chat.completions.create(model=model, messages=HI)

    (choice,) = answer.choices
    assert choice.message.content == "An old pond"
    assert choice.message.role == "assistant"
    assert choice.finish_reason == "stop"
    assert answer.model == model
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.id.removeprefix("chatcmpl-") == (answer._request_id or "").removeprefix("req_")


@pytest.mark.parametrize("model", LANES)
def test_a_streamed_answer(client: OpenAI, upstream: FakeProviderThread, model: str) -> None:
    """Chunks, as those see them who read them one by one."""
    stream = client.chat.completions.create(
        model=model, messages=HI, stream=True, stream_options={"include_usage": True}
    )

    *chunks, last = list(stream)

    texts = [chunk.choices[0].delta.content or "" for chunk in chunks]
    assert "".join(texts) == "An old pond"
    assert len([text for text in texts if text]) == 3
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason]
    assert last.choices == []
    assert last.usage is not None


@pytest.mark.parametrize("model", LANES)
def test_the_streaming_helper(client: OpenAI, upstream: FakeProviderThread, model: str) -> None:
    """Case 10: what it puts together is the answer, with one role."""
    with client.chat.completions.stream(
        model=model, messages=HI, stream_options={"include_usage": True}
    ) as stream:
        kinds = {event.type for event in stream}
        answer = stream.get_final_completion()

    assert {"chunk", "content.delta", "content.done"} <= kinds
    (choice,) = answer.choices
    assert choice.message.role == "assistant"
    assert choice.message.content == "An old pond"
    assert choice.finish_reason == "stop"
    assert answer.usage is not None


@pytest.mark.parametrize("model", LANES)
@pytest.mark.parametrize("streams", [False, True], ids=["plain", "streamed"])
def test_a_loop_of_tools(
    client: OpenAI, upstream: FakeProviderThread, model: str, streams: bool
) -> None:
    """The model asks for a tool, is told its result, and answers."""
    calls(upstream, "look", {"z": 1, "a": "é"})
    messages: list[Any] = list(HI)
    tools: Any = [LOOK]

    for _ in range(2):
        if streams:
            with client.chat.completions.stream(
                model=model, messages=messages, tools=tools
            ) as stream:
                said: Any = stream.get_final_completion().choices[0]
        else:
            said = client.chat.completions.create(
                model=model, messages=messages, tools=tools
            ).choices[0]
        if said.finish_reason != "tool_calls":
            break
        (call,) = said.message.tool_calls
        assert (call.id, call.function.name) == ("call_1", "look")
        assert orjson.loads(call.function.arguments) == {"z": 1, "a": "é"}
        messages.append(said.message)
        messages.append({"role": "tool", "tool_call_id": call.id, "content": "4 °C"})

    assert said.message.content == "It is cold."
    assert b"4 \xc2\xb0C" in upstream.requests[-1].body


class Weather(BaseModel):
    """What the model is to fill in."""

    city: str
    degrees: int


@pytest.mark.parametrize("model", LANES)
def test_structured_output(client: OpenAI, upstream: FakeProviderThread, model: str) -> None:
    """Case 55: the library's schema reaches the provider, and its parser reads the answer."""
    text = '{"city":"Oslo","degrees":4}'
    upstream.will("gpt", openai_scripts.says(text))
    upstream.will("claude", anthropic_scripts.says(text))

    parsed = client.chat.completions.parse(model=model, messages=HI, response_format=Weather)
    with client.chat.completions.stream(
        model=model, messages=HI, response_format=Weather
    ) as stream:
        streamed = stream.get_final_completion()

    assert parsed.choices[0].message.parsed == Weather(city="Oslo", degrees=4)
    assert streamed.choices[0].message.parsed == Weather(city="Oslo", degrees=4)
    body = upstream.requests[0].json()
    wanted = (
        body["response_format"]["json_schema"]
        if model == "gpt"
        else body["output_config"]["format"]
    )
    assert wanted["schema"]["required"] == ["city", "degrees"]


@pytest.mark.parametrize("model", LANES)
def test_tools_parsed_by_the_library(
    client: OpenAI, upstream: FakeProviderThread, model: str
) -> None:
    """It makes the tool of a class, and the class of the call."""
    calls(upstream, "Weather", {"city": "Oslo", "degrees": 4})

    parsed = client.chat.completions.parse(
        model=model, messages=HI, tools=[openai.pydantic_function_tool(Weather)]
    )

    (call,) = parsed.choices[0].message.tool_calls or ()
    assert call.function.parsed_arguments == Weather(city="Oslo", degrees=4)


@pytest.mark.parametrize("model", LANES)
async def test_async(gateway: Gateway, upstream: FakeProviderThread, model: str) -> None:
    """The asynchronous library; it runs in a loop of its own, which is not trio's."""
    import anyio.to_thread  # noqa: PLC0415 (only this test leaves trio)

    async def ask() -> tuple[str | None, str]:
        async with AsyncOpenAI(
            base_url=f"{gateway.url}/openai/v1", api_key="any", max_retries=0
        ) as client:
            whole = await client.chat.completions.create(model=model, messages=HI)
            pieces = [
                chunk.choices[0].delta.content or ""
                async for chunk in await client.chat.completions.create(
                    model=model, messages=HI, stream=True
                )
            ]
        return whole.choices[0].message.content, "".join(pieces)

    def run() -> tuple[str | None, str]:
        import asyncio  # noqa: PLC0415 (as above)

        return asyncio.run(ask())

    assert await anyio.to_thread.run_sync(run) == ("An old pond", "An old pond")


def test_thoughts_come_back(client: OpenAI, upstream: FakeProviderThread) -> None:
    """Signed by who had them: what the library has put together goes back as it is."""
    thought = {"type": "thinking", "thinking": "Need the pond.", "signature": "c2ln"}
    said = [thought, {"type": "text", "text": "An old pond"}]
    upstream.will("claude", anthropic_scripts.gives(said))

    with client.chat.completions.stream(model="claude", messages=HI) as stream:
        message: Any = stream.get_final_completion().choices[0].message
    messages: Any = [*HI, message.to_dict(), *HI]
    client.chat.completions.create(model="claude", messages=messages)

    assert message.reasoning_content == "Need the pond."
    turn = upstream.requests[-1].json()["messages"][1]
    assert turn["content"] == said


def test_a_picture_reaches_the_other_kind_of_provider(
    client: OpenAI, upstream: FakeProviderThread
) -> None:
    """In its own form."""
    content: Any = [{"type": "image_url", "image_url": {"url": IMAGE}}]

    client.chat.completions.create(model="claude", messages=[{"role": "user", "content": content}])

    (part,) = upstream.requests[0].json()["messages"][0]["content"]
    assert part == {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
    }


def test_models_are_listed(client: OpenAI) -> None:
    """And found by their names, however they are written."""
    names = [model.id for model in client.models.list()]

    assert names[:2] == ["gpt", "claude"]
    assert client.models.retrieve("of/all").id == "of/all"
    assert client.models.retrieve("openai::gpt-x").owned_by == "openai"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("absent")


def test_extension_fields_go_as_extra_body(
    gateway: Gateway, client: OpenAI, upstream: FakeProviderThread
) -> None:
    """Tags reach the record, whose id is in a header and in the body."""
    raw = client.chat.completions.with_raw_response.create(
        model="gpt",
        messages=HI,
        extra_body={"lsd::tags": {"team": "a"}},
        extra_headers={"x-lsd-tags": "team=b,job=c%2Cd"},
    )

    record = gateway.stored(raw.headers["x-lsd-inference-id"])
    assert record is not None
    assert record["tags"] == {"team": "a", "job": "c,d", "lsd::api": "openai.chat_completions"}
    assert record["inference_id"].replace("-", "") == raw.parse().id.removeprefix("chatcmpl-")


FAILURES: list[tuple[int, Any, type[openai.APIStatusError], int]] = [
    (400, {"message": "bad", "param": "top_p", "code": "odd"}, openai.BadRequestError, 400),
    (422, {"message": "bad"}, openai.BadRequestError, 400),
    (401, {"message": "no"}, openai.InternalServerError, 502),
    (403, {"message": "no"}, openai.InternalServerError, 502),
    (404, {"message": "no"}, openai.InternalServerError, 502),
    (429, {"message": "slow"}, openai.RateLimitError, 429),
    (429, {"message": "pay", "code": "insufficient_quota"}, openai.RateLimitError, 429),
    (500, {"message": "oops"}, openai.InternalServerError, 502),
    (503, {"message": "busy"}, openai.InternalServerError, 503),
    (529, {"message": "busy"}, openai.InternalServerError, 503),
]


@pytest.mark.parametrize(("status", "error", "raised", "told"), FAILURES)
@pytest.mark.parametrize("model", LANES)
def test_each_failure_raises_its_own_exception(
    client: OpenAI,
    upstream: FakeProviderThread,
    model: str,
    status: int,
    error: dict[str, Any],
    raised: type[openai.APIStatusError],
    told: int,
) -> None:
    """A provider's refusal of the gateway's key never looks like one of the client's."""
    for lane in LANES:
        upstream.will(lane, answers({"error": error}, status=status))

    with pytest.raises(raised) as caught:
        client.chat.completions.create(model=model, messages=HI)

    assert type(caught.value) is raised
    assert caught.value.status_code == told
    assert caught.value.message.startswith(f"Error code: {told} - ")
    assert error["message"] in caught.value.message
    assert (caught.value.request_id or "").startswith("req_")
    hopeless = status in (401, 403) or error.get("code") == "insufficient_quota"
    assert caught.value.response.headers.get("x-should-retry") == ("false" if hopeless else None)


def test_a_providers_own_words_for_a_mistake(client: OpenAI, upstream: FakeProviderThread) -> None:
    """Its `param` and `code` are passed on."""
    error = {"message": "too hot", "param": "temperature", "code": "too_hot"}
    upstream.will("gpt", answers({"error": error}, status=400))

    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="gpt", messages=HI)

    assert (caught.value.param, caught.value.code) == ("temperature", "too_hot")


def test_how_long_to_wait_is_handed_on(client: OpenAI, upstream: FakeProviderThread) -> None:
    """In whole seconds and in milliseconds."""
    error = {"error": {"message": "slow"}}
    upstream.will("gpt", answers(error, status=429, headers={"retry-after": "7"}))

    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="gpt", messages=HI)

    headers = caught.value.response.headers
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("7", "7000")


def test_the_library_tries_again_where_that_helps(
    gateway: Gateway, upstream: FakeProviderThread
) -> None:
    """As long as it was told to wait, and not where it was told that it is no use."""
    slow = answers({"error": {"message": "slow"}}, status=429, headers={"retry-after-ms": "20"})
    scripts = iter([slow, openai_scripts.completes({"role": "assistant", "content": "now"})])
    upstream.will("gpt", lambda request: next(scripts))

    with OpenAI(base_url=f"{gateway.url}/openai/v1", api_key="any", max_retries=2) as patient:
        answer = patient.chat.completions.create(model="gpt", messages=HI)
        upstream.will("gpt", answers({"error": {"message": "no"}}, status=401))
        upstream.forget()
        with pytest.raises(openai.InternalServerError):
            patient.chat.completions.create(model="gpt", messages=HI)

    assert answer.choices[0].message.content == "now"
    assert len(upstream.requests) == 1


def test_an_unknown_model(client: OpenAI) -> None:
    """Case 1."""
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="absent", messages=HI)

    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize("model", LANES)
def test_a_stream_that_is_cut(client: OpenAI, upstream: FakeProviderThread, model: str) -> None:
    """Cases 7 and 8: the library raises after what had arrived, which is not the end."""
    cut = openai_scripts.cut_after(2)
    upstream.will("gpt", cut)
    begun = anthropic_scripts.streams(
        anthropic_scripts.opened([{"type": "text", "text": "An old pond"}])
    )
    upstream.will("claude", Script((*begun.steps, Fin())))
    texts: list[str] = []

    def read() -> None:
        for chunk in client.chat.completions.create(model=model, messages=HI, stream=True):
            texts.append(chunk.choices[0].delta.content or "")  # noqa: PERF401 (until it raises)

    with pytest.raises(openai.APIError) as caught:
        read()

    assert "An old" in "".join(texts)
    assert caught.value.code == "upstream_error"


def test_a_body_that_is_too_large(client: OpenAI) -> None:
    """Told before it is read to its end."""
    large: Any = [{"role": "user", "content": "x" * 4_000_000}]

    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model="gpt", messages=large)

    assert caught.value.status_code == 413
    assert caught.value.code == "request_too_large"


def test_a_foreign_page_is_refused(client: OpenAI) -> None:
    """A browser sends its origin."""
    with pytest.raises(openai.PermissionDeniedError) as caught:
        client.chat.completions.create(
            model="gpt", messages=HI, extra_headers={"origin": "https://evil.example"}
        )

    assert caught.value.status_code == 403


def test_nobody_listens() -> None:
    """The library's own error, for completeness."""
    with (
        OpenAI(
            base_url="http://127.0.0.1:9/openai/v1",
            api_key="any",
            max_retries=0,
            http_client=httpx.Client(trust_env=False),
        ) as nobody,
        pytest.raises(openai.APIConnectionError),
    ):
        nobody.chat.completions.create(model="gpt", messages=HI)

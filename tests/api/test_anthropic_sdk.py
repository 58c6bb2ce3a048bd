"""Anthropic's own Python library against a running daemon, whatever stands behind it."""

from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import httpx
import orjson
import pytest
from anthropic import Anthropic, AsyncAnthropic, beta_tool
from pydantic import BaseModel

from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.api.test_api_keys import new_key
from tests.fakes import anthropic_scripts, openai_scripts
from tests.fakes.openai_scripts import answers
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Fin, Script

LANES = ("claude", "gpt")
"""The models behind the daemon: one that speaks the client's language, and one that does not."""

HI: Any = [{"role": "user", "content": "Hi"}]
IMAGE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
}

Answer = Callable[[RecordedRequest], Script]


def says(text: str) -> dict[str, Answer]:
    """What each model says, plain or streamed as it is asked."""
    return {"claude": anthropic_scripts.says(text), "gpt": openai_scripts.says(text)}


def calls(name: str, arguments: dict[str, Any]) -> dict[str, Answer]:
    """The call of a tool by each model."""
    block = {"type": "tool_use", "id": "call_1", "name": name, "input": arguments}
    return {
        "claude": anthropic_scripts.gives([block], stop_reason="tool_use"),
        "gpt": openai_scripts.tool_call(name, arguments),
    }


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A gateway with one model for each lane."""
    config = f"""
        [models.claude]
        routing = ["one"]
        [models.claude.providers.one]
        type = "anthropic"
        model_name = "claude-haiku-4-5"
        api_key_location = "none"
        api_base = "{shared_provider.url("claude")}"

        [models.gpt]
        routing = ["one"]
        [models.gpt.providers.one]
        type = "openai"
        model_name = "gpt-1"
        api_key_location = "none"
        api_base = "{shared_provider.url("gpt")}"
    """
    return start_shared(config)


@pytest.fixture
def upstream(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """Both providers, with nothing asked of them yet."""
    shared_provider.forget()
    return shared_provider


def will(upstream: FakeProviderThread, scripts: dict[str, Answer]) -> None:
    """Tells both providers what to answer."""
    for name, answer in scripts.items():
        upstream.will(name, answer)


@pytest.fixture
def client(gateway: Gateway) -> Iterator[Anthropic]:
    """The library as its users make it, but for retries."""
    url = f"{gateway.url}/anthropic"
    with Anthropic(api_key="any", base_url=url, max_retries=0) as client:
        yield client


def async_client(gateway: Gateway) -> AsyncAnthropic:
    """The same for programs that are async."""
    return AsyncAnthropic(api_key="any", base_url=f"{gateway.url}/anthropic", max_retries=0)


@pytest.mark.parametrize("model", LANES)
def test_a_plain_answer(client: Anthropic, upstream: FakeProviderThread, model: str) -> None:
    """Every field that the library has types for is of its type."""
    will(upstream, says("An old pond"))

    message = client.messages.create(model=model, max_tokens=64, messages=HI, system="Be brief.")

    assert message.content[0].type == "text"
    assert message.content[0].text == "An old pond"
    assert (message.model, message.stop_reason) == (model, "end_turn")
    assert message.usage.output_tokens > 0
    assert message._request_id is not None
    assert message._request_id.removeprefix("req_") == message.id.removeprefix("msg_")


@pytest.mark.parametrize("model", LANES)
def test_a_streamed_answer(client: Anthropic, upstream: FakeProviderThread, model: str) -> None:
    """The helper's final message is what a plain request would have got."""
    will(upstream, says("An old silent pond"))
    request: Any = {"model": model, "max_tokens": 64, "messages": HI}

    with client.messages.stream(**request) as stream:
        texts = list(stream.text_stream)
        streamed = stream.get_final_message()
    plain = client.messages.create(**request)

    assert texts == ["An ", "old ", "silent ", "pond"]
    assert without_identity(streamed) == without_identity(plain)


def without_identity(message: Any) -> dict[str, Any]:
    """A message without what only one request has."""
    fields: dict[str, Any] = message.to_dict()
    for name in ("id", "stop_details", "parsed_output"):
        fields.pop(name, None)
    for block in fields["content"]:
        block.pop("parsed_output", None)
    return fields


@pytest.mark.parametrize("model", LANES)
def test_raw_events(client: Anthropic, upstream: FakeProviderThread, model: str) -> None:
    """Each is one that the library knows."""
    will(upstream, calls("look", {"path": "a.py"}))
    tool: Any = {"name": "look", "input_schema": {"type": "object"}}

    events = list(
        client.messages.create(model=model, max_tokens=64, messages=HI, tools=[tool], stream=True)
    )

    kinds = [event.type for event in events if event.type != "content_block_delta"]
    assert kinds == [
        "message_start",
        "content_block_start",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    pieces = [
        event.delta.partial_json
        for event in events
        if event.type == "content_block_delta" and event.delta.type == "input_json_delta"
    ]
    assert orjson.loads("".join(pieces)) == {"path": "a.py"}


@pytest.mark.parametrize("model", LANES)
async def test_async(gateway: Gateway, upstream: FakeProviderThread, model: str) -> None:
    """The async half of the library is another program."""
    will(upstream, says("An old pond"))
    request: Any = {"model": model, "max_tokens": 64, "messages": HI}

    async with async_client(gateway) as client:
        message = await client.messages.create(**request)
        async with client.messages.stream(**request) as stream:
            texts = [text async for text in stream.text_stream]

    assert message.content[0].type == "text"
    assert message.content[0].text == "".join(texts) == "An old pond"


@beta_tool
def look(path: str) -> str:
    """Looks at a file."""
    return f"{path} is empty"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", LANES)
def test_the_tool_runner(
    client: Anthropic, upstream: FakeProviderThread, model: str, stream: bool
) -> None:
    """Case 60: as it comes; the last request holds the whole conversation."""
    first, second = calls("look", {"path": "a.py"})[model], says("It is empty.")[model]
    upstream.will(model, lambda request: (second if has_result(request) else first)(request))

    runner: Any = client.beta.messages.tool_runner(
        model=model,
        max_tokens=64,
        messages=[{"role": "user", "content": "Look at a.py"}],
        tools=[look],
        stream=stream,
    )
    messages = [step.get_final_message() if stream else step for step in runner]

    assert messages[-1].content[0].text == "It is empty."
    sent = upstream.requests[-1].json()
    assert [message["role"] for message in sent["messages"]][0:2] == ["user", "assistant"]
    assert b"a.py is empty" in upstream.requests[-1].body
    assert "look" in str(sent["tools"])


def has_result(request: RecordedRequest) -> bool:
    """Whether a tool has given something back already."""
    return b"tool_result" in request.body or b'"role":"tool"' in request.body


class Verdict(BaseModel):
    """What the model has to fill in."""

    urgent: bool


@pytest.mark.parametrize("model", LANES)
def test_structured_output(client: Anthropic, upstream: FakeProviderThread, model: str) -> None:
    """Case 55: the schema reaches the provider in its own words, and the answer is parsed."""
    will(upstream, says('{"urgent":true}'))

    message = client.messages.parse(model=model, max_tokens=64, messages=HI, output_format=Verdict)
    with client.messages.stream(
        model=model, max_tokens=64, messages=HI, output_format=Verdict
    ) as stream:
        streamed = stream.get_final_message()

    assert message.parsed_output == streamed.parsed_output == Verdict(urgent=True)
    sent = upstream.requests[0].json()
    wanted = (
        sent["output_config"]["format"]
        if model == "claude"
        else sent["response_format"]["json_schema"]
    )
    assert wanted["schema"]["properties"]["urgent"]["type"] == "boolean"
    assert model == "claude" or (wanted["name"], wanted["strict"]) == ("response", True)


@pytest.mark.parametrize("model", LANES)
def test_thoughts(client: Anthropic, upstream: FakeProviderThread, model: str) -> None:
    """They are shown with a signature, streamed or not, and may be sent back."""
    thought = {"type": "thinking", "thinking": "Need it.", "signature": "c2ln"}
    claude = anthropic_scripts.gives([thought, {"type": "text", "text": "Yes."}])
    upstream.will("claude", claude)
    upstream.will("gpt", thinks("Need it.", "Yes."))
    request: Any = {
        "model": model,
        "max_tokens": 4096,
        "messages": HI,
        "thinking": {"type": "enabled", "budget_tokens": 2048},
    }

    with client.messages.stream(**request) as stream:
        streamed = stream.get_final_message()
    plain = client.messages.create(**request)

    assert without_identity(streamed)["content"] == without_identity(plain)["content"]
    shown = plain.content[0]
    assert shown.type == "thinking"
    signature = "c2ln" if model == "claude" else "lsd1:openai:"
    assert (shown.thinking, shown.signature) == ("Need it.", signature)
    sent = upstream.requests[0].json()
    assert sent["thinking" if model == "claude" else "reasoning_effort"] in (
        request["thinking"],
        "low",
    )
    more = [*HI, {"role": "assistant", "content": plain.content}, *HI]
    assert client.messages.create(**{**request, "messages": more}).content


def thinks(thought: str, text: str) -> Answer:
    """A model of OpenAI's kind that shows what it thinks."""

    def answer(request: RecordedRequest) -> Script:
        if request.json().get("stream"):
            deltas = [{"reasoning_content": thought}, {"content": text}]
            last = openai_scripts.chunk({}, finish_reason="stop", usage=openai_scripts.USAGE)
            return openai_scripts.events([*map(openai_scripts.chunk, deltas), last])
        message = {"role": "assistant", "content": text, "reasoning_content": thought}
        return openai_scripts.completes(message)

    return answer


def test_a_picture_reaches_the_other_kind_of_provider(
    client: Anthropic, upstream: FakeProviderThread
) -> None:
    """In a message, and in the result of a tool."""
    will(upstream, says("A pond."))
    call = {"type": "tool_use", "id": "c1", "name": "look", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "c1", "content": [IMAGE]}
    messages: Any = [
        {"role": "user", "content": [{"type": "text", "text": "What is it?"}, IMAGE]},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]

    client.messages.create(model="gpt", max_tokens=64, messages=messages)

    first, _, tool, last = upstream.requests[0].json()["messages"]
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    assert first["content"] == [{"type": "text", "text": "What is it?"}, part]
    assert tool["content"] == "[attachment 1 follows]"
    assert last == {"role": "user", "content": [part]}


def test_tokens_are_counted(client: Anthropic, upstream: FakeProviderThread) -> None:
    """By the provider that can, else roughly; nobody is asked for an answer."""
    upstream.will("claude", answers({"input_tokens": 12}))

    counted = client.messages.count_tokens(model="claude", messages=HI, system="Be brief.")
    estimated = client.messages.count_tokens(model="gpt", messages=HI)

    assert (counted.input_tokens, estimated.input_tokens) == (12, 5)
    (request,) = upstream.requests
    assert request.path.endswith("/messages/count_tokens")
    assert request.json()["model"] == "claude-haiku-4-5"


def test_models_are_listed(client: Anthropic) -> None:
    """Page after page, as the library turns them by itself."""
    names = [model.id for model in client.models.list(limit=1)]

    assert names == ["claude", "gpt"]
    assert client.models.retrieve("gpt").display_name == "gpt"
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("nope")


FAILURES: list[tuple[int, str, str, type[anthropic.APIStatusError], int]] = [
    (400, "invalid_request_error", "bad", anthropic.BadRequestError, 400),
    (413, "request_too_large", "too large", anthropic.RequestTooLargeError, 413),
    (429, "rate_limit_error", "slow down", anthropic.RateLimitError, 429),
    (500, "api_error", "oops", anthropic.InternalServerError, 502),
    (401, "authentication_error", "bad key", anthropic.InternalServerError, 502),
    (403, "permission_error", "not allowed", anthropic.InternalServerError, 502),
    (404, "not_found_error", "no model", anthropic.InternalServerError, 502),
    (504, "timeout_error", "too slow", anthropic.InternalServerError, 502),
    (529, "overloaded_error", "Overloaded", anthropic.OverloadedError, 529),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", LANES)
@pytest.mark.parametrize("row", FAILURES, ids=lambda row: str(row[0]))
def test_each_failure_raises_its_own_exception(
    client: Anthropic, upstream: FakeProviderThread, row: Any, model: str, stream: bool
) -> None:
    """Case 36: also where a stream was asked for. Nobody is told to sign in again."""
    status, kind, message, raised, seen = row
    error = {"type": kind, "message": message}
    upstream.will(model, answers({"type": "error", "error": error}, status=status))

    with pytest.raises(raised) as caught:
        client.messages.create(model=model, max_tokens=64, messages=HI, stream=stream)

    assert caught.value.status_code == seen
    assert caught.value.response.headers["content-type"] == "application/json"
    assert f"{message} [provider one]" in str(caught.value.body)


def test_how_long_to_wait_is_handed_on(client: Anthropic, upstream: FakeProviderThread) -> None:
    """The library waits by itself."""
    body = {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}
    upstream.will("claude", answers(body, status=429, headers={"retry-after": "7"}))

    with pytest.raises(anthropic.RateLimitError) as caught:
        client.messages.create(model="claude", max_tokens=64, messages=HI)

    headers = caught.value.response.headers
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("7", "7000")


def test_an_unknown_model(client: Anthropic) -> None:
    """Case 1: what the library calls not found."""
    with pytest.raises(anthropic.NotFoundError, match="nope"):
        client.messages.create(model="nope", max_tokens=64, messages=HI)


CUT: dict[str, Script] = {
    "claude": Script(
        (
            *anthropic_scripts.streams(
                anthropic_scripts.opened([{"type": "text", "text": "An old pond"}])[:2]
            ).steps,
            Fin(),
        )
    ),
    "gpt": openai_scripts.cut_after(1),
}


@pytest.mark.parametrize("model", LANES)
def test_a_stream_that_is_cut(client: Anthropic, upstream: FakeProviderThread, model: str) -> None:
    """Case 8: half an answer is an error, of the class that a broken provider has."""
    upstream.will(model, CUT[model])

    with (
        pytest.raises(anthropic.APIStatusError) as caught,
        client.messages.stream(model=model, max_tokens=64, messages=HI) as stream,
    ):
        list(stream)

    assert caught.value.body["error"]["type"] == "api_error"  # type: ignore[index]
    assert "stream ended early" in caught.value.body["error"]["message"]  # type: ignore[index]


def test_an_overload_in_the_middle_of_a_stream(
    client: Anthropic, upstream: FakeProviderThread
) -> None:
    """Case 7: the type says what it was."""
    begun = anthropic_scripts.opened([{"type": "text", "text": "An old pond"}])[:3]
    events = [*begun, anthropic_scripts.error("overloaded_error", "Overloaded")]
    upstream.will("claude", anthropic_scripts.streams(events))

    with (
        pytest.raises(anthropic.APIStatusError) as caught,
        client.messages.stream(model="claude", max_tokens=64, messages=HI) as stream,
    ):
        list(stream)

    assert caught.value.body["error"]["type"] == "overloaded_error"  # type: ignore[index]


def test_a_body_that_is_too_large(
    start_gateway: StartGateway,
) -> None:
    """413, in the words of the API."""
    gateway = start_gateway(
        """
        [gateway]
        max_request_bytes = 2000
        [models.m]
        routing = ["one"]
        providers.one = { type = "echo" }
        """
    )
    with (
        Anthropic(api_key="any", base_url=f"{gateway.url}/anthropic", max_retries=0) as client,
        pytest.raises(anthropic.RequestTooLargeError),
    ):
        client.messages.create(model="m", max_tokens=9, messages=HI, system="x" * 3000)


def test_a_foreign_page_is_refused(gateway: Gateway) -> None:
    """403, in the words of the API."""
    with (
        Anthropic(
            api_key="any",
            base_url=f"{gateway.url}/anthropic",
            max_retries=0,
            default_headers={"origin": "https://evil.example"},
        ) as client,
        pytest.raises(anthropic.PermissionDeniedError),
    ):
        client.messages.create(model="gpt", max_tokens=9, messages=HI)


def test_a_key_that_is_none(start_gateway: StartGateway) -> None:
    """401, in the words of the API; a good key opens, as the library sends it."""
    gateway = start_gateway("[gateway]\nauth.enabled = true\n")
    options: Any = {"base_url": f"{gateway.url}/anthropic", "max_retries": 0}
    request: Any = {"model": "echo::x", "max_tokens": 9, "messages": HI}

    with (
        Anthropic(api_key="sk-ant-any", **options) as stranger,
        pytest.raises(anthropic.AuthenticationError),
    ):
        stranger.messages.create(**request)
    with Anthropic(api_key=new_key(gateway), **options) as known:
        assert known.messages.create(**request).content


def test_nothing_listens(gateway: Gateway) -> None:
    """The library's own word for it; so the daemon never looks like a network fault."""
    with (
        Anthropic(
            api_key="any",
            base_url="http://127.0.0.1:9",
            max_retries=0,
            timeout=httpx.Timeout(5).read,
        ) as client,
        pytest.raises(anthropic.APIConnectionError),
    ):
        client.messages.create(model="gpt", max_tokens=9, messages=HI)

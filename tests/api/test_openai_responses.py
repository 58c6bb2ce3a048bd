"""Responses against a running daemon, by OpenAI's own Python library, whatever stands behind it."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import openai
import orjson
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from lsd.conversation import parse_id
from tests.api.anthropic_asking import model
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.api.openai_asking import LANES, at_rest, configuration, refusal, sent
from tests.fakes import anthropic_scripts, openai_scripts, responses_scripts
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Fin, Script

PATH = "/openai/v1/responses"

LOOK: Any = {
    "type": "function",
    "name": "look",
    "description": "Looks",
    "parameters": {"type": "object", "properties": {"at": {"type": "string"}}},
    "strict": False,
}


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A gateway with models for each lane, and one that speaks this very API."""
    address = shared_provider.url("responses")
    same = model("responses", ("one", "openai", address), more='api_type = "responses"')
    return start_shared(f"{same}\n{configuration(shared_provider)}")


@pytest.fixture
def upstream(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """The providers, with nothing asked of them yet."""
    return at_rest(shared_provider)


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Iterator[OpenAI]:
    """The library as anybody would set it up, but for its retries."""
    with OpenAI(base_url=f"{gateway.url}/openai/v1", api_key="any", max_retries=0) as made:
        yield made


def frames(response: httpx.Response) -> list[dict[str, Any]]:
    """The events of a stream; each says in both places what it is, and counts."""
    assert response.status_code == 200, response.text
    *events, rest = response.text.split("\n\n")
    assert rest == ""
    made = []
    for place, event in enumerate(events):
        name, data = event.split("\n")
        decoded = orjson.loads(data.removeprefix("data: "))
        assert decoded["type"] == name.removeprefix("event: ")
        assert decoded["sequence_number"] == place
        made.append(decoded)
    return made


def calls(upstream: FakeProviderThread) -> None:
    """Either provider looks first, and answers when it has seen."""
    block = {"type": "tool_use", "id": "call_1", "name": "look", "input": {"at": "pond"}}
    asked: dict[str, Callable[[RecordedRequest], Script]] = {
        "gpt": openai_scripts.tool_call("look", {"at": "pond"}),
        "claude": anthropic_scripts.gives([block], stop_reason="tool_use"),
    }
    done = {
        "gpt": openai_scripts.says("A frog."),
        "claude": anthropic_scripts.says("A frog."),
    }

    def script_of(lane: str) -> Callable[[RecordedRequest], Script]:
        def answer(request: RecordedRequest) -> Script:
            has_result = b'"tool_result"' in request.body or b'"role":"tool"' in request.body
            return (done if has_result else asked)[lane](request)

        return answer

    for lane in LANES:
        upstream.will(lane, script_of(lane))


@pytest.mark.parametrize("name", LANES)
def test_a_plain_answer(client: OpenAI, upstream: FakeProviderThread, name: str) -> None:
    """Text, status, usage and ids are where the library looks for them."""
    answer = client.responses.create(model=name, input="Hi", instructions="Be brief.")

    assert answer.output_text == "An old pond"
    assert answer.status == "completed"
    assert answer.model == name
    assert answer.instructions == "Be brief."
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert answer.id.removeprefix("resp_") == (answer._request_id or "").removeprefix("req_")


@pytest.mark.parametrize("name", LANES)
def test_a_streamed_answer(gateway: Gateway, upstream: FakeProviderThread, name: str) -> None:
    """The order of events is always the same, and the last one holds the whole answer."""
    body = {"model": name, "input": "Hi", "stream": True}
    events = frames(gateway.client.post(PATH, json=body))

    kinds = [event["type"].removeprefix("response.") for event in events]
    assert kinds == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    last = events[-1]["response"]
    assert last["output"] == [events[-2]["item"]]
    assert last["output"][0]["content"][0]["text"] == "An old pond"
    assert last["id"] == events[0]["response"]["id"]
    assert last["usage"]["output_tokens"] > 0


@pytest.mark.parametrize("name", LANES)
def test_the_streaming_helper(client: OpenAI, upstream: FakeProviderThread, name: str) -> None:
    """What it puts together is the answer."""
    with client.responses.stream(model=name, input="Hi") as stream:
        texts = [event.delta for event in stream if event.type == "response.output_text.delta"]
        answer = stream.get_final_response()

    assert "".join(texts) == answer.output_text == "An old pond"


@pytest.mark.parametrize("name", LANES)
async def test_the_asynchronous_client(
    gateway: Gateway, upstream: FakeProviderThread, name: str
) -> None:
    """The same, streamed."""
    async with AsyncOpenAI(base_url=f"{gateway.url}/openai/v1", api_key="any") as client:
        stream = await client.responses.create(model=name, input="Hi", stream=True)
        kinds = [event.type async for event in stream]

    assert kinds[-1] == "response.completed"


@pytest.mark.parametrize("name", LANES)
@pytest.mark.parametrize("streams", [False, True], ids=["plain", "streamed"])
def test_a_loop_of_tools(
    client: OpenAI, upstream: FakeProviderThread, name: str, streams: bool
) -> None:
    """What was put out goes in again as it is, with the results behind it."""
    calls(upstream)
    items: list[Any] = [{"role": "user", "content": "What is there?"}]

    def ask() -> Any:
        if not streams:
            return client.responses.create(model=name, input=items, tools=[LOOK])
        with client.responses.stream(model=name, input=items, tools=[LOOK]) as stream:
            return stream.get_final_response()

    first = ask()
    (call,) = first.output
    assert (call.type, call.name) == ("function_call", "look")
    assert orjson.loads(call.arguments) == {"at": "pond"}
    items += [call.to_dict(), result(call.call_id)]
    assert ask().output_text == "A frog."


def result(call_id: str) -> dict[str, Any]:
    """What the tool has seen."""
    return {"type": "function_call_output", "call_id": call_id, "output": "a frog"}


class Sight(BaseModel):
    """What the model is to tell."""

    animal: str
    count: int


@pytest.mark.parametrize("name", LANES)
def test_structured_output(client: OpenAI, upstream: FakeProviderThread, name: str) -> None:
    """The helper that parses asks for a schema, and finds what fits it."""
    text = '{"animal": "frog", "count": 1}'
    upstream.will("gpt", openai_scripts.says(text))
    upstream.will("claude", anthropic_scripts.says(text))

    answer = client.responses.parse(model=name, input="Tell.", text_format=Sight)

    assert answer.output_parsed == Sight(animal="frog", count=1)
    assert b'"additionalProperties":false' in upstream.requests[0].body


def test_thoughts_come_back_as_they_were(client: OpenAI, upstream: FakeProviderThread) -> None:
    """Claude is sent its own signed thought again, by a client that knows nothing of it."""
    thought = {"type": "thinking", "thinking": "A pond, hm.", "signature": "c2ln"}
    said = {"type": "text", "text": "An old pond"}
    upstream.will("claude", anthropic_scripts.gives([thought, said]))
    with client.responses.stream(model="claude", input="Hi") as stream:
        answer = stream.get_final_response()

    reasoning, _ = answer.output
    assert reasoning.type == "reasoning"
    assert [part.text for part in reasoning.summary] == ["A pond, hm."]
    upstream.forget()
    items = [{"role": "user", "content": "Hi"}, *(item.to_dict() for item in answer.output)]
    again: Any = [*items, {"role": "user", "content": "Go on."}]
    client.responses.create(model="claude", input=again)
    assert sent(upstream)["messages"][1]["content"][0] == thought
    upstream.forget()
    client.responses.create(model="gpt", input=again)
    assert b"c2ln" not in upstream.requests[0].body


def test_what_was_cut_is_incomplete(client: OpenAI, upstream: FakeProviderThread) -> None:
    """Plain and streamed alike."""
    said = {"type": "text", "text": "An old"}
    upstream.will("claude", anthropic_scripts.gives([said], stop_reason="max_tokens"))

    plain = client.responses.create(model="claude", input="Hi", max_output_tokens=16)
    stream = client.responses.create(model="claude", input="Hi", max_output_tokens=16, stream=True)

    assert plain.status == "incomplete"
    assert plain.incomplete_details is not None
    assert plain.incomplete_details.reason == "max_output_tokens"
    last = list(stream)[-1]
    assert last.type == "response.incomplete"
    assert last.response.output_text == "An old"


@pytest.mark.parametrize("name", LANES)
def test_a_stream_that_is_cut_off_fails(
    client: OpenAI, upstream: FakeProviderThread, name: str
) -> None:
    """Its last event says so: without any, clients would ask again and again."""
    upstream.will("gpt", openai_scripts.cut_after(2))
    begun = anthropic_scripts.streams(
        anthropic_scripts.opened([{"type": "text", "text": "An old pond"}])
    )
    upstream.will("claude", Script((*begun.steps, Fin())))

    events = list(client.responses.create(model=name, input="Hi", stream=True))

    last = events[-1]
    assert last.type == "response.failed"
    assert last.response.status == "failed"
    assert last.response.error is not None
    assert last.response.error.message


def test_failures_have_their_classes(client: OpenAI, upstream: FakeProviderThread) -> None:
    """The same as those of chat completions."""
    upstream.will("gpt", openai_scripts.fails(429, {"message": "slow down"}, {"retry-after": "7"}))
    with pytest.raises(openai.RateLimitError) as limited:
        client.responses.create(model="gpt", input="Hi")
    assert limited.value.response.headers["retry-after"] == "7"
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model="absent", input="Hi")
    with pytest.raises(openai.BadRequestError) as bad:
        client.responses.create(model="gpt", input="Hi", previous_response_id="resp_1")
    assert bad.value.param == "previous_response_id"


def test_what_a_coding_agent_asks(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Tools of its own beside those of OpenAI, sealed thoughts, a key for the prompt cache."""
    body = {
        "model": "claude",
        "instructions": "You are an agent.",
        "input": [
            {"type": "message", "role": "developer", "content": [part("Be careful.")]},
            {"type": "message", "role": "user", "content": [part("Look around.")]},
        ],
        "tools": [LOOK, {"type": "web_search"}],
        "tool_choice": "auto",
        "parallel_tool_calls": False,
        "reasoning": {"effort": "medium", "summary": "auto"},
        "store": False,
        "stream": True,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "k",
        "text": {"verbosity": "low"},
    }

    response = gateway.client.post(PATH, json=body)

    assert frames(response)[-1]["type"] == "response.completed"
    assert response.headers["x-lsd-ignored"].split(",")[0] == "tools"
    asked = sent(upstream)
    assert [tool["name"] for tool in asked["tools"]] == ["look"]
    assert orjson.dumps(asked["system"]).count(b"You are an agent.") == 1
    assert b"Be careful." in orjson.dumps(asked["system"])


def part(text: str) -> dict[str, Any]:
    """A part of an item."""
    return {"type": "input_text", "text": text}


def test_the_record_knows_where_it_comes_from(
    gateway: Gateway, client: OpenAI, upstream: FakeProviderThread
) -> None:
    """It is found by the id of the answer."""
    answer = client.responses.create(model="gpt", input="Hi", metadata={"user_id": "u"})

    feedback = {"metric_name": "comment", "value": "good", "inference_id": answer.id}
    assert gateway.post("/feedback", feedback).status_code == 200
    record = gateway.stored(parse_id(answer.id))
    assert record is not None
    assert record["tags"] == {"lsd::api": "openai.responses", "user_id": "u"}
    assert record["output"] == [{"type": "text", "text": "An old pond"}]


def test_errors_have_the_body_of_this_api(gateway: Gateway) -> None:
    """Whatever is wrong with the request."""
    wrong = gateway.client.post(PATH, json={"model": "gpt", "input": [{"role": "robot"}]})

    assert refusal(wrong, 400)["param"] == "input[0].content"
    method = gateway.client.get(PATH)
    assert refusal(method, 405)["type"] == "invalid_request_error"


THOUGHT = {"type": "thinking", "thinking": "A pond, hm.", "signature": "c2ln"}
USE = {"type": "tool_use", "id": "call_1", "name": "look", "input": {"at": "pond"}}
CALL = {
    "id": "fc_1",
    "type": "function_call",
    "call_id": "call_1",
    "name": "look",
    "arguments": '{"at":"pond"}',
}


@pytest.mark.parametrize("name", [*LANES, "responses"])
def test_whole_and_streamed_are_the_same(
    gateway: Gateway, upstream: FakeProviderThread, name: str
) -> None:
    """Case 59: the same items, status and usage."""
    said = {"type": "text", "text": "An old pond"}
    upstream.will("claude", anthropic_scripts.gives([THOUGHT, said, USE], stop_reason="tool_use"))
    upstream.will("gpt", openai_scripts.tool_call("look", {"at": "pond"}))
    message = responses_scripts.message("An old pond")
    upstream.will("responses", responses_scripts.gives(message, CALL))
    body = {"model": name, "input": "Hi", "tools": [LOOK]}

    whole = gateway.client.post(PATH, json=body)
    events = frames(gateway.client.post(PATH, json={**body, "stream": True}))

    assert whole.status_code == 200
    assert without_ids(events[-1]["response"]) == without_ids(whole.json())
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert done == events[-1]["response"]["output"]
    assert done[-1]["name"] == "look"


def without_ids(response: dict[str, Any]) -> dict[str, Any]:
    """An answer without what is new each time."""
    output = [{**item, "id": None} for item in response["output"]]
    return {**response, "id": None, "created_at": None, "output": output}


def test_sealed_thoughts_of_openai_go_back_there(
    gateway: Gateway, upstream: FakeProviderThread
) -> None:
    """Also those that it has sealed for the client itself."""
    upstream.will("responses", responses_scripts.says("An old pond"))
    sealed = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
    again = [{"role": "user", "content": "Hi"}, sealed, {"role": "assistant", "content": "Yes?"}]
    items = [*again, {"role": "user", "content": "Go on."}]

    response = gateway.client.post(PATH, json={"model": "responses", "input": items})

    assert response.status_code == 200
    assert sent(upstream)["input"][1] == {
        "type": "reasoning",
        "encrypted_content": "gAAA",
        "summary": [],
    }


def test_free_form_tools_go_around(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Their calls hold a text, and so do their results."""
    call = {"id": "ctc_1", "type": "custom_tool_call", "call_id": "c", "name": "sh", "input": "ls"}
    upstream.will("responses", responses_scripts.gives(call))
    body = {"model": "responses", "tools": [{"type": "custom", "name": "sh"}]}

    response = gateway.client.post(PATH, json={**body, "input": "Hi"})

    (item,) = response.json()["output"]
    assert (item["type"], item["input"]) == ("custom_tool_call", "ls")
    upstream.forget()
    result_ = {"type": "custom_tool_call_output", "call_id": "c", "output": "a b"}
    items = [{"role": "user", "content": "Hi"}, item, result_]
    assert gateway.client.post(PATH, json={**body, "input": items}).status_code == 200
    assert [each["type"] for each in sent(upstream)["input"]] == [
        "message",
        "custom_tool_call",
        "custom_tool_call_output",
    ]


def test_an_error_before_the_first_word_is_no_stream(
    gateway: Gateway, upstream: FakeProviderThread
) -> None:
    """Case 36: it has its status, also if the client wants a stream."""
    upstream.will("gpt", openai_scripts.fails(401))

    response = gateway.client.post(PATH, json={"model": "gpt", "input": "Hi", "stream": True})

    refusal(response, 502)
    assert response.headers["x-should-retry"] == "false"


def test_a_very_long_argument(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Case 52: a megabyte in small pieces costs no more than it must."""
    text = orjson.dumps({"a": "x" * 1_000_000}).decode()
    pieces = [text[start : start + 50] for start in range(0, len(text), 50)]
    head = {"index": 0, "id": "c", "type": "function", "function": {"name": "look"}}
    deltas = [{"tool_calls": [head]}]
    deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": each}}]} for each in pieces]
    chunks = [*map(openai_scripts.chunk, deltas), openai_scripts.chunk({}, finish_reason="stop")]
    upstream.will("gpt", openai_scripts.events(chunks))
    body = {"model": "gpt", "input": "Hi", "tools": [LOOK], "stream": True}

    *_, last = frames(gateway.client.post(PATH, json=body))

    assert last["response"]["output"][0]["arguments"] == text

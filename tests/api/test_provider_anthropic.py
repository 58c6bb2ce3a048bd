"""Claude by way of a gateway: whole answers, streams, tools, thoughts, JSON and failures."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.api.asking import SAYING_HI, statuses, text_of
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.anthropic_scripts import (
    USAGE,
    ending,
    error,
    fails,
    gives,
    opened,
    says,
    streams,
    whole,
)
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.script import Script

KEY = "sk-ant-operators-own"

COUNTED = {
    "input_tokens": 35,
    "output_tokens": 30,
    "cost": None,
    "provider_cache_read_input_tokens": 20,
    "provider_cache_write_input_tokens": 5,
}
"""`USAGE` as LSD tells it."""

FUNCTIONS = """
    [functions.chat]
    type = "chat"
    tools = ["temp"]
    variants.only = { model = "claude", max_tokens = 64 }

    [functions.verdict]
    type = "json"
    output_schema = "verdict.json"
    variants.schema = { model = "claude", json_mode = "strict" }
    variants.begun = { model = "old", json_mode = "on" }

    [tools.temp]
    description = "The temperature"
    parameters = "temp.json"
"""

SCHEMA = '{"type":"object","properties":{"urgent":{"type":"boolean"}},"required":["urgent"]}'
PARAMETERS = '{"type":"object","properties":{"city":{"type":"string"}}}'

THOUGHT = {"type": "thinking", "thinking": "need tool", "signature": "c2ln"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "temp", "input": {"city": "Oslo"}}
TEXT = {"type": "text", "text": "An old pond"}


def entry(name: str, api_base: str, **keys: str) -> str:
    """The table of one provider."""
    lines = "\n".join(f'{key} = "{value}"' for key, value in keys.items())
    return f'{name}.type = "anthropic"\n{name}.api_base = "{api_base}"\n' + "".join(
        f"{name}.{line}\n" for line in lines.splitlines()
    )


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A gateway with Claude at `first`, and at `second` if that fails."""
    first, second = shared_provider.url("first"), shared_provider.url("second")
    config = f"""
        [models.claude]
        routing = ["one", "two"]
        [models.claude.providers]
        {entry("one", first, model_name="claude-haiku-4-5")}
        {entry("two", second, model_name="claude-sonnet-4-5")}

        [models.old]
        routing = ["one"]
        [models.old.providers]
        {entry("one", first, model_name="claude-3-haiku-20240307")}

        [models.brought]
        routing = ["one", "two"]
        [models.brought.providers]
        {entry("one", first, model_name="claude-haiku-4-5", api_key_location="dynamic::mine")}
        {entry("two", f"{second}/messages", model_name="claude-haiku-4-5")}
        {FUNCTIONS}
    """
    return start_shared(
        config,
        "--log-level",
        "debug",
        environment={"ANTHROPIC_API_KEY": KEY},
        files={"verdict.json": SCHEMA, "temp.json": PARAMETERS},
    )


@pytest.fixture
def claude(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """Both hosts, saying "An old pond" until a test wants something else."""
    shared_provider.forget()
    for name in ("first", "second"):
        shared_provider.will(name, says("An old pond"))
    return shared_provider


def sent(claude: FakeProviderThread) -> Any:
    """The body of the only request."""
    (request,) = claude.requests
    return request.json()


def test_a_plain_answer(gateway: Gateway, claude: FakeProviderThread) -> None:
    """Claude is asked in its own words, and what it says and counts is told in ours."""
    answer = gateway.infer(
        function_name="chat",
        input={"system": "Be brief.", "messages": [{"role": "user", "content": "Oslo?"}]},
        include_raw_usage=True,
    )

    assert text_of(answer) == "An old pond"
    assert (answer["usage"], answer["finish_reason"]) == (COUNTED, "stop")
    (usage,) = answer["raw_usage"]
    assert (usage["provider_type"], usage["data"]) == ("anthropic", USAGE)
    (request,) = claude.requests
    assert (request.method, request.path) == ("POST", "/s/first/v1/messages")
    assert request.headers["x-api-key"] == KEY
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in request.headers
    assert request.json() == {
        "model": "claude-haiku-4-5",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Oslo?"}]}],
        "max_tokens": 64,
        "stream": False,
        "system": [{"type": "text", "text": "Be brief."}],
        "tool_choice": {"type": "auto"},
        "tools": [
            {
                "name": "temp",
                "description": "The temperature",
                "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
            }
        ],
    }


def test_a_streamed_answer(gateway: Gateway, claude: FakeProviderThread) -> None:
    """It arrives in pieces of one text, and the counts come at its end."""
    *chunks, last = gateway.stream(function_name="chat", **SAYING_HI)

    assert text_of(chunks) == "An old pond"
    assert {block["id"] for chunk in chunks for block in chunk["content"]} == {"0"}
    assert (last["usage"], last["finish_reason"]) == (COUNTED, "stop")
    (request,) = claude.requests
    assert request.headers["accept"] == "text/event-stream"
    assert request.json()["stream"] is True
    (call,) = gateway.calls(last["inference_id"])
    assert call["raw_response"].splitlines()[-1] == '{"type":"message_stop"}'
    assert (call["status"], call["input_tokens"]) == ("ok", 35)


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_of_a_tool_and_its_result(
    gateway: Gateway, claude: FakeProviderThread, stream: bool
) -> None:
    """What the model thought and called goes back as it came, so that it can go on."""
    claude.will("first", gives([THOUGHT, CALL], stop_reason="tool_use"))
    content = answered(gateway, stream)

    assert content == [
        {
            "type": "thought",
            "text": "need tool",
            "signature": "c2ln",
            "provider_type": "anthropic",
        },
        {
            "type": "tool_call",
            "id": "toolu_1",
            "raw_name": "temp",
            "raw_arguments": '{"city":"Oslo"}',
            "name": "temp",
            "arguments": {"city": "Oslo"},
        },
    ]
    claude.forget()
    claude.will("first", says("7 °C."))
    result = {"type": "tool_result", "id": "toolu_1", "name": "temp", "result": "7"}
    messages = [
        {"role": "user", "content": "Oslo?"},
        {"role": "assistant", "content": content},
        {"role": "user", "content": [result]},
    ]

    answer = gateway.infer(function_name="chat", input={"messages": messages})

    assert text_of(answer) == "7 °C."
    assert [message["content"] for message in sent(claude)["messages"]][1:] == [
        [THOUGHT, CALL],
        [
            {
                "type": "tool_result",
                "tool_use_id": "toolu_1",
                "content": [{"type": "text", "text": "7"}],
            }
        ],
    ]


def answered(gateway: Gateway, stream: bool) -> list[dict[str, Any]]:
    """The content of an answer, streamed or not, without fields that are null."""
    if stream:
        extra = {"include_aggregated_response": True}
        last = gateway.stream(function_name="chat", **SAYING_HI, **extra)[-1]
        content = last["aggregated_response"]
    else:
        content = gateway.infer(function_name="chat", **SAYING_HI)["content"]
    return [{key: block[key] for key in block if block[key] is not None} for block in content]


def test_a_json_function_by_schema(gateway: Gateway, claude: FakeProviderThread) -> None:
    """A model that holds to schemas is given one."""
    claude.will("first", says('{"urgent":true}'))

    answer = gateway.infer(function_name="verdict", variant_name="schema", **SAYING_HI)

    assert answer["output"]["parsed"] == {"urgent": True}
    assert sent(claude)["output_config"]["format"]["schema"]["required"] == ["urgent"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_json_function_by_a_begun_answer(
    gateway: Gateway, claude: FakeProviderThread, stream: bool
) -> None:
    """An old model goes on from a brace, which is put back in front of what it says."""
    claude.will("first", says('"urgent": true}'))
    request = {"function_name": "verdict", "variant_name": "begun", **SAYING_HI}

    if stream:
        raw = "".join(event["raw"] for event in gateway.stream(**request))
    else:
        raw = gateway.infer(**request)["output"]["raw"]

    assert raw == '{"urgent": true}'
    *_, last = sent(claude)["messages"]
    assert last["role"] == "assistant"
    assert last["content"][0]["text"].endswith("{")


@pytest.mark.parametrize("stream", [False, True])
def test_an_overloaded_host_is_followed_by_the_next(
    gateway: Gateway, claude: FakeProviderThread, stream: bool
) -> None:
    """The caller hears nothing of it; the record tells what was tried."""
    claude.will("first", fails(529, "overloaded_error", "Overloaded"))
    request = {"function_name": "chat", **SAYING_HI}

    answer = gateway.stream(**request)[-1] if stream else gateway.infer(**request)

    calls = gateway.calls(answer["inference_id"])
    assert statuses(calls) == [("one", "error"), ("two", "ok")]
    assert calls[0]["error"] == (
        "anthropic returned HTTP 529: Overloaded [code: overloaded_error] [request_id: req_fake]"
    )


@pytest.mark.parametrize(
    "before",
    [[], [{"type": "ping"}], opened([{"type": "text", "text": ""}])[:1]],
    ids=["at once", "after a ping", "after an empty block"],
)
def test_an_error_before_the_first_word_is_no_answer(
    gateway: Gateway, claude: FakeProviderThread, before: list[Mapping[str, Any]]
) -> None:
    """Case 19: though the status was 200 and the stream had begun, the next host answers."""
    claude.will("first", streams([*before, error("overloaded_error")]))

    events = gateway.stream(function_name="chat", **SAYING_HI)

    assert text_of(events) == "An old pond"
    assert not any("error" in event for event in events)
    assert statuses(gateway.calls(events[-1]["inference_id"])) == [("one", "error"), ("two", "ok")]


def test_an_error_after_the_first_word_ends_the_stream(
    gateway: Gateway, claude: FakeProviderThread
) -> None:
    """Case 20: there is no way back, and what had arrived is kept."""
    begun = opened([TEXT])[:3]
    claude.will("first", streams([*begun, error("overloaded_error", "Overloaded"), *ending()]))

    events = gateway.stream(function_name="chat", **SAYING_HI)

    assert text_of(events) == "An old "
    told = [event["error"] for event in events if "error" in event]
    assert told == ["anthropic returned HTTP 529: Overloaded [code: overloaded_error]"]
    inference_id = events[-1]["inference_id"]
    assert statuses(gateway.calls(inference_id)) == [("one", "interrupted")]
    assert [request.scenario for request in claude.requests] == ["first"]


@pytest.mark.parametrize("answer", [streams(opened([TEXT])), streams([])], ids=["late", "early"])
def test_a_stream_without_its_end_is_not_whole(
    gateway: Gateway, claude: FakeProviderThread, answer: Script
) -> None:
    """Half an answer never passes for a whole one."""
    claude.will("first", answer)

    events = gateway.stream(function_name="chat", **SAYING_HI)

    ended_late = any("error" in event for event in events)
    was_asked = [request.scenario for request in claude.requests]
    assert ended_late == (was_asked == ["first"])
    assert text_of(events) == "An old pond"


def test_an_answer_that_is_no_stream(gateway: Gateway, claude: FakeProviderThread) -> None:
    """A host that does not stream when it is asked to is passed over."""
    claude.will("first", whole([TEXT]))

    events = gateway.stream(function_name="chat", **SAYING_HI)

    calls = gateway.calls(events[-1]["inference_id"])
    assert statuses(calls) == [("one", "error"), ("two", "ok")]
    assert "wanted text/event-stream" in calls[0]["error"]


def test_keys_of_requests(gateway: Gateway, claude: FakeProviderThread) -> None:
    """Each provider gets its own key; where a request brings none, the next one answers."""
    gateway.infer(model_name="brought", credentials={"mine": "sk-ant-mine"}, **SAYING_HI)
    answer = gateway.infer(model_name="brought", **SAYING_HI)

    shown = [(request.path, request.headers["x-api-key"]) for request in claude.requests]
    assert shown == [
        ("/s/first/v1/messages", "sk-ant-mine"),
        ("/s/second/v1/messages", KEY),
    ]
    failed, _ = gateway.calls(answer["inference_id"])
    assert '"one"' in failed["error"]
    assert "'mine'" in failed["error"]


def test_a_wrong_key_is_not_tried_twice(gateway: Gateway, claude: FakeProviderThread) -> None:
    """A refused key is nobody's bad luck, and does not show in the error."""
    refusal = fails(401, "authentication_error", f"invalid x-api-key {KEY}")
    for name in ("first", "second"):
        claude.will(name, refusal)

    response = gateway.post("/inference", {"function_name": "chat", **SAYING_HI})

    assert response.status_code == 502
    assert "anthropic returned HTTP 401: invalid x-api-key ***" in response.json()["error"]
    assert len(claude.requests) == 2


def test_what_cannot_be_sent_is_not_sent(gateway: Gateway, claude: FakeProviderThread) -> None:
    """Case 4: a request that contradicts itself reaches nobody."""
    params = {"thinking_budget_tokens": 2048, "reasoning_effort": "low"}

    body = {"function_name": "chat", "params": {"chat_completion": params}, **SAYING_HI}
    response = gateway.post("/inference", body)

    assert response.status_code == 502
    assert "found thinking_budget_tokens and reasoning_effort" in response.json()["error"]
    assert claude.requests == []


def test_no_key_in_the_log(gateway: Gateway, claude: FakeProviderThread) -> None:
    """Case 60: not even at debug level."""
    gateway.infer(model_name="brought", credentials={"mine": "sk-ant-mine"}, **SAYING_HI)

    log = gateway.log_text()
    assert log
    assert KEY not in log
    assert "sk-ant-mine" not in log

"""What providers of either kind are sent for a chat completion request, and how answers return."""

from typing import Any

import orjson
import pytest

from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.api.openai_asking import (
    HI,
    LOOK,
    added_up,
    at_rest,
    call,
    completion,
    configuration,
    message,
    post,
    refusal,
    result,
    sent,
    streamed,
)
from tests.fakes import anthropic_scripts, openai_scripts
from tests.fakes.openai_scripts import chunk, completes, events
from tests.fakes.provider_thread import FakeProviderThread

SCHEMA = {"type": "object", "properties": {"z": {}, "a": {}}}
FILE_BY_ID = {"type": "file", "file": {"file_id": "f"}}
HISTORY = [
    *HI,
    {"role": "assistant", "content": "", "tool_calls": [call()]},
    result(),
]


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A gateway with models for each lane."""
    return start_shared(configuration(shared_provider))


@pytest.fixture
def upstream(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """The providers, with nothing asked of them yet."""
    return at_rest(shared_provider)


def test_the_clients_own_body_reaches_a_provider_of_its_kind(
    gateway: Gateway, upstream: FakeProviderThread
) -> None:
    """Cases 18 and 20: unknown fields and the order of all keys; only the model is another."""
    fields = {
        "foo": {"z": 1, "a": [None, 1.5]},
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi", "x": 1}]}],
        "tools": [LOOK],
        "logprobs": True,
        "store": True,
        "metadata": {"k": "v"},
    }

    response = post(gateway, "gpt", **fields)

    assert response.status_code == 200
    assert "x-lsd-ignored" not in response.headers
    (asked,) = upstream.requests
    expected = {"model": "gpt-one", **{name: fields[name] for name in ("messages",)}}
    expected |= {name: value for name, value in fields.items() if name != "messages"}
    assert asked.body == orjson.dumps(expected)
    assert "cookie" not in asked.headers
    assert asked.headers.get("authorization") is None


def test_null_is_absent(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Trap 21: clients send null for every optional field."""
    completion(gateway, "gpt", temperature=None, n=None, stop=None, tools=None, stream=None)

    assert sent(upstream).keys() == {"model", "messages"}


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("gpt", {"max_tokens": 50, "max_completion_tokens": 50}),
        ("groq", {"max_completion_tokens": 50}),
    ],
)
def test_the_limit_has_the_name_that_the_type_knows(
    gateway: Gateway, upstream: FakeProviderThread, name: str, limits: dict[str, int]
) -> None:
    """Case 16."""
    completion(gateway, name, max_tokens=100, max_completion_tokens=50)

    body = sent(upstream)
    assert {key: body[key] for key in body if key.startswith("max_")} == limits


def test_what_the_other_lane_does_not_know(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Case 18: it is left out, and listed in the order of the request."""
    response = post(
        gateway, "claude", foo=1, seed=1, temperature=0.5, logit_bias={}, metadata={"a": "b"}
    )

    assert response.headers["x-lsd-ignored"] == "foo,seed,logit_bias,metadata"
    assert sent(upstream).keys() == {"model", "messages", "max_tokens", "stream", "temperature"}


def test_what_the_other_lane_is_asked(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Cases 14, 21, 22 and 26: all of it in Anthropic's words."""
    completion(
        gateway,
        "claude",
        messages=[
            {"role": "system", "content": "a"},
            *HI,
            {"role": "assistant", "content": "", "tool_calls": [call(), call("c2")]},
            result("ok"),
            result([{"type": "text", "text": "so"}], "c2"),
            {"role": "user", "content": "and?"},
            {"role": "developer", "content": "b"},
        ],
        tools=[LOOK],
        tool_choice="none",
        parallel_tool_calls=False,
        max_tokens=64,
        stop="X",
        user="someone",
        service_tier="default",
    )

    body = sent(upstream)
    assert [part["text"] for part in body["system"]] == ["a", "b"]
    assert body["messages"][1]["content"] == [
        {"type": "tool_use", "id": "c1", "name": "look", "input": {}},
        {"type": "tool_use", "id": "c2", "name": "look", "input": {}},
    ]
    results = body["messages"][2]["content"]
    assert [(each["type"], each.get("tool_use_id")) for each in results] == [
        ("tool_result", "c1"),
        ("tool_result", "c2"),
        ("text", None),
    ]
    assert results[0]["content"] == [{"type": "text", "text": "ok"}]
    assert body["tool_choice"] == {"type": "none"}
    assert body["tools"][0]["input_schema"] == LOOK["function"]["parameters"]
    assert (body["max_tokens"], body["stop_sequences"]) == (64, ["X"])
    assert body["metadata"] == {"user_id": "someone"}
    assert body["service_tier"] == "standard_only"


def test_results_of_tools_are_passed_on_as_they_are(
    gateway: Gateway, upstream: FakeProviderThread
) -> None:
    """Case 13: a text is a text, and not one in quotes."""
    completion(gateway, "gpt", messages=HISTORY, tools=[LOOK])
    completion(gateway, "claude", messages=HISTORY, tools=[LOOK])

    same, cross = (each.json() for each in upstream.requests)
    assert same["messages"][2] == result("ok")
    assert same["messages"][1]["content"] is None
    assert cross["messages"][2]["content"][0]["content"] == [{"type": "text", "text": "ok"}]


@pytest.mark.parametrize("arguments", ["[1]", "{"])
def test_arguments_that_are_no_object(
    gateway: Gateway, upstream: FakeProviderThread, arguments: str
) -> None:
    """Case 25: only a provider that needs them as an object refuses them, and names the call."""
    turn = {"role": "assistant", "tool_calls": [call("c9", arguments=arguments)]}
    messages = [*HI, turn, result("ok", "c9")]

    error = refusal(post(gateway, "claude", messages=messages, tools=[LOOK]), 400)
    completion(gateway, "gpt", messages=messages, tools=[LOOK])

    assert "'c9'" in error["message"]
    assert error["code"] == "unsupported_value"


def test_a_result_without_its_call(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Its id is named."""
    error = refusal(post(gateway, "claude", messages=[*HI, result("ok", "lost")]), 400)

    assert error["param"] == "messages[1].tool_call_id"
    assert "lost" in error["message"]


@pytest.mark.parametrize(
    ("name", "identifier"),
    [("claude", "functions.Bash:0"), ("gpt", "x" * 60), ("mistral", "call_1234567890")],
)
def test_ids_that_a_provider_refuses(
    gateway: Gateway, upstream: FakeProviderThread, name: str, identifier: str
) -> None:
    """Case 49: call and result agree on one that it takes."""
    turn = {"role": "assistant", "tool_calls": [call(identifier)]}

    completion(gateway, name, messages=[*HI, turn, result("ok", identifier)], tools=[LOOK])

    _, called, answered = sent(upstream)["messages"]
    if name == "claude":
        fitting = called["content"][0]["id"]
        assert answered["content"][0]["tool_use_id"] == fitting
    else:
        fitting = called["tool_calls"][0]["id"]
        assert answered["tool_call_id"] == fitting
    assert fitting != identifier


def test_long_names_of_tools(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Case 48: they fit on the way, and are the client's own in the answer."""
    name = "mcp.server." + "x" * 69
    tool = {"type": "function", "function": {"name": name}}
    names = []

    def answer(request: Any) -> Any:
        names.append(request.json()["tools"][0]["name"])
        block = {"type": "tool_use", "id": "c", "name": names[-1], "input": {}}
        return anthropic_scripts.gives([block], stop_reason="tool_use")(request)

    upstream.will("claude", answer)

    plain = message(gateway, "claude", tools=[tool])["tool_calls"][0]
    made = added_up(streamed(gateway, "claude", tools=[tool]))["tool_calls"][0]

    assert plain["function"]["name"] == made["function"]["name"] == name
    assert len(set(names)) == 1
    assert len(names[0]) <= 64


@pytest.mark.parametrize("streams", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("name", ["gpt", "claude"])
def test_a_call_without_arguments(
    gateway: Gateway, upstream: FakeProviderThread, name: str, streams: bool
) -> None:
    """Case 12, trap 22: an empty object, so that the next turn is good everywhere."""
    upstream.will("gpt", openai_scripts.tool_call("look", ""))
    block = {"type": "tool_use", "id": "call_1", "name": "look", "input": {}}
    upstream.will("claude", anthropic_scripts.gives([block], stop_reason="tool_use"))

    if streams:
        (made,) = added_up(streamed(gateway, name, tools=[LOOK]))["tool_calls"]
    else:
        (made,) = message(gateway, name, tools=[LOOK])["tool_calls"]

    assert made["function"] == {"name": "look", "arguments": "{}"}


def test_interleaved_calls(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Case 11: two calls at once are counted from 0, from either kind of provider."""
    content = [
        {"type": "tool_use", "id": "a", "name": "look", "input": {"z": 1}},
        {"type": "tool_use", "id": "b", "name": "look", "input": {"a": 2}},
    ]
    upstream.will("claude", anthropic_scripts.gives(content, stop_reason="tool_use"))

    chunks = streamed(gateway, "claude", tools=[LOOK])

    starts = [
        item
        for each in chunks
        for item in each["choices"][0]["delta"].get("tool_calls", ())
        if "id" in item
    ]
    assert [(item["index"], item["id"]) for item in starts] == [(0, "a"), (1, "b")]
    made = added_up(chunks)
    assert [each["function"]["arguments"] for each in made["tool_calls"]] == ['{"z":1}', '{"a":2}']
    assert made["reasons"] == ["tool_calls"]


def test_thoughts_go_back_to_where_they_came_from(
    gateway: Gateway, upstream: FakeProviderThread
) -> None:
    """Case 27, trap 28: what DeepSeek has thought is not for Claude, and is restored for itself."""
    upstream.will(
        "gpt", completes({"role": "assistant", "content": "Ho", "reasoning_content": "hm"})
    )
    turn = message(gateway, "deepseek")
    messages = [*HI, turn, *HI]
    upstream.forget()

    completion(gateway, "claude", messages=messages)
    completion(gateway, "deepseek", messages=messages)

    claude, deepseek = (each.json()["messages"][1] for each in upstream.requests)
    assert turn["reasoning_content"] == "hm"
    assert claude["content"] == [{"type": "text", "text": "Ho"}]
    assert deepseek["reasoning_content"] == "hm"
    assert "reasoning_details" not in deepseek


@pytest.mark.parametrize(
    ("stop_reason", "told"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("new_reason", "stop"),
    ],
)
def test_why_an_answer_ended(
    gateway: Gateway, upstream: FakeProviderThread, stop_reason: str, told: str
) -> None:
    """Cases 28 and 29."""
    text = [{"type": "text", "text": "Ho"}]
    upstream.will("claude", anthropic_scripts.gives(text, stop_reason=stop_reason))

    assert completion(gateway, "claude")["choices"][0]["finish_reason"] == told
    assert added_up(streamed(gateway, "claude"))["reasons"] == [told]


def test_tokens(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Cases 30 and 31: all of the prompt counts, and nothing is made up."""
    told = completion(gateway, "claude")["usage"]
    upstream.will("gpt", openai_scripts.says("Ho", usage=None))

    assert told == {
        "prompt_tokens": 35,
        "completion_tokens": 30,
        "total_tokens": 65,
        "prompt_tokens_details": {"cached_tokens": 20},
    }
    assert completion(gateway, "gpt")["usage"] is None
    assert (
        added_up(streamed(gateway, "gpt", stream_options={"include_usage": True}))["usage"] is None
    )


def test_the_form_of_the_answer(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Case 55: a schema, or just JSON, for which Claude is asked."""
    schema = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}}

    completion(gateway, "claude", response_format=schema)
    completion(gateway, "claude", response_format={"type": "json_object"})
    completion(gateway, "gpt", response_format=schema)

    fitted, asked, same = (each.json() for each in upstream.requests)
    assert fitted["output_config"]["format"] == {"type": "json_schema", "schema": SCHEMA}
    assert "JSON" in asked["system"][-1]["text"]
    assert asked["messages"][-1]["role"] == "user"
    assert same["response_format"] == schema


def test_a_begun_answer(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Case 56: Claude goes on with it, without the blank at its end."""
    completion(gateway, "claude", messages=[*HI, {"role": "assistant", "content": "So "}])

    assert sent(upstream)["messages"][-1]["content"] == [{"type": "text", "text": "So"}]


def test_marks_for_the_cache(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Case 57: no more than Claude takes; a provider that does not know them sees none."""
    mark = {"cache_control": {"type": "ephemeral"}}
    parts = [{"type": "text", "text": str(number), **mark} for number in range(5)]
    messages = [{"role": "user", "content": parts}]

    completion(gateway, "claude", messages=messages)
    completion(gateway, "gpt", messages=messages)

    claude, gpt = upstream.requests
    assert claude.body.count(b"cache_control") == 4
    assert b"cache_control" not in gpt.body


def test_thinking_is_asked_for(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """By a word or by a number; what would be refused then is left out."""
    completion(gateway, "claude", reasoning_effort="low", temperature=0.5)
    completion(gateway, "claude", reasoning={"max_tokens": 2000}, max_tokens=4000)

    word, number = (each.json() for each in upstream.requests)
    assert word["output_config"] == {"effort": "low"}
    assert "temperature" not in word
    assert number["thinking"] == {"type": "enabled", "budget_tokens": 2000}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"modalities": ["audio"]}, "modalities"),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}
                ]
            },
            "messages[0].content[0].file.file_id",
        ),
        ({"tools": [{"type": "custom", "custom": {"name": "sh"}}]}, None),
    ],
)
def test_what_only_the_clients_own_kind_can_take(
    gateway: Gateway, upstream: FakeProviderThread, fields: dict[str, Any], param: str | None
) -> None:
    """Elsewhere it is the client's mistake; nothing is sent."""
    error = refusal(post(gateway, "claude", **fields), 400)

    assert (error["code"], error["param"]) == ("unsupported_value", param)
    assert upstream.requests == []
    completion(gateway, "gpt", **fields)


def test_tools_in_other_apis_shapes(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Trap 14: one agent mixes them; every provider sees its own."""
    use = {"type": "tool_use", "id": "c", "name": "f", "input": {}}
    given = {"type": "tool_result", "tool_use_id": "c", "content": "ok"}
    fields = {
        "messages": [
            *HI,
            {"role": "assistant", "content": [use]},
            {"role": "user", "content": [given]},
        ],
        "tools": [{"name": "f", "input_schema": SCHEMA}],
        "tool_choice": {"type": "any"},
    }

    completion(gateway, "gpt", **fields)

    body = sent(upstream)
    assert body["tools"] == [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}]
    assert body["tool_choice"] == "required"
    assert body["messages"][1]["tool_calls"][0]["function"] == {"name": "f", "arguments": "{}"}
    assert body["messages"][2] == {"role": "tool", "tool_call_id": "c", "content": "ok"}


def test_an_answer_of_the_same_kind_keeps_what_is_its_own(
    gateway: Gateway, upstream: FakeProviderThread
) -> None:
    """Probabilities, sources, and whatever is yet to be invented."""
    logprobs = {"content": [{"token": "Ho", "logprob": -0.1}], "refusal": None}
    body = {
        "id": "theirs",
        "object": "chat.completion",
        "created": 1,
        "model": "theirs",
        "system_fingerprint": "fp",
        "citations": ["u"],
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "logprobs": logprobs,
                "message": {"role": "assistant", "content": "Ho", "mood": "calm"},
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "queue": 0.5},
    }
    upstream.will("gpt", openai_scripts.answers(body))
    whole = completion(gateway, "gpt")
    first = {**chunk({"content": "Ho"}), "system_fingerprint": "fp"}
    first["choices"][0]["logprobs"] = logprobs
    upstream.will("gpt", events([first, chunk({}, finish_reason="stop")]))
    role, text, finish = streamed(gateway, "gpt")

    (choice,) = whole["choices"]
    assert choice["logprobs"] == text["choices"][0]["logprobs"] == logprobs
    assert choice["message"]["mood"] == "calm"
    assert whole["citations"] == ["u"]
    assert whole["usage"]["queue"] == 0.5
    assert whole["model"] == "gpt"
    assert {each["system_fingerprint"] for each in (role, text, finish)} == {"fp"}


def test_edits_of_what_is_sent(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """They come last, whoever made the body."""
    edits = {"lsd::extra_body": [{"pointer": "/foo", "value": 1}]}
    headers = {"lsd::extra_headers": [{"name": "x-foo", "value": "2"}]}

    completion(gateway, "gpt", **edits, **headers)
    completion(gateway, "claude", **edits, **headers)

    assert [each.json()["foo"] for each in upstream.requests] == [1, 1]
    assert [each.headers["x-foo"] for each in upstream.requests] == ["2", "2"]

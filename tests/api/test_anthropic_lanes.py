"""What providers of either lane get of a Messages request, and what becomes of their answers."""

from typing import Any

import orjson
import pytest

from tests.api.anthropic_asking import (
    CALL,
    HI,
    LANES,
    LOOK,
    PATH,
    SEARCH,
    added_up,
    answer,
    at_rest,
    configuration,
    conversation,
    events_in,
    post,
    refusal,
    result,
    sent,
    streamed,
)
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes import anthropic_scripts, openai_scripts
from tests.fakes.openai_scripts import USAGE, answers, chunk, completes, events, fails, tool_call
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.script import Script


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """Models of both lanes, alone and one behind the other."""
    return start_shared(configuration(shared_provider))


@pytest.fixture
def upstream(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """All providers, saying "An old pond" until a test wants something else."""
    return at_rest(shared_provider)


def test_interleaved_calls(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Case 11: two complete blocks, one after the other."""

    def piece(index: int, arguments: str, **head: Any) -> dict[str, Any]:
        function = {"arguments": arguments, **head.pop("function", {})}
        return chunk({"tool_calls": [{"index": index, "function": function, **head}]})

    upstream.will(
        "gpt",
        events(
            [
                piece(0, "", id="c0", type="function", function={"name": "f"}),
                piece(1, "", id="c1", type="function", function={"name": "g"}),
                piece(0, '{"x":'),
                piece(1, '{"y":'),
                piece(0, "1}"),
                piece(1, "2}"),
                chunk({}, finish_reason="tool_calls", usage=USAGE),
            ]
        ),
    )

    message = added_up(streamed(gateway, "gpt"))

    assert message["content"] == [
        {"type": "tool_use", "id": "c0", "name": "f", "input": {"x": 1}},
        {"type": "tool_use", "id": "c1", "name": "g", "input": {"y": 2}},
    ]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", LANES)
@pytest.mark.parametrize("arguments", ["", "{}"])
def test_a_call_without_arguments(
    gateway: Gateway, upstream: FakeProviderThread, name: str, stream: bool, arguments: str
) -> None:
    """Case 12: an empty object, in all four ways."""
    upstream.will("gpt", tool_call("look", arguments))
    block = {"type": "tool_use", "id": "call_1", "name": "look", "input": {}}
    upstream.will("claude", anthropic_scripts.gives([block], stop_reason="tool_use"))

    if stream:
        message = added_up(streamed(gateway, name, tools=[LOOK]))
    else:
        message = answer(gateway, name, tools=[LOOK])

    assert message["content"] == [block]
    assert message["stop_reason"] == "tool_use"


def test_arguments_that_are_no_object(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """No message can hold them: the provider is to blame."""
    upstream.will("gpt", tool_call("look", "[1]"))

    response = post(gateway, "gpt", tools=[LOOK])

    told = refusal(response, 502)
    assert "found an array of 1 as arguments; wanted a JSON object [provider one]" in told
    assert response.headers["x-lsd-inference-id"]


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (result("ok"), "ok"),
        (result('{"a": 1}'), '{"a": 1}'),
        (result([]), ""),
        (result("no", is_error=True), "Error: no"),
        (result("Error: no", is_error=True), "Error: no"),
    ],
)
def test_results_of_tools_are_passed_on_as_they_are(
    gateway: Gateway, upstream: FakeProviderThread, block: Any, text: str
) -> None:
    """Case 13: nothing is written as JSON twice; and case 23: they come before the text."""
    said = {"type": "text", "text": "and?"}

    answer(gateway, "gpt", messages=conversation("Hi", [CALL], [said, block]), tools=[LOOK])

    _, call, tool, last = sent(upstream)["messages"]
    assert call["content"] is None
    assert call["tool_calls"][0]["function"]["arguments"] == '{"b":1,"a":2}'
    assert tool == {"role": "tool", "tool_call_id": "c1", "content": text}
    assert last == {"role": "user", "content": "and?"}


def test_the_clients_own_body_reaches_claude(
    gateway: Gateway, upstream: FakeProviderThread
) -> None:
    """Cases 17, 18, 19 and 20: byte for byte, but for the name of the model."""
    body = (
        b'{"foo":{"z":1,"a":[1.0]},"model":"claude","max_tokens":0,'
        b'"messages":[{"role":"user","content":[{"cache_control":{"type":"ephemeral"},'
        b'"type":"text","text":"\xc3\xa9"},{"type":"yet_to_come","x":null}]},'
        b'{"role":"assistant","content":[{"type":"thinking","thinking":"Hm","signature":"c2ln"},'
        b'{"type":"text","text":"Yes"}]},{"role":"user","content":"Go on"}],'
        b'"tools":[{"name":"f","input_schema":{"type":"object","properties":{"b":{},"a":{}}}}],'
        b'"context_management":{"edits":[]}}'
    )
    headers = {"content-type": "application/json", "anthropic-version": "2099-01-01"}
    betas = [("anthropic-beta", "a-1,b-2"), ("anthropic-beta", "c-3")]

    response = gateway.client.post(PATH, content=body, headers=[*headers.items(), *betas])

    assert response.status_code == 200, response.text
    assert "x-lsd-ignored" not in response.headers
    (asked,) = upstream.requests
    assert asked.body == body.replace(b'"claude"', b'"claude-one"')
    assert asked.headers["anthropic-version"] == "2099-01-01"
    assert asked.headers["anthropic-beta"] == "a-1,b-2,c-3"


def test_without_betas_nothing_needs_them(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Trap 5: header and fields travel together or not at all."""
    response = post(gateway, "bare", headers={"anthropic-beta": "a"}, context_management={}, foo=1)

    (asked,) = upstream.requests
    assert "anthropic-beta" not in asked.headers
    assert asked.json().keys() == {"model", "max_tokens", "messages", "foo"}
    assert response.headers["x-lsd-ignored"] == "context_management"


def test_what_the_other_lane_does_not_know(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Cases 18 and 58: ignored, and told in the order of the request; or denied."""
    fields: dict[str, Any] = {"foo": 1, "top_k": 5, "container": "c", "tools": [SEARCH, LOOK]}

    response = post(gateway, "gpt", headers={"anthropic-beta": "a"}, **fields)
    denied = post(gateway, "gpt", **fields, **{"lsd::deny_unknown_fields": True})
    missing = post(gateway, "gpt", tools=[SEARCH])

    assert response.headers["x-lsd-ignored"] == "foo,top_k,container,tools"
    (asked,) = upstream.requests
    assert [tool["function"]["name"] for tool in asked.json()["tools"]] == ["look"]
    assert "anthropic-beta" not in asked.headers
    assert "found unknown fields: foo;" in refusal(denied, 400)
    told = refusal(missing, 400)
    assert "tool web_search_20250305 is not available on model gpt" in told


def test_what_the_other_lane_is_asked(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Traps 3, 4, 6 and 12: everything that has a counterpart, in OpenAI's words."""
    bill = {"type": "text", "text": "x-anthropic-billing-header: cc_version=1"}
    texts = [
        bill,
        {"type": "text", "text": "A", "cache_control": {}},
        {"type": "text", "text": "B"},
    ]
    late = {"role": "system", "content": "Be brief."}
    user = "user_" + "a" * 145

    response = post(
        gateway,
        "gpt",
        system=texts,
        messages=[*HI, late],
        temperature=0.5,
        top_p=0.9,
        stop_sequences=["a", "b", "c", "d", "e"],
        tools=[LOOK],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        thinking={"type": "disabled"},
        output_config={"effort": "low"},
        metadata={"user_id": user},
        service_tier="standard_only",
    )

    body = sent(upstream)
    assert body["messages"] == [
        {"role": "system", "content": "A\n\nB"},
        {"role": "user", "content": "Hi"},
        {"role": "developer", "content": "Be brief."},
    ]
    assert (body["temperature"], body["top_p"], body["stop"]) == (0.5, 0.9, ["a", "b", "c", "d"])
    assert (body["tool_choice"], body["parallel_tool_calls"]) == ("required", False)
    assert (len(body["user"]), body["service_tier"]) == (64, "default")
    assert body["max_completion_tokens"] == 64
    assert "reasoning_effort" not in body
    assert response.headers["x-lsd-ignored"] == "stop_sequences,output_config"
    record = gateway.stored(response.headers["x-lsd-inference-id"])
    assert record is not None
    assert record["tags"] == {"user_id": user, "lsd::api": "anthropic.messages"}
    assert record["input"]["system"] == "A\n\nB\n\nBe brief."


AGENTS_BODY: dict[str, Any] = {
    "system": [
        {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1; cch=0a1b2;"},
        {"type": "text", "text": "You help.", "cache_control": {"type": "ephemeral"}},
    ],
    "tools": [
        {**LOOK, "input_examples": [{"path": "a"}], "cache_control": {"type": "ephemeral"}},
        {**LOOK, "name": "mcp__" + "a" * 70, "input_schema": {"properties": {}}},
    ],
    "messages": conversation(
        [{"type": "text", "text": "Look", "cache_control": {"type": "ephemeral"}}],
        [
            {"type": "thinking", "thinking": "Hm.", "signature": "lsd1:deepseek:"},
            {"type": "text", "text": "I look."},
            {**CALL, "id": "functions.look:0"},
        ],
        [{**result([{"type": "text", "text": "empty"}]), "tool_use_id": "functions.look:0"}],
    ),
    "metadata": {"user_id": '{"device_id":"' + "d" * 64 + '"}'},
    "max_tokens": 32000,
    "thinking": {"type": "adaptive", "display": "omitted"},
    "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    "output_config": {"effort": "high"},
    "temperature": 1,
}
"""What a coding agent sends after a switch of models."""


@pytest.mark.parametrize("name", ["claude", "bare", "gpt", "vllm", "deepseek"])
def test_an_agents_usual_request(gateway: Gateway, upstream: FakeProviderThread, name: str) -> None:
    """Traps 1 to 12 at once, in either lane: counted first, then streamed."""
    headers = {"anthropic-beta": "claude-code-20250219,context-management-2025-06-27"}
    body = {"model": name, "stream": True, **AGENTS_BODY}

    counted = gateway.client.post(f"{PATH}/count_tokens?beta=true", json=body, headers=headers)
    response = gateway.client.post(f"{PATH}?beta=true", json=body, headers=headers)

    assert counted.status_code == 200
    message = added_up(events_in(response.text))
    assert message["content"] == [{"type": "text", "text": "An old pond"}]
    asked = upstream.requests[-1].json()
    assert "lsd1:" not in str(asked)
    if name in ("claude", "bare"):
        assert asked["system"] == AGENTS_BODY["system"]
        assert ("context_management" in asked) == (name == "claude")
        assert "thinking" not in asked  # a turn that another model has begun
    else:
        assert asked["messages"][0] == {"role": "system", "content": "You help."}
        assert asked["reasoning_effort"] == "high"
        assert max(len(tool["function"]["name"]) for tool in asked["tools"]) <= 64


def test_elsewhere_late_instructions_stand_in_front(
    gateway: Gateway, upstream: FakeProviderThread
) -> None:
    """Trap 4: most servers know one system message, at the beginning."""
    late = {"role": "system", "content": [{"type": "text", "text": "Be brief."}]}

    answer(gateway, "vllm", system="A", messages=[*HI, late], top_k=5)

    assert sent(upstream)["messages"] == [
        {"role": "system", "content": "A\n\nBe brief."},
        {"role": "user", "content": "Hi"},
    ]
    assert sent(upstream)["top_k"] == 5


def test_thoughts_go_back_to_where_they_came_from(
    gateway: Gateway, upstream: FakeProviderThread
) -> None:
    """Case 27 and trap 28: a model of another kind never sees them, the one that had them does."""
    message = {"role": "assistant", "content": "Yes.", "reasoning_content": "Need it."}
    upstream.will("gpt", completes(message))
    first = answer(gateway, "deepseek")
    shown = {"type": "thinking", "thinking": "Need it.", "signature": "lsd1:deepseek:"}
    assert first["content"] == [shown, {"type": "text", "text": "Yes."}]
    more = conversation("Hi", first["content"], "and?")
    upstream.forget()

    for name in ("deepseek", "claude", "gpt"):
        answer(gateway, name, messages=more, thinking={"type": "adaptive"})

    deepseek, claude, gpt = (asked.json()["messages"][1] for asked in upstream.requests)
    assert (deepseek["reasoning_content"], deepseek["content"]) == ("Need it.", "Yes.")
    assert claude["content"] == [{"type": "text", "text": "Yes."}]
    assert gpt == {"role": "assistant", "content": "Yes."}


def test_documents_are_sent_whole(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """One that lies at a URL is fetched: the other lane takes no addresses of documents."""
    pdf = answers("%PDF-1.7", content_type="application/pdf")
    url = upstream.will("file", pdf) + "/plan.pdf"
    at_url = {"type": "document", "title": "Plan.pdf", "source": {"type": "url", "url": url}}
    note = {"type": "document", "title": "Note", "source": {"type": "text", "data": "Hi"}}

    answer(gateway, "gpt", messages=conversation([at_url, note]))

    _, asked = upstream.requests
    file, text = asked.json()["messages"][0]["content"]
    data = "data:application/pdf;base64,JVBERi0xLjc="
    assert file == {"type": "file", "file": {"filename": "Plan.pdf", "file_data": data}}
    assert text == {"type": "text", "text": "Note\n\nHi"}


def test_why_an_answer_ended(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Cases 28 and 29: in the words of this API, whatever the provider's were."""

    def ended(reason: str | None, message: Any = None, **more: Any) -> tuple[Any, Any]:
        script = completes(message or {"role": "assistant", "content": "Hi"}, finish_reason=reason)
        upstream.will("gpt", script)
        made = answer(gateway, "gpt", **more)
        return made["stop_reason"], made["stop_sequence"]

    function = {"name": "look", "arguments": "{}"}
    call = {"id": "c1", "type": "function", "function": function}
    calling = {"role": "assistant", "content": None, "tool_calls": [call]}
    assert ended("stop") == ended(None) == ended("odd") == ("end_turn", None)
    assert ended("length") == ("max_tokens", None)
    assert ended("content_filter") == ("refusal", None)
    assert ended("stop", calling, tools=[LOOK]) == ("tool_use", None)


def test_the_stop_sequence_is_named(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Where the server tells which one it was."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": "Hi"},
        "finish_reason": "stop",
        "stop_reason": "END",
    }
    upstream.will("gpt", answers({"choices": [choice]}))

    made = answer(gateway, "vllm", stop_sequences=["END"])

    assert (made["stop_reason"], made["stop_sequence"]) == ("stop_sequence", "END")


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"prompt_tokens": 46, "prompt_tokens_details": {"cached_tokens": 32}}, (14, 0, 32, 0)),
        (None, (0, 0, 0, 0)),
    ],
)
def test_tokens(
    gateway: Gateway, upstream: FakeProviderThread, usage: Any, counts: tuple[int, ...]
) -> None:
    """Cases 30 and 31: all four counts, 0 where nobody knows."""
    upstream.will("gpt", completes({"role": "assistant", "content": "Hi"}, usage=usage))

    assert tuple(answer(gateway, "gpt")["usage"].values()) == counts


def test_long_names_of_tools(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Case 48: short at the provider, whole at the client, the same each time."""
    name = "mcp__" + "a" * 80
    tool = {**LOOK, "name": name}
    for stream in (False, True):
        asked = tool_call("placeholder", {"x": 1})

        def with_sent_name(recorded: Any, asked: Any = asked) -> Script:
            short = recorded.json()["tools"][0]["function"]["name"]
            return tool_call(short, {"x": 1})(recorded)

        upstream.will("gpt", with_sent_name)
        made = (
            added_up(streamed(gateway, "gpt", tools=[tool]))
            if stream
            else answer(gateway, "gpt", tools=[tool])
        )
        assert made["content"][0]["name"] == name

    first, second = (asked.json()["tools"][0]["function"]["name"] for asked in upstream.requests)
    assert first == second
    assert len(first) <= 64


def test_ids_that_a_provider_refuses(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Case 49: call and result agree, in either lane."""
    identifier = "functions.look:0" + "x" * 50
    call, back = {**CALL, "id": identifier}, {**result("ok"), "tool_use_id": identifier}
    messages = conversation("Hi", [call], [back])

    answer(gateway, "claude", messages=messages, tools=[LOOK])
    answer(gateway, "gpt", messages=messages, tools=[LOOK])

    claude, gpt = (asked.json()["messages"] for asked in upstream.requests)
    own = claude[1]["content"][0]["id"]
    assert claude[2]["content"][0]["tool_use_id"] == own
    assert own.startswith("toolu_")
    other = gpt[1]["tool_calls"][0]["id"]
    assert gpt[2]["tool_call_id"] == other
    assert len(other) <= 40


def test_a_very_long_argument(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Case 52: a megabyte in small pieces takes no more than it must."""
    arguments = orjson.dumps({"text": "x{\\" * 350_000}).decode()
    head = {"index": 0, "id": "c1", "type": "function"}
    first = chunk({"tool_calls": [{**head, "function": {"name": "look", "arguments": ""}}]})
    pieces = [
        chunk(
            {
                "tool_calls": [
                    {"index": 0, "function": {"arguments": arguments[place : place + 500]}}
                ]
            }
        )
        for place in range(0, len(arguments), 500)
    ]
    upstream.will("gpt", events([first, *pieces, chunk({}, finish_reason="tool_calls")]))

    message = added_up(streamed(gateway, "gpt", tools=[LOOK]))

    assert message["content"][0]["input"] == orjson.loads(arguments)


def test_a_refused_effort_that_nobody_asked_for(
    gateway: Gateway, upstream: FakeProviderThread
) -> None:
    """Case 54: it stood for a budget; an effort that was asked for is the client's to mend."""
    error = {"message": "Unsupported parameter: 'reasoning_effort'", "param": "reasoning_effort"}

    def refuses(recorded: Any) -> Script:
        if "reasoning_effort" in recorded.json():
            return fails(400, {"error": error})
        return openai_scripts.says("Yes.")(recorded)

    upstream.will("gpt", refuses)
    budget = {"type": "enabled", "budget_tokens": 2048}

    response = post(gateway, "vllm", thinking=budget, max_tokens=4096)
    asked = post(gateway, "vllm", thinking={"type": "adaptive"}, output_config={"effort": "low"})

    assert response.status_code == 200
    assert response.headers["x-lsd-ignored"] == "thinking"
    assert "reasoning_effort" in refusal(asked, 400)
    assert len(gateway.calls(response.headers["x-lsd-inference-id"])) == 1


def test_a_begun_answer(gateway: Gateway, upstream: FakeProviderThread) -> None:
    """Case 56: passed on, with a word in the log."""
    answer(gateway, "gpt", messages=conversation("Hi", "Well, "))

    assert sent(upstream)["messages"][-1] == {"role": "assistant", "content": "Well, "}
    assert any(each.get("parameter") == "messages" for each in gateway.log_records())


def test_answers_of_another_sampling_are_not_shared(
    gateway: Gateway, upstream: FakeProviderThread
) -> None:
    """Whatever shapes an answer matters in the cache, also what `/inference` has no field for."""
    kept: Any = {"lsd::cache_options": {"enabled": "on"}}

    first, other, again = [post(gateway, "vllm", top_k=top_k, **kept) for top_k in (1, 2, 1)]

    assert [each.headers.get("x-lsd-cache") for each in (first, other, again)] == [
        None,
        None,
        "hit",
    ]
    assert [asked.json()["top_k"] for asked in upstream.requests] == [1, 2]

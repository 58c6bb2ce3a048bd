"""Clients of Anthropic's API before providers that speak neither its language nor OpenAI's."""

from typing import Any

import pytest

from tests.api.anthropic_asking import (
    HI,
    LOOK,
    added_up,
    answer,
    conversation,
    post,
    same,
    streamed,
)
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes import bedrock_scripts, gemini_scripts, responses_scripts
from tests.fakes.provider_thread import FakeProviderThread

KINDS = ("gemini", "bedrock", "responses")


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """One model of each kind, and one that is offline."""
    config = f"""
        [models.gemini]
        routing = ["one"]
        [models.gemini.providers.one]
        type = "google_ai_studio_gemini"
        model_name = "gemini-3-flash"
        api_base = "{shared_provider.root("gemini")}/v1beta"

        [models.bedrock]
        routing = ["one"]
        [models.bedrock.providers.one]
        type = "aws_bedrock"
        model_id = "anthropic.claude-haiku-4-5-20251001-v1:0"
        endpoint_url = "{shared_provider.root("bedrock")}"
        region = "eu-west-1"

        [models.responses]
        routing = ["one"]
        [models.responses.providers.one]
        type = "openai"
        api_type = "responses"
        model_name = "gpt-1"
        api_key_location = "none"
        api_base = "{shared_provider.url("responses")}"
    """
    keys = {
        "GOOGLE_AI_STUDIO_API_KEY": "AIza",
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    return start_shared(config, environment=keys)


@pytest.fixture
def upstream(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """All three, with a thought and the call of a tool."""
    shared_provider.forget()
    call = {"functionCall": {"name": "look", "args": {"a": 1}}, "thoughtSignature": "QUJD"}
    shared_provider.will("gemini", gemini_scripts.gives([call]))
    thought = {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}
    use = {"toolUse": {"toolUseId": "t1", "name": "look", "input": {"a": 1}}}
    shared_provider.will(
        "bedrock",
        bedrock_scripts.gives([{"reasoningContent": thought}, use], stop_reason="tool_use"),
    )
    item = {
        "id": "fc_1",
        "type": "function_call",
        "call_id": "c1",
        "name": "look",
        "arguments": '{"a":1}',
    }
    shared_provider.will("responses", responses_scripts.gives(item))
    return shared_provider


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_of_a_tool(gateway: Gateway, upstream: FakeProviderThread, kind: str) -> None:
    """Case 59: streamed or not, it is the same message."""
    whole = answer(gateway, kind, tools=[LOOK])
    stream = added_up(streamed(gateway, kind, tools=[LOOK]))

    *thoughts, call = whole["content"]
    assert (call["type"], call["name"], call["input"]) == ("tool_use", "look", {"a": 1})
    assert whole["stop_reason"] == "tool_use"
    told = [(each["type"], each.get("thinking")) for each in thoughts]
    assert told == {"gemini": [("thinking", "")], "bedrock": [("thinking", "Hm.")]}.get(kind, [])
    for each in (*whole["content"], *stream["content"]):
        each.pop("id", None)  # Gemini has none, and LSD's are new each time
    assert same(stream) == same(whole)


@pytest.mark.parametrize("kind", KINDS)
def test_the_result_of_a_tool(gateway: Gateway, upstream: FakeProviderThread, kind: str) -> None:
    """Traps 28 and 29: what the provider wants back with its call, it gets."""
    content = answer(gateway, kind, tools=[LOOK])["content"]
    upstream.forget()
    back = {"type": "tool_result", "tool_use_id": content[-1]["id"], "content": "ok"}

    answer(gateway, kind, tools=[LOOK], messages=conversation("Hi", content, [back]))

    (asked,) = upstream.requests
    body = asked.json()
    match kind:
        case "gemini":
            call, result = body["contents"][1:]
            assert call["parts"][0]["thoughtSignature"] == "QUJD"
            assert result["parts"][0]["functionResponse"]["name"] == "look"
        case "bedrock":
            call, result = body["messages"][1:]
            thought = call["content"][0]["reasoningContent"]["reasoningText"]
            assert thought == {"text": "Hm.", "signature": "c2ln"}
            assert result["content"][0]["toolResult"]["toolUseId"] == "t1"
        case _:
            call, result = body["input"][1:]
            assert (call["type"], call["call_id"]) == ("function_call", "c1")
            assert result["output"] == "ok"


@pytest.mark.parametrize("kind", KINDS)
def test_instructions_and_limits(gateway: Gateway, upstream: FakeProviderThread, kind: str) -> None:
    """Trap 7: a probe for one token; one API refuses fewer than sixteen."""
    late: Any = {"role": "system", "content": "Be brief."}

    response = post(
        gateway,
        kind,
        system="A",
        messages=[*HI, late],
        max_tokens=1,
        tools=[LOOK],
        top_k=5,
        metadata={"user_id": "u-1"},
    )

    assert response.status_code == 200, response.text
    (asked,) = upstream.requests
    sent = asked.body.decode()
    assert "Be brief." in sent
    if kind == "responses":
        assert asked.json()["max_output_tokens"] == 16
    names_user = kind == "responses"
    ignored = response.headers["x-lsd-ignored"]
    assert ignored == ("top_k" if names_user else "top_k,metadata")

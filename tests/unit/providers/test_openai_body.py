"""Parameters are sent under the family's names, or left out with a warning."""

from hashlib import sha256
from typing import Any

import attrs
import pytest

from lsd.conversation import (
    NO_EDITS,
    ChatCompletionParams,
    ClientRequest,
    FunctionTool,
    SpecificTool,
    ToolSet,
    WireRequest,
    decode_json,
)
from tests.unit.providers.recorded import body, make_dialect, request, warned

SCHEMA = {"type": "object", "properties": {"z": {}, "a": {}}}
EVERYTHING = ChatCompletionParams(
    temperature=0.1,
    top_p=1,
    presence_penalty=-0.5,
    frequency_penalty=0,
    max_tokens=50,
    seed=7,
    stop_sequences=("END", "\n"),
    reasoning_effort="low",
    verbosity="high",
    service_tier="flex",
    thinking_budget_tokens=1000,
)


def test_a_plain_request_says_no_more_than_it_must() -> None:
    """What is not set is not sent, not even as null."""
    wire = make_dialect().encode(request(), {"api_key": None}, NO_EDITS)

    assert wire.body == (
        b'{"messages":[{"role":"user","content":"Hi"}],"model":"m-1","stream":false}'
    )


def test_every_parameter_has_its_field() -> None:
    """Values go out exactly as the caller gave them, in a stable order. (case 21)."""
    wire = make_dialect().encode(request(params=EVERYTHING), {"api_key": None}, NO_EDITS)

    assert wire.body == (
        b'{"messages":[{"role":"user","content":"Hi"}],"model":"m-1",'
        b'"temperature":0.1,"top_p":1,"presence_penalty":-0.5,"frequency_penalty":0,'
        b'"seed":7,"max_completion_tokens":50,"stop":["END","\\n"],"reasoning_effort":"low",'
        b'"verbosity":"high","service_tier":"flex","stream":false}'
    )
    assert warned(make_dialect(), request(params=EVERYTHING)) == ["thinking_budget_tokens"]


def test_streams_ask_for_usage() -> None:
    """Without being asked, servers do not count the tokens of a stream."""
    sent = body(make_dialect(), request(stream=True))

    assert sent["stream"] is True
    assert sent["stream_options"] == {"include_usage": True}
    assert "stream_options" not in body(make_dialect(), request())


@pytest.mark.parametrize(
    ("api_base", "keys"),
    [
        ("https://api.openai.com/v1/", {"max_completion_tokens"}),
        ("https://eu.api.openai.com/v1", {"max_completion_tokens"}),
        ("https://res.openai.azure.com/openai/v1/", {"max_completion_tokens"}),
        ("http://127.0.0.1:11434/v1", {"max_tokens", "max_completion_tokens"}),
        ("https://api.openai.com.evil.example/v1", {"max_tokens", "max_completion_tokens"}),
    ],
)
def test_other_servers_get_both_names_of_the_token_limit(api_base: str, keys: set[str]) -> None:
    """Case 20: many local servers read the old name only."""
    sent = body(make_dialect(api_base=api_base), request(params=ChatCompletionParams(max_tokens=9)))

    assert {key: sent[key] for key in sent if key.endswith("tokens")} == dict.fromkeys(keys, 9)


def test_a_schema_need_not_be_held_to() -> None:
    """As clients of OpenAI's API may say: a strict schema has rules of its own."""
    asked = request(json_mode="strict", output_schema=SCHEMA, is_schema_strict=False)

    assert body(make_dialect(), asked)["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "response", "schema": SCHEMA},
    }


@pytest.mark.parametrize(
    ("model", "json_mode", "schema", "wanted"),
    [
        ("m-1", "off", SCHEMA, None),
        ("m-1", "on", SCHEMA, {"type": "json_object"}),
        ("m-1", "strict", None, {"type": "json_object"}),
        (
            "m-1",
            "strict",
            SCHEMA,
            {
                "type": "json_schema",
                "json_schema": {"name": "response", "strict": True, "schema": SCHEMA},
            },
        ),
        ("gpt-3.5-turbo", "strict", SCHEMA, {"type": "json_object"}),
        ("gpt-3.5-turbo", "off", SCHEMA, None),
    ],
)
def test_json_modes_ask_for_json(model: str, json_mode: Any, schema: Any, wanted: Any) -> None:
    """Case 15: strict needs a schema, and a model that knows schemas."""
    asked = request(json_mode=json_mode, output_schema=schema)

    sent = body(make_dialect(model_name=model), asked)

    assert sent.get("response_format") == wanted
    if wanted and wanted["type"] == "json_schema":
        assert list(sent["response_format"]["json_schema"]["schema"]["properties"]) == ["z", "a"]


def test_a_forced_tool_stands_in_for_json_mode_tool() -> None:
    """Case 16: the wire has the function `respond`, forced, and no response format."""
    respond = FunctionTool(name="respond", description="Answer", parameters=SCHEMA, strict=True)
    tools = ToolSet(tools=(respond,), choice=SpecificTool(name="respond"), parallel=False)

    sent = body(make_dialect(), request(tools=tools))

    assert sent["tools"][0]["function"]["name"] == "respond"
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "respond"}}
    assert "response_format" not in sent


def translated(provider_type: str = "openai", **fields: Any) -> WireRequest:
    """What is sent for a client that speaks another language."""
    asked = attrs.evolve(request(**fields), client=ClientRequest(lane="anthropic", body={}))
    return make_dialect(provider_type).encode(asked, {"api_key": None}, NO_EDITS)


@pytest.mark.parametrize(
    ("budget", "effort"),
    [(1024, "low"), (4095, "low"), (4096, "medium"), (16_383, "medium"), (16_384, "high")],
)
def test_an_effort_stands_for_a_budget(budget: int, effort: str) -> None:
    """The client has not asked for it, which is known if it is refused."""
    wire = translated(params=ChatCompletionParams(thinking_budget_tokens=budget))

    assert decode_json(wire.body)["reasoning_effort"] == effort
    assert wire.derived == {"reasoning_effort": "thinking_budget_tokens"}
    assert wire.left_out == ()


def test_an_effort_that_was_asked_for_stands_for_nothing() -> None:
    """And is not changed."""
    wire = translated(params=ChatCompletionParams(reasoning_effort="max"))

    assert decode_json(wire.body)["reasoning_effort"] == "max"
    assert wire.derived == {}


def test_four_stop_sequences_are_sent() -> None:
    """OpenAI takes no more."""
    wire = translated(params=ChatCompletionParams(stop_sequences=tuple("abcde")))

    assert decode_json(wire.body)["stop"] == ["a", "b", "c", "d"]
    assert wire.left_out == ("stop_sequences",)


@pytest.mark.parametrize("provider_type", ["vllm", "sglang", "together", "fireworks", "openrouter"])
def test_some_types_sample_from_the_best(provider_type: str) -> None:
    """Others do not know `top_k`."""
    assert decode_json(translated(provider_type, top_k=5).body)["top_k"] == 5
    assert translated("groq", top_k=5).left_out == ("top_k",)


@pytest.mark.parametrize("provider_type", ["openai", "azure"])
def test_the_users_name_is_not_too_long(provider_type: str) -> None:
    """One agent's is, or is JSON: then a hash stands for it."""
    name = "user_" + "a" * 145

    assert decode_json(translated(provider_type, user="u-1").body)["user"] == "u-1"
    hashed = decode_json(translated(provider_type, user=name).body)["user"]
    assert hashed == sha256(name.encode()).hexdigest()
    assert translated("groq", user="u-1").left_out == ("user",)

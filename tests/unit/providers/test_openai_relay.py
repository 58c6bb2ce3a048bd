"""A client's own request on its way to a provider of the same kind: hardly anything changes."""

from typing import Any

import pytest

from lsd.conversation import (
    NO_EDITS,
    AttemptFailed,
    BodyEdit,
    ChatCompletionParams,
    ClientRequest,
    Edits,
    decode_json,
    encode_json,
)
from tests.unit.providers.recorded import make_dialect, request

HI = [{"role": "user", "content": "Hi"}]


def relay(dialect: Any = None, *, limit: int | None = None, **fields: Any) -> Any:
    """The request that is sent for a body with these fields."""
    client = ClientRequest(lane="openai", body={"model": "asked", "messages": HI, **fields})
    asked = request(
        client=client,
        stream=fields.get("stream", False),
        params=ChatCompletionParams(max_tokens=limit),
    )
    return (dialect or make_dialect()).relay(asked, {"api_key": None}, NO_EDITS)


def sent(dialect: Any = None, **fields: Any) -> dict[str, Any]:
    """The decoded body of it."""
    body: dict[str, Any] = decode_json(relay(dialect, **fields).body)
    return body


def turn(**fields: Any) -> dict[str, Any]:
    """A turn of the model."""
    return {"role": "assistant", "content": "Ho", **fields}


def call(identifier: str) -> dict[str, Any]:
    """A call of a tool."""
    return {"id": identifier, "type": "function", "function": {"name": "f", "arguments": "{}"}}


def test_everything_is_kept_but_the_name_of_the_model() -> None:
    """Cases 18 and 20: unknown fields, order of keys at every depth, numbers as they were."""
    fields = {
        "foo": {"z": 1, "a": [None, 1.0]},
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"z": 1, "a": 2}}}],
        "temperature": 1,
        "messages": [{"role": "user", "name": "n", "content": [{"type": "new", "x": 1}]}],
    }

    wire = relay(**fields)

    expected = {"model": "m-1", "messages": fields["messages"], **fields}
    assert wire.body == encode_json(expected)
    assert wire.left_out == ()


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("openai", {"max_completion_tokens"}),
        ("groq", {"max_completion_tokens"}),
        ("vllm", {"max_tokens"}),
    ],
)
def test_the_limit_goes_under_the_name_that_the_type_knows(kind: str, names: set[str]) -> None:
    """Case 16: the smaller of two."""
    body = sent(make_dialect(kind), limit=50, max_tokens=100, max_completion_tokens=50, top_p=1)

    assert {name: body[name] for name in body if name.startswith("max_")} == dict.fromkeys(
        names, 50
    )


def test_streams_are_asked_for_their_usage() -> None:
    """Whatever the client wants to see of it; servers that do not know the option are not asked."""
    asked = {
        "stream": True,
        "stream_options": {"include_usage": False, "include_obfuscation": True},
    }

    assert sent(**asked)["stream_options"] == {"include_usage": True}
    assert sent(stream=True)["stream_options"] == {"include_usage": True}
    assert "stream_options" not in sent(make_dialect("mistral"), **asked)
    assert "stream_options" not in sent(stream_options={"include_usage": True})


def test_fields_of_openais_platform_go_to_few_types() -> None:
    """Most servers refuse what they do not know; the client hears of it."""
    fields = {"store": True, "metadata": {"a": "b"}, "seed": 1}

    assert fields.items() <= sent(**fields).items()
    assert relay(make_dialect("openrouter"), **fields).left_out == ()
    wire = relay(make_dialect("groq"), **fields)
    assert wire.left_out == ("store", "metadata")
    assert decode_json(wire.body).keys() == {"model", "messages", "seed"}


def test_parameters_that_only_some_types_take() -> None:
    """The seed has another name at Mistral; tiers and verbosity are for a few."""
    fields = {"seed": 1, "service_tier": "priority", "verbosity": "low"}

    assert fields.items() <= sent(**fields).items()
    wire = relay(make_dialect("mistral"), **fields)
    assert wire.left_out == ("service_tier", "verbosity")
    assert decode_json(wire.body)["random_seed"] == 1
    assert relay(make_dialect("fireworks"), seed=1).left_out == ("seed",)
    assert sent(make_dialect("groq"), service_tier="flex")["service_tier"] == "flex"
    assert sent(service_tier="scale")["service_tier"] == "scale"


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [], "tool_choice": "auto", "parallel_tool_calls": True},
        {"tool_choice": "none"},
        {"parallel_tool_calls": False},
    ],
)
def test_nothing_is_said_about_tools_where_there_are_none(fields: dict[str, Any]) -> None:
    """Trap 25: clients send such leftovers."""
    assert sent(**fields).keys() == {"model", "messages"}


def test_who_wants_no_stream_need_not_say_so() -> None:
    """With `tgi`, tools do not stream; few clients write `stream` when they want none."""
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}]

    body = sent(make_dialect("tgi"), tools=tools)

    assert body == {"model": "tgi", "messages": HI, "tools": tools}
    assert sent(make_dialect("tgi"), tools=tools, stream=False)["tools"] == tools
    with pytest.raises(AttemptFailed, match="found tools in a streaming request"):
        relay(make_dialect("tgi"), tools=tools, stream=True)


def test_free_form_tools_are_for_openais_models() -> None:
    """Any other type is not even asked."""
    tools = [{"type": "custom", "custom": {"name": "shell"}}]

    assert sent(tools=tools)["tools"] == tools
    with pytest.raises(AttemptFailed, match="tool 'shell'") as failed:
        relay(make_dialect("groq"), tools=tools)
    assert failed.value.code == "unsupported_value"
    assert failed.value.refused_field == "tools[0]"


def test_developers_are_heard_as_system_elsewhere() -> None:
    """The role is OpenAI's own."""
    messages = [{"role": "developer", "content": "Be kind"}, *HI]

    assert sent(messages=messages)["messages"] == messages
    told = sent(make_dialect("groq"), messages=messages)["messages"]
    assert told == [{"role": "system", "content": "Be kind"}, *HI]


def test_leftovers_of_tool_calls_go() -> None:
    """Trap 19: servers refuse empty arrays, and empty texts beside calls."""
    messages = [turn(tool_calls=[]), turn(content="", tool_calls=[call("1")])]

    told = sent(messages=messages)["messages"]

    assert told == [turn(), turn(content=None, tool_calls=[call("1")])]


@pytest.mark.parametrize(
    ("kind", "identifier", "fits"),
    [
        ("openai", "functions.Bash:0", True),
        ("openai", "x" * 60, False),
        ("mistral", "functions.Bash:0", False),
        ("groq", "x" * 60, True),
    ],
)
def test_ids_of_calls_obey_the_types_rule(kind: str, identifier: str, fits: bool) -> None:
    """Case 49: a call and its result agree."""
    result = {"role": "tool", "tool_call_id": identifier, "content": "ok"}
    messages = [turn(tool_calls=[call(identifier), "odd"]), result]

    called, answered = sent(make_dialect(kind), messages=messages)["messages"]

    assert called["tool_calls"][0]["id"] == answered["tool_call_id"]
    assert called["tool_calls"][1] == "odd"
    assert (answered["tool_call_id"] == identifier) is fits


def test_marks_for_a_cache_are_for_openrouter() -> None:
    """Others refuse them."""
    part = {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}
    messages = [{"role": "user", "content": [part, "odd"]}]

    assert sent(make_dialect("openrouter"), messages=messages)["messages"] == messages
    (told,) = sent(messages=messages)["messages"]
    assert told["content"] == [{"type": "text", "text": "Hi"}, "odd"]


OWN = [{"type": "reasoning.text", "index": 0, "text": "hm", "format": "deepseek"}]
FOREIGN = [{"type": "reasoning.text", "index": 0, "text": "hm", "format": "anthropic"}]
OPENROUTERS = [{"type": "reasoning.text", "index": 0, "text": "hm", "format": "google-gemini-v1"}]


@pytest.mark.parametrize(
    ("kind", "fields", "kept"),
    [
        ("deepseek", {"reasoning_content": "hm"}, {"reasoning_content": "hm"}),
        ("deepseek", {"reasoning": "hm"}, {"reasoning_content": "hm"}),
        (
            "deepseek",
            {"reasoning_content": "x", "reasoning_details": OWN},
            {"reasoning_content": "hm"},
        ),
        ("deepseek", {"reasoning_content": "hm", "reasoning_details": FOREIGN}, {}),
        ("vllm", {"reasoning_content": "hm"}, {"reasoning": "hm"}),
        ("openai", {"reasoning_content": "hm", "reasoning_details": FOREIGN}, {}),
        ("groq", {"reasoning_content": "hm"}, {}),
        (
            "openrouter",
            {"reasoning": "hm", "reasoning_content": "hm", "reasoning_details": OPENROUTERS},
            {"reasoning": "hm", "reasoning_details": OPENROUTERS},
        ),
        ("openrouter", {"reasoning_details": FOREIGN}, {"reasoning_details": []}),
    ],
    ids=str,
)
def test_thoughts_go_back_to_where_they_came_from(
    kind: str, fields: dict[str, Any], kept: dict[str, Any]
) -> None:
    """Cases 27 and traps 15, 28: in the provider's own form, and to nobody else."""
    (told,) = sent(make_dialect(kind), messages=[turn(**fields)])["messages"]

    assert told == turn(**kept)


def test_deepseek_wants_the_field_beside_every_call() -> None:
    """Even if there was no thought."""
    (told,) = sent(make_dialect("deepseek"), messages=[turn(tool_calls=[call("1")])])["messages"]

    assert told["reasoning_content"] == ""


def test_edits_of_operators_are_made() -> None:
    """They come last, as always."""
    client = ClientRequest(lane="openai", body={"model": "asked", "messages": HI})
    edits = Edits(body=(BodyEdit(pointer="/user", value="me"),))

    wire = make_dialect().relay(request(client=client), {"api_key": "sk"}, edits)

    assert decode_json(wire.body)["user"] == "me"
    assert wire.headers["Authorization"] == "Bearer sk"
    assert wire.url.endswith("/chat/completions")


def test_the_lane_is_openais() -> None:
    """It decides whose bodies are relayed."""
    assert make_dialect().lane == "openai"

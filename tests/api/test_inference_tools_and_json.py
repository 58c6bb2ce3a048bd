"""Tools that a request brings along, calls that models make, and answers in JSON."""

from typing import Any

import orjson
import pytest

from tests.api.asking import SAYING_HI, Box, model, refusal, saying, text_of
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.openai_scripts import chunk, completes, events, says, tool_call
from tests.fakes.provider_thread import FakeProviderThread

TEAM = {
    "type": "object",
    "properties": {"team": {"type": "string"}},
    "required": ["team"],
    "additionalProperties": False,
}
LOOSE = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
STRICTER = {**LOOSE, "required": ["n", "why"]}

FILES = {"team.json": orjson.dumps(TEAM).decode(), "loose.json": orjson.dumps(LOOSE).decode()}

FUNCTIONS = """
    [tools.page_key]
    name = "page"
    description = "Pages a team"
    parameters = "team.json"

    [tools.spare]
    description = "Another one"
    parameters = "team.json"

    [functions.bare]
    type = "chat"
    variants.only.model = "box"

    [functions.triage]
    type = "chat"
    tools = ["page_key"]
    variants.only.model = "box"

    [functions.extract]
    type = "json"
    output_schema = "loose.json"
    [functions.extract.variants.only]
    model = "box"
    retries = { num_retries = 2, max_delay_s = 0.01 }

    [functions.extract_by_tool]
    type = "json"
    output_schema = "loose.json"
    variants.only = { model = "box", json_mode = "tool" }
"""

TRIAGE = {"function_name": "triage", **SAYING_HI}
EXTRACT = {"function_name": "extract", **SAYING_HI}
LOOKUP = {"name": "lookup", "description": "Finds", "parameters": TEAM}


@pytest.fixture
def box(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """The one provider."""
    shared_provider.forget()
    shared_provider.will("box", says("yes"))
    return shared_provider


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A gateway in front of it."""
    return start_shared(
        model("box", Box("one", shared_provider.url("box"))) + FUNCTIONS, files=FILES
    )


def sent(box: FakeProviderThread, number: int = 1) -> dict[str, Any]:
    """The body that the provider was sent."""
    body: dict[str, Any] = box.wait_for_request(number).json()
    return body


def sent_tools(box: FakeProviderThread) -> list[str]:
    """The names of the tools that the provider was offered."""
    return [tool["function"]["name"] for tool in sent(box).get("tools", [])]


def stored(gateway: Gateway, answer: dict[str, Any]) -> dict[str, Any]:
    """The record of an answer."""
    record = gateway.stored(answer["inference_id"])
    assert record is not None
    return record


@pytest.mark.parametrize(
    ("name", "arguments", "read"),
    [
        ("page", '{"team":"fac"}', ("page", {"team": "fac"})),
        ("page", '{"team":', ("page", None)),
        ("page", '{"team":1}', ("page", None)),
        ("page", '{"team":"fac","x":1}', ("page", None)),
        ("page", "", ("page", None)),
        ("page_key", '{"team":"fac"}', (None, None)),
        ("spare", '{"team":"fac"}', (None, None)),
        ("poem", "{}", (None, None)),
    ],
    ids=[
        "in order",
        "case 23: arguments are not JSON",
        "case 23: arguments of a wrong type",
        "arguments too many",
        "no arguments",
        "key instead of name",
        "configured, not offered",
        "case 23: unknown tool",
    ],
)
def test_a_call_is_read_as_far_as_it_is_valid(
    gateway: Gateway,
    box: FakeProviderThread,
    name: str,
    arguments: str,
    read: tuple[str | None, Any],
) -> None:
    """What the model wrote is always there; the checked form is null where it is wrong."""
    box.will("box", tool_call(name, arguments))

    answer = gateway.infer(**TRIAGE)

    assert answer["content"] == [
        {
            "type": "tool_call",
            "id": "call_1",
            "raw_name": name,
            "raw_arguments": arguments,
            "name": read[0],
            "arguments": read[1],
        }
    ]
    assert answer["finish_reason"] == "tool_call"
    assert stored(gateway, answer)["output"] == answer["content"]


def test_case_24_allowed_tools_are_named_by_their_keys(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """The name that the model sees is not enough; a key from outside the function is."""
    by_name = refusal(gateway, 400, {**TRIAGE, "allowed_tools": ["page"]})
    box.will("box", tool_call("spare", {"team": "x"}))
    outside = gateway.infer(**TRIAGE, allowed_tools=["spare"])

    assert by_name.startswith("allowed_tools[0]: found 'page'; wanted")
    assert outside["content"][0]["arguments"] == {"team": "x"}
    assert "spare" in sent_tools(box)


def test_allowed_tools_narrow_configured_and_additional_ones(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """A call outside of them is a call of an unknown tool."""
    box.will("box", tool_call("page", {"team": "x"}))

    answer = gateway.infer(**TRIAGE, additional_tools=[LOOKUP], allowed_tools=["lookup"])

    assert answer["content"][0]["name"] is None
    assert stored(gateway, answer)["allowed_tools"] == ["lookup"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"additional_tools": [{**LOOKUP, "name": "page"}]},
            "additional_tools[0].name: found a second tool 'page'; wanted names that differ",
        ),
        (
            {"additional_tools": [LOOKUP, LOOKUP]},
            "additional_tools[1].name: found a second tool 'lookup'; wanted names that differ",
        ),
        (
            {"tool_choice": {"specific": "absent"}},
            "tool_choice.specific: found 'absent'; wanted one of",
        ),
        (
            {"tool_choice": {"specific": "page"}, "allowed_tools": []},
            "tool_choice.specific: found 'page'; wanted one of",
        ),
        ({"tool_choice": "sometimes"}, 'tool_choice: found "sometimes"; wanted'),
        ({"allowed_tools": ["absent"]}, "allowed_tools[0]: found 'absent'; wanted"),
        (
            {"additional_tools": [{**LOOKUP, "parameters": {"type": "poem"}}]},
            "additional_tools[0].parameters: ",
        ),
        ({"additional_tools": [{**LOOKUP, "x": 1}]}, "additional_tools[0].x: unknown key; "),
        (
            {"additional_tools": [{"type": "poem", "name": "x"}]},
            'additional_tools[0].type: found "poem"; wanted one of function, openai_custom',
        ),
        ({"provider_tools": [{"tool": {}, "scope": {}}]}, "provider_tools[0].scope.model_name: "),
    ],
    ids=[
        "case 25: a name twice",
        "twice among the additional",
        "case 25: unknown choice",
        "choice not allowed",
        "no such choice",
        "unknown tool allowed",
        "parameters that are no schema",
        "unknown key",
        "unknown kind",
        "scope without a model",
    ],
)
def test_tools_that_contradict_each_other_are_refused(
    gateway: Gateway, box: FakeProviderThread, change: dict[str, Any], told: str
) -> None:
    """The tool or field is named, and no model is asked."""
    assert refusal(gateway, 400, {**TRIAGE, **change}).startswith(told)
    assert box.requests == []


def test_tool_settings_reach_the_model(gateway: Gateway, box: FakeProviderThread) -> None:
    """The request's settings go before the function's, and are recorded as given."""
    answer = gateway.infer(
        **TRIAGE,
        additional_tools=[{**LOOKUP, "strict": True}],
        tool_choice={"specific": "lookup"},
        parallel_tool_calls=False,
    )

    assert sent_tools(box) == ["page", "lookup"]
    body = sent(box)
    assert body["tool_choice"] == {"type": "function", "function": {"name": "lookup"}}
    assert body["parallel_tool_calls"] is False
    record = stored(gateway, answer)
    assert record["tool_choice"] == {"specific": "lookup"}
    assert record["parallel_tool_calls"] is False
    assert record["additional_tools"] == [{"type": "function", **LOOKUP, "strict": True}]
    assert "allowed_tools" not in record


def test_without_tools_nothing_is_sent_of_them(gateway: Gateway, box: FakeProviderThread) -> None:
    """No empty list, no choice."""
    answer = gateway.infer(function_name="bare", **SAYING_HI)

    assert sent(box).keys().isdisjoint({"tools", "tool_choice", "parallel_tool_calls"})
    assert stored(gateway, answer).keys().isdisjoint({"tool_choice", "parallel_tool_calls"})


def test_a_provider_without_server_side_tools_fails(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """An entry for it cannot be dropped in silence; one for another model does not matter."""
    scope = {"model_name": "other"}

    told = refusal(gateway, 502, {**TRIAGE, "provider_tools": [{"tool": {"type": "web"}}]})
    elsewhere = gateway.infer(**TRIAGE, provider_tools=[{"tool": {"type": "web"}, "scope": scope}])

    assert 'provider "one": ' in told
    assert text_of(elsewhere) == "yes"


@pytest.mark.parametrize(
    "change",
    [
        {"allowed_tools": []},
        {"additional_tools": []},
        {"tool_choice": "auto"},
        {"parallel_tool_calls": False},
    ],
    ids=lambda change: f"case 26: {next(iter(change))}",
)
def test_a_json_function_takes_no_tools(
    gateway: Gateway, box: FakeProviderThread, change: dict[str, Any]
) -> None:
    """Each of the fields is refused; null is absence."""
    (field,) = change

    assert refusal(gateway, 400, {**EXTRACT, **change}).startswith(f"{field}: ")
    box.will("box", says('{"n": 1}'))
    assert gateway.infer(**EXTRACT, **{field: None})["output"]["parsed"] == {"n": 1}


@pytest.mark.parametrize(
    ("said", "parsed"),
    [
        ('{"n": 1}', {"n": 1}),
        (' {"n": 1}\n', {"n": 1}),
        ('{"n": "one"}', None),
        ("There is one.", None),
        ('{"n": 1', None),
        ("null", None),
    ],
    ids=[
        "valid",
        "with white space",
        "breaks the schema",
        "case 27: no JSON",
        "cut off",
        "null",
    ],
)
def test_json_is_parsed_as_far_as_it_is_valid(
    gateway: Gateway, box: FakeProviderThread, said: str, parsed: Any
) -> None:
    """Raw text and value are both told and stored; a wrong answer is no reason to ask again."""
    box.will("box", says(said))

    answer = gateway.infer(**EXTRACT)

    assert answer["output"] == {"raw": said, "parsed": parsed}
    assert "content" not in answer
    assert len(box.requests) == 1
    record = stored(gateway, answer)
    assert record["output"] == answer["output"]
    assert record["output_schema"] == LOOSE


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_case_28_a_model_may_say_nothing(
    gateway: Gateway, box: FakeProviderThread, stream: bool
) -> None:
    """That is an answer without content, not a failure."""
    box.will("box", completes({"role": "assistant", "content": None}))
    if stream:
        box.will("box", events([chunk({"role": "assistant"}), chunk({}, finish_reason="stop")]))

    if stream:
        (last,) = gateway.stream(
            function_name="bare", include_aggregated_response=True, **SAYING_HI
        )
        (last_json,) = gateway.stream(**EXTRACT, include_aggregated_response=True)
        content, output = last["aggregated_response"], last_json["aggregated_response"]
    else:
        content = gateway.infer(function_name="bare", **SAYING_HI)["content"]
        output = gateway.infer(**EXTRACT)["output"]

    assert content == []
    assert output == {"raw": None, "parsed": None}


def test_case_29_the_requests_schema_replaces_the_functions(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """It is sent, it decides what is parsed, and it is the one on record."""
    box.will("box", says('{"n": 1}'))

    answer = gateway.infer(**EXTRACT, output_schema=STRICTER)

    assert answer["output"] == {"raw": '{"n": 1}', "parsed": None}
    assert sent(box)["response_format"]["json_schema"]["schema"] == STRICTER
    assert stored(gateway, answer)["output_schema"] == STRICTER


@pytest.mark.parametrize(
    "schema",
    [{"type": "poem"}, {"pattern": "("}, {"$ref": "https://example.com/schema.json"}],
    ids=["unknown type", "broken pattern", "remote reference"],
)
def test_case_29_a_schema_that_does_not_compile_is_refused(
    gateway: Gateway, box: FakeProviderThread, schema: dict[str, Any]
) -> None:
    """Before any provider is called; nothing is fetched for it."""
    told = refusal(gateway, 400, {**EXTRACT, "output_schema": schema})

    assert told.startswith("output_schema: ")
    assert box.requests == []


@pytest.mark.parametrize(
    ("mode", "format_type"), [("off", None), ("on", "json_object"), ("strict", "json_schema")]
)
def test_the_json_mode_decides_how_the_model_is_bound(
    gateway: Gateway, box: FakeProviderThread, mode: str, format_type: str | None
) -> None:
    """From not at all to the whole schema; the answer is checked in any case."""
    box.will("box", says('{"n": 1}'))

    answer = gateway.infer(**EXTRACT, params={"chat_completion": {"json_mode": mode}})

    assert sent(box).get("response_format", {}).get("type") == format_type
    assert answer["output"]["parsed"] == {"n": 1}


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_json_by_a_forced_tool(gateway: Gateway, box: FakeProviderThread, stream: bool) -> None:
    """The one tool's parameters are the schema, its arguments the answer."""
    box.will("box", tool_call("respond", '{"n": 12345678}'))
    body = {"function_name": "extract_by_tool", **SAYING_HI}

    if stream:
        *pieces, last = gateway.stream(**body, include_aggregated_response=True)
        assert "".join(piece["raw"] for piece in pieces) == '{"n": 12345678}'
        output = last["aggregated_response"]
    else:
        output = gateway.infer(**body)["output"]

    assert output == {"raw": '{"n": 12345678}', "parsed": {"n": 12345678}}
    (tool,) = sent(box)["tools"]
    assert tool["function"]["parameters"] == LOOSE
    assert sent(box)["tool_choice"]["function"] == {"name": tool["function"]["name"]}
    assert "response_format" not in sent(box)


BY_TOOL = {"params": {"chat_completion": {"json_mode": "tool"}}}


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"function_name": "bare"}, "output_schema"),
        ({"model_name": "box"}, "output_schema"),
        ({"function_name": "triage", "output_schema": LOOSE}, "triage"),
        (
            {"function_name": "bare", "output_schema": LOOSE, "additional_tools": [LOOKUP]},
            "additional_tools",
        ),
        ({"function_name": "bare", "output_schema": LOOSE, "allowed_tools": []}, "allowed_tools"),
        ({"function_name": "bare", "output_schema": LOOSE, "tool_choice": "none"}, "tool_choice"),
        (
            {"function_name": "bare", "output_schema": LOOSE, "parallel_tool_calls": False},
            "parallel_tool_calls",
        ),
        (
            {"function_name": "bare", "output_schema": LOOSE, "provider_tools": [{"tool": {}}]},
            "provider_tools",
        ),
    ],
    ids=[
        "case 30: function without output_schema",
        "case 30: model without output_schema",
        "function with tools",
        "additional_tools",
        "allowed_tools",
        "tool_choice",
        "parallel_tool_calls",
        "provider_tools",
    ],
)
def test_chat_json_by_a_forced_tool_stands_alone(
    gateway: Gateway, box: FakeProviderThread, body: dict[str, Any], word: str
) -> None:
    """It needs a schema, and leaves no room for other tools."""
    told = refusal(gateway, 400, {**body, **SAYING_HI, **BY_TOOL})

    assert told.startswith("params.chat_completion.json_mode: ")
    assert word in told
    assert box.requests == []


@pytest.mark.parametrize("mode", ["tool", "implicit_tool"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_case_30_chat_json_by_a_forced_tool_is_text(
    gateway: Gateway, box: FakeProviderThread, stream: bool, mode: str
) -> None:
    """The caller sees text that holds JSON, however it was had."""
    box.will("box", tool_call("respond", '{"n": 12345678}'))
    body = {
        "function_name": "bare",
        "output_schema": LOOSE,
        "params": {"chat_completion": {"json_mode": mode}},
        **saying("count"),
    }

    if stream:
        chunks = gateway.stream(**body)
        assert text_of(chunks) == '{"n": 12345678}'
        record = stored(gateway, chunks[-1])
    else:
        answer = gateway.infer(**body)
        assert answer["content"] == [{"type": "text", "text": '{"n": 12345678}'}]
        record = stored(gateway, answer)

    assert record["output"] == [{"type": "text", "text": '{"n": 12345678}'}]


def test_chat_in_strict_mode_is_bound_by_the_requests_schema(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """The answer is text."""
    box.will("box", says('{"n": 1}'))

    answer = gateway.infer(
        function_name="bare",
        output_schema=LOOSE,
        params={"chat_completion": {"json_mode": "strict"}},
        **SAYING_HI,
    )

    assert text_of(answer) == '{"n": 1}'
    assert sent(box)["response_format"]["json_schema"]["schema"] == LOOSE

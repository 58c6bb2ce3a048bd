"""What is sent to OpenAI's Responses API; what comes back is in the fixtures."""

from itertools import pairwise
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import (
    NO_EDITS,
    AttemptFailed,
    Base64File,
    BodyEdit,
    ChatCompletionParams,
    ClientRequest,
    CustomTool,
    Edits,
    FunctionTool,
    ModelMessage,
    ModelRequest,
    ProviderTool,
    SpecificTool,
    Text,
    Thought,
    ToolCall,
    ToolChoice,
    ToolResult,
    ToolSet,
    Unknown,
    UrlFile,
    decode_json,
    encode_json,
)
from lsd.providers import Dialect
from tests.unit.providers.recorded import (
    body,
    fixtures,
    make_dialect,
    refused,
    request,
    shown_events,
    shown_response,
    warned,
)

WX = FunctionTool(name="wx", description="d", parameters={"type": "object"}, strict=True)
CLOCK = FunctionTool(name="clock", description="e", parameters={"type": "object"})
SQL = CustomTool(
    name="sql",
    format={"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: x"}},
)
SCHEMA = {"type": "object", "properties": {}}
SEARCH = {"type": "web_search"}


def responses(**keys: Any) -> Dialect:
    """The dialect of a provider with these keys."""
    return make_dialect("openai", api_type="responses", **keys)


def items(*turns: Any, system: str | None = None, tools: ToolSet | None = None) -> list[Any]:
    """The input that these turns become; the first is the user's."""
    sent: list[Any] = body(responses(), request(*turns, system=system, tools=tools))["input"]
    return sent


def message(role: str, *parts: Any) -> dict[str, Any]:
    """A message of the input."""
    return {"type": "message", "role": role, "content": list(parts)}


def said(text: str) -> dict[str, str]:
    """A text of the user."""
    return {"type": "input_text", "text": text}


def test_the_dialect_says_what_it_is() -> None:
    """Records name the API that usage came from."""
    assert (responses().provider_type, responses().api_type) == ("openai", "responses")


@pytest.mark.parametrize("stream", [False, True])
def test_a_plain_request(stream: bool) -> None:
    """The body and where it goes; a stream has no options."""
    asked = request("Hi", stream=stream)

    wire = responses(api_base="http://h:1/v1?x=y").encode(asked, {"api_key": "sk"}, NO_EDITS)

    assert wire.url == "http://h:1/v1/responses?x=y"
    assert wire.headers["Authorization"] == "Bearer sk"
    assert wire.headers.get("Accept") == ("text/event-stream" if stream else None)
    assert decode_json(wire.body) == {
        "model": "m-1",
        "input": [message("user", said("Hi"))],
        "stream": stream,
        "text": {"format": {"type": "text"}},
    }


def test_no_key_means_no_header() -> None:
    """A server of one's own may want none."""
    headers = responses().encode(request(), {"api_key": None}, NO_EDITS).headers

    assert "authorization" not in {name.lower() for name in headers}


def test_parameters_have_their_names_here() -> None:
    """Case 44: what the API does not know is left out, and told in the log."""
    params = ChatCompletionParams(
        temperature=0.1,
        top_p=0.5,
        max_tokens=50,
        reasoning_effort="low",
        verbosity="high",
        service_tier="flex",
        seed=1,
        stop_sequences=("x",),
        presence_penalty=0.1,
        frequency_penalty=0.2,
        thinking_budget_tokens=9,
    )
    asked = request(params=params)

    assert body(responses(), asked) == {
        "model": "m-1",
        "input": [message("user", said("Hi"))],
        "temperature": 0.1,
        "top_p": 0.5,
        "max_output_tokens": 50,
        "service_tier": "flex",
        "stream": False,
        "text": {"format": {"type": "text"}, "verbosity": "high"},
        "reasoning": {"effort": "low"},
    }
    assert sorted(warned(responses(), asked)) == [
        "frequency_penalty",
        "presence_penalty",
        "seed",
        "stop_sequences",
        "thinking_budget_tokens",
    ]


@pytest.mark.parametrize(
    ("mode", "schema", "wanted"),
    [
        ("off", None, {"type": "text"}),
        ("on", SCHEMA, {"type": "json_object"}),
        ("strict", None, {"type": "json_object"}),
        (
            "strict",
            SCHEMA,
            {"type": "json_schema", "name": "response_schema", "schema": SCHEMA, "strict": True},
        ),
    ],
)
def test_json_modes_are_formats_of_the_text(mode: Any, schema: Any, wanted: Any) -> None:
    """Flat, other than in chat completions."""
    sent = body(responses(), request(json_mode=mode, output_schema=schema))

    assert sent["text"] == {"format": wanted}
    has_words = sent["input"][0]["content"][0]["text"].startswith("Respond using JSON.")
    assert has_words is (mode == "on")


def test_a_schema_need_not_be_held_to() -> None:
    """As in chat completions."""
    asked = request(json_mode="strict", output_schema=SCHEMA, is_schema_strict=False)

    assert body(responses(), asked)["text"]["format"]["strict"] is False


def test_an_old_model_gets_no_schema() -> None:
    """As in chat completions."""
    dialect = responses(model_name="gpt-3.5-turbo")

    sent = body(dialect, request(json_mode="strict", output_schema=SCHEMA))

    assert sent["text"]["format"] == {"type": "json_object"}


def test_what_was_said_is_a_flat_list_in_its_order() -> None:
    """Calls and results stand between the texts where they were."""
    assert items(
        "Weather?",
        [Text(text="Let me see."), ToolCall(id="c1", name="wx", arguments="{}"), Text(text="…")],
        [Text(text="Here:"), ToolResult(id="c1", name="wx", result="-3C"), Text(text="Cold?")],
        system="Be brief.",
    ) == [
        message("system", said("Be brief.")),
        message("user", said("Weather?")),
        message("assistant", {"type": "output_text", "text": "Let me see."}),
        {"type": "function_call", "call_id": "c1", "name": "wx", "arguments": "{}"},
        message("assistant", {"type": "output_text", "text": "…"}),
        message("user", said("Here:")),
        {"type": "function_call_output", "call_id": "c1", "output": "-3C"},
        message("user", said("Cold?")),
    ]


def test_turns_of_one_role_are_kept_apart() -> None:
    """Each message of the caller is one here, too."""
    asked = ModelRequest(
        messages=tuple(
            ModelMessage(role="user", content=(Text(text=each), Text(text="!")))
            for each in ("one", "two")
        )
    )

    assert body(responses(), asked)["input"] == [
        message("user", said("one"), said("!")),
        message("user", said("two"), said("!")),
    ]


def test_calls_of_custom_tools_have_items_of_their_own() -> None:
    """They are told by the names of the tools of this request."""
    tools = ToolSet(tools=(SQL,))

    sent = items(
        "Hi",
        [ToolCall(id="c1", name="sql", arguments="select 1")],
        [ToolResult(id="c1", name="sql", result="1")],
        tools=tools,
    )

    assert sent[1:] == [
        {"type": "custom_tool_call", "call_id": "c1", "name": "sql", "input": "select 1"},
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "1"},
    ]


def test_long_ids_of_tool_calls_are_shortened() -> None:
    """A call and its result stay together."""
    long = "x" * 41

    _, call, result = items(
        "Hi",
        [ToolCall(id=long, name="wx", arguments="{}")],
        [ToolResult(id=long, name="wx", result="1")],
    )

    assert call["call_id"] == result["call_id"] != long


def test_files_of_results_follow_them() -> None:
    """Behind the last result in a row, in front of what the user says then."""
    image = UrlFile(url="https://h/a.png", mime_type="image/png")

    sent = items(
        "Hi",
        [ToolCall(id=each, name="wx", arguments="{}") for each in ("c1", "c2")],
        [
            ToolResult(id="c1", name="wx", result=(Text(text="See"), image)),
            ToolResult(id="c2", name="wx", result="bad", is_error=True),
            Text(text="Well?"),
        ],
    )

    picture = {"type": "input_image", "image_url": "https://h/a.png"}
    assert sent[3:] == [
        {
            "type": "function_call_output",
            "call_id": "c1",
            "output": "See\n\n[attachment 1 follows]",
        },
        {"type": "function_call_output", "call_id": "c2", "output": "Error: bad"},
        message("user", picture, said("Well?")),
    ]


def test_files_are_parts_of_the_users_message() -> None:
    """Images by URL or inline, all else inline with a name."""
    (sent,) = items(
        [
            UrlFile(url="https://h/a.png", mime_type="image/png", detail="low"),
            Base64File(data="AA==", mime_type="image/png"),
            Base64File(data="AA==", mime_type="application/pdf"),
            Base64File(data="AA==", mime_type="text/plain", filename="notes.md"),
        ]
    )

    assert sent["content"] == [
        {"type": "input_image", "image_url": "https://h/a.png", "detail": "low"},
        {"type": "input_image", "image_url": "data:image/png;base64,AA=="},
        {
            "type": "input_file",
            "filename": "input.pdf",
            "file_data": "data:application/pdf;base64,AA==",
        },
        {
            "type": "input_file",
            "filename": "notes.md",
            "file_data": "data:text/plain;base64,AA==",
        },
    ]


@pytest.mark.parametrize(
    ("turns", "told"),
    [
        (([Base64File(data="AA==", mime_type="audio/wav")],), "audio; the Responses API takes"),
        (("Hi", [Base64File(data="AA==", mime_type="image/png")]), "a file in an assistant"),
        (([ToolCall(id="c", name="n", arguments="")],), "tool_call 'c' in a user message"),
        (("Hi", [ToolResult(id="c", name="n", result="")]), "tool_result 'c' in an assistant"),
    ],
    ids=["audio", "file of the assistant", "call of the user", "result of the assistant"],
)
def test_what_has_no_place_is_refused(turns: Any, told: str) -> None:
    """Nothing is sent, and the next provider is asked."""
    assert told in refused(responses(), request(*turns))


def test_a_thought_goes_back_sealed() -> None:
    """With its summary; one without a signature means nothing to the API."""
    summary = ({"type": "summary_text", "text": "Hm."},)
    asked = request(
        [Text(text="Hi"), Thought(text="mine")],
        [
            Thought(signature="gAAA", summary=summary),
            Thought(signature="gBBB"),
            Thought(text="aloud"),
            Text(text="Yes"),
        ],
    )

    assert body(responses(), asked)["input"][1:] == [
        {"type": "reasoning", "encrypted_content": "gAAA", "summary": list(summary)},
        {"type": "reasoning", "encrypted_content": "gBBB", "summary": []},
        message("assistant", {"type": "output_text", "text": "Yes"}),
    ]
    assert warned(responses(), asked) == ["thought in a user message", "thought without signature"]


def test_encrypted_reasoning_is_asked_for() -> None:
    """Where the operator wants it."""
    sent = body(responses(include_encrypted_reasoning=True), request())

    assert sent["include"] == ["reasoning.encrypted_content"]


def test_what_came_back_can_be_sent_back() -> None:
    """The items of tools that run at the provider go around unchanged."""
    (fixture,) = (
        each.values[0]
        for each in fixtures("answers", ("openai",))
        if each.id == "openai/responses_web_search_call"
    )
    answer = fixture.dialect().decode(200, fixture.headers, fixture.wire)
    item = decode_json(fixture.wire)["output"][0]

    assert shown_response(answer)["output"][0]["data"] == item
    assert items("Hi", list(answer.output))[1] == item


def test_an_unknown_block_is_an_item_as_it_is() -> None:
    """Of the user, too."""
    item = {"type": "item_reference", "id": "msg_1"}

    assert items([Text(text="a"), Unknown(data=item), Text(text="b")]) == [
        message("user", said("a")),
        item,
        message("user", said("b")),
    ]


def test_tools_are_flat() -> None:
    """Functions, custom tools, then those that run at the provider."""
    tools = ToolSet(
        tools=(WX, SQL, CustomTool(name="say", description="Says", format={"type": "text"})),
        provider_tools=(
            ProviderTool(tool={"type": "a"}),
            ProviderTool(tool={"type": "b"}, model_name="local"),
            ProviderTool(tool={"type": "c"}, model_name="local", provider_name="box"),
            ProviderTool(tool={"type": "d"}, model_name="other"),
        ),
        parallel=False,
    )

    sent = body(responses(provider_tools=(SEARCH,)), request(tools=tools))

    assert sent["tools"] == [
        {
            "type": "function",
            "name": "wx",
            "description": "d",
            "parameters": {"type": "object"},
            "strict": True,
        },
        {
            "type": "custom",
            "name": "sql",
            "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"},
        },
        {"type": "custom", "name": "say", "description": "Says", "format": {"type": "text"}},
        SEARCH,
        {"type": "a"},
        {"type": "b"},
        {"type": "c"},
    ]
    assert sent["tool_choice"] == "auto"
    assert sent["parallel_tool_calls"] is False


def test_a_function_says_whether_it_is_strict() -> None:
    """Here the API's own default would be yes."""
    sent = body(responses(), request(tools=ToolSet(tools=(CLOCK,))))

    assert sent["tools"][0]["strict"] is False


def test_tools_of_the_provider_need_no_choice() -> None:
    """Case 45: also of a request without tools of its own."""
    for tools in (None, ToolSet(choice="required")):
        sent = body(responses(provider_tools=(SEARCH,)), request(tools=tools))

        assert sent["tools"] == [SEARCH]
        assert "tool_choice" not in sent


def test_no_tools_send_nothing_about_tools() -> None:
    """Whatever the choice is."""
    sent = body(responses(), request(tools=ToolSet(choice="required", parallel=True)))

    assert {"tools", "tool_choice", "parallel_tool_calls"}.isdisjoint(sent)


@pytest.mark.parametrize(
    ("choice", "allowed", "sent"),
    [
        ("none", None, "none"),
        ("required", None, "required"),
        (SpecificTool(name="wx"), None, {"type": "function", "name": "wx"}),
        (SpecificTool(name="sql"), None, {"type": "custom", "name": "sql"}),
        ("none", ("wx",), "none"),
        (
            "auto",
            ("wx", "sql"),
            {
                "type": "allowed_tools",
                "mode": "auto",
                "tools": [{"type": "function", "name": "wx"}, {"type": "custom", "name": "sql"}],
            },
        ),
        (
            "required",
            ("wx",),
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "wx"}],
            },
        ),
    ],
)
def test_the_choice_is_told_in_flat_words(
    choice: ToolChoice, allowed: tuple[str, ...] | None, sent: Any
) -> None:
    """All tools are sent; who may be called is in the choice."""
    tools = ToolSet(tools=(WX, SQL), choice=choice, allowed=allowed)

    told = body(responses(), request(tools=tools))

    assert told["tool_choice"] == sent
    assert len(told["tools"]) == 2


def test_o1_models_have_their_quirks_here_too() -> None:
    """The system text is the user's, and nothing is said of parallel calls."""
    asked = request(system="Be brief.", tools=ToolSet(tools=(WX,), parallel=False))

    sent = body(responses(model_name="o1-mini"), asked)

    assert [each["role"] for each in sent["input"]] == ["user", "user"]
    assert "parallel_tool_calls" not in sent


def test_edits_come_last() -> None:
    """A summary of the reasoning is asked for by an edit."""
    edits = Edits(body=(BodyEdit(pointer="/reasoning/summary", value="auto"),))
    asked = request(params=ChatCompletionParams(reasoning_effort="low"))

    sent = decode_json(responses().encode(asked, {}, edits).body)

    assert sent["reasoning"] == {"effort": "low", "summary": "auto"}


def test_stream_and_whole_answer_name_a_call_alike() -> None:
    """Case 43: the id that results refer to is the call's own in both."""
    dialect = responses()
    whole = {each.id: each.values[0] for each in fixtures("answers", ("openai",))}
    streams = {each.id: each.values[0] for each in fixtures("streams", ("openai",))}
    name = "openai/responses_two_function_calls"

    calls = dialect.decode(200, whole[name].headers, whole[name].wire).output
    told = shown_streamed_calls(dialect, streams[name].wire)

    assert [(call.id, call.name) for call in calls if isinstance(call, ToolCall)] == told


def shown_streamed_calls(dialect: Dialect, wire: bytes) -> list[tuple[str, str]]:
    """The ids and names of the calls that a stream begins."""
    decoder = dialect.stream_decoder(200, {"content-type": "text/event-stream"})
    return [
        (chunk.id, chunk.raw_name)
        for event in decoder.feed(wire)
        for chunk in getattr(event, "content", [])
        if getattr(chunk, "raw_name", "")
    ]


def test_a_page_is_no_stream() -> None:
    """Another content type is a failure, and an error status is one of its kind."""
    for status, headers, kind in (
        (200, {"content-type": "text/html"}, "malformed"),
        (200, {}, "malformed"),
        (429, {"content-type": "text/event-stream"}, "rate_limited"),
    ):
        decoder = responses().stream_decoder(status, headers)
        decoder.feed(b"<html>")
        with pytest.raises(AttemptFailed) as failed:
            decoder.finish(cut=False)
        assert failed.value.kind == kind


def translated(*turns: Any, **fields: Any) -> ModelRequest:
    """A request that came in the words of another API."""
    client = ClientRequest(lane="anthropic", body={})
    return attrs.evolve(request(*turns, **fields), client=client)


@pytest.mark.parametrize(("asked", "sent"), [(1, 16), (16, 16), (100, 100)])
def test_a_client_may_ask_for_a_single_token(asked: int, sent: int) -> None:
    """Clients probe that way whether anybody is there; the API takes 16 at least."""
    params = ChatCompletionParams(max_tokens=asked)

    assert body(responses(), translated(params=params))["max_output_tokens"] == sent
    assert body(responses(), request(params=params))["max_output_tokens"] == asked


@pytest.mark.parametrize(("budget", "effort"), [(1024, "low"), (8000, "medium"), (32_000, "high")])
def test_a_budget_of_a_client_becomes_an_effort(budget: int, effort: str) -> None:
    """Nobody has asked for it, so that it may be left out again if the model refuses it."""
    asked = translated(params=ChatCompletionParams(thinking_budget_tokens=budget))

    wire = responses().encode(asked, {}, NO_EDITS)

    assert decode_json(wire.body)["reasoning"] == {"effort": effort}
    assert wire.derived == {"reasoning": "thinking_budget_tokens"}


def test_an_effort_goes_before_a_budget() -> None:
    """What was said outright is not inferred."""
    params = ChatCompletionParams(thinking_budget_tokens=32_000, reasoning_effort="low")

    wire = responses().encode(translated(params=params), {}, NO_EDITS)

    assert decode_json(wire.body)["reasoning"] == {"effort": "low"}
    assert wire.derived == {}


def test_an_instruction_within_the_conversation_is_the_developers() -> None:
    """It stands where it was said."""
    asked = ModelRequest(
        messages=(
            ModelMessage(role="user", content=(Text(text="Hi"),)),
            ModelMessage(role="system", content=(Text(text="Be brief."),)),
        )
    )

    assert body(responses(), asked)["input"] == [
        message("user", said("Hi")),
        message("developer", said("Be brief.")),
    ]


def test_a_clients_user_is_named() -> None:
    """As in chat completions."""
    asked = attrs.evolve(translated(), user="u-1")

    assert body(responses(), asked)["user"] == "u-1"


KEYS = (
    "type",
    "response",
    "item",
    "item_id",
    "id",
    "call_id",
    "name",
    "arguments",
    "input",
    "output",
    "output_index",
    "content_index",
    "summary_index",
    "delta",
    "content",
    "summary",
    "text",
    "refusal",
    "role",
    "encrypted_content",
    "error",
    "status",
    "usage",
    "incomplete_details",
    "reason",
)
WORDS = (
    "",
    "a",
    "assistant",
    "message",
    "reasoning",
    "function_call",
    "custom_tool_call",
    "output_text",
    "refusal",
    "error",
    "failed",
    "response.output_text.delta",
    "response.reasoning_summary_text.delta",
    "response.function_call_arguments.delta",
    "response.output_item.added",
    "response.output_item.done",
    "response.completed",
    "response.failed",
    "response.dream",
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=20,
)


@given(events=st.lists(VALUES, max_size=4), places=st.lists(st.integers(0, 300)), cut=st.booleans())
def test_no_stream_is_too_strange(events: list[Any], places: list[int], cut: bool) -> None:
    """Whatever JSON a server streams is understood or a fault, and cuts do not matter."""
    wire = b"".join(b"data: " + encode_json(each) + b"\n\n" for each in events)
    bounds = [0, *sorted(min(place, len(wire)) for place in places), len(wire)]

    def told(pieces: list[bytes]) -> Any:
        decoder = responses().stream_decoder(200, {"content-type": "text/event-stream"})
        heard = [event for piece in pieces for event in decoder.feed(piece)]
        return shown_events(heard + decoder.finish(cut=cut))

    assert told([wire[start:end] for start, end in pairwise(bounds)]) == told([wire])


@given(value=st.fixed_dictionaries({"output": st.lists(VALUES)}) | VALUES)
def test_no_answer_is_too_strange(value: Any) -> None:
    """Whatever JSON a server answers is understood or a failed attempt."""
    try:
        response = responses().decode(200, {}, encode_json(value))
    except AttemptFailed as failure:
        assert failure.kind != "config"  # noqa: PT017 (either outcome is right)
    else:
        assert Text(text="") not in response.output

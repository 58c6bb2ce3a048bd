"""Gemini by way of a gateway: whole answers, streams, tools, thoughts, JSON, files, failures."""

from typing import Any

import orjson
import pytest

from tests.api.asking import SAYING_HI, saying, statuses, text_of, wait_for, with_content
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.gemini_scripts import (
    USAGE,
    ending,
    error,
    event,
    fails,
    gives,
    says,
    streams,
    told,
    whole,
)
from tests.fakes.openai_scripts import answers
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Answer, Chunked, Header, Script, Split

KEY = "AIza-operators-own"

COUNTED = {
    "input_tokens": 35,
    "output_tokens": 30,
    "cost": None,
    "provider_cache_read_input_tokens": 20,
}
"""`USAGE` as LSD tells it."""

FUNCTIONS = """
    [functions.chat]
    type = "chat"
    tools = ["temp"]
    variants.only = { model = "gemini", max_tokens = 64 }

    [functions.patient]
    type = "chat"
    [functions.patient.variants.only]
    model = "lonely"
    retries = { num_retries = 1, max_delay_s = 5 }

    [functions.verdict]
    type = "json"
    output_schema = "verdict.json"
    variants.only = { model = "gemini", json_mode = "strict" }

    [tools.temp]
    description = "The temperature"
    parameters = "temp.json"
"""

SCHEMA = (
    '{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object",'
    '"properties":{"urgent":{"type":"boolean"}},"required":["urgent"],"additionalProperties":false}'
)
PARAMETERS = '{"type":"object","properties":{"city":{"type":"string"}}}'

THOUGHT = {"text": "need tool", "thought": True}
CALL = {"functionCall": {"name": "temp", "args": {"city": "Oslo"}}, "thoughtSignature": "QUJD"}
TEXT = {"text": "An old pond"}
POND = "An old pond"

PATH = "/s/first/v1beta/models/gemini-3-flash"


def entry(name: str, base: str, **keys: str) -> str:
    """The table of one provider."""
    lines = [f'{name}.type = "google_ai_studio_gemini"', f'{name}.api_base = "{base}"']
    lines += [f'{name}.{key} = "{value}"' for key, value in keys.items()]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A gateway with Gemini at `first`, and at `second` if that fails."""
    first, second = (f"{shared_provider.root(name)}/v1beta" for name in ("first", "second"))
    config = f"""
        [models.gemini]
        routing = ["one", "two"]
        [models.gemini.providers]
        {entry("one", first, model_name="gemini-3-flash")}
        {entry("two", f"{second}/", model_name="gemini-2.5-flash")}

        [models.lonely]
        routing = ["one"]
        [models.lonely.providers]
        {entry("one", first, model_name="gemini-3-flash")}

        [models.brought]
        routing = ["one", "two"]
        [models.brought.providers]
        {entry("one", first, model_name="m", api_key_location="dynamic::mine")}
        {entry("two", second, model_name="m")}

        {FUNCTIONS}
    """
    return start_shared(
        config,
        "--log-level",
        "debug",
        environment={"GOOGLE_AI_STUDIO_API_KEY": KEY},
        files={"verdict.json": SCHEMA, "temp.json": PARAMETERS},
    )


@pytest.fixture
def gemini(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """Both hosts, saying "An old pond" until a test wants something else."""
    shared_provider.forget()
    for name in ("first", "second"):
        shared_provider.will(name, says(POND))
    return shared_provider


def sent(gemini: FakeProviderThread) -> Any:
    """The body of the only request."""
    (request,) = gemini.requests
    return request.json()


def answered(gateway: Gateway, *, stream: bool, **request: Any) -> dict[str, Any]:
    """An answer, streamed or not, as if it had not been streamed."""
    if not stream:
        return gateway.infer(**request)
    *_, last = gateway.stream(**request, include_aggregated_response=True)
    return {**last, "content": last["aggregated_response"]}


def without_nulls(content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Blocks without the fields that are null, and without ids that were made up."""
    return [
        {key: block[key] for key in block if block[key] is not None and key != "id"}
        for block in content
    ]


BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


def test_a_plain_answer(gateway: Gateway, gemini: FakeProviderThread) -> None:
    """Gemini is asked in its own words, and what it says and counts is told in ours."""
    answer = gateway.infer(
        function_name="chat",
        input={"system": "Be brief.", "messages": [{"role": "user", "content": "Oslo?"}]},
        include_raw_usage=True,
    )

    assert text_of(answer) == POND
    assert (answer["usage"], answer["finish_reason"]) == (COUNTED, "stop")
    (usage,) = answer["raw_usage"]
    assert (usage["provider_type"], usage["data"]) == ("google_ai_studio_gemini", USAGE)
    (request,) = gemini.requests
    assert (request.method, request.path) == ("POST", f"{PATH}:generateContent")
    assert request.query == ""
    assert request.headers["x-goog-api-key"] == KEY
    assert "authorization" not in request.headers
    assert b"null" not in request.body
    assert request.json() == {
        "contents": [{"role": "user", "parts": [{"text": "Oslo?"}]}],
        "tools": [
            {
                "functionDeclarations": [
                    {
                        "name": "temp",
                        "description": "The temperature",
                        "parameters": {
                            "type": "object",
                            "properties": {"city": {"type": "string"}},
                        },
                    }
                ]
            }
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
        "generationConfig": {"maxOutputTokens": 64},
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
    }


def test_a_streamed_answer(gateway: Gateway, gemini: FakeProviderThread) -> None:
    """Case 33: it arrives in pieces of one text, and the counts come once, at its end."""
    *chunks, last = gateway.stream(function_name="chat", **SAYING_HI, include_raw_usage=True)

    assert text_of(chunks) == POND
    assert {block["id"] for chunk in chunks for block in chunk["content"]} == {"0"}
    assert (last["usage"], last["finish_reason"]) == (COUNTED, "stop")
    assert [usage["data"] for each in [*chunks, last] for usage in each.get("raw_usage", ())] == [
        USAGE
    ]
    (request,) = gemini.requests
    assert (request.path, request.query) == (f"{PATH}:streamGenerateContent", "alt=sse")
    assert request.headers["accept"] == "text/event-stream"
    assert "stream" not in request.json()
    (call,) = gateway.calls(last["inference_id"])
    assert orjson.loads(call["raw_response"].splitlines()[-1]) == ending()
    assert (call["status"], call["input_tokens"]) == ("ok", 35)


@BOTH
def test_a_call_of_a_tool_and_its_result(
    gateway: Gateway, gemini: FakeProviderThread, stream: bool
) -> None:
    """What the model thought and called goes back as it came, its signature in its place."""
    gemini.will("first", gives([THOUGHT, CALL]))
    content = answered(gateway, stream=stream, function_name="chat", **SAYING_HI)["content"]

    kind = "google_ai_studio_gemini"
    assert without_nulls(content) == [
        {"type": "thought", "text": "need tool", "provider_type": kind},
        {"type": "thought", "signature": "QUJD", "provider_type": kind},
        {
            "type": "tool_call",
            "raw_name": "temp",
            "raw_arguments": '{"city":"Oslo"}',
            "name": "temp",
            "arguments": {"city": "Oslo"},
        },
    ]
    gemini.forget()
    gemini.will("first", says("7 °C."))
    result = {"type": "tool_result", "id": content[-1]["id"], "name": "temp", "result": "7"}
    messages = [
        {"role": "user", "content": "Oslo?"},
        {"role": "assistant", "content": content},
        {"role": "user", "content": [result]},
    ]

    answer = answered(gateway, stream=stream, function_name="chat", input={"messages": messages})

    assert text_of(answer) == "7 °C."
    assert [turn["parts"] for turn in sent(gemini)["contents"]][1:] == [
        [THOUGHT, CALL],
        [{"functionResponse": {"name": "temp", "response": {"name": "temp", "content": "7"}}}],
    ]


@BOTH
def test_two_calls_of_one_function(
    gateway: Gateway, gemini: FakeProviderThread, stream: bool
) -> None:
    """Case 30: each has an id of its own, and arguments that are whole."""
    cities = [{"functionCall": {"name": "temp", "args": {"city": city}}} for city in ("A", "B")]
    gemini.will("first", gives(cities))

    content = answered(gateway, stream=stream, function_name="chat", **SAYING_HI)["content"]

    assert [block["arguments"] for block in content] == [{"city": "A"}, {"city": "B"}]
    assert len({block["id"] for block in content}) == 2


def test_a_signature_at_the_end_of_a_stream(gateway: Gateway, gemini: FakeProviderThread) -> None:
    """Case 31: it comes on an empty text, and goes back on the text before it."""
    last = event({"text": "", "thoughtSignature": "QUJD"}, finish="STOP", usage=USAGE)
    gemini.will("first", streams([*told([TEXT]), last]))
    content = answered(gateway, stream=True, function_name="chat", **SAYING_HI)["content"]
    gemini.forget()

    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": content},
        {"role": "user", "content": "go on"},
    ]
    gateway.stream(function_name="chat", input={"messages": messages})

    assert [block["type"] for block in content] == ["text", "thought"]
    assert sent(gemini)["contents"][1]["parts"] == [{**TEXT, "thoughtSignature": "QUJD"}]


def test_thoughts_of_others_are_kept_to_themselves(
    gateway: Gateway, gemini: FakeProviderThread
) -> None:
    """Case 14 and 32: Gemini does not see them, the record does; their calls are let pass."""
    thought = {
        "type": "thought",
        "text": "need tool",
        "signature": "c2ln",
        "provider_type": "anthropic",
    }
    call = {"type": "tool_call", "id": "t1", "name": "temp", "arguments": '{"city":"Oslo"}'}
    result = {"type": "tool_result", "id": "t1", "name": "temp", "result": "7"}
    messages = [
        {"role": "user", "content": "Oslo?"},
        {"role": "assistant", "content": [thought, call]},
        {"role": "user", "content": [result]},
    ]

    answer = gateway.infer(function_name="chat", input={"messages": messages})

    assert sent(gemini)["contents"][1]["parts"] == [
        {**CALL, "thoughtSignature": "skip_thought_signature_validator"}
    ]
    stored = wait_for(lambda: gateway.stored(answer["inference_id"]))
    assert stored["input"]["messages"][1]["content"][0]["signature"] == "c2ln"


@BOTH
def test_a_json_function(gateway: Gateway, gemini: FakeProviderThread, stream: bool) -> None:
    """The model is held to the schema, in the form that Google takes."""
    gemini.will("first", says('{"urgent": true}'))
    request = {"function_name": "verdict", **SAYING_HI}

    if stream:
        raw = "".join(each["raw"] for each in gateway.stream(**request))
        assert raw == '{"urgent": true}'
    else:
        assert gateway.infer(**request)["output"]["parsed"] == {"urgent": True}
    assert sent(gemini)["generationConfig"] == {
        "responseMimeType": "application/json",
        "responseSchema": {
            "type": "object",
            "properties": {"urgent": {"type": "boolean"}},
            "required": ["urgent"],
        },
    }


def test_a_file_at_a_url_is_fetched(gateway: Gateway, gemini: FakeProviderThread) -> None:
    """Google gets the bytes, and the record a place instead of them."""
    gemini.will("files", answers(b"%PDF-1.7", content_type="application/pdf"))
    url = f"{gemini.root('files')}/report"

    answer = gateway.infer(function_name="chat", **with_content([{"type": "file", "url": url}]))

    _, request = gemini.requests
    (part,) = request.json()["contents"][0]["parts"]
    assert part == {"inlineData": {"mimeType": "application/pdf", "data": "JVBERi0xLjc="}}
    (call,) = gateway.calls(answer["inference_id"])
    assert "<LSD_FILE_0>" in call["raw_request"]


def test_other_tools_of_google_are_asked_for_by_edits(
    gateway: Gateway, gemini: FakeProviderThread
) -> None:
    """What has no neutral name is put where it belongs; what it says comes as unknown blocks."""
    code = {"executableCode": {"language": "PYTHON", "code": "print(7)"}}
    gemini.will("first", gives([code, TEXT]))
    edits = [
        {"pointer": "/tools/-", "value": {"codeExecution": {}}},
        {"pointer": "/generationConfig/thinkingConfig/includeThoughts", "value": True},
    ]

    answer = gateway.infer(function_name="chat", **SAYING_HI, extra_body=edits)

    assert answer["content"][0] == {
        "type": "unknown",
        "data": code,
        "model_name": "gemini",
        "provider_name": "one",
    }
    body = sent(gemini)
    assert body["tools"][1] == {"codeExecution": {}}
    assert body["generationConfig"]["thinkingConfig"] == {"includeThoughts": True}


@BOTH
def test_tools_at_the_provider_are_refused(
    gateway: Gateway, gemini: FakeProviderThread, stream: bool
) -> None:
    """Case 58: the call fails before anything is sent, and says how many there were."""
    tools = [{"tool": {"type": "web_search"}}, {"tool": {"a": 1}, "scope": {"model_name": "x"}}]
    body = {"function_name": "chat", "provider_tools": tools[:1], "stream": stream, **SAYING_HI}

    response = gateway.post("/inference", body)

    assert response.status_code == 502
    assert 'provider "one" got 1 of provider_tools and takes none' in response.json()["error"]
    assert gemini.requests == []


def test_keys_of_requests(gateway: Gateway, gemini: FakeProviderThread) -> None:
    """Case 45: each provider gets its own key; without one, the next provider answers."""
    gateway.infer(model_name="brought", credentials={"mine": "AIza-mine"}, **SAYING_HI)
    answer = gateway.infer(model_name="brought", **SAYING_HI)

    shown = [(request.scenario, request.headers["x-goog-api-key"]) for request in gemini.requests]
    assert shown == [("first", "AIza-mine"), ("second", KEY)]
    failed, _ = gateway.calls(answer["inference_id"])
    assert '"one"' in failed["error"]
    assert "'mine'" in failed["error"]


def raw_stream(*pieces: bytes) -> Script:
    """A stream of these chunks as they are."""
    return Script((Header("Content-Type", "text/event-stream"), *map(Chunked, pieces)))


BARE_ERROR = b'{\n  "error": {\n    "code": 503,\n    "message": "high demand"\n  }\n}\n'
BLOCKED = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 9}}

ERRORS: dict[str, tuple[Answer, str]] = {
    "400": (fails(400, "INVALID_ARGUMENT", "bad field"), "HTTP 400: bad field"),
    "403": (fails(403, "PERMISSION_DENIED"), "HTTP 403: not now [code: PERMISSION_DENIED]"),
    "404": (fails(404, "NOT_FOUND", "no such model"), "HTTP 404: no such model"),
    "429": (fails(429, "RESOURCE_EXHAUSTED"), "HTTP 429: not now [code: RESOURCE_EXHAUSTED]"),
    "499": (fails(499, "CANCELLED"), "HTTP 499: not now [code: CANCELLED]"),
    "500": (fails(500, "INTERNAL"), "HTTP 500: not now"),
    "503": (fails(503, "UNAVAILABLE"), "HTTP 503: not now"),
    "504": (fails(504, "DEADLINE_EXCEEDED"), "HTTP 504: not now"),
    "an error in 200": (answers(error(503, "UNAVAILABLE")), "HTTP 503: not now"),
}


@BOTH
@pytest.mark.parametrize("fault", ERRORS)
def test_the_next_host_answers_when_one_fails(
    gateway: Gateway, gemini: FakeProviderThread, fault: str, stream: bool
) -> None:
    """The caller hears nothing of it; the record tells what was tried, and why it failed."""
    script, told_error = ERRORS[fault]
    gemini.will("first", script)

    answer = answered(gateway, stream=stream, function_name="chat", **SAYING_HI)

    assert text_of(answer) == POND
    calls = gateway.calls(answer["inference_id"])
    assert statuses(calls) == [("one", "error"), ("two", "ok")]
    assert told_error in calls[0]["error"]


NO_STREAMS: dict[str, Answer] = {
    "a whole answer": whole([TEXT]),
    "an error before the first word": streams([error(503, "UNAVAILABLE")]),
    "an error after counts": streams([{"usageMetadata": {"promptTokenCount": 9}}, error(503, "X")]),
    "an error after an empty text": streams([event({"text": ""}), error(503, "UNAVAILABLE")]),
    "an error outside of all events": streams([], bare=BARE_ERROR),
    "no event at all": streams([]),
    "an event that is not JSON": streams(['{"candidates": [']),
    "an event without an answer": streams([{"modelVersion": "m"}]),
    "a blocked prompt": streams([BLOCKED]),
}


@pytest.mark.parametrize("fault", NO_STREAMS)
def test_a_stream_that_never_begins(
    gateway: Gateway, gemini: FakeProviderThread, fault: str
) -> None:
    """Though the status was 200, it was no answer, and the next host gives one."""
    gemini.will("first", NO_STREAMS[fault])

    events = gateway.stream(function_name="chat", **SAYING_HI)

    assert text_of(events) == POND
    assert not any("error" in each for each in events)
    assert statuses(gateway.calls(events[-1]["inference_id"])) == [("one", "error"), ("two", "ok")]


BROKEN_STREAMS: dict[str, tuple[Script, str]] = {
    "an error in an event": (
        streams([*told([TEXT])[:2], error(503, "UNAVAILABLE"), *told([TEXT])[2:]]),
        "google_ai_studio_gemini returned HTTP 503: not now [code: UNAVAILABLE]",
    ),
    "an error outside of all events": (
        streams(told([TEXT])[:2], bare=BARE_ERROR),
        "google_ai_studio_gemini returned HTTP 503: high demand [code: 503]",
    ),
    "an end without a finish reason": (
        streams(told([TEXT])[:2]),
        "google_ai_studio_gemini: stream ended early; there was no finish reason",
    ),
    "an event that is not JSON": (
        streams([*told([TEXT])[:2], '{"candidates": [', ending()]),
        "google_ai_studio_gemini sent an answer that cannot be read: found an event that is not",
    ),
}


@pytest.mark.parametrize("fault", BROKEN_STREAMS)
def test_a_stream_that_breaks(gateway: Gateway, gemini: FakeProviderThread, fault: str) -> None:
    """Case 34: there is no way back; what had arrived is kept, and never passes for an answer."""
    script, told_error = BROKEN_STREAMS[fault]
    gemini.will("first", script)

    events = gateway.stream(function_name="chat", **SAYING_HI)

    assert text_of(events) == "An old "
    errors = [each["error"] for each in events if "error" in each]
    assert len(errors) == 1
    assert errors[0].startswith(told_error)
    inference_id = events[-1]["inference_id"]
    assert events[-1]["usage"]["input_tokens"] == 35
    assert "finish_reason" not in events[-1]
    (call,) = gateway.calls(inference_id)
    assert (call["status"], call["output"]) == (
        "interrupted",
        [{"type": "text", "text": "An old "}],
    )
    assert [request.scenario for request in gemini.requests] == ["first"]


def test_a_limited_host_is_given_the_time_it_asks_for(
    gateway: Gateway, gemini: FakeProviderThread
) -> None:
    """Case 36: the retry comes no earlier than the details of the error say."""
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.6s"}
    limited = fails(429, "RESOURCE_EXHAUSTED", "not now", info)
    asked: list[float] = []

    def door(request: RecordedRequest) -> Script:
        asked.append(request.arrived_at)
        return limited if len(asked) == 1 else says(POND)(request)

    gemini.will("first", door)

    answer = gateway.infer(function_name="patient", **SAYING_HI)

    assert text_of(answer) == POND
    assert asked[1] - asked[0] >= 0.6


@BOTH
@pytest.mark.parametrize(
    ("answer", "told_error"),
    [
        (fails(400, "INVALID_ARGUMENT", "bad field"), "bad field"),
        (answers(BLOCKED), "the prompt was blocked: SAFETY"),
        (fails(499, "CANCELLED", "gone"), "gone"),
    ],
    ids=["400", "blocked", "499"],
)
def test_what_time_does_not_mend_is_not_tried_again(
    gateway: Gateway, gemini: FakeProviderThread, answer: Answer, told_error: str, stream: bool
) -> None:
    """Cases 35 and 51: a retry would burn time for the same answer."""
    if stream and told_error.startswith("the prompt"):
        answer = streams([BLOCKED])
    gemini.will("first", answer)
    body = {"function_name": "patient", "stream": stream, **SAYING_HI}

    response = gateway.post("/inference", body)

    assert response.status_code == 502
    assert told_error in response.json()["error"]
    assert len(gemini.requests) == 1


@BOTH
def test_an_answer_that_was_filtered(
    gateway: Gateway, gemini: FakeProviderThread, stream: bool
) -> None:
    """Case 37: it is an answer, empty and with its reason."""
    refused = {"candidates": [{"finishReason": "SAFETY"}], "usageMetadata": USAGE}
    gemini.will("first", streams([refused]) if stream else answers(refused))

    answer = answered(gateway, stream=stream, function_name="chat", **SAYING_HI)

    assert (answer["content"], answer["finish_reason"]) == ([], "content_filter")


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_a_stream_in_single_bytes(
    gateway: Gateway, gemini: FakeProviderThread, line_end: bytes
) -> None:
    """Where the network cuts events, characters and chunks does not matter."""
    parts = [{"text": "Grüße, 世界 🌊", "thought": True}, CALL, TEXT]
    payloads = [orjson.dumps(each) for each in [*told(parts), ending()]]
    wire = b"".join(b"data: " + each + line_end * 2 for each in payloads)
    gemini.will("first", Script((Split(1), *raw_stream(wire).steps)))

    answer = answered(gateway, stream=True, function_name="chat", **SAYING_HI)

    thought, signature, call, text = answer["content"]
    assert (thought["text"], signature["signature"]) == ("Grüße, 世界 🌊", "QUJD")
    assert (call["arguments"], text["text"]) == ({"city": "Oslo"}, POND)
    assert answer["usage"] == COUNTED


def test_a_very_long_piece(gateway: Gateway, gemini: FakeProviderThread) -> None:
    """Ten megabytes in one event come through, and are one piece of a text."""
    gemini.will("first", streams([event({"text": "x" * 10_000_000}), ending()]))

    first, last = gateway.stream(function_name="chat", **SAYING_HI)

    assert len(text_of([first])) == 10_000_000
    assert last["finish_reason"] == "stop"


def test_no_words_for_gemini(gateway: Gateway, gemini: FakeProviderThread) -> None:
    """Case 1: without a message nobody is asked."""
    response = gateway.post("/inference", {"function_name": "chat", "input": {"messages": []}})

    assert response.status_code == 502
    assert 'provider "one" requires at least one message' in response.json()["error"]
    assert gemini.requests == []


def test_what_contradicts_itself_is_not_sent(gateway: Gateway, gemini: FakeProviderThread) -> None:
    """Case 4: thinking is asked for in one way."""
    params = {"thinking_budget_tokens": 2048, "reasoning_effort": "low"}

    body = {"function_name": "chat", "params": {"chat_completion": params}, **SAYING_HI}
    response = gateway.post("/inference", body)

    assert response.status_code == 502
    assert "found thinking_budget_tokens and reasoning_effort" in response.json()["error"]
    assert gemini.requests == []


def test_a_wrong_key_does_not_show(gateway: Gateway, gemini: FakeProviderThread) -> None:
    """Google tells keys back in its errors; LSD does not."""
    reason = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
    gemini.will("first", fails(400, "INVALID_ARGUMENT", f"bad key {KEY}", reason))

    response = gateway.post("/inference", {"function_name": "patient", **SAYING_HI})

    assert response.status_code == 502
    assert "HTTP 400: bad key ***" in response.json()["error"]


def test_no_key_in_the_log(gateway: Gateway, gemini: FakeProviderThread) -> None:
    """Case 60: not even at debug level."""
    gateway.infer(model_name="brought", credentials={"mine": "AIza-mine"}, **saying("again"))

    log = gateway.log_text()
    assert log
    assert KEY not in log
    assert "AIza-mine" not in log

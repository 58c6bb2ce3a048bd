"""Every type that speaks OpenAI's language, by way of a gateway, and the servers behind them."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import pytest

from lsd.config.tables.providers import PROVIDER_TYPES
from tests.api.asking import SAYING_HI, saying, statuses, text_of
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes import openai_scripts, responses_scripts
from tests.fakes.openai_scripts import answers, chunk, completes, events, fails, tool_call
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Body, Chunked, Delay, Fin, Head, Header, Script

POND = "An old pond"
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])

EVENT_HEAD = (Header("Content-Type", "text/event-stream"), Head())

Says = Callable[[str], Callable[[RecordedRequest], Script]]


@attrs.frozen(kw_only=True)
class Kind:
    """One way of configuring a provider, and what can be seen of it at the server.

    `path` goes on from where the scenario begins. `key` is the header that the key is in.
    """

    type: str
    keys: str = 'model_name = "m-1"'
    base: str = 'api_base = "{root}/v1"'
    path: str = "/v1/chat/completions"
    query: str = ""
    key: str = "authorization"
    headers: Mapping[str, str] = attrs.field(factory=dict)
    model: str | None = "m-1"
    limit: tuple[str, ...] = ("max_tokens",)
    stream_options: bool = True
    says: Says = openai_scripts.says

    def table(self, model: str, provider: FakeProviderThread) -> str:
        """The tables of a model that asks `first` and then `second`."""
        entries = [
            f"[models.{model}.providers.{name}]\n"
            f'type = "{self.type}"\n{self.keys}\n{self.base.format(root=provider.root(name))}\n'
            for name in ("first", "second")
        ]
        return "\n".join([f"[models.{model}]\n", 'routing = ["first", "second"]\n', *entries])


BOTH_LIMITS = ("max_completion_tokens", "max_tokens")

KINDS = {
    "azure": Kind(
        type="azure",
        keys='deployment_id = "d-1"\napi_version = "2025-01-01"',
        base='endpoint = "{root}"',
        path="/openai/deployments/d-1/chat/completions",
        query="api-version=2025-01-01",
        key="api-key",
        model=None,
        limit=("max_completion_tokens",),
    ),
    "deepseek": Kind(type="deepseek"),
    "fireworks": Kind(type="fireworks", stream_options=False),
    "groq": Kind(type="groq", limit=("max_completion_tokens",)),
    "hyperbolic": Kind(type="hyperbolic", stream_options=False),
    "mistral": Kind(type="mistral", stream_options=False),
    "openai": Kind(type="openai", limit=BOTH_LIMITS),
    "openrouter": Kind(
        type="openrouter", headers={"x-title": "LSD"}, limit=("max_completion_tokens",)
    ),
    "responses": Kind(
        type="openai",
        keys='model_name = "m-1"\napi_type = "responses"',
        path="/v1/responses",
        limit=("max_output_tokens",),
        stream_options=False,
        says=responses_scripts.says,
    ),
    "sglang": Kind(type="sglang"),
    "tgi": Kind(type="tgi", keys="", model="tgi"),
    "together": Kind(type="together", stream_options=False),
    "vllm": Kind(type="vllm"),
    "xai": Kind(type="xai"),
}
"""Every type, and OpenAI's other API."""

EACH = pytest.mark.parametrize("name", KINDS)

KEYS = {f"{kind.type.upper()}_API_KEY": f"sk-{kind.type}" for kind in KINDS.values()}

OPEN_SERVER = """
[models.box]
routing = ["first", "second"]
[models.box.providers.first]
type = "openai"
model_name = "qwen3:8b"
api_base = "{first}"
api_key_location = "none"
[models.box.providers.second]
type = "openai"
model_name = "qwen3:8b"
api_base = "{second}/"
api_key_location = "none"

[models.brought]
routing = ["first", "second"]
[models.brought.providers.first]
type = "groq"
model_name = "m"
api_base = "{first}"
api_key_location = "dynamic::mine"
[models.brought.providers.second]
type = "groq"
model_name = "m"
api_base = "{second}"
api_key_location = {{ default = "dynamic::mine", fallback = "env::GROQ_API_KEY" }}

[models.anywhere]
routing = ["first"]
[models.anywhere.providers.first]
type = "azure"
deployment_id = "d"
endpoint = "dynamic::place"
api_key_location = "none"

[models.hasty]
routing = ["first", "second"]
[models.hasty.providers.first]
type = "openai"
model_name = "m"
api_base = "{first}"
api_key_location = "none"
timeouts.streaming.ttft_ms = 200
[models.hasty.providers.second]
type = "deepseek"
model_name = "m"
api_base = "{second}"
api_key_location = "none"

[models.mixed]
routing = ["first", "second"]
[models.mixed.providers.first]
type = "openai"
model_name = "m"
api_base = "{first}"
api_key_location = "none"
[models.mixed.providers.second]
type = "deepseek"
model_name = "m"
api_base = "{second}"
api_key_location = "none"

[functions.patient]
type = "chat"
[functions.patient.variants.only]
model = "box"
retries = {{ num_retries = 1, max_delay_s = 5 }}
"""


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A gateway with a model of each kind, at `first`, and at `second` if that fails."""
    first, second = shared_provider.url("first"), shared_provider.url("second")
    config = "\n".join(kind.table(name, shared_provider) for name, kind in KINDS.items())
    return start_shared(config + OPEN_SERVER.format(first=first, second=second), environment=KEYS)


@pytest.fixture
def hosts(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """Both hosts, which a test has yet to tell what to say."""
    shared_provider.forget()
    return shared_provider


def answered(gateway: Gateway, *, stream: bool, **request: Any) -> dict[str, Any]:
    """An answer, streamed or not, as if it had not been streamed."""
    if not stream:
        return gateway.infer(**request)
    told = gateway.stream(**request, include_aggregated_response=True)
    assert not any("error" in event for event in told)
    return {**told[-1], "content": told[-1]["aggregated_response"]}


def test_every_type_of_the_family_is_here() -> None:
    """A type that is added is called by way of a gateway in the same change."""
    others = {
        "anthropic",
        "aws_bedrock",
        "aws_sagemaker",
        "echo",
        "gcp_vertex_anthropic",
        "gcp_vertex_gemini",
        "google_ai_studio_gemini",
    }

    assert {kind.type for kind in KINDS.values()} == set(PROVIDER_TYPES) - others


@EACH
@BOTH
def test_a_type_is_called_at_its_address_with_its_key(
    gateway: Gateway, hosts: FakeProviderThread, name: str, stream: bool
) -> None:
    """Path, query, headers and body are those of the type; the answer is told in our words."""
    kind = KINDS[name]
    hosts.will("first", kind.says(POND))

    answer = answered(
        gateway,
        stream=stream,
        model_name=name,
        params={"chat_completion": {"max_tokens": 64, "temperature": 0.1}},
        **saying("Oslo?"),
    )

    assert (text_of(answer), answer["finish_reason"]) == (POND, "stop")
    assert answer["usage"]["input_tokens"] == 10
    assert answer["usage"]["output_tokens"] == 5
    (request,) = hosts.requests
    assert (request.method, request.path) == ("POST", f"/s/first{kind.path}")
    assert request.query == kind.query
    prefix = "Bearer " if kind.key == "authorization" else ""
    assert request.headers[kind.key] == f"{prefix}sk-{kind.type}"
    assert {"authorization", "api-key"} & request.headers.keys() == {kind.key}
    assert kind.headers.items() <= request.headers.items()
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("LSD/")
    if stream:
        assert request.headers["accept"] == "text/event-stream"
        assert request.headers["accept-encoding"] == "identity"
    body = request.json()
    assert body.get("model") == kind.model
    assert body["stream"] is stream
    assert ("stream_options" in body) is (stream and kind.stream_options)
    limits = {key: body[key] for key in (*BOTH_LIMITS, "max_output_tokens") if key in body}
    assert limits == dict.fromkeys(kind.limit, 64)
    assert b'"temperature":0.1' in request.body
    (call,) = gateway.calls(answer["inference_id"])
    assert call["raw_request"] == request.body.decode()
    assert "sk-" not in call["raw_request"]


@EACH
@BOTH
def test_a_key_that_is_refused_is_the_providers_affair(
    gateway: Gateway, hosts: FakeProviderThread, name: str, stream: bool
) -> None:
    """The next provider is asked; the record tells what was said of the key, not the key."""
    kind = KINDS[name]
    refused = Script((), require_key="another key")
    hosts.will("first", refused)
    hosts.will("second", kind.says(POND))

    answer = answered(gateway, stream=stream, model_name=name, **SAYING_HI)

    assert text_of(answer) == POND
    failed, _ = gateway.calls(answer["inference_id"])
    assert failed["error"].startswith(f"{kind.type} returned HTTP 401: Incorrect API key provided")
    assert f"sk-{kind.type}" not in str(failed)


@pytest.mark.parametrize("name", [each for each in KINDS if each not in ("hyperbolic", "tgi")])
@BOTH
def test_a_tool_is_called(
    gateway: Gateway, hosts: FakeProviderThread, name: str, stream: bool
) -> None:
    """It is told to the server in the type's words, and its call comes back in ours."""
    call = {"type": "function_call", "id": "fc", "call_id": "call_1", "name": "wx"}
    hosts.will(
        "first",
        responses_scripts.gives({**call, "arguments": '{"city":"Oslo"}'})
        if name == "responses"
        else tool_call("wx", {"city": "Oslo"}),
    )
    tool = {
        "type": "function",
        "name": "wx",
        "description": "The weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    }

    answer = answered(gateway, stream=stream, model_name=name, additional_tools=[tool], **SAYING_HI)

    (block,) = answer["content"]
    assert (block["type"], block["id"], block["name"]) == ("tool_call", "call_1", "wx")
    assert block["arguments"] == {"city": "Oslo"}
    assert answer["finish_reason"] == "tool_call"
    (sent,) = hosts.requests[0].json()["tools"]
    told = sent if name == "responses" else sent["function"]
    assert (told["name"], told["parameters"]) == ("wx", tool["parameters"])


@BOTH
def test_a_name_that_no_provider_takes_is_changed_on_the_way(
    gateway: Gateway, hosts: FakeProviderThread, stream: bool
) -> None:
    """Upstream it fits, in the answer and on record it is the caller's own."""
    name = "files.read/" + "of_a_server_with_very_long_names_" * 3
    seen: list[str] = []

    def call(request: RecordedRequest) -> Script:
        (sent,) = request.json()["tools"]
        seen.append(sent["function"]["name"])
        return tool_call(seen[-1], {})(request)

    hosts.will("first", call)
    tool = {"type": "function", "name": name, "description": "d", "parameters": {}}

    answer = answered(
        gateway, stream=stream, model_name="xai", additional_tools=[tool], **SAYING_HI
    )

    (fitting,) = seen
    assert fitting.startswith("files_read_of_a_server_")
    assert len(fitting) == 64
    (block,) = answer["content"]
    assert (block["raw_name"], block["name"]) == (name, name)
    (record,) = gateway.calls(answer["inference_id"])
    assert record["output"][0]["name"] == name
    assert fitting in record["raw_request"]


def test_tools_that_cannot_be_streamed_never_leave_the_gateway(
    gateway: Gateway, hosts: FakeProviderThread
) -> None:
    """Case 49: tgi has tools without streaming only."""
    tool = {"type": "function", "name": "wx", "description": "d", "parameters": {}}
    body = {"model_name": "tgi", "additional_tools": [tool], "stream": True, **SAYING_HI}

    response = gateway.post("/inference", body)

    assert response.status_code == 502
    assert "tgi: found tools in a streaming request" in response.json()["error"]
    assert hosts.requests == []


def test_a_hundred_calls_take_one_connection(gateway: Gateway, hosts: FakeProviderThread) -> None:
    """Case 50: one after the other, they share it; a closed one is replaced unnoticed."""
    hosts.will("first", openai_scripts.says(POND))

    answers_ = [gateway.infer(model_name="xai", **SAYING_HI) for _ in range(100)]
    closing = (Header("Connection", "close"), *completes({"content": POND}).steps)
    hosts.will("first", Script(closing))
    last = [gateway.infer(model_name="xai", **SAYING_HI) for _ in range(3)]

    assert len({request.connection for request in hosts.requests[:100]}) == 1
    for answer in (answers_[0], *last):
        assert statuses(gateway.calls(answer["inference_id"])) == [("first", "ok")]


def test_a_thought_and_an_item_of_the_provider_go_around(
    gateway: Gateway, hosts: FakeProviderThread
) -> None:
    """What the Responses API leaves behind is sent back as it came, and only to that provider."""
    search = {"id": "ws_1", "type": "web_search_call", "status": "completed"}
    reasoning = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAA"}
    hosts.will("first", responses_scripts.gives(search, reasoning, responses_scripts.message(POND)))

    first = gateway.infer(model_name="responses", **SAYING_HI)
    turns = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": first["content"]},
        {"role": "user", "content": "And?"},
    ]
    gateway.infer(model_name="responses", input={"messages": turns})
    hosts.will("first", openai_scripts.says(POND))
    gateway.infer(model_name="vllm", input={"messages": turns})

    kinds = [block["type"] for block in first["content"]]
    assert kinds == ["unknown", "thought", "text"]
    sent = hosts.requests[1].json()["input"]
    assert sent[1] == search
    assert sent[2] == {"type": "reasoning", "encrypted_content": "gAAA", "summary": []}
    assert [each["content"] for each in hosts.requests[2].json()["messages"]] == [
        "hi",
        POND,
        "And?",
    ]


def test_no_key_is_sent_to_a_server_that_wants_none(
    gateway: Gateway, hosts: FakeProviderThread
) -> None:
    """Case 2: there is no header at all, and one slash, whether the base ends in one or not."""
    hosts.will("first", fails(500))
    hosts.will("second", openai_scripts.says(POND))

    gateway.infer(model_name="box", **SAYING_HI)

    assert [request.path for request in hosts.requests] == [
        "/s/first/v1/chat/completions",
        "/s/second/v1/chat/completions",
    ]
    assert all("authorization" not in request.headers for request in hosts.requests)


def test_a_key_that_the_caller_did_not_bring_fails_one_attempt(
    gateway: Gateway, hosts: FakeProviderThread
) -> None:
    """Cases 3 and 4: its name is told, and a fallback that is at hand is used, with a warning."""
    hosts.will("second", openai_scripts.says(POND))

    answer = gateway.infer(model_name="brought", **SAYING_HI)

    failed, _ = gateway.calls(answer["inference_id"])
    assert "'mine'" in failed["error"]
    (request,) = hosts.requests
    assert request.headers["authorization"] == "Bearer sk-groq"
    assert gateway.log_records("fallback credential used")


def test_a_key_of_the_caller_goes_before_the_operators(
    gateway: Gateway, hosts: FakeProviderThread
) -> None:
    """It is sent, and shown nowhere."""
    hosts.will("first", fails(500))
    hosts.will("second", openai_scripts.says(POND))
    credentials = {"mine": "sk-callers-own"}

    answer = gateway.infer(model_name="brought", credentials=credentials, **SAYING_HI)

    keys = {request.headers["authorization"] for request in hosts.requests}
    assert keys == {"Bearer sk-callers-own"}
    assert "sk-callers-own" not in str(gateway.calls(answer["inference_id"]))
    assert "sk-callers-own" not in gateway.log_text()


@pytest.mark.parametrize(
    ("credentials", "told"),
    [
        ({}, "the request's credentials hold no 'place'"),
        ({"place": "res.example"}, "azure: found no URL at dynamic::place; wanted an absolute"),
    ],
    ids=["missing", "no address"],
)
def test_an_address_that_the_caller_did_not_bring_fails_the_attempt(
    gateway: Gateway, hosts: FakeProviderThread, credentials: dict[str, str], told: str
) -> None:
    """The credential that is wrong is named."""
    body = {"model_name": "anywhere", "credentials": credentials, **SAYING_HI}

    response = gateway.post("/inference", body)

    assert told in response.json()["error"]
    assert hosts.requests == []


def test_an_address_of_the_caller_is_called(gateway: Gateway, hosts: FakeProviderThread) -> None:
    """For this request alone."""
    hosts.will("first", openai_scripts.says(POND))

    gateway.infer(model_name="anywhere", credentials={"place": hosts.root("first")}, **SAYING_HI)

    (request,) = hosts.requests
    assert request.path == "/s/first/openai/deployments/d/chat/completions"
    assert {"authorization", "api-key"}.isdisjoint(request.headers)


@BOTH
def test_a_thought_goes_back_to_its_own_type_only(
    gateway: Gateway, hosts: FakeProviderThread, stream: bool
) -> None:
    """Case 10: each provider of a routing is told what is meant for it; who is not told is all."""
    hosts.will("first", fails(500))
    hosts.will("second", openai_scripts.says(POND))
    thoughts = [
        {"type": "thought", "text": "of openai", "provider_type": "openai"},
        {"type": "thought", "text": "of deepseek", "provider_type": "deepseek"},
        {"type": "thought", "text": "of nobody"},
    ]
    turns = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [*thoughts, {"type": "text", "text": "Yes?"}]},
        {"role": "user", "content": "And?"},
    ]

    answered(gateway, stream=stream, model_name="mixed", input={"messages": turns})

    told = [request.json()["messages"][1]["reasoning_content"] for request in hosts.requests]
    assert told == ["of openai\n\nof nobody", "of deepseek\n\nof nobody"]


def test_comments_do_not_make_a_stream_begin(gateway: Gateway, hosts: FakeProviderThread) -> None:
    """Case 34: a server that only says that it is alive is passed over when its time is over."""
    comments = [step for _ in range(2000) for step in (Chunked(b": keep-alive\n\n"), Delay(10))]
    hosts.will("first", Script((*EVENT_HEAD, *comments)))
    hosts.will("second", openai_scripts.says(POND))

    answer = answered(gateway, stream=True, model_name="hasty", **SAYING_HI)

    assert text_of(answer) == POND
    failed, _ = gateway.calls(answer["inference_id"])
    assert failed["error"] == 'provider "first": timeouts.streaming.ttft_ms = 200 reached'
    assert 200 <= failed["response_time_ms"] < 20_000


def test_ollama_calls_a_tool_in_one_piece(gateway: Gateway, hosts: FakeProviderThread) -> None:
    """With a finish reason that is empty until the end, as old versions send it."""
    call = {"id": "call_7", "index": 0, "type": "function"}
    call["function"] = {"name": "wx", "arguments": "{}"}
    delta = {"role": "assistant", "content": "", "tool_calls": [call]}
    payloads = [chunk(delta, finish_reason=""), chunk({"content": ""}, finish_reason="tool_calls")]
    hosts.will("first", events(payloads))
    tool = {"type": "function", "name": "wx", "description": "d", "parameters": {}}

    answer = answered(gateway, stream=True, model_name="box", additional_tools=[tool], **SAYING_HI)

    (block,) = answer["content"]
    assert (block["id"], block["name"], block["arguments"]) == ("call_7", "wx", {})
    assert answer["finish_reason"] == "tool_call"
    assert (answer["usage"]["input_tokens"], answer["usage"]["output_tokens"]) == (None, None)


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (
            404,
            {"error": {"message": 'model "qwen3:8b" not found', "type": "api_error"}},
            'openai returned HTTP 404: model "qwen3:8b" not found',
        ),
        (
            200,
            {"error": "Unexpected endpoint or method. (POST /v1/chat/completions)"},
            "openai reported an error: Unexpected endpoint or method.",
        ),
    ],
    ids=["Ollama without the model", "LM Studio under a wrong path"],
)
@BOTH
def test_words_of_local_servers_are_told(
    gateway: Gateway,
    hosts: FakeProviderThread,
    status: int,
    body: dict[str, Any],
    told: str,
    stream: bool,
) -> None:
    """An error is one whatever its status, and the next server is asked."""
    hosts.will("first", answers(body, status=status))
    hosts.will("second", openai_scripts.says(POND))

    answer = answered(gateway, stream=stream, model_name="box", **SAYING_HI)

    failed, _ = gateway.calls(answer["inference_id"])
    assert failed["error"].startswith(told)


def test_llama_cpp_is_given_time_to_load(gateway: Gateway, hosts: FakeProviderThread) -> None:
    """A server that is loading its model is tried again."""
    loading = {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}
    hosts.will("second", answers(loading, status=503))
    scripts = [answers(loading, status=503), completes({"content": POND})]
    hosts.will("first", lambda _: scripts.pop(0))

    answer = gateway.infer(function_name="patient", **SAYING_HI)

    assert text_of(answer) == POND
    assert [request.scenario for request in hosts.requests] == ["first", "second", "first"]


@pytest.mark.parametrize(
    ("wire", "told"),
    [
        (b'data: {"choices": [\n\n', "found an event that is not JSON"),
        (b'data: {"error":{"message":"no memory"}}\n\n', "openai reported an error: no memory"),
        (b'data: {"error":"no memory"}\n\n', "openai reported an error: no memory"),
        (b'event: error\ndata: {"message":"no memory"}\n\n', "openai reported an error: no mem"),
        (b'error: {"code":503,"message":"busy"}\n\n', "openai returned HTTP 503: busy"),
        (b"data: \xff\xfe\n\n", "not UTF-8"),
        (b'data: {"choices":[{},{}]}\n\n', "found 2 choices"),
        (b"data: [DONE]\n\n", "stream ended before first chunk"),
        (b": a comment\n\n" * 80_000, "stream ended before first chunk"),
        (b"data: " + b"x" * (9 << 20), "found an event of more than"),
    ],
    ids=[
        "not JSON",
        "an error",
        "an error in words",
        "an error event",
        "an error field",
        "not UTF-8",
        "two choices",
        "the end mark alone",
        "comments alone",
        "an endless event",
    ],
)
def test_a_stream_that_goes_wrong_at_once_is_passed_over(
    gateway: Gateway, hosts: FakeProviderThread, wire: bytes, told: str
) -> None:
    """Until the first chunk every fault is the attempt's, and the next server is asked."""
    hosts.will("first", Script((*EVENT_HEAD, Chunked(wire))))
    hosts.will("second", openai_scripts.says(POND))

    answer = answered(gateway, stream=True, model_name="box", **SAYING_HI)

    assert text_of(answer) == POND
    failed, _ = gateway.calls(answer["inference_id"])
    assert told in failed["error"]


def test_a_stream_that_is_cut_behind_its_finish_reason_is_whole(
    gateway: Gateway, hosts: FakeProviderThread
) -> None:
    """The end mark is missed by nobody."""
    payloads = [chunk({"content": POND}), chunk({}, finish_reason="stop")]
    hosts.will("first", Script((*events(payloads, done=False).steps, Fin())))

    answer = answered(gateway, stream=True, model_name="box", **SAYING_HI)

    assert (text_of(answer), answer["finish_reason"]) == (POND, "stop")
    assert statuses(gateway.calls(answer["inference_id"])) == [("first", "ok")]


def test_llama_cpp_reports_an_error_in_a_line_of_its_own(
    gateway: Gateway, hosts: FakeProviderThread
) -> None:
    """In the middle of a stream it is told, and what was said before it is kept."""
    said = b'data: {"choices":[{"delta":{"content":"An old "}}]}\n\n: ping\n\n'
    error = b'error: {"code":500,"message":"context is full","type":"server_error"}\n\n'
    hosts.will("first", Script((*EVENT_HEAD, Chunked(said), Chunked(error), Fin())))

    told = gateway.stream(model_name="box", **SAYING_HI)

    assert text_of(told) == "An old "
    (failure,) = [event["error"] for event in told if "error" in event]
    assert failure.startswith("openai returned HTTP 500: context is full")
    (call,) = gateway.calls(told[-1]["inference_id"])
    assert call["status"] == "interrupted"


def test_a_server_may_answer_a_stream_in_one_piece(
    gateway: Gateway, hosts: FakeProviderThread
) -> None:
    """Without ids, event stream or end mark; the caller gets a stream all the same."""
    body = b'\n\n  {"choices":[{"message":{"content":"An old pond"}}]}'
    hosts.will("first", Script((Header("Content-Type", "application/json"), Body(body))))

    answer = answered(gateway, stream=True, model_name="box", **SAYING_HI)

    assert text_of(answer) == POND
    assert "finish_reason" not in answer

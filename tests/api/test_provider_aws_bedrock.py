"""Bedrock by way of a gateway: signed requests, whole answers, streams, and what may go wrong."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import pytest

from tests.api.asking import SAYING_HI, refusal, statuses, text_of, wait_for
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.aws_frames import event, exception
from tests.fakes.aws_signatures import signed_by
from tests.fakes.bedrock_scripts import (
    USAGE,
    ending,
    fails,
    gives,
    opened,
    says,
    signed,
    stream_of,
    streams,
    whole,
)
from tests.fakes.openai_scripts import answers, drops, hangs
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Answer, Delay, Hang, Head, Header, Raw, Script, Split, Status

ID, SECRET, TOKEN = "AKIAOPERATOR", "operators-secret-access-key", "operators-session-token"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": ID,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_SESSION_TOKEN": TOKEN,
}

HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
ARN = "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-haiku-4-5"

COUNTED = {
    "input_tokens": 35,
    "output_tokens": 30,
    "cost": None,
    "provider_cache_read_input_tokens": 20,
    "provider_cache_write_input_tokens": 5,
}
"""`USAGE` as LSD tells it."""

SCHEMA = '{"type":"object","properties":{"urgent":{"type":"boolean"}},"required":["urgent"]}'
PARAMETERS = '{"type":"object","properties":{"city":{"type":"string"}}}'

THOUGHT = {"reasoningContent": {"reasoningText": {"text": "need tool", "signature": "c2ln"}}}
CALL = {"toolUse": {"toolUseId": "tooluse_1", "name": "temp", "input": {"city": "Oslo"}}}
TEXT = {"text": "An old pond"}

STREAMED = pytest.mark.parametrize("stream", [False, True])


def entry(name: str, endpoint: str, model_id: str, *lines: str) -> str:
    """The table of one provider."""
    keys = [
        'type = "aws_bedrock"',
        f'model_id = "{model_id}"',
        f'endpoint_url = "{endpoint}"',
        *lines,
    ]
    if not any(line.startswith("region") for line in lines):
        keys.append('region = "eu-west-1"')
    return "".join(f"{name}.{line}\n" for line in keys)


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A gateway with Bedrock at `first`, and at `second` if that fails."""
    first, second = shared_provider.root("first"), shared_provider.root("second")
    config = f"""
        [models.claude]
        routing = ["one", "two"]
        [models.claude.providers]
        {entry("one", first, HAIKU)}
        {entry("two", second, ARN)}

        [models.hasty]
        routing = ["one", "two"]
        [models.hasty.providers]
        {
        entry(
            "one",
            first,
            HAIKU,
            "timeouts.streaming.ttft_ms = 400",
            "timeouts.non_streaming.total_ms = 400",
        )
    }
        {entry("two", second, ARN)}

        [models.again]
        routing = ["one"]
        [models.again.providers]
        {entry("one", first, HAIKU)}

        [models.old]
        routing = ["one"]
        [models.old.providers]
        {entry("one", first, "anthropic.claude-3-haiku-20240307-v1:0")}

        [models.brought]
        routing = ["one", "two"]
        [models.brought.providers]
        {
        entry(
            "one",
            first,
            HAIKU,
            'access_key_id = "dynamic::id"',
            'secret_access_key = "dynamic::secret"',
            'region = "dynamic::place"',
        )
    }
        {entry("two", second, HAIKU)}

        [models.placed]
        routing = ["one", "two"]
        [models.placed.providers]
        {entry("one", "dynamic::where", HAIKU)}
        {entry("two", second, HAIKU)}

        [models.keyed]
        routing = ["one"]
        [models.keyed.providers]
        {entry("one", first, HAIKU, 'api_key = "dynamic::key"')}

        [functions.chat]
        type = "chat"
        tools = ["temp"]
        variants.only = {{ model = "claude", max_tokens = 64 }}
        [functions.patient]
        type = "chat"
        variants.only = {{ model = "again", retries = {{ num_retries = 1, max_delay_s = 2 }} }}
        [functions.verdict]
        type = "json"
        output_schema = "verdict.json"
        variants.schema = {{ model = "claude", json_mode = "strict" }}
        variants.begun = {{ model = "old", json_mode = "on" }}
        [tools.temp]
        description = "The temperature"
        parameters = "temp.json"
    """
    return start_shared(
        config,
        "--log-level",
        "debug",
        environment=ENVIRONMENT,
        files={"verdict.json": SCHEMA, "temp.json": PARAMETERS},
    )


@attrs.define(eq=False)
class Bedrock:
    """Two hosts that take nothing but what is well signed."""

    fake: FakeProviderThread

    def will(self, scenario: str, answer: Answer, secret: str = SECRET) -> None:
        """What one of them answers from now on."""
        self.fake.will(scenario, signed(answer, secret))

    @property
    def requests(self) -> list[RecordedRequest]:
        """What both were asked."""
        return self.fake.requests

    @property
    def asked(self) -> list[str]:
        """Which of them were asked, in order."""
        return [request.scenario for request in self.requests]

    def sent(self) -> Any:
        """The body of the only request."""
        (request,) = self.requests
        return request.json()


@pytest.fixture
def bedrock(shared_provider: FakeProviderThread) -> Bedrock:
    """Both hosts, saying "An old pond" until a test wants something else."""
    shared_provider.forget()
    made = Bedrock(shared_provider)
    for name in ("first", "second"):
        made.will(name, says("An old pond"))
    return made


def ask(gateway: Gateway, stream: bool, **request: Any) -> tuple[str, str]:
    """The text of an answer, and the id of the inference."""
    request = {"function_name": "chat", **SAYING_HI, **request}
    if "model_name" in request:
        del request["function_name"]
    if not stream:
        answer = gateway.infer(**request)
        return text_of(answer), answer["inference_id"]
    events = gateway.stream(**request)
    assert not any("error" in each for each in events), events
    return text_of(events), events[-1]["inference_id"]


def test_a_plain_answer(gateway: Gateway, bedrock: Bedrock) -> None:
    """The model is asked in Bedrock's words, and what it says and counts is told in ours."""
    answer = gateway.infer(
        function_name="chat",
        input={"system": "Be brief.", "messages": [{"role": "user", "content": "Oslo?"}]},
        include_raw_usage=True,
    )

    assert text_of(answer) == "An old pond"
    assert (answer["usage"], answer["finish_reason"]) == (COUNTED, "stop")
    (usage,) = answer["raw_usage"]
    assert (usage["provider_type"], usage["data"]) == ("aws_bedrock", USAGE)
    (request,) = bedrock.requests
    assert request.method == "POST"
    assert request.target == f"/s/first/model/{HAIKU.replace(':', '%3A')}/converse"
    assert request.headers["accept"] == "application/json"
    assert request.json() == {
        "messages": [{"role": "user", "content": [{"text": "Oslo?"}]}],
        "system": [{"text": "Be brief."}],
        "inferenceConfig": {"maxTokens": 64},
        "toolConfig": {
            "tools": [
                {
                    "toolSpec": {
                        "name": "temp",
                        "description": "The temperature",
                        "inputSchema": {
                            "json": {"type": "object", "properties": {"city": {"type": "string"}}}
                        },
                    }
                }
            ],
            "toolChoice": {"auto": {}},
        },
    }


def test_a_streamed_answer(gateway: Gateway, bedrock: Bedrock) -> None:
    """It arrives in pieces of one text, and the counts come at its end."""
    *chunks, last = gateway.stream(function_name="chat", **SAYING_HI)

    assert text_of(chunks) == "An old pond"
    assert {block["id"] for chunk in chunks for block in chunk["content"]} == {"0"}
    assert (last["usage"], last["finish_reason"]) == (COUNTED, "stop")
    (request,) = bedrock.requests
    assert request.target.endswith("/converse-stream")
    assert request.headers["accept-encoding"] == "identity"
    (call,) = gateway.calls(last["inference_id"])
    assert call["raw_response"].splitlines()[0] == '{"role":"assistant"}'
    assert (call["status"], call["input_tokens"]) == ("ok", 35)


@STREAMED
def test_the_signature(gateway: Gateway, bedrock: Bedrock, stream: bool) -> None:
    """Keys of the environment sign each request, its port and its path as they are sent."""
    bedrock.will("first", fails(503, "ServiceUnavailableException"))

    ask(gateway, stream)

    one, two = bedrock.requests
    told = signed_by(one.headers["authorization"])
    assert (told["id"], told["region"], told["service"]) == (ID, "eu-west-1", "bedrock")
    assert told["names"] == "content-type;host;x-amz-date;x-amz-security-token"
    assert one.headers["x-amz-security-token"] == TOKEN
    assert one.headers["host"].startswith("127.0.0.1:")
    assert "%3A" in two.target
    assert "%2F" in two.target


@STREAMED
def test_a_call_of_a_tool_and_its_result(gateway: Gateway, bedrock: Bedrock, stream: bool) -> None:
    """What the model thought and called goes back as it came, so that it can go on."""
    bedrock.will("first", gives([THOUGHT, CALL], stop_reason="tool_use"))
    if stream:
        more = {"include_aggregated_response": True}
        last = gateway.stream(function_name="chat", **SAYING_HI, **more)[-1]
        content = last["aggregated_response"]
    else:
        content = gateway.infer(function_name="chat", **SAYING_HI)["content"]
    content = [{key: block[key] for key in block if block[key] is not None} for block in content]

    assert content == [
        {
            "type": "thought",
            "text": "need tool",
            "signature": "c2ln",
            "provider_type": "aws_bedrock",
        },
        {
            "type": "tool_call",
            "id": "tooluse_1",
            "raw_name": "temp",
            "raw_arguments": '{"city":"Oslo"}',
            "name": "temp",
            "arguments": {"city": "Oslo"},
        },
    ]
    bedrock.fake.forget()
    bedrock.will("first", says("7 °C."))
    result = {"type": "tool_result", "id": "tooluse_1", "name": "temp", "result": "7"}
    messages = [
        {"role": "user", "content": "Oslo?"},
        {"role": "assistant", "content": content},
        {"role": "user", "content": [result]},
    ]

    assert ask(gateway, stream, input={"messages": messages})[0] == "7 °C."
    assert [turn["content"] for turn in bedrock.sent()["messages"]][1:] == [
        [THOUGHT, CALL],
        [{"toolResult": {"toolUseId": "tooluse_1", "content": [{"text": "7"}]}}],
    ]


def test_a_thought_of_another_provider(gateway: Gateway, bedrock: Bedrock) -> None:
    """Case 14: it is not sent to Bedrock, and stays in what is stored."""
    thought = {
        "type": "thought",
        "text": "need tool",
        "signature": "c2ln",
        "provider_type": "anthropic",
    }
    messages = [
        {"role": "user", "content": "Oslo?"},
        {"role": "assistant", "content": [thought, {"type": "text", "text": "Hm."}]},
        {"role": "user", "content": "Well?"},
    ]

    _, inference_id = ask(gateway, False, input={"messages": messages})

    assert bedrock.sent()["messages"][1]["content"] == [{"text": "Hm."}]
    assert gateway.calls(inference_id)
    assert "need tool" in str(gateway.stored(inference_id))


def test_a_json_function_by_schema(gateway: Gateway, bedrock: Bedrock) -> None:
    """A model that holds to schemas is given one."""
    bedrock.will("first", says('{"urgent":true}'))

    answer = gateway.infer(function_name="verdict", variant_name="schema", **SAYING_HI)

    assert answer["output"]["parsed"] == {"urgent": True}
    told = bedrock.sent()["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"]
    assert '"urgent"' in told


@STREAMED
def test_a_json_function_by_a_begun_answer(
    gateway: Gateway, bedrock: Bedrock, stream: bool
) -> None:
    """An old model goes on from a brace, which is put back in front of what it says."""
    bedrock.will("first", says('"urgent": true}'))
    request = {"function_name": "verdict", "variant_name": "begun", **SAYING_HI}

    if stream:
        raw = "".join(event["raw"] for event in gateway.stream(**request))
    else:
        raw = gateway.infer(**request)["output"]["raw"]

    assert raw == '{"urgent": true}'


@STREAMED
def test_edits_are_signed(gateway: Gateway, bedrock: Bedrock, stream: bool) -> None:
    """What a caller puts into the body and the headers is there before the signature is made."""
    point = {"cachePoint": {"type": "default"}}
    body = [{"pointer": "/messages/0/content/-", "value": point}]
    headers = [
        {"name": "X-Amzn-Bedrock-Trace", "value": "ENABLED"},
        {"name": "x-amz-security-token", "value": "callers-own-token"},
    ]

    text, _ = ask(gateway, stream, extra_body=body, extra_headers=headers)

    assert text == "An old pond"
    (request,) = bedrock.requests
    assert request.json()["messages"][0]["content"] == [{"text": "hi"}, point]
    assert request.headers["x-amz-security-token"] == "callers-own-token"
    assert "x-amzn-bedrock-trace" in signed_by(request.headers["authorization"])["names"]


NOTHING = Script((Status(200), Header("Content-Type", "text/html"), Raw(b"")))
FIRST_WORDS = opened([TEXT])[:2]
SLOW_DOWN = exception("throttlingException", {"message": "slow down"})


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (fails(429, "ThrottlingException"), "HTTP 429: not now [code: ThrottlingException]"),
        (fails(400, "ValidationException"), "HTTP 400: not now [code: ValidationException]"),
        (fails(403, "AccessDeniedException"), "HTTP 403: not now [code: AccessDeniedException]"),
        (fails(500, "InternalServerException"), "HTTP 500"),
        (answers({"__type": "x#ThrottlingException"}, status=429), "[code: ThrottlingException]"),
        (drops(), "connection"),
        (drops(reset=True), "connection"),
        (answers({"message": "hello"}), ""),
    ],
    ids=[
        "throttled",
        "invalid",
        "denied",
        "ill",
        "named in body",
        "dropped",
        "reset",
        "other JSON",
    ],
)
@STREAMED
def test_a_host_that_fails_is_followed_by_the_next(
    gateway: Gateway, bedrock: Bedrock, stream: bool, answer: Script, told: str
) -> None:
    """The caller hears nothing of it; the record tells what was tried."""
    bedrock.will("first", answer)

    text, inference_id = ask(gateway, stream)

    assert text == "An old pond"
    calls = gateway.calls(inference_id)
    assert statuses(calls) == [("one", "error"), ("two", "ok")]
    assert told in calls[0]["error"]


@pytest.mark.parametrize(
    ("stream", "answer", "told"),
    [
        (False, hangs(), "total_ms = 400 reached"),
        (True, hangs(), "ttft_ms = 400 reached"),
        (False, NOTHING, "total_ms = 400 reached"),
        (True, NOTHING, "ttft_ms = 400 reached"),
        (True, Script((*stream_of().steps[:1], Head(), Hang())), "ttft_ms = 400 reached"),
    ],
    ids=["plain", "streamed", "nothing", "nothing streamed", "behind the head"],
)
def test_a_silent_host_is_followed_by_the_next(
    gateway: Gateway, bedrock: Bedrock, stream: bool, answer: Script, told: str
) -> None:
    """When its time is over."""
    bedrock.will("first", answer)

    text, inference_id = ask(gateway, stream, model_name="hasty")

    assert text == "An old pond"
    calls = gateway.calls(inference_id)
    assert statuses(calls) == [("one", "error"), ("two", "ok")]
    assert told in calls[0]["error"]


def broken(frame: bytes) -> bytes:
    """The message with its last bit flipped."""
    return frame[:-1] + bytes([frame[-1] ^ 1])


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (stream_of(SLOW_DOWN), "throttlingException"),
        (streams([SLOW_DOWN]), "throttlingException"),
        (streams([event("contentBlockDelta", {"delta": {"text": ""}}), SLOW_DOWN]), "slow down"),
        (streams([]), "stream ended before first chunk"),
        (streams([broken(FIRST_WORDS[0])]), "its checksum is wrong"),
        (streams([FIRST_WORDS[0][:30]]), "in the middle of a frame"),
        (stream_of(b"\xff\xff\xff\xff" + bytes(12)), "found a broken frame"),
        (streams([event("contentBlockDelta", b"{")]), "not JSON"),
    ],
    ids=[
        "exception",
        "exception after the start",
        "exception after an empty text",
        "cut",
        "flipped bit",
        "cut frame",
        "oversize frame",
        "bad payload",
    ],
)
def test_a_stream_that_fails_before_its_first_word(
    gateway: Gateway, bedrock: Bedrock, answer: Script, told: str
) -> None:
    """Though the status was 200 and the stream had begun, the next host answers."""
    bedrock.will("first", answer)

    text, inference_id = ask(gateway, True)

    assert text == "An old pond"
    calls = gateway.calls(inference_id)
    assert statuses(calls) == [("one", "error"), ("two", "ok")]
    assert told in calls[0]["error"]


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        ([SLOW_DOWN, *ending()], "throttlingException"),
        ([broken(FIRST_WORDS[1]), *ending()], "its checksum is wrong"),
        ([], "stream ended early"),
    ],
    ids=["exception", "flipped bit", "cut"],
)
def test_a_stream_that_fails_later_ends_there(
    gateway: Gateway, bedrock: Bedrock, rest: list[bytes], told: str
) -> None:
    """There is no way back, and what had arrived is kept."""
    bedrock.will("first", streams([*FIRST_WORDS, *rest]))

    events = gateway.stream(function_name="chat", **SAYING_HI)

    assert text_of(events) == "An old "
    (error,) = [event["error"] for event in events if "error" in event]
    assert told in error
    inference_id = events[-1]["inference_id"]
    assert statuses(gateway.calls(inference_id)) == [("one", "interrupted")]
    assert bedrock.asked == ["first"]


def test_where_the_network_cuts_a_stream_does_not_matter(
    gateway: Gateway, bedrock: Bedrock
) -> None:
    """Case 49: each byte may come alone, and two messages together."""
    frames = [*opened([TEXT, CALL]), *ending("tool_use")]
    for script in (streams(frames), streams([b"".join(frames)])):
        bedrock.will("first", Script((Split(1), *script.steps)))

        events = gateway.stream(function_name="chat", **SAYING_HI)

        assert text_of(events) == "An old pond"
        assert events[-1]["usage"] == COUNTED


def test_a_stream_without_counts(gateway: Gateway, bedrock: Bedrock) -> None:
    """Case 46: it is whole; nobody knows what it has used."""
    bedrock.will("first", streams([*opened([TEXT]), *ending()[:1]]))

    *_, last = gateway.stream(function_name="chat", **SAYING_HI)

    assert last["finish_reason"] == "stop"
    assert last["usage"]["input_tokens"] is None
    assert statuses(gateway.calls(last["inference_id"])) == [("one", "ok")]


@STREAMED
def test_an_expired_session_is_tried_once_more(
    gateway: Gateway, bedrock: Bedrock, stream: bool
) -> None:
    """The keys are looked for anew, within the one call."""
    first = iter([fails(403, "ExpiredTokenException")])
    bedrock.will("first", lambda request: next(first, None) or says("Again")(request))

    text, inference_id = ask(gateway, stream)

    assert text == "Again"
    assert bedrock.asked == ["first", "first"]
    assert statuses(gateway.calls(inference_id)) == [("one", "ok")]


@STREAMED
def test_a_session_that_stays_expired(gateway: Gateway, bedrock: Bedrock, stream: bool) -> None:
    """There is no third time."""
    bedrock.will("first", fails(400, "ExpiredTokenException", "The security token is expired"))

    _, inference_id = ask(gateway, stream)

    assert bedrock.asked == ["first", "first", "second"]
    (failed, _) = gateway.calls(inference_id)
    assert "The security token is expired" in failed["error"]


def test_each_try_is_signed_for_itself(gateway: Gateway, bedrock: Bedrock) -> None:
    """Case 52: a second later it has another date, and another signature."""
    first = iter([Script((Delay(1000), *fails(503, "ServiceUnavailableException").steps))])
    bedrock.will("first", lambda request: next(first, None) or says("Now")(request))

    answer = gateway.infer(function_name="patient", **SAYING_HI)

    assert text_of(answer) == "Now"
    one, two = bedrock.requests
    assert one.headers["x-amz-date"] < two.headers["x-amz-date"]
    assert one.headers["authorization"] != two.headers["authorization"]


@STREAMED
def test_keys_of_requests(gateway: Gateway, bedrock: Bedrock, stream: bool) -> None:
    """Each caller signs with his own, in the region that he names."""
    bedrock.will("first", says("Yours"), secret="callers-own-secret")
    credentials = {"id": "AKIACALLER", "secret": "callers-own-secret", "place": "us-west-2"}

    text, _ = ask(gateway, stream, model_name="brought", credentials=credentials)

    assert text == "Yours"
    (request,) = bedrock.requests
    told = signed_by(request.headers["authorization"])
    assert (told["id"], told["region"]) == ("AKIACALLER", "us-west-2")
    assert "x-amz-security-token" not in request.headers


@pytest.mark.parametrize("missing", ["id", "secret", "place"])
def test_what_a_request_has_not_brought(gateway: Gateway, bedrock: Bedrock, missing: str) -> None:
    """Case 45: the attempt fails and names it, and the next provider is asked."""
    credentials = {"id": "AKIACALLER", "secret": "callers-own-secret", "place": "us-west-2"}
    del credentials[missing]

    _, inference_id = ask(gateway, False, model_name="brought", credentials=credentials)

    failed, _ = gateway.calls(inference_id)
    assert failed["error"].startswith('provider "one": credential missing: ')
    assert f"'{missing}'" in failed["error"]
    assert bedrock.asked == ["second"]


@pytest.mark.parametrize(
    ("credentials", "told"),
    [({}, "'where'"), ({"where": "no-url"}, "endpoint_url (dynamic::where): found no URL")],
)
def test_an_endpoint_that_a_request_has_not_brought(
    gateway: Gateway, bedrock: Bedrock, credentials: Mapping[str, str], told: str
) -> None:
    """Case 45: likewise."""
    _, inference_id = ask(gateway, False, model_name="placed", credentials=credentials)

    failed, _ = gateway.calls(inference_id)
    assert told in failed["error"]
    assert bedrock.asked == ["second"]


def test_an_endpoint_that_a_request_has_brought(gateway: Gateway, bedrock: Bedrock) -> None:
    """It is asked, whatever port and path it has."""
    where = bedrock.fake.root("first")

    ask(gateway, False, model_name="placed", credentials={"where": where})

    assert bedrock.asked == ["first"]


@STREAMED
def test_a_key_of_bedrock(gateway: Gateway, bedrock: Bedrock, stream: bool) -> None:
    """It is shown as it is; nothing is signed."""
    bedrock.fake.will("first", says("An old pond"))

    ask(gateway, stream, model_name="keyed", credentials={"key": "bedrock-api-key-1"})

    (request,) = bedrock.requests
    assert request.headers["authorization"] == "Bearer bedrock-api-key-1"
    assert "x-amz-date" not in request.headers


def test_a_wrong_secret(gateway: Gateway, bedrock: Bedrock) -> None:
    """What AWS answers is told; the secret is not."""
    credentials = {"id": "AKIACALLER", "secret": "a-wrong-secret", "place": "us-west-2"}

    _, inference_id = ask(gateway, False, model_name="brought", credentials=credentials)

    failed, _ = gateway.calls(inference_id)
    assert "InvalidSignatureException" in failed["error"]
    assert "a-wrong-secret" not in str(failed)


def test_files(gateway: Gateway, bedrock: Bedrock) -> None:
    """They go as bytes; a kind that Bedrock does not know is refused before anything is sent."""
    png = {"type": "file", "data": "iVBORw0KGgo=", "mime_type": "image/png"}
    zipped = {"type": "file", "data": "UEsDBA==", "mime_type": "application/zip"}

    ask(gateway, False, input={"messages": [{"role": "user", "content": [png]}]})

    assert bedrock.sent()["messages"][0]["content"] == [
        {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}}
    ]
    bedrock.fake.forget()
    body = {"function_name": "chat", "input": {"messages": [{"role": "user", "content": [zipped]}]}}
    assert "found a file of type application/zip" in refusal(gateway, 502, body)
    assert bedrock.requests == []


def test_no_secret_in_the_log(gateway: Gateway, bedrock: Bedrock) -> None:
    """Case 60: not even at debug level, nor in what is stored."""
    credentials = {"id": "AKIACALLER", "secret": "callers-own-secret", "place": "us-west-2"}
    bedrock.will("first", whole([TEXT]), secret="callers-own-secret")

    _, inference_id = ask(gateway, False, model_name="brought", credentials=credentials)
    _, other_id = ask(gateway, False)

    shown = gateway.log_text() + str(gateway.calls(inference_id)) + str(gateway.calls(other_id))
    signatures = [signed_by(each.headers["authorization"]) for each in bedrock.requests]
    assert signatures
    for secret in (
        SECRET,
        TOKEN,
        "callers-own-secret",
        *(each["signature"] for each in signatures),
    ):
        assert secret not in shown


def test_one_login_serves_many_at_once(
    start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """Case 54: twenty callers at the start of the day are one question to the container's agent."""
    keys = {"AccessKeyId": "ASIAC", "SecretAccessKey": SECRET, "Token": TOKEN}
    keys["Expiration"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    provider.will("agent", Script((Delay(200), *answers(keys).steps)))
    provider.will("first", signed(says("An old pond"), SECRET))
    environment = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": provider.root("agent"),
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "agents-token",
        "HOME": "/nowhere",
    }
    table = entry("one", provider.root("first"), HAIKU)
    config = f'[models.claude]\nrouting = ["one"]\n[models.claude.providers]\n{table}'
    gateway = start_gateway(config, environment=environment)

    with ThreadPoolExecutor(20) as callers:
        asked = [callers.submit(gateway.infer, model_name="claude", **SAYING_HI) for _ in range(20)]
        texts = {text_of(each.result()) for each in asked}

    assert texts == {"An old pond"}
    (login,) = provider.requests_to("agent")
    assert login.headers["authorization"] == "agents-token"
    assert len(provider.requests_to("first")) == 20


def test_an_instance_of_aws(start_gateway: StartGateway, provider: FakeProviderThread) -> None:
    """Its metadata service knows the region and the keys, and is asked in its second version."""
    keys = {"AccessKeyId": "ASIAI", "SecretAccessKey": SECRET, "Token": TOKEN, "Code": "Success"}

    def metadata(request: RecordedRequest) -> Script:
        if request.path.endswith("/latest/api/token"):
            assert request.method == "PUT"
            return answers("metadata-token")
        assert request.headers["x-aws-ec2-metadata-token"] == "metadata-token"
        if request.path.endswith("/placement/region"):
            return answers("ap-south-1")
        return answers(keys if request.path.endswith("/my-role") else "my-role")

    provider.will("metadata", metadata)
    provider.will("first", signed(says("An old pond"), SECRET))
    environment = {
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": provider.root("metadata"),
        "HOME": "/nowhere",
    }
    table = entry("one", provider.root("first"), HAIKU, 'region = "sdk"')
    config = f'[models.claude]\nrouting = ["one"]\n[models.claude.providers]\n{table}'
    gateway = started_in_time(start_gateway, provider, config, environment)
    assert len(provider.requests_to("metadata")) == 2

    body = {"model_name": "claude", **SAYING_HI}
    wait_for(lambda: gateway.post("/inference", body).is_success)

    (request,) = provider.requests_to("first")
    told = signed_by(request.headers["authorization"])
    assert (told["id"], told["region"]) == ("ASIAI", "ap-south-1")
    assert request.headers["x-amz-security-token"] == TOKEN


def started_in_time(
    start_gateway: StartGateway,
    provider: FakeProviderThread,
    config: str,
    environment: Mapping[str, str],
) -> Gateway:
    """A gateway that has heard its region within the second that it waits for it.

    A busy machine may miss it: then the start is refused, as an inference is that asks for keys.
    """
    for _ in range(5):
        provider.forget()
        try:
            return start_gateway(config, environment=environment)
        except AssertionError as refused:
            if "no answer within" not in str(refused):
                raise
    raise AssertionError("the metadata service was never heard in time")


def test_a_region_that_cannot_be_found(
    start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """Then the gateway does not start, and says what is missing."""
    table = entry("one", provider.root("first"), HAIKU, 'region = "sdk"')
    config = f'[models.claude]\nrouting = ["one"]\n[models.claude.providers]\n{table}'
    environment = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nowhere"}

    with pytest.raises(AssertionError, match="failed to determine AWS region"):
        start_gateway(config, environment=environment)

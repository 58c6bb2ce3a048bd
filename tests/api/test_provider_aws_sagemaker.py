"""SageMaker by way of a gateway: what it hosts is asked in its own words, inside AWS's."""

from typing import Any

import pytest

from tests.api.asking import SAYING_HI, statuses, text_of
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.aws_frames import event, exception
from tests.fakes.aws_signatures import signed_by
from tests.fakes.bedrock_scripts import fails, hosts, signed, stream_of
from tests.fakes.openai_scripts import answers, completes, says
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Script, Split

ID, SECRET = "AKIAOPERATOR", "operators-secret-access-key"
ENVIRONMENT = {"MY_ID": ID, "MY_SECRET": SECRET}

STREAMED = pytest.mark.parametrize("stream", [False, True])


def entry(name: str, endpoint: str, hosted_provider: str) -> str:
    """The table of one provider."""
    return f"""
        {name}.type = "aws_sagemaker"
        {name}.endpoint_name = "my-endpoint"
        {name}.model_name = "qwen"
        {name}.hosted_provider = "{hosted_provider}"
        {name}.region = "eu-west-1"
        {name}.endpoint_url = "{endpoint}"
        {name}.access_key_id = "env::MY_ID"
        {name}.secret_access_key = "env::MY_SECRET"
    """


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A gateway with an endpoint at `first`, and another at `second` if that fails."""
    first, second = shared_provider.root("first"), shared_provider.root("second")
    config = f"""
        [models.qwen]
        routing = ["one", "two"]
        [models.qwen.providers]
        {entry("one", first, "openai")}
        {entry("two", second, "openai")}
        [models.small]
        routing = ["one"]
        [models.small.providers]
        {entry("one", first, "tgi")}
    """
    return start_shared(config, "--log-level", "debug", environment=ENVIRONMENT)


container = hosts(says("An old pond"))
"""What an endpoint answers unless a test wants something else."""


@pytest.fixture
def sagemaker(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """Both endpoints, with the same container behind them."""
    shared_provider.forget()
    for name in ("first", "second"):
        shared_provider.will(name, signed(container, SECRET))
    return shared_provider


def ask(gateway: Gateway, stream: bool, **request: Any) -> tuple[str, dict[str, Any], str]:
    """The text of an answer, its usage, and the id of the inference."""
    request = {"model_name": "qwen", **SAYING_HI, **request}
    if not stream:
        answer = gateway.infer(**request)
        return text_of(answer), answer["usage"], answer["inference_id"]
    events = gateway.stream(**request)
    assert not any("error" in each for each in events), events
    return text_of(events), events[-1]["usage"], events[-1]["inference_id"]


@STREAMED
@pytest.mark.parametrize(("model", "named"), [("qwen", "qwen"), ("small", "tgi")])
def test_an_answer(
    gateway: Gateway, sagemaker: FakeProviderThread, stream: bool, model: str, named: str
) -> None:
    """The body is a chat completion's, the path and the signature are those of SageMaker."""
    text, usage, inference_id = ask(gateway, stream, model_name=model)

    assert text == "An old pond"
    assert (usage["input_tokens"], usage["output_tokens"]) == (10, 5)
    (request,) = sagemaker.requests
    method = "invocations-response-stream" if stream else "invocations"
    assert request.target == f"/s/first/endpoints/my-endpoint/{method}"
    told = signed_by(request.headers["authorization"])
    assert (told["id"], told["region"], told["service"]) == (ID, "eu-west-1", "sagemaker")
    assert request.json()["messages"] == [{"role": "user", "content": "hi"}]
    assert (request.json()["model"], request.json()["stream"]) == (named, stream)
    (call,) = gateway.calls(inference_id)
    assert "PayloadPart" not in call["raw_response"]
    assert '"object":"chat.completion' in call["raw_response"]


def test_frames_cut_anywhere(gateway: Gateway, sagemaker: FakeProviderThread) -> None:
    """Neither frames that cut events, nor a network that cuts frames, change the text."""
    sagemaker.will("first", lambda request: Script((Split(1), *container(request).steps)))

    assert ask(gateway, True)[0] == "An old pond"


@pytest.mark.parametrize("original", [400, 503])
@STREAMED
def test_the_error_of_a_container(
    gateway: Gateway, sagemaker: FakeProviderThread, stream: bool, original: int
) -> None:
    """Case 51: its words are told, and the next endpoint is asked."""
    body = {
        "Message": "Received an error from the model",
        "OriginalMessage": "prompt is too long",
        "OriginalStatusCode": original,
    }
    script = answers(body, status=424, headers={"x-amzn-errortype": "ModelError"})
    sagemaker.will("first", signed(script, SECRET))

    text, _, inference_id = ask(gateway, stream)

    assert text == "An old pond"
    calls = gateway.calls(inference_id)
    assert statuses(calls) == [("one", "error"), ("two", "ok")]
    assert "HTTP 424" in calls[0]["error"]
    assert "prompt is too long" in calls[0]["error"]


LOST = exception("ModelStreamError", {"Message": "too slow", "ErrorCode": "StreamBroken"})
WORD = b'data: {"choices":[{"index":0,"delta":{"content":"An old "}}]}\n\n'


def test_a_stream_that_is_lost_before_its_first_word(
    gateway: Gateway, sagemaker: FakeProviderThread
) -> None:
    """The next endpoint answers."""
    sagemaker.will("first", signed(stream_of(event("PayloadPart", b""), LOST), SECRET))

    text, _, inference_id = ask(gateway, True)

    assert text == "An old pond"
    failed, _ = gateway.calls(inference_id)
    assert "ModelStreamError" in failed["error"]


@pytest.mark.parametrize("rest", [[LOST], []], ids=["lost", "cut"])
def test_a_stream_that_is_lost_later(
    gateway: Gateway, sagemaker: FakeProviderThread, rest: list[bytes]
) -> None:
    """There is no way back."""
    sagemaker.will("first", signed(stream_of(event("PayloadPart", WORD), *rest), SECRET))

    events = gateway.stream(model_name="qwen", **SAYING_HI)

    assert text_of(events) == "An old "
    assert [("error" in event) for event in events].count(True) == 1
    assert [request.scenario for request in sagemaker.requests] == ["first"]


@STREAMED
def test_a_thought_of_another_kind_of_server(
    gateway: Gateway, sagemaker: FakeProviderThread, stream: bool
) -> None:
    """What was thought behind one kind of server goes back to that kind alone."""

    def thinks(request: RecordedRequest) -> Script:
        return completes({"role": "assistant", "reasoning_content": "Rain?", "content": "Yes."})

    sagemaker.will("first", signed(thinks, SECRET))
    content = gateway.infer(model_name="qwen", **SAYING_HI)["content"]
    assert content[0]["provider_type"] == "aws_sagemaker::openai"
    messages = [
        {"role": "user", "content": "Rain?"},
        {"role": "assistant", "content": content},
        {"role": "user", "content": "Sure?"},
    ]
    sagemaker.forget()
    sagemaker.will("first", signed(container, SECRET))

    for model in ("qwen", "small"):
        ask(gateway, stream, model_name=model, input={"messages": messages})

    there, elsewhere = (request.json()["messages"][1] for request in sagemaker.requests)
    assert there["reasoning_content"] == "Rain?"
    assert "reasoning_content" not in elsewhere


@STREAMED
def test_an_expired_session_is_tried_once_more(
    gateway: Gateway, sagemaker: FakeProviderThread, stream: bool
) -> None:
    """As at every service of AWS."""
    first = iter([fails(400, "ExpiredTokenException")])
    sagemaker.will("first", signed(lambda r: next(first, None) or container(r), SECRET))

    assert ask(gateway, stream)[0] == "An old pond"
    assert [request.scenario for request in sagemaker.requests] == ["first", "first"]


def test_routing_within_an_endpoint(gateway: Gateway, sagemaker: FakeProviderThread) -> None:
    """A header says which component answers, and is signed."""
    headers = [{"name": "X-Amzn-SageMaker-Inference-Component", "value": "qwen-small"}]

    ask(gateway, False, extra_headers=headers)

    (request,) = sagemaker.requests
    assert request.headers["x-amzn-sagemaker-inference-component"] == "qwen-small"
    assert "inference-component" in signed_by(request.headers["authorization"])["names"]


def test_no_secret_in_the_log(gateway: Gateway, sagemaker: FakeProviderThread) -> None:
    """Case 60: not even at debug level."""
    ask(gateway, False)

    assert SECRET not in gateway.log_text()

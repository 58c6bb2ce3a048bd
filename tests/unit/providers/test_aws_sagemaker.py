"""SageMaker: bodies and streams of what it hosts, requests and errors of AWS."""

from typing import Any

import pytest

from lsd.conversation import (
    NO_EDITS,
    AttemptFailed,
    ChatCompletionParams,
    ClientRequest,
    Edits,
    FunctionTool,
    HeaderEdit,
    ProviderTool,
    ToolSet,
    UrlFile,
    decode_json,
)
from lsd.providers import Relaying
from tests.fakes.aws_signatures import signed_by
from tests.unit.providers.recorded import (
    CREDENTIALS,
    Fixture,
    fixtures,
    make_dialect,
    read_stream,
    refused,
    request,
    shown_failure,
    shown_response,
)

KINDS = ("aws_sagemaker",)
STREAMS = fixtures("streams", KINDS)
KEYS: dict[str, str | None] = {
    name: value for name, value in CREDENTIALS.items() if name != "api_key"
}
TOOLS = ToolSet(tools=(FunctionTool(name="t", description="d", parameters={}),))


@pytest.mark.parametrize("fixture", fixtures("answers", KINDS))
def test_an_answer_means_what_the_fixture_says(fixture: Fixture) -> None:
    """Case 51 and more: completions, and errors of AWS around those of a container."""
    dialect = fixture.dialect()

    if "failure" not in fixture.expected:
        response = dialect.decode(fixture.status, fixture.headers, fixture.wire)
        assert shown_response(response) == fixture.expected
        return

    with pytest.raises(AttemptFailed) as failed:
        dialect.decode(fixture.status, fixture.headers, fixture.wire)
    assert shown_failure(failed.value) == fixture.expected["failure"]


@pytest.mark.parametrize("fixture", STREAMS)
def test_a_stream_means_what_the_fixture_says(fixture: Fixture) -> None:
    """Each recorded stream gives its neutral events."""
    assert read_stream(fixture, [fixture.wire]) == fixture.expected


@pytest.mark.parametrize("fixture", STREAMS)
def test_one_cut_anywhere_changes_nothing(fixture: Fixture) -> None:
    """Frames cut the inner stream, and the network cuts frames; neither matters."""
    wire = fixture.wire

    assert read_stream(fixture, [bytes([each]) for each in wire]) == fixture.expected
    for place in range(0, len(wire), 7):
        assert read_stream(fixture, [wire[:place], wire[place:]]) == fixture.expected, place


@pytest.mark.parametrize(
    ("stream", "method"), [(False, "invocations"), (True, "invocations-response-stream")]
)
def test_a_signed_request(stream: bool, method: str) -> None:
    """The body is that of a chat completion; the way there is that of AWS."""
    dialect = make_dialect("aws_sagemaker", endpoint_name="my endpoint", model_name="qwen")

    wire = dialect.encode(request(stream=stream), KEYS, NO_EDITS)

    assert wire.url == (
        f"https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/my%20endpoint/{method}"
    )
    told = signed_by(wire.headers["Authorization"])
    assert (told["service"], told["region"]) == ("sagemaker", "us-east-1")
    sent: Any = decode_json(wire.body)
    assert (sent["model"], sent["stream"]) == ("qwen", stream)
    assert sent["messages"] == [{"role": "user", "content": "Hi"}]


def test_routing_within_an_endpoint_is_signed() -> None:
    """Which variant answers is said by a header of AWS, which an edit puts there."""
    variant = HeaderEdit(name="X-Amzn-SageMaker-Target-Variant", value="blue")

    wire = make_dialect("aws_sagemaker").encode(request(), KEYS, Edits(headers=(variant,)))

    names = signed_by(wire.headers["Authorization"])["names"]
    assert names.endswith(";x-amz-date;x-amzn-sagemaker-target-variant")


def test_the_hosted_server_is_a_foreign_one() -> None:
    """It gets the limit of tokens under both names, as any server that may know but one."""
    dialect = make_dialect("aws_sagemaker")
    params = ChatCompletionParams(max_tokens=5)

    sent: Any = decode_json(dialect.encode(request(params=params), KEYS, NO_EDITS).body)

    assert (sent["max_tokens"], sent["max_completion_tokens"]) == (5, 5)


def test_a_clients_own_request_is_relayed() -> None:
    """What is hosted speaks OpenAI's language, and so may clients; it is signed all the same."""
    dialect = make_dialect("aws_sagemaker", model_name="qwen")
    assert isinstance(dialect, Relaying)
    messages = [{"role": "user", "content": [{"type": "new", "x": 1}]}]
    body = {"model": "asked", "messages": messages, "min_p": 0.1, "store": True, "stream": True}
    client = ClientRequest(lane="openai", body=body)

    wire = dialect.relay(request(client=client, stream=True), KEYS, NO_EDITS)

    assert dialect.lane == "openai"
    assert decode_json(wire.body) == {
        "model": "qwen",
        "messages": messages,
        "min_p": 0.1,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert wire.left_out == ("store",)
    assert wire.url.endswith("/invocations-response-stream")
    assert signed_by(wire.headers["Authorization"])["service"] == "sagemaker"


def test_a_hosted_tgi_is_one() -> None:
    """It has one model, and no tools in streams."""
    dialect = make_dialect("aws_sagemaker", hosted_provider="tgi")

    sent: Any = decode_json(dialect.encode(request(), KEYS, NO_EDITS).body)

    assert sent["model"] == "tgi"
    assert "tools" in refused(dialect, request(tools=TOOLS, stream=True))


def test_tools_of_the_provider_are_refused() -> None:
    """Case 58: nothing runs at SageMaker but what is hosted."""
    tools = ToolSet(provider_tools=(ProviderTool(tool={"type": "search"}),))

    assert "got 1 of provider_tools" in refused(make_dialect("aws_sagemaker"), request(tools=tools))


@pytest.mark.parametrize("status", [400, 503])
def test_the_error_of_a_container_decides(status: int) -> None:
    """Case 51: its own status tells whether to try again, and its words are shown."""
    body = b'{"Message":"Received an error","OriginalMessage":"too long","OriginalStatusCode":%d}'
    headers = {"x-amzn-errortype": "ModelError"}

    with pytest.raises(AttemptFailed) as failed:
        make_dialect("aws_sagemaker").decode(424, headers, body % status)

    assert failed.value.transient is (status == 503)
    assert (failed.value.status, failed.value.code) == (424, "ModelError")
    assert "too long" in failed.value.text


def test_a_stream_that_is_none() -> None:
    """A container that does not stream is passed over."""
    decoder = make_dialect("aws_sagemaker").stream_decoder(200, {"content-type": "text/plain"})
    decoder.feed(b"hello")

    with pytest.raises(AttemptFailed) as failed:
        decoder.finish(cut=False)

    assert "found text/plain; wanted application/vnd.amazon.eventstream" in failed.value.text


def test_the_dialect_says_what_it_is() -> None:
    """Records name the type, whatever it hosts; images go as URLs, as with other servers."""
    dialect = make_dialect("aws_sagemaker", hosted_provider="tgi")

    assert (dialect.provider_type, dialect.api_type) == ("aws_sagemaker", "chat_completions")
    assert dialect.forwards(UrlFile(url="https://h/a.png", mime_type="image/png"))

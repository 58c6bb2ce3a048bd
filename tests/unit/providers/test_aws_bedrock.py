"""Bedrock's dialect as a whole: where requests go, how they are signed, and what errors mean."""

import string
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from lsd.config import DynamicLocation, LiteralLocation
from lsd.conversation import (
    NO_EDITS,
    AttemptFailed,
    BodyEdit,
    Edits,
    HeaderEdit,
    UrlFile,
    WireRequest,
    decode_json,
)
from lsd.network._client_request import target_of
from tests.fakes.aws_signatures import is_well_signed, signed_by
from tests.unit.providers.recorded import CREDENTIALS, make_dialect, request

ID, SECRET, DATE = "AKIDEXAMPLE", "aws-secret", "20260102T030405Z"
KEYS: dict[str, str | None] = {
    "access_key_id": ID,
    "secret_access_key": SECRET,
    "signed_at": DATE,
    "region": "us-east-1",
}
EVENT_STREAM = {"content-type": "application/vnd.amazon.eventstream"}

DIALECT = make_dialect("aws_bedrock")


def sent(
    *edits: HeaderEdit | BodyEdit,
    model_id: str = "m-1",
    stream: bool = False,
    **credentials: str | None,
) -> WireRequest:
    """The request as it goes out."""
    dialect = make_dialect("aws_bedrock", model_id=model_id)
    made = Edits(
        body=tuple(each for each in edits if isinstance(each, BodyEdit)),
        headers=tuple(each for each in edits if isinstance(each, HeaderEdit)),
    )
    return dialect.encode(request(stream=stream), {**KEYS, **credentials}, made)


def arrived(wire: WireRequest) -> dict[str, str]:
    """The headers as a server sees them."""
    headers = {name.lower(): value for name, value in wire.headers.items()}
    return {"host": target_of(wire.url).host_header, **headers}


def is_good(wire: WireRequest) -> bool:
    """Whether AWS would take the signature."""
    target = target_of(wire.url)
    url = f"{target.origin.scheme}://{target.host_header}{target.path}"
    return is_well_signed(wire.method, url, arrived(wire), wire.body, SECRET)


def refusal(**credentials: str | None) -> str:
    """Why nothing can be sent with these."""
    with pytest.raises(AttemptFailed) as failed:
        sent(**credentials)
    assert failed.value.kind == "config"
    return failed.value.text


def test_the_dialect_says_what_it_is() -> None:
    """Records name the type and the API that usage came from; no file is sent as a URL."""
    assert (DIALECT.provider_type, DIALECT.api_type) == ("aws_bedrock", "chat_completions")
    assert not DIALECT.forwards(UrlFile(url="https://h/a.png", mime_type="image/png"))


@pytest.mark.parametrize(
    ("stream", "method", "own"),
    [
        (False, "converse", {"accept": "application/json"}),
        (True, "converse-stream", {"accept-encoding": "identity"}),
    ],
)
def test_a_signed_request(stream: bool, method: str, own: dict[str, str]) -> None:
    """Both ways have a path of their own; what AWS would compute is what is sent."""
    wire = sent(stream=stream, model_id="us.anthropic.claude-haiku-4-5-20251001-v1:0")

    assert wire.url == (
        "https://bedrock-runtime.us-east-1.amazonaws.com"
        f"/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/{method}"
    )
    assert wire.method == "POST"
    headers = arrived(wire)
    told = signed_by(headers.pop("authorization"))
    assert (told["id"], told["region"], told["service"]) == (ID, "us-east-1", "bedrock")
    assert told["names"] == "content-type;host;x-amz-date"
    assert headers.pop("user-agent").startswith("LSD/")
    assert headers == {
        "host": "bedrock-runtime.us-east-1.amazonaws.com",
        "content-type": "application/json",
        "x-amz-date": DATE,
        **own,
    }
    assert is_good(wire)


def test_a_model_that_is_an_arn() -> None:
    """Case 42: its colons and slashes are part of a name, not of the path."""
    arn = "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-haiku-4-5"

    wire = sent(model_id=arn)

    escaped = arn.replace(":", "%3A").replace("/", "%2F")
    assert target_of(wire.url).path == f"/model/{escaped}/converse"
    assert is_good(wire)


def test_the_token_of_a_session_is_signed() -> None:
    """Keys for some time come with one."""
    wire = sent(session_token="session-token")

    assert arrived(wire)["x-amz-security-token"] == "session-token"
    names = signed_by(wire.headers["Authorization"])["names"]
    assert names == "content-type;host;x-amz-date;x-amz-security-token"
    assert is_good(wire)


def test_a_key_of_bedrock_needs_no_signature() -> None:
    """It is shown as it is, and nothing of the other keys is."""
    wire = sent(api_key="bedrock-api-key")

    assert wire.headers["Authorization"] == "Bearer bedrock-api-key"
    assert "X-Amz-Date" not in wire.headers


def test_a_region_in_china() -> None:
    """Its hosts are in a domain of their own."""
    wire = sent(region="cn-north-1")

    assert wire.url.startswith("https://bedrock-runtime.cn-north-1.amazonaws.com.cn/")
    assert is_good(wire)


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/model/m-1/converse"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/model/m-1/converse"),
        ("https://vpce.example/a/b c/", "https://vpce.example/a/b%20c/model/m-1/converse"),
        ("https://VPCE.example:443/a%3Ab", "https://vpce.example:443/a%3Ab/model/m-1/converse"),
        ("http://[::1]:8000/s", "http://[::1]:8000/s/model/m-1/converse"),
    ],
)
def test_an_endpoint_of_ones_own(endpoint: str, url: str) -> None:
    """Cases 42 and 53: its port and the beginning of its path are kept, and signed."""
    wire = sent(endpoint=endpoint)

    assert wire.url == url
    assert (
        target_of(wire.url).path
        == url.partition("://")[2].partition("/")[1] + (url.partition("://")[2].partition("/")[2])
    )
    assert is_good(wire)


@pytest.mark.parametrize("endpoint", ["box", "ftp://h/", "https://", "http://h:x/", "http://a@h/"])
def test_an_endpoint_that_is_none(endpoint: str) -> None:
    """Case 45: the location is named, as the request may have brought it."""
    dialect = make_dialect("aws_bedrock", endpoint_url=DynamicLocation("where"))

    with pytest.raises(AttemptFailed) as failed:
        dialect.encode(request(), {**KEYS, "endpoint": endpoint}, NO_EDITS)

    assert failed.value.kind == "config"
    assert failed.value.text == (
        "aws_bedrock: endpoint_url (dynamic::where): found no URL of a host; "
        "wanted one with http:// or https://"
    )


@pytest.mark.parametrize("region", ["", "us-east-1.evil.example/", "US-EAST-1", "a@b", None])
def test_a_region_that_is_none(region: str | None) -> None:
    """It would name a stranger's host."""
    assert "wanted the name of one, such as us-east-1" in refusal(region=region)


@pytest.mark.parametrize("identifier", ["", "a/b", "a,b", "a b", "a\r\nX-Evil: 1", "ä"])
def test_an_id_that_is_none(identifier: str) -> None:
    """Nothing is written into the header that could end it, or change what it says."""
    told = refusal(access_key_id=identifier)

    assert told == "aws_bedrock: access_key_id: found characters that no id of a key has"


def test_edits_are_made_before_the_signature() -> None:
    """What is signed is what is sent, whatever an operator or a caller has changed."""
    wire = sent(
        BodyEdit(pointer="/inferenceConfig/topK", value=3),
        HeaderEdit(name="x-amzn-bedrock-trace", value="ENABLED"),
        HeaderEdit(name="content-type", value="application/x-json"),
    )

    assert decode_json(wire.body)["inferenceConfig"] == {"topK": 3}  # type: ignore[index,call-overload]
    names = signed_by(wire.headers["Authorization"])["names"]
    assert names == "content-type;host;x-amz-date;x-amzn-bedrock-trace"
    assert is_good(wire)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Amz-Security-Token", "another"),
        ("x-amz-security-token", "another"),
        ("x-amz-date", "20260102T040506Z"),
        ("Host", "elsewhere.example"),
    ],
)
def test_a_header_of_the_user_is_signed_in_place_of_ours(name: str, value: str) -> None:
    """His value counts; it is sent once, and the signature holds for it."""
    wire = sent(HeaderEdit(name=name, value=value), session_token="ours")

    assert arrived(wire)[name.lower()] == value
    assert sum(each.lower() == name.lower() for each in wire.headers) == 1
    assert is_good(wire)


def test_an_authorization_of_the_user_replaces_the_signature() -> None:
    """Whoever stands before AWS may want something else."""
    wire = sent(HeaderEdit(name="authorization", value="Basic eA=="))

    assert arrived(wire)["authorization"] == "Basic eA=="


def test_an_authorization_that_was_deleted_is_not_made() -> None:
    """Some proxies sign by themselves."""
    wire = sent(HeaderEdit(name="authorization", delete=True))

    assert "authorization" not in arrived(wire)


def test_a_cache_point_by_an_edit() -> None:
    """What is to be cached is said in Bedrock's own words."""
    point = {"cachePoint": {"type": "default"}}

    wire = sent(BodyEdit(pointer="/messages/0/content/-", value=point))

    body: Any = decode_json(wire.body)
    assert body["messages"][0]["content"] == [{"text": "Hi"}, point]


@given(
    model_id=st.text(string.printable, min_size=1, max_size=30),
    prefix=st.text(string.ascii_letters + "/%._~ :", max_size=12),
)
def test_any_name_of_a_model_is_signed_as_it_is_sent(model_id: str, prefix: str) -> None:
    """Nothing between the signature and the socket escapes the path again."""
    wire = sent(model_id=model_id, endpoint=f"http://h/{prefix}")

    assert is_good(wire)


@pytest.mark.parametrize(
    ("status", "name", "is_transient"),
    [
        (400, "ValidationException", False),
        (400, "ServiceQuotaExceededException", False),
        (403, "AccessDeniedException", False),
        (403, "UnrecognizedClientException", False),
        (403, "InvalidSignatureException", False),
        (404, "ResourceNotFoundException", False),
        (408, "ModelTimeoutException", True),
        (424, "ModelErrorException", False),
        (429, "ThrottlingException", True),
        (429, "ModelNotReadyException", True),
        (500, "InternalServerException", True),
        (503, "ServiceUnavailableException", True),
    ],
)
def test_errors(status: int, name: str, is_transient: bool) -> None:
    """Their names tell whether to try again; both ways of asking give the same failure."""
    headers = {"x-amzn-errortype": f"{name}:http://x/", "x-amzn-requestid": "r-1"}
    headers |= {"retry-after": "7"} if is_transient else {}
    body = b'{"message":"not now"}'

    with pytest.raises(AttemptFailed) as plain:
        DIALECT.decode(status, headers, body)
    decoder = DIALECT.stream_decoder(status, headers)
    decoder.feed(body)
    with pytest.raises(AttemptFailed) as streamed:
        decoder.finish(cut=False)

    failure = plain.value
    assert attrs.asdict(failure) == attrs.asdict(streamed.value)
    assert (failure.status, failure.code, failure.transient) == (status, name, is_transient)
    assert (failure.request_id, failure.message) == ("r-1", "not now")
    assert failure.retry_after_s == (7 if is_transient else None)


def test_a_stream_that_is_none() -> None:
    """A good status does not make JSON a stream."""
    decoder = DIALECT.stream_decoder(200, {"content-type": "application/json"})
    decoder.feed(b'{"output":{}}')

    with pytest.raises(AttemptFailed) as failed:
        decoder.finish(cut=False)

    assert failed.value.kind == "malformed"
    assert "wanted application/vnd.amazon.eventstream" in failed.value.text
    assert failed.value.raw_response == '{"output":{}}'


def test_an_empty_answer_is_logged() -> None:
    """It is legal, and seldom what was wanted."""
    body = b'{"output":{"message":{"role":"assistant","content":[]}},"stopReason":"end_turn"}'

    with capture_logs() as logs:
        response = DIALECT.decode(200, {}, body)

    assert response.output == ()
    assert [each["event"] for each in logs] == ["provider gave an empty answer"]


def test_credentials_do_not_show_in_what_is_stored() -> None:
    """Case 60: the body, which is kept, holds none of them."""
    wire = DIALECT.encode(request(), CREDENTIALS, NO_EDITS)

    assert SECRET.encode() not in wire.body
    assert SECRET not in str(wire.headers)


def test_regions_may_be_configured_in_any_way() -> None:
    """The dialect is told what was found there."""
    dialect = make_dialect("aws_bedrock", region=LiteralLocation("eu-central-1"))

    wire = dialect.encode(request(), {**KEYS, "region": "eu-central-1"}, NO_EDITS)

    assert "eu-central-1" in wire.url

"""Signatures are those of the published vectors, and those that AWS's own library makes."""

import string
from hashlib import sha256

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import WireRequest
from lsd.network._client_request import target_of
from lsd.providers.sigv4 import (
    SigningScope,
    authorization,
    canonical_path,
    canonical_request,
    signed_headers,
    signing_key,
)
from tests.fakes.aws_signatures import is_well_signed, signed_by

ID = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

SUITE = SigningScope(
    region="us-east-1", service="service", access_key_id=ID, secret_access_key=SECRET
)
SUITE_DATE = "20150830T123600Z"
TOKEN = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"

DATE = "20260102T030405Z"
BEDROCK = attrs.evolve(SUITE, service="bedrock")
SAGEMAKER = attrs.evolve(SUITE, service="sagemaker", region="eu-west-1")

HI_AT_BEDROCK = WireRequest(
    method="POST",
    url="https://bedrock-runtime.us-east-1.amazonaws.com"
    "/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/converse",
    headers={"Content-Type": "application/json", "X-Amz-Date": DATE},
    body=b'{"messages":[{"role":"user","content":[{"text":"hi"}]}],'
    b'"inferenceConfig":{"maxTokens":16}}',
)


def suite(method: str = "GET", path: str = "/", **headers: str) -> WireRequest:
    """A request of the published suite."""
    sent = {"Host": "example.amazonaws.com", "X-Amz-Date": SUITE_DATE}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return WireRequest(method=method, url=f"https://example.amazonaws.com{path}", headers=sent)


def signature(request: WireRequest, scope: SigningScope, date: str) -> str:
    """The signature alone."""
    return signed_by(authorization(request, scope, date))["signature"]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (suite(), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (suite("POST"), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            suite(path="/?Param2=value2&Param1=value1"),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            suite(X_Amz_Security_Token=TOKEN),
            "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
        ),
        (suite(path="/ሴ"), "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
        (
            suite(path="/example space/"),
            "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
        ),
        (
            suite(path=f"/-._~{string.digits}{string.ascii_uppercase}{string.ascii_lowercase}"),
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        (
            suite(path="//"),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            suite(path="/example/.."),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
    ],
    ids=[
        "get-vanilla",
        "post-vanilla",
        "get-vanilla-query-order-key-case",
        "get-vanilla-with-session-token",
        "get-utf8",
        "get-space-normalized",
        "get-unreserved",
        "get-slash-normalized",
        "get-relative-normalized",
    ],
)
def test_the_published_vectors(request_: WireRequest, expected: str) -> None:
    """The signature of each request in AWS's suite comes out."""
    assert signature(request_, SUITE, SUITE_DATE) == expected


@pytest.mark.parametrize(
    ("headers", "digest"),
    [
        (
            {"My-Header1": " value1", "My-Header2": ' "a   b   c"'},
            'my-header1:value1\nmy-header2:"a b c"\n',
        ),
        ({"My-Header1": "value1\n  value2\n     value3"}, "my-header1:value1 value2 value3\n"),
    ],
    ids=["get-header-value-trim", "get-header-value-multiline"],
)
def test_values_of_headers_are_trimmed(headers: dict[str, str], digest: str) -> None:
    """Runs of white space count as one space, wherever they are."""
    request = suite()
    signed = {name.lower(): value for name, value in {**request.headers, **headers}.items()}

    canonical = canonical_request(request, dict(sorted(signed.items()))).decode()

    assert digest in canonical


def test_a_request_to_bedrock() -> None:
    """Each step of a worked example: the canonical request, the key, the signature."""
    headers = signed_headers(HI_AT_BEDROCK)
    canonical = canonical_request(HI_AT_BEDROCK, headers)

    assert canonical.decode().splitlines() == [
        "POST",
        "/model/us.anthropic.claude-haiku-4-5-20251001-v1%253A0/converse",
        "",
        "content-type:application/json",
        "host:bedrock-runtime.us-east-1.amazonaws.com",
        "x-amz-date:20260102T030405Z",
        "",
        "content-type;host;x-amz-date",
        "5903c58ae9037766e41ea3e3ef4368cbac6b3f82d1c1f15a67ac4a7520b79d7f",
    ]
    digest = sha256(canonical).hexdigest()
    assert digest == "ac1a3eaf1e1d21611b3c3d98808f092fd11b78d36834a9eb9bd387c4ada95e02"
    key = signing_key(BEDROCK, "20260102").hex()
    assert key == "5fe7d00891a75b7029b7875f73e3395713a85cc92df11a0b55a6a2f63078cf17"
    made = signature(HI_AT_BEDROCK, BEDROCK, DATE)
    assert made == "3f1f96d264c29407df22aa8af57522df3c15c08630adcae870e3533a76eeccf3"


def test_a_path_is_escaped_a_second_time() -> None:
    """Case 42: what is `%3A` on the wire is `%253A` in the signature, and `%2F` is `%252F`."""
    arn = "/model/arn%3Aaws%3Abedrock%3A%3A1%3Ainference-profile%2Fx/converse"

    assert canonical_path(arn) == arn.replace("%", "%25")
    made = signature(HI_AT_BEDROCK, BEDROCK, DATE)
    assert made != "151139184f077b708e0403cad6573c2caf20c07fa4290c6181df0a6f8eadc8d4"


def test_a_request_to_sagemaker() -> None:
    """The whole header, with the token of a session."""
    request = WireRequest(
        method="POST",
        url="https://runtime.sagemaker.eu-west-1.amazonaws.com"
        "/endpoints/lsd-test/invocations-response-stream",
        headers={
            "Content-Type": "application/json",
            "User-Agent": "LSD/1",
            "Accept-Encoding": "identity",
            "X-Amz-Date": DATE,
            "X-Amz-Security-Token": "TOKENEXAMPLE",
        },
        body=b'{"messages":[{"role":"user","content":"hi"}],"model":"m","stream":true}',
    )

    assert authorization(request, SAGEMAKER, DATE) == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/eu-west-1/sagemaker/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "
        "Signature=c97333b725ec85dff589484cf8a4844120b4d5ff18b5939137e0f249c9475e22"
    )


def test_headers_of_aws_are_signed_and_others_are_not() -> None:
    """Which variant of an endpoint answers is not for a stranger on the way to choose."""
    request = attrs.evolve(
        HI_AT_BEDROCK,
        headers={
            **HI_AT_BEDROCK.headers,
            "X-Amzn-SageMaker-Target-Variant": "blue",
            "Accept": "application/json",
            "X-Other": "1",
        },
    )

    assert list(signed_headers(request)) == [
        "content-type",
        "host",
        "x-amz-date",
        "x-amzn-sagemaker-target-variant",
    ]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/s/one/model/m/converse",
        "https://box.example:443/x",
        "http://box.example:80/x",
        "https://box.example:8443/x",
        "http://[::1]:9/x",
    ],
)
def test_the_host_is_signed_as_it_is_sent(url: str) -> None:
    """Case 53: with its port, unless that goes without saying."""
    request = attrs.evolve(HI_AT_BEDROCK, url=url)

    assert signed_headers(request)["host"] == target_of(url).host_header


def test_a_secret_is_not_shown() -> None:
    """Whatever prints a scope does not print a key."""
    assert SECRET not in repr(SUITE)


SEGMENT = st.text(string.ascii_letters + string.digits + "-_.~%:/ +é", max_size=12)


@given(
    path=SEGMENT,
    body=st.binary(max_size=40),
    secret=st.text(string.ascii_letters + "/+", min_size=1, max_size=40),
    region=st.sampled_from(["us-east-1", "eu-central-1", "cn-north-1"]),
    token=st.none() | st.text(string.ascii_letters + "/+=", min_size=1, max_size=40),
    port=st.sampled_from(["", ":8443"]),
)
def test_aws_itself_would_sign_so(
    path: str, body: bytes, secret: str, region: str, token: str | None, port: str
) -> None:
    """AWS's library, given what arrives at a server, comes to the same signature."""
    headers = {"Content-Type": "application/json", "X-Amz-Date": DATE}
    if token is not None:
        headers["X-Amz-Security-Token"] = token
    url = f"https://box.example{port}{target_of(f'https://h/{path}').path}"
    request = WireRequest(method="POST", url=url, headers=headers, body=body)
    scope = attrs.evolve(BEDROCK, region=region, secret_access_key=secret)

    made = authorization(request, scope, DATE)

    arrived = {name.lower(): value for name, value in headers.items()}
    arrived |= {"host": f"box.example{port}", "authorization": made, "user-agent": "LSD"}
    assert is_well_signed("POST", url, arrived, body, secret)
    assert not is_well_signed("POST", url, arrived, body + b" ", secret)

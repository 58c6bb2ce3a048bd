"""Keys of AWS: how each place is asked for them, and what its answers mean."""

import math
from typing import Any
from urllib.parse import parse_qs

import pytest

from lsd.conversation import AttemptFailed
from lsd.providers.aws_keys import (
    METADATA_BASE,
    AwsKeys,
    check_answered,
    container_request,
    metadata_keys_request,
    metadata_region_request,
    metadata_roles_request,
    metadata_token_request,
    read_json,
    read_keys,
    read_web_identity,
    token_service_url,
    web_identity_request,
)

KEYS = {"AccessKeyId": "ASIAX", "SecretAccessKey": "very-secret", "Token": "session"}
EXPIRATION = {"Expiration": "2026-01-02T03:04:05Z"}
EXPIRES_AT_S = 1_767_323_045.0

ASKED = metadata_token_request(METADATA_BASE)

ASSUMED = b"""<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <Credentials>
      <SessionToken>session&amp;more</SessionToken>
      <SecretAccessKey>very-secret</SecretAccessKey>
      <Expiration>2026-01-02T03:04:05Z</Expiration>
      <AccessKeyId>ASIAX</AccessKeyId>
    </Credentials>
  </AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>"""

REFUSED = b"""<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredTokenException</Code>
<Message>Token expired: current date/time 1 must be before</Message></Error></ErrorResponse>"""


def test_the_metadata_service_is_asked_in_its_second_version() -> None:
    """First for a token, which every other question shows."""
    assert (ASKED.method, ASKED.url) == ("PUT", "http://169.254.169.254/latest/api/token")
    assert ASKED.headers == {"x-aws-ec2-metadata-token-ttl-seconds": "21600"}

    roles = metadata_roles_request("http://m", "t-1")
    keys = metadata_keys_request("http://m", "t-1", "my-role")
    region = metadata_region_request("http://m", "t-1")

    assert {each.method for each in (roles, keys, region)} == {"GET"}
    assert all(each.headers == {"x-aws-ec2-metadata-token": "t-1"} for each in (roles, keys))
    assert roles.url == "http://m/latest/meta-data/iam/security-credentials/"
    assert keys.url == f"{roles.url}my-role"
    assert region.url == "http://m/latest/meta-data/placement/region"


@pytest.mark.parametrize(
    ("relative", "full", "url"),
    [
        ("/v2/x", None, "http://169.254.170.2/v2/x"),
        (None, "http://169.254.170.23/v1/x", "http://169.254.170.23/v1/x"),
        (None, "http://127.0.0.1:80/x", "http://127.0.0.1:80/x"),
        (None, "http://[::1]/x", "http://[::1]/x"),
        (None, "https://agent.example/x", "https://agent.example/x"),
    ],
)
def test_a_container_asks_its_agent(relative: str | None, full: str | None, url: str) -> None:
    """With the header that it was given for it."""
    asked = container_request(relative, full, "secret")

    assert (asked.method, asked.url) == ("GET", url)
    assert asked.headers == {"Authorization": "secret"}
    assert container_request(relative, full, None).headers == {}


def test_no_stranger_is_asked_for_keys_in_the_clear() -> None:
    """An environment that somebody has tampered with does not lead there."""
    with pytest.raises(AttemptFailed) as failed:
        container_request(None, "http://agent.example/x", "secret")

    assert failed.value.kind == "config"
    assert "wanted https, or this host" in failed.value.text


def test_the_token_service_is_asked_without_a_signature() -> None:
    """The token of the other identity is what counts."""
    asked = web_identity_request("https://sts.x/", role="arn:r", session="s", token="t&1")

    assert (asked.method, asked.url) == ("POST", "https://sts.x/")
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(asked.body.decode()) == {
        "Action": ["AssumeRoleWithWebIdentity"],
        "Version": ["2011-06-15"],
        "RoleArn": ["arn:r"],
        "RoleSessionName": ["s"],
        "WebIdentityToken": ["t&1"],
    }


@pytest.mark.parametrize(
    ("region", "override", "url"),
    [
        (None, None, "https://sts.amazonaws.com/"),
        ("eu-west-1", None, "https://sts.eu-west-1.amazonaws.com/"),
        ("cn-north-1", None, "https://sts.cn-north-1.amazonaws.com.cn/"),
        ("eu-west-1", "http://127.0.0.1:1/", "http://127.0.0.1:1/"),
    ],
)
def test_where_the_token_service_is(region: str | None, override: str | None, url: str) -> None:
    """Near by, unless the operator says where."""
    assert token_service_url(region, override) == url


def test_keys_with_an_end() -> None:
    """As metadata services, agents and processes tell them."""
    expected = AwsKeys(
        access_key_id="ASIAX",
        secret_access_key="very-secret",
        session_token="session",
        issued_at_s=7,
        expires_at_s=EXPIRES_AT_S,
    )

    assert read_keys({**KEYS, **EXPIRATION}, 7, "x") == expected
    process = {"Version": 1, "SessionToken": "session", **KEYS, **EXPIRATION}
    assert read_keys(process, 7, "x") == expected
    assert expected.value == "ASIAX"


def test_keys_for_good() -> None:
    """Without an end and without a token."""
    keys = read_keys({**KEYS, "Token": None}, 7, "x")

    assert (keys.session_token, keys.expires_at_s) == (None, math.inf)


def test_keys_in_xml() -> None:
    """As the token service tells them."""
    keys = read_web_identity(ASSUMED, 7, "x")

    assert (keys.access_key_id, keys.secret_access_key) == ("ASIAX", "very-secret")
    assert (keys.session_token, keys.expires_at_s) == ("session&more", EXPIRES_AT_S)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ([], "found no AccessKeyId with its SecretAccessKey"),
        ({**KEYS, "AccessKeyId": ""}, "found no AccessKeyId"),
        ({**KEYS, "AccessKeyId": "a\nb"}, "found no AccessKeyId"),
        ({**KEYS, "SecretAccessKey": 7}, "found no AccessKeyId"),
        ({**KEYS, "Token": "a\r\nb"}, "found a token that no header may hold"),
        ({**KEYS, "Expiration": "soon"}, "found the expiration 'soon'"),
        ({**KEYS, "Expiration": 7}, "found the expiration 7"),
    ],
)
def test_answers_that_are_no_keys(document: Any, told: str) -> None:
    """They are malformed, which may pass; nothing secret is shown."""
    with pytest.raises(AttemptFailed) as failed:
        read_keys(document, 7, "the agent")

    assert failed.value.kind == "malformed"
    assert failed.value.text.startswith("aws: the agent: ")
    assert told in failed.value.text
    assert "very-secret" not in failed.value.text


def test_an_answer_that_is_no_json() -> None:
    """Its text is not shown: it may hold a key."""
    with pytest.raises(AttemptFailed) as failed:
        read_json(b"very-secret", "the agent")

    assert failed.value.text == "aws: the agent: found no JSON; wanted keys"
    assert read_json(b"[1]", "the agent") == [1]


@pytest.mark.parametrize(
    ("status", "body", "kind", "text"),
    [
        (400, REFUSED, "auth", "returned HTTP 400: ExpiredTokenException: Token expired"),
        (403, b"", "auth", "returned HTTP 403: Forbidden"),
        (404, b"no role", "auth", "returned HTTP 404: no role"),
        (429, b"", "rate_limited", "returned HTTP 429: Too Many Requests"),
        (503, b"<html>", "server", "returned HTTP 503: <html>"),
    ],
)
def test_refusals(status: int, body: bytes, kind: str, text: str) -> None:
    """Only an endpoint that is ill or busy is worth asking again."""
    with pytest.raises(AttemptFailed) as failed:
        check_answered(ASKED, status, {}, body)

    assert failed.value.kind == kind
    assert failed.value.text.startswith("aws: 169.254.169.254/latest/api/token ")
    assert text in failed.value.text
    assert failed.value.raw_response is None


def test_a_good_answer_is_no_refusal() -> None:
    """Nothing happens."""
    check_answered(ASKED, 200, {}, b"token")


def test_keys_are_not_shown() -> None:
    """Whatever prints them prints no secret."""
    shown = repr(read_keys({**KEYS, **EXPIRATION}, 7, "x"))

    assert "very-secret" not in shown
    assert "session'" not in shown

"""Tokens of Google's cloud: what is signed, what is asked, and how answers are read."""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from hashlib import sha256
from random import Random
from typing import Any
from urllib.parse import parse_qs

import pytest

from lsd.config import AuthorizedUser, ServiceAccountKey, read_gcp_credential
from lsd.conversation import AttemptFailed, WireRequest, decode_json, encode_json
from lsd.providers import (
    CLOUD_SCOPE,
    AccessToken,
    MetadataServer,
    exchange_request,
    metadata_request,
    read_token,
    refresh_request,
    self_signed_token,
)
from lsd.providers.rs256 import rs256
from tests.fakes.gcp_keys import EMAIL, authorized_user, service_account

NOW_S = 1767323045
AUDIENCE = "https://us-central1-aiplatform.googleapis.com/"
GOOGLE = {"metadata-flavor": "Google"}
ASKED = refresh_request(AuthorizedUser(client_id="c", client_secret="s", refresh_token="r"))
ASKED_HERE = metadata_request(MetadataServer())


def key(**changes: Any) -> ServiceAccountKey:
    """The key of the test's service account, with Google's own endpoint."""
    found = read_gcp_credential(service_account(**{"token_uri": None, **changes}))
    assert isinstance(found, ServiceAccountKey)
    return found


def parts(token: str) -> tuple[Any, Any, bytes]:
    """Header, claims and signature of a token."""
    header, claims, signature = (
        urlsafe_b64decode(each + "=" * (-len(each) % 4)) for each in token.split(".")
    )
    return decode_json(header), decode_json(claims), signature


def signed_part(token: str) -> bytes:
    """What the signature is about."""
    return token.rpartition(".")[0].encode()


def test_a_self_signed_token() -> None:
    """It names the account, the host it is for, and one hour; its bytes are these and no others."""
    token = self_signed_token(key(), AUDIENCE, NOW_S, Random(1))

    header, claims, signature = parts(token.value)
    assert header == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    times = {"iat": NOW_S, "exp": NOW_S + 3600}
    assert claims == {"iss": EMAIL, "sub": EMAIL, "aud": AUDIENCE, **times}
    assert signature == rs256(key().private_key, signed_part(token.value), Random(2))
    assert (token.issued_at_s, token.expires_at_s) == (NOW_S, NOW_S + 3600)
    assert sha256(signed_part(token.value)).hexdigest() == (
        "704584c6769c6878c62db648d4104c07cfb9f23d39f424746af3fadfe0329b37"
    )


def test_an_exchange() -> None:
    """The signature asks for the whole cloud, and goes to the endpoint of the key file."""
    wire = exchange_request(key(), NOW_S, Random(1))

    fields = parse_qs(wire.body.decode())
    assert (wire.method, wire.url) == ("POST", "https://oauth2.googleapis.com/token")
    assert wire.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert fields["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    (assertion,) = fields["assertion"]
    times = {"iat": NOW_S, "exp": NOW_S + 3600}
    assert parts(assertion)[1] == {"iss": EMAIL, "scope": CLOUD_SCOPE, "aud": wire.url, **times}
    assert sha256(signed_part(assertion)).hexdigest() == (
        "ae42f67639ed07e61cd8fd9738ce834eb04c519ab0b000ad87b78e3e5b0708ee"
    )


def test_a_refresh() -> None:
    """A user's login is traded for a token."""
    user = read_gcp_credential(authorized_user(refresh_token="a/b+c"))
    assert isinstance(user, AuthorizedUser)

    wire = refresh_request(user)

    assert wire.url == "https://oauth2.example/token"
    assert parse_qs(wire.body.decode()) == {
        "grant_type": ["refresh_token"],
        "client_id": ["c-1"],
        "client_secret": ["user-secret"],
        "refresh_token": ["a/b+c"],
    }


def test_a_question_to_the_metadata_server() -> None:
    """Its header tells it from a request that was forwarded by mistake."""
    wire = metadata_request(MetadataServer(host="127.0.0.1:9"))

    assert (wire.method, wire.body) == ("GET", b"")
    assert wire.url == (
        "http://127.0.0.1:9/computeMetadata/v1/instance/service-accounts/default/token"
    )
    assert wire.headers == {"Metadata-Flavor": "Google"}
    assert ASKED_HERE.url.startswith("http://metadata.google.internal/")


@pytest.mark.parametrize(("asked", "headers"), [(ASKED, {}), (ASKED_HERE, GOOGLE)])
def test_a_token_in_an_answer(asked: WireRequest, headers: Mapping[str, str]) -> None:
    """Its life is counted from the moment of asking."""
    body = b'{"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"}'

    token = read_token(200, headers, body, NOW_S, asked)

    assert token == AccessToken(value="ya29.x", issued_at_s=NOW_S, expires_at_s=NOW_S + 3599)
    assert "ya29" not in repr(token)


def failed(
    status: int, body: Any, *, asked: WireRequest = ASKED, headers: Mapping[str, str] | None = None
) -> AttemptFailed:
    """The failure that an answer stands for."""
    data = body if isinstance(body, bytes) else encode_json(body)
    with pytest.raises(AttemptFailed) as caught:
        read_token(status, headers or {}, data, NOW_S, asked)
    assert caught.value.raw_response is None
    return caught.value


def test_an_answer_without_its_mark_is_no_metadata_server() -> None:
    """Case 57: whoever else answers by this name must not hand out tokens."""
    body = {"access_token": "ya29.x", "expires_in": 3599}

    failure = failed(200, body, asked=ASKED_HERE)

    assert (failure.kind, "Metadata-Flavor" in failure.text) == ("config", True)


@pytest.mark.parametrize(
    ("status", "body", "kind", "text"),
    [
        (
            400,
            {"error": "invalid_grant", "error_description": "Invalid JWT Signature."},
            "auth",
            "400: invalid_grant: Invalid JWT Signature. (is the clock of this machine right?)",
        ),
        (
            401,
            {"error": "invalid_client"},
            "auth",
            "401: invalid_client",
        ),
        (
            400,
            {"error": "invalid_scope", "error_description": "none"},
            "auth",
            "400: invalid_scope: none",
        ),
        (
            429,
            b"slow",
            "rate_limited",
            "429: slow",
        ),
        (
            503,
            b"",
            "server",
            "503: Service Unavailable",
        ),
    ],
)
def test_refusals(status: int, body: Any, kind: str, text: str) -> None:
    """A wrong credential is told from an endpoint that is ill: only the latter is asked again."""
    failure = failed(status, body)

    assert failure.text == f"token endpoint oauth2.googleapis.com returned HTTP {text}"
    assert failure.kind == kind
    assert failure.transient is (kind != "auth")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        [],
        {"access_token": "x"},
        {"access_token": "", "expires_in": 1},
        {"access_token": "a\nb", "expires_in": 1},
        {"access_token": 7, "expires_in": 1},
        {"access_token": "x", "expires_in": "1"},
        {"access_token": "x", "expires_in": True},
        {"id_token": "x", "expires_in": 1},
    ],
)
def test_an_answer_without_a_token(body: Any) -> None:
    """What is no token is never sent to a provider."""
    assert failed(200, body).kind == "malformed"

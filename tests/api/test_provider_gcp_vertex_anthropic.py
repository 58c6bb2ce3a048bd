"""Claude at Vertex AI by way of a gateway: tokens signed, fetched, shared and renewed."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.api.asking import SAYING_HI, statuses, text_of
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.anthropic_scripts import fails, says
from tests.fakes.gcp_keys import EMAIL, authorized_user, service_account
from tests.fakes.gcp_tokens import claims_of, token
from tests.fakes.openai_scripts import answers
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Answer, Delay, Script

AUDIENCE = "https://us-east5-aiplatform.googleapis.com/"
PATH = "/s/vertex/v1/projects/proj/locations/us-east5/publishers/anthropic/models/claude-haiku-4-5"


def config(provider: FakeProviderThread, location: str) -> str:
    """A model at the fake Vertex AI, and one behind it that needs no token."""
    return f"""
        [models.claude]
        routing = ["vertex", "echo"]
        [models.claude.providers.vertex]
        type = "gcp_vertex_anthropic"
        api_base = "{provider.root("vertex")}/v1"
        location = "us-east5"
        project_id = "proj"
        model_id = "claude-haiku-4-5"
        credential_location = {location}
        [models.claude.providers.echo]
        type = "echo"
    """


def shown_tokens(provider: FakeProviderThread) -> list[str]:
    """The bearer tokens that Vertex AI was shown, in order."""
    requests = provider.requests_to("vertex")
    return [request.headers["authorization"].removeprefix("Bearer ") for request in requests]


@pytest.fixture
def signing(start_gateway: StartGateway, provider: FakeProviderThread) -> Gateway:
    """A gateway with the key of a service account."""
    key = service_account(token_uri=f"{provider.root('token')}/token")
    provider.will("vertex", says("An old pond"))
    provider.will("token", token("ya29.exchanged"))
    return start_gateway(
        config(provider, '"env::KEY"'), "--log-level", "debug", environment={"KEY": key}
    )


@pytest.mark.parametrize("stream", [False, True])
def test_a_service_account_signs_for_itself(
    signing: Gateway, provider: FakeProviderThread, stream: bool
) -> None:
    """Nobody is asked for a token, and one signature serves for an hour of calls."""
    for _ in range(2):
        if stream:
            assert text_of(signing.stream(model_name="claude", **SAYING_HI)) == "An old pond"
        else:
            assert text_of(signing.infer(model_name="claude", **SAYING_HI)) == "An old pond"

    first, second = provider.requests
    assert first.path == f"{PATH}:{'streamRawPredict' if stream else 'rawPredict'}"
    assert first.json()["anthropic_version"] == "vertex-2023-10-16"
    assert "model" not in first.json()
    assert "anthropic-version" not in first.headers
    assert first.headers["authorization"] == second.headers["authorization"]
    claims = claims_of(shown_tokens(provider)[0])
    assert (claims["iss"], claims["sub"], claims["aud"]) == (EMAIL, EMAIL, AUDIENCE)
    assert claims["exp"] - claims["iat"] == 3600
    assert abs(claims["iat"] - time.time()) < 60


@pytest.mark.parametrize("stream", [False, True])
def test_a_refused_signature_is_exchanged_for_a_token(
    signing: Gateway, provider: FakeProviderThread, stream: bool
) -> None:
    """The caller waits a moment and hears nothing of it; later calls go straight."""

    def door(request: RecordedRequest) -> Answer:
        if request.headers["authorization"] == "Bearer ya29.exchanged":
            return says("Come in")
        return fails(401, "authentication_error")

    provider.will("vertex", lambda request: opened(door(request), request))

    for _ in range(2):
        if stream:
            assert text_of(signing.stream(model_name="claude", **SAYING_HI)) == "Come in"
        else:
            answer = signing.infer(model_name="claude", **SAYING_HI)
            assert text_of(answer) == "Come in"
            assert statuses(signing.calls(answer["inference_id"])) == [("vertex", "ok")]

    signed, *exchanged = shown_tokens(provider)
    assert claims_of(signed)["aud"] == AUDIENCE
    assert exchanged == ["ya29.exchanged"] * 2
    (asked,) = provider.requests_to("token")
    form = parse_qs(asked.body.decode())
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    claims = claims_of(form["assertion"][0])
    assert claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
    assert claims["aud"] == f"{provider.root('token')}/token"


def opened(answer: Answer, request: RecordedRequest) -> Script:
    """The script that an answer is for this request."""
    return answer if isinstance(answer, Script) else answer(request)


def test_a_credential_that_is_refused_for_good(
    signing: Gateway, provider: FakeProviderThread
) -> None:
    """One fresh token is tried; then the next provider answers, and the record tells why."""
    provider.will("vertex", fails(401, "authentication_error", "no such account"))

    answer = signing.infer(model_name="claude", **SAYING_HI)

    failed, _ = signing.calls(answer["inference_id"])
    assert statuses([failed]) == [("vertex", "error")]
    assert failed["error"].startswith("gcp_vertex_anthropic returned HTTP 401: no such account")
    assert len(provider.requests_to("vertex")) == 2


def test_an_endpoint_that_takes_no_signature(
    signing: Gateway, provider: FakeProviderThread
) -> None:
    """A clock that is wrong is the usual reason, and is named; it is not asked again."""
    provider.will("vertex", fails(401, "authentication_error"))
    refusal = {"error": "invalid_grant", "error_description": "Invalid JWT"}
    provider.will("token", answers(refusal, status=400))

    answer = signing.infer(model_name="claude", **SAYING_HI)

    failed, _ = signing.calls(answer["inference_id"])
    assert "invalid_grant: Invalid JWT (is the clock of this machine right?)" in failed["error"]
    assert len(provider.requests_to("token")) == 1


def test_a_missing_model_comes_with_a_hint(signing: Gateway, provider: FakeProviderThread) -> None:
    """Case 27: models of the catalogue and tuned ones are easily mistaken for each other."""
    body = {"error": {"code": 404, "message": "Model not found", "status": "NOT_FOUND"}}
    provider.will("vertex", answers(body, status=404))

    answer = signing.infer(model_name="claude", **SAYING_HI)

    failed, _ = signing.calls(answer["inference_id"])
    assert "Model not found" in failed["error"]
    assert "endpoint_id" in failed["error"]


def test_nothing_secret_in_the_log(signing: Gateway, provider: FakeProviderThread) -> None:
    """Case 60: neither keys nor tokens, nor what is stored of a call."""
    answer = signing.infer(model_name="claude", **SAYING_HI)

    (shown,) = shown_tokens(provider)
    log = signing.log_text() + str(signing.calls(answer["inference_id"]))
    assert shown not in log
    assert shown.rpartition(".")[2] not in log
    assert "PRIVATE KEY" not in log


def test_one_login_serves_many_at_once(
    start_gateway: StartGateway, provider: FakeProviderThread, tmp_path: Path
) -> None:
    """Case 54: twenty callers at the start of the day are one question to the endpoint."""
    path = tmp_path / "adc.json"
    endpoint = f"{provider.root('token')}/token"
    path.write_text(authorized_user(token_uri=endpoint, quota_project_id="payer"))
    provider.will("vertex", says("An old pond"))
    provider.will("token", Script((Delay(200), *token("ya29.user").steps)))
    environment = {"GOOGLE_APPLICATION_CREDENTIALS": str(path)}
    gateway = start_gateway(config(provider, '"sdk"'), environment=environment)

    with ThreadPoolExecutor(20) as callers:
        asked = [callers.submit(gateway.infer, model_name="claude", **SAYING_HI) for _ in range(20)]
        texts = {text_of(each.result()) for each in asked}

    assert texts == {"An old pond"}
    assert shown_tokens(provider) == ["ya29.user"] * 20
    assert {each.headers["x-goog-user-project"] for each in provider.requests_to("vertex")} == {
        "payer"
    }
    (login,) = provider.requests_to("token")
    assert parse_qs(login.body.decode())["refresh_token"] == ["user-refresh"]


def test_a_machine_in_the_cloud(start_gateway: StartGateway, provider: FakeProviderThread) -> None:
    """Its metadata server knows who it is, and is asked in the way that only it understands."""
    provider.will("vertex", says("An old pond"))
    given = {"access_token": "ya29.machine", "expires_in": 3599, "token_type": "Bearer"}
    provider.will("v1", answers(given, headers={"Metadata-Flavor": "Google"}))
    host = urlsplit(provider.root("v1")).netloc
    environment = {"GCE_METADATA_HOST": host, "HOME": "/nowhere"}
    gateway = start_gateway(config(provider, '"sdk"'), environment=environment)

    gateway.infer(model_name="claude", **SAYING_HI)

    (asked,) = provider.requests_to("v1")
    assert asked.method == "GET"
    assert asked.path == "/computeMetadata/v1/instance/service-accounts/default/token"
    assert asked.headers["metadata-flavor"] == "Google"
    assert shown_tokens(provider) == ["ya29.machine"]


def test_tokens_of_requests(start_gateway: StartGateway, provider: FakeProviderThread) -> None:
    """Case 56: each caller may bring its own token, and no caller may bring a key."""
    provider.will("vertex", says("An old pond"))
    gateway = start_gateway(config(provider, '"dynamic::mine"'))

    def ask(**credentials: str) -> list[dict[str, Any]]:
        answer = gateway.infer(model_name="claude", credentials=credentials, **SAYING_HI)
        return gateway.calls(answer["inference_id"])

    assert statuses(ask(mine="ya29.mine")) == [("vertex", "ok")]
    assert "expects an access token, not key JSON" in ask(mine=service_account())[0]["error"]
    assert "'mine'" in ask()[0]["error"]
    assert shown_tokens(provider) == ["ya29.mine"]

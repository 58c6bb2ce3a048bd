"""Gemini at Vertex AI by way of a gateway: the way in, and answers as at AI Studio."""

from typing import Any

import orjson
import pytest

from tests.api.asking import SAYING_HI, statuses, text_of
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.gcp_keys import EMAIL, service_account
from tests.fakes.gcp_tokens import claims_of, token
from tests.fakes.gemini_scripts import error, fails, gives, says, streams, told
from tests.fakes.openai_scripts import answers
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Answer, Script

PLACE = "/s/vertex/v1/projects/proj/locations/us-central1"
AUDIENCE = "https://us-central1-aiplatform.googleapis.com/"
POND = "An old pond"
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


def entry(provider: FakeProviderThread, name: str, more: str) -> str:
    """The table of one entry at the fake Vertex AI."""
    return f"""
        [models.{name}]
        routing = ["vertex", "echo"]
        [models.{name}.providers.vertex]
        type = "gcp_vertex_gemini"
        api_base = "{provider.root("vertex")}/v1"
        project_id = "proj"
        {more}
        [models.{name}.providers.echo]
        type = "echo"
    """


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A gateway with the key of a service account, and ways in for others."""
    here = 'location = "us-central1"\n'
    tables = [
        entry(shared_provider, "gemini", here + 'model_id = "gemini-2.5-flash"'),
        entry(shared_provider, "tuned", here + 'endpoint_id = "42"'),
        entry(
            shared_provider,
            "brought",
            'location = "global"\nmodel_id = "gemini-2.5-flash"\n'
            'credential_location = "dynamic::mine"',
        ),
    ]
    key = service_account(token_uri=f"{shared_provider.root('token')}/token")
    defaults = 'provider_types.gcp_vertex_gemini.defaults.credential_location = "env::KEY"'
    return start_shared(
        "\n".join([defaults, *tables]),
        "--log-level",
        "debug",
        environment={"KEY": key},
    )


@pytest.fixture
def vertex(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """Vertex AI, saying "An old pond" until a test wants something else."""
    shared_provider.forget()
    shared_provider.will("vertex", says(POND))
    shared_provider.will("token", token("ya29.exchanged"))
    return shared_provider


def asked(gateway: Gateway, *, stream: bool = False, **request: Any) -> dict[str, Any]:
    """An answer, streamed or not, as if it had not been streamed."""
    request = {"model_name": "gemini", **SAYING_HI, **request}
    if not stream:
        return gateway.infer(**request)
    *_, last = gateway.stream(**request, include_aggregated_response=True)
    return {**last, "content": last["aggregated_response"]}


def shown_token(request: RecordedRequest) -> str:
    """The token that a request shows."""
    return request.headers["authorization"].removeprefix("Bearer ")


@BOTH
def test_a_service_account_signs_for_itself(
    gateway: Gateway, vertex: FakeProviderThread, stream: bool
) -> None:
    """The model is in the URL, and a token that nobody was asked for in the header."""
    assert text_of(asked(gateway, stream=stream)) == POND

    (request,) = vertex.requests
    method, query = ("streamGenerateContent", "alt=sse") if stream else ("generateContent", "")
    assert request.path == f"{PLACE}/publishers/google/models/gemini-2.5-flash:{method}"
    assert request.query == query
    assert request.json() == {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    claims = claims_of(shown_token(request))
    assert (claims["iss"], claims["aud"]) == (EMAIL, AUDIENCE)
    assert "x-goog-api-key" not in request.headers


def test_an_endpoint_of_ones_own(gateway: Gateway, vertex: FakeProviderThread) -> None:
    """A tuned model has no publisher, and the same signature opens it."""
    asked(gateway, model_name="tuned")
    asked(gateway)

    tuned, plain = vertex.requests
    assert tuned.path == f"{PLACE}/endpoints/42:generateContent"
    assert shown_token(tuned) == shown_token(plain)


def test_tokens_of_requests(gateway: Gateway, vertex: FakeProviderThread) -> None:
    """Cases 45 and 56: each caller may bring its own token, and no caller may bring a key."""

    def outcome(**credentials: str) -> list[dict[str, Any]]:
        answer = asked(gateway, model_name="brought", credentials=credentials)
        return gateway.calls(answer["inference_id"])

    assert statuses(outcome(mine="ya29.mine")) == [("vertex", "ok")]
    assert "expects an access token, not key JSON" in outcome(mine=' {"type":1}')[0]["error"]
    assert "'mine'" in outcome()[0]["error"]
    (request,) = vertex.requests
    assert shown_token(request) == "ya29.mine"
    assert "/locations/global/" in request.path


@BOTH
def test_a_refused_token_is_replaced_once(
    start_gateway: StartGateway, provider: FakeProviderThread, stream: bool
) -> None:
    """The caller waits a moment and hears nothing of it."""
    provider.will("token", token("ya29.exchanged"))

    def door(request: RecordedRequest) -> Script:
        is_known = shown_token(request) == "ya29.exchanged"
        answer: Answer = says("Come in") if is_known else fails(401, "UNAUTHENTICATED")
        return answer if isinstance(answer, Script) else answer(request)

    provider.will("vertex", door)
    key = service_account(token_uri=f"{provider.root('token')}/token")
    more = 'location = "us-central1"\nmodel_id = "m"\ncredential_location = "env::KEY"'
    gateway = start_gateway(entry(provider, "gemini", more), environment={"KEY": key})

    for _ in range(2):
        answer = asked(gateway, stream=stream)
        assert text_of(answer) == "Come in"
        assert statuses(gateway.calls(answer["inference_id"])) == [("vertex", "ok")]

    assert len(provider.requests_to("vertex")) == 3
    assert len(provider.requests_to("token")) == 1


@BOTH
def test_thoughts_are_those_of_this_type(
    gateway: Gateway, vertex: FakeProviderThread, stream: bool
) -> None:
    """What AI Studio has signed is not shown to Vertex AI, nor the other way round."""
    vertex.will("vertex", gives([{"text": "hm", "thought": True}, {"text": "Hi"}]))
    foreign = {"type": "thought", "text": "ho", "provider_type": "google_ai_studio_gemini"}

    answer = asked(gateway, stream=stream)
    thought, text = answer["content"]
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [foreign, thought, text]},
    ]
    asked(gateway, stream=stream, input={"messages": messages})

    assert thought["provider_type"] == "gcp_vertex_gemini"
    assert vertex.requests[1].json()["contents"][1]["parts"] == [
        {"text": "hm", "thought": True},
        {"text": "Hi"},
    ]


@BOTH
def test_a_missing_model_comes_with_a_hint(
    gateway: Gateway, vertex: FakeProviderThread, stream: bool
) -> None:
    """Case 27: models of the catalogue and tuned ones are easily mistaken for each other."""
    vertex.will("vertex", fails(404, "NOT_FOUND", "Publisher Model was not found"))

    answer = asked(gateway, stream=stream)

    failed, _ = gateway.calls(answer["inference_id"])
    assert "Publisher Model was not found" in failed["error"]
    assert "tuned ones endpoint_id" in failed["error"]


@BOTH
@pytest.mark.parametrize(
    "answer",
    [
        fails(429, "RESOURCE_EXHAUSTED"),
        fails(503, "UNAVAILABLE"),
        answers(orjson.dumps([error(503, "UNAVAILABLE")])),
        answers("<html>", content_type="text/html"),
    ],
    ids=["429", "503", "error in 200", "page"],
)
def test_the_next_provider_answers(
    gateway: Gateway, vertex: FakeProviderThread, answer: Script, stream: bool
) -> None:
    """Whatever goes wrong before the first word."""
    vertex.will("vertex", answer)

    answered = asked(gateway, stream=stream)

    calls = gateway.calls(answered["inference_id"])
    assert statuses(calls) == [("vertex", "error"), ("echo", "ok")]


def test_an_error_outside_of_all_events(gateway: Gateway, vertex: FakeProviderThread) -> None:
    """Case 34: half a stream never passes for a whole one."""
    bare = b'\n{\n  "error": {"code": 503, "message": "high demand", "status": "UNAVAILABLE"}\n}\n'
    vertex.will("vertex", streams(told([{"text": POND}])[:2], bare=bare))

    events = gateway.stream(model_name="gemini", **SAYING_HI)

    assert text_of(events) == "An old "
    assert [each["error"] for each in events if "error" in each] == [
        "gcp_vertex_gemini returned HTTP 503: high demand [code: UNAVAILABLE]"
    ]


def test_a_shorthand_names_the_whole_path(gateway: Gateway, vertex: FakeProviderThread) -> None:
    """Case 26: project, location and model; another publisher's path is no such name."""
    wrong = "gcp_vertex_gemini::projects/P/locations/L/publishers/anthropic/models/M"

    response = gateway.post("/inference", {"model_name": wrong, **SAYING_HI})

    assert response.status_code == 400
    assert wrong in response.json()["error"]
    assert "publishers/google/models/M" in response.json()["error"]
    assert vertex.requests == []


def test_nothing_secret_in_the_log(gateway: Gateway, vertex: FakeProviderThread) -> None:
    """Case 60: neither keys nor tokens, nor what is stored of a call."""
    answer = asked(gateway)

    (request,) = vertex.requests
    log = gateway.log_text() + str(gateway.calls(answer["inference_id"]))
    assert shown_token(request).rpartition(".")[2] not in log
    assert "ya29.mine" not in log
    assert "PRIVATE KEY" not in log

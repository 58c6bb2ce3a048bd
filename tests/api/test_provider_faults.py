"""What goes wrong on the way to a provider, and what becomes of it, in every family of dialects."""

import gzip
import socket
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import orjson
import pytest
import trio

from tests.api.asking import SAYING_HI, statuses, text_of, wait_for
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway, stream_events
from tests.fakes import anthropic_scripts, bedrock_scripts, gemini_scripts, openai_scripts
from tests.fakes.openai_scripts import answers, drops, hangs
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Body, Hang, Header, Rst, Script, Split, Status, Until

POND = "An old pond"
TEXT = {"type": "text", "text": POND}


@attrs.frozen
class Family:
    """One dialect: how an entry is written, how a host answers, and how a stream begins.

    `keys` say what is asked, `place` says where; `begun` says "An old " and then nothing.
    """

    keys: str
    says: Callable[[str], Callable[[RecordedRequest], Script]]
    begun: Script
    place: str = 'api_base = "{base}"\napi_key_location = "none"'


AT_AWS = """
        region = "us-east-1"
        endpoint_url = "{base}"
        access_key_id = "env::MY_ID"
        secret_access_key = "env::MY_SECRET"
"""
ENVIRONMENT = {"MY_ID": "AKIAX", "MY_SECRET": "operators-secret"}

BEGUN_BY_OPENAI = openai_scripts.events(
    [openai_scripts.chunk({"content": piece}) for piece in ("An ", "old ")], done=False
)


FAMILIES = {
    "anthropic": Family(
        'model_name = "claude-haiku-4-5"',
        anthropic_scripts.says,
        anthropic_scripts.streams(anthropic_scripts.opened([TEXT])[:3]),
    ),
    "aws_bedrock": Family(
        'model_id = "us.anthropic.claude-haiku-4-5-20251001-v1:0"',
        bedrock_scripts.says,
        bedrock_scripts.streams(bedrock_scripts.opened([{"text": POND}])[:2]),
        AT_AWS,
    ),
    "aws_sagemaker": Family(
        'endpoint_name = "e"\nhosted_provider = "openai"\nmodel_name = "m"',
        lambda text: bedrock_scripts.hosts(openai_scripts.says(text)),
        bedrock_scripts.hosted(BEGUN_BY_OPENAI),
        AT_AWS,
    ),
    "google_ai_studio_gemini": Family(
        'model_name = "gemini-3-flash"',
        gemini_scripts.says,
        gemini_scripts.streams(gemini_scripts.told([{"text": POND}])[:2]),
    ),
    "openai": Family('model_name = "m"', openai_scripts.says, BEGUN_BY_OPENAI),
}

EACH = pytest.mark.parametrize("kind", FAMILIES)
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


def entry(kind: str, model: str, name: str, base: str, more: str = "") -> str:
    """The table of one provider."""
    return f"""
        [models.{model}.providers.{name}]
        type = "{kind}"
        {FAMILIES[kind].place.format(base=base)}
        {FAMILIES[kind].keys}
        {more}
    """


def tables(kind: str, provider: FakeProviderThread, nowhere: str) -> str:
    """The models of a family: patient, hasty, brief, and one whose first host is not there."""
    first, second = provider.url("first"), provider.url("second")
    hasty = "timeouts = { non_streaming.total_ms = 200, streaming.ttft_ms = 200 }"
    brief = "timeouts.streaming.total_ms = 2000  # what has to happen before happens, even so"
    routing = 'routing = ["one", "two"]'
    return "\n".join(
        [
            f"[models.{kind}]\n{routing}",
            entry(kind, kind, "one", first),
            entry(kind, kind, "two", second),
            f"[models.hasty_{kind}]\n{routing}",
            entry(kind, f"hasty_{kind}", "one", first, hasty),
            entry(kind, f"hasty_{kind}", "two", second),
            f"[models.brief_{kind}]\n{routing}",
            entry(kind, f"brief_{kind}", "one", first, brief),
            entry(kind, f"brief_{kind}", "two", second),
            f"[models.lost_{kind}]\n{routing}",
            entry(kind, f"lost_{kind}", "one", nowhere),
            entry(kind, f"lost_{kind}", "two", second),
            f'[functions.again_{kind}]\ntype = "chat"\nvariants.only.model = "{kind}"',
            "variants.only.retries = { num_retries = 1, max_delay_s = 5 }",
        ]
    )


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Iterator[Gateway]:
    """A gateway with all families, each at `first`, and at `second` if that fails."""
    with socket.socket() as bound:  # where nobody listens, nor will
        bound.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
        config = "\n".join(tables(kind, shared_provider, nowhere) for kind in FAMILIES)
        yield start_shared(config, environment=ENVIRONMENT)


@pytest.fixture
def hosts(shared_provider: FakeProviderThread, kind: str) -> FakeProviderThread:
    """Both hosts, saying "An old pond" until a test wants something else."""
    shared_provider.forget()
    for name in ("first", "second"):
        shared_provider.will(name, FAMILIES[kind].says(POND))
    return shared_provider


def answered(gateway: Gateway, *, stream: bool, **request: Any) -> dict[str, Any]:
    """An answer to "hi", streamed or not, as if it had not been streamed."""
    if not stream:
        return gateway.infer(**request, **SAYING_HI)
    events = gateway.stream(**request, **SAYING_HI, include_aggregated_response=True)
    assert not any("error" in event for event in events)
    return {**events[-1], "content": events[-1]["aggregated_response"]}


JSON = "application/json"
FAULTS: dict[str, tuple[Script, str]] = {
    "400": (answers({"error": {"message": "bad field"}}, status=400), "bad field"),
    "401": (answers({"error": {"message": "bad key"}}, status=401), "bad key"),
    "408": (answers("", status=408), "HTTP 408"),
    "413 as a page": (answers("<h1>Too large", status=413, content_type="text/html"), "<h1>Too"),
    "429": (answers({"error": {"message": "slow down"}}, status=429), "HTTP 429: slow down"),
    "500": (answers("", status=500), "HTTP 500"),
    "503 as a page": (answers("<h1>busy", status=503, content_type="text/html"), "<h1>busy"),
    "529": (answers("", status=529), "HTTP 529"),
    "a redirect": (answers("", status=302, headers={"Location": "/x"}), "redirects are not"),
    "a closed connection": (drops(), ""),
    "a reset": (drops(reset=True), ""),
    "an empty body": (answers("", content_type=JSON), "cannot be read"),
    "half a body": (answers('{"a": [', content_type=JSON), "cannot be read"),
    "another body": (answers("[1]", content_type=JSON), "cannot be read"),
    "a page": (answers("<h1>Hello", content_type="text/html"), "<h1>Hello"),
    "a broken body": (Script((Header("Content-Length", "99"), Body(b"{"), Rst())), ""),
}


@EACH
@BOTH
@pytest.mark.parametrize("fault", FAULTS)
def test_the_next_host_answers(
    gateway: Gateway, hosts: FakeProviderThread, kind: str, fault: str, stream: bool
) -> None:
    """The caller hears nothing of it; the record tells what was tried, and why it failed."""
    script, told = FAULTS[fault]
    hosts.will("first", script)

    answer = answered(gateway, stream=stream, model_name=kind)

    assert text_of(answer) == POND
    calls = gateway.calls(answer["inference_id"])
    assert statuses(calls) == [("one", "error"), ("two", "ok")]
    assert calls[0]["error"].startswith(kind)
    assert told in calls[0]["error"]


@EACH
@BOTH
def test_a_host_that_is_not_there(
    gateway: Gateway, hosts: FakeProviderThread, kind: str, stream: bool
) -> None:
    """A refused connection is a failure like others."""
    answer = answered(gateway, stream=stream, model_name=f"lost_{kind}")

    assert text_of(answer) == POND
    assert statuses(gateway.calls(answer["inference_id"])) == [("one", "error"), ("two", "ok")]


@EACH
@BOTH
def test_a_slow_first_byte(
    gateway: Gateway, hosts: FakeProviderThread, kind: str, stream: bool
) -> None:
    """A host that says nothing in time is passed over, and let go."""
    hosts.will("first", hangs(after_head=stream))

    answer = answered(gateway, stream=stream, model_name=f"hasty_{kind}")

    assert text_of(answer) == POND
    calls = gateway.calls(answer["inference_id"])
    assert statuses(calls) == [("one", "error"), ("two", "ok")]
    assert "_ms = 200" in calls[0]["error"]
    hosts.wait_closed(hosts.requests[0])


@EACH
@pytest.mark.parametrize(
    ("ending", "told"),
    [(Hang(), "total_ms = 2000"), (Rst(), "stream ended early; the connection broke")],
    ids=["silence", "reset"],
)
def test_a_stream_that_breaks_off(
    gateway: Gateway, hosts: FakeProviderThread, kind: str, ending: Hang | Rst, told: str
) -> None:
    """There is no way back; what had arrived is kept, and never passes for an answer."""
    has_arrived = trio.Event()  # a reset overtakes what has not been read yet
    hosts.will("first", Script((*FAMILIES[kind].begun.steps, Until(has_arrived), ending)))
    body = {"model_name": f"brief_{kind}", "stream": True, **SAYING_HI}
    text = ""

    with gateway.client.stream("POST", "/inference", json=body) as response:
        for piece in response.iter_text():
            text += piece
            if '"old ' in text and not has_arrived.is_set():
                hosts.set(has_arrived)
    events = stream_events(text)

    assert text_of(events) == "An old "
    (error,) = [event["error"] for event in events if "error" in event]
    assert told in error
    (call,) = gateway.calls(events[-1]["inference_id"])
    assert call["status"] == "interrupted"
    assert len(hosts.requests) == 1


@EACH
def test_a_stream_that_ends_too_soon(
    gateway: Gateway, hosts: FakeProviderThread, kind: str
) -> None:
    """An end in good order is none without the word for it."""
    hosts.will("first", FAMILIES[kind].begun)

    events = gateway.stream(model_name=kind, **SAYING_HI)

    (error,) = [event["error"] for event in events if "error" in event]
    assert error.startswith(f"{kind}: stream ended early")
    assert "finish_reason" not in events[-1]
    assert statuses(gateway.calls(events[-1]["inference_id"])) == [("one", "interrupted")]


@EACH
@BOTH
def test_an_answer_in_single_bytes(
    gateway: Gateway, hosts: FakeProviderThread, kind: str, stream: bool
) -> None:
    """Where the network cuts heads, chunks, events and characters does not matter."""
    says = FAMILIES[kind].says("Grüße, 世界 🌊")
    hosts.will("first", lambda request: Script((Split(1), *says(request).steps)))

    answer = answered(gateway, stream=stream, model_name=kind)

    assert text_of(answer) == "Grüße, 世界 🌊"


@EACH
def test_a_compressed_answer(gateway: Gateway, hosts: FakeProviderThread, kind: str) -> None:
    """It is read like any other."""

    def compressed(request: RecordedRequest) -> Script:
        steps = FAMILIES[kind].says(POND)(request).steps
        (body,) = [step for step in steps if isinstance(step, Body)]
        head = [step for step in steps if not isinstance(step, Body)]
        coding = Header("Content-Encoding", "gzip")
        return Script((*head, coding, Body(gzip.compress(body.data))))

    hosts.will("first", compressed)

    answer = answered(gateway, stream=False, model_name=kind)

    assert text_of(answer) == POND
    assert len(hosts.requests) == 1


@EACH
@BOTH
def test_a_limited_host_is_given_the_time_it_asks_for(
    gateway: Gateway, hosts: FakeProviderThread, kind: str, stream: bool
) -> None:
    """The retry comes no earlier than both hosts allow."""
    asked: list[float] = []

    def limited_once(request: RecordedRequest) -> Script:
        asked.append(request.arrived_at)
        if len(asked) > 2:
            return FAMILIES[kind].says(POND)(request)
        return answers("{}", status=429, headers={"Retry-After-Ms": "600"})

    for name in ("first", "second"):
        hosts.will(name, limited_once)

    answer = answered(gateway, stream=stream, function_name=f"again_{kind}")

    assert text_of(answer) == POND
    assert asked[2] - asked[1] >= 0.6


@EACH
@BOTH
@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 499])
def test_what_time_does_not_mend_is_not_tried_again(
    gateway: Gateway, hosts: FakeProviderThread, kind: str, status: int, stream: bool
) -> None:
    """A retry would burn time for the same answer; each host is asked once."""
    for name in ("first", "second"):
        hosts.will(name, Script((Status(status), Body(b"{}"))))
    body = {"function_name": f"again_{kind}", "stream": stream, **SAYING_HI}

    response = gateway.post("/inference", body)

    assert response.status_code == 502
    assert f"HTTP {status}" in response.json()["error"]
    assert [request.scenario for request in hosts.requests] == ["first", "second"]


@EACH
def test_a_client_that_leaves_takes_the_call_with_it(
    gateway: Gateway, hosts: FakeProviderThread, kind: str
) -> None:
    """Nobody pays for what nobody reads; what had arrived is on record."""
    hosts.will("first", Script((*FAMILIES[kind].begun.steps, Hang())))
    body = {"model_name": kind, "stream": True, **SAYING_HI}

    with gateway.client.stream("POST", "/inference", json=body) as response:
        first = next(line for line in response.iter_lines() if line)
    inference_id = orjson.loads(first.removeprefix("data: "))["inference_id"]

    hosts.wait_closed(hosts.requests[0])
    calls = wait_for(lambda: gateway.calls(inference_id))
    assert statuses(calls) == [("one", "interrupted")]

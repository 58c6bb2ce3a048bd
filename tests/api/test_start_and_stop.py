"""A gateway's life as its operator sees it: it starts, answers, stops, and comes back."""

import signal
from typing import Any

import pytest

from tests.api.asking import unanswered
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.openai_scripts import cut_after, drops, fails, hangs, says, streams
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.script import Script

NOTHING = ""


def saying(text: str) -> dict[str, Any]:
    """The input of a request: one user message."""
    return {"input": {"messages": [{"role": "user", "content": text}]}}


SAYING_HI = saying("hi")


def model_at(base: str) -> str:
    """The configuration of one model behind one OpenAI-like server."""
    return f"""
        [models.local]
        routing = ["box"]
        [models.local.providers.box]
        type = "openai"
        model_name = "m-1"
        api_base = "{base}"
        api_key_location = "none"
    """


def ask(gateway: Gateway, text: str, model: str = "echo::demo") -> str:
    """The text that a model answers."""
    answer = gateway.infer(model_name=model, **saying(text))
    return "".join(block["text"] for block in answer["content"])


def test_the_first_call_needs_no_key_and_no_configuration(start_gateway: StartGateway) -> None:
    """With an empty file, the offline provider answers."""
    gateway = start_gateway(NOTHING)

    assert ask(gateway, "An old silent pond") == "An old silent pond"
    assert gateway.log_records("serving")[0]["address"] in gateway.url


def test_a_stopped_gateway_comes_back_with_its_data(start_gateway: StartGateway) -> None:
    """An orderly stop ends with 0; the next start serves on the same data."""
    gateway = start_gateway(NOTHING)
    ask(gateway, "first")
    first_pid = gateway.pid

    code = gateway.stop(signal.SIGINT)
    gateway.start()

    assert code == 0
    assert ask(gateway, "again") == "again"
    assert gateway.pid != first_pid
    assert len(gateway.log_records("serving")) == 2


def test_a_killed_gateway_comes_back(start_gateway: StartGateway) -> None:
    """A crash at any time leaves data that the next start opens."""
    gateway = start_gateway(NOTHING)
    ask(gateway, "first")

    gateway.kill()
    gateway.start()

    assert ask(gateway, "again") == "again"


def test_a_stream_of_the_offline_provider_is_parsed(start_gateway: StartGateway) -> None:
    """Events arrive as they are written, the last one with the usage."""
    gateway = start_gateway(NOTHING)

    *chunks, last = gateway.stream(model_name="echo::demo", **saying("An old pond"))

    text = "".join(block["text"] for chunk in chunks for block in chunk["content"])
    assert text == "An old pond"
    assert last["finish_reason"] == "stop"


def test_a_provider_behind_a_socket_is_asked(
    start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """The request reaches the provider, and its answer the caller."""
    gateway = start_gateway(model_at(provider.will("says", says("frog jumps in"))))

    assert ask(gateway, "An old pond", model="local") == "frog jumps in"
    assert provider.wait_for_request().json()["model"] == "m-1"


@pytest.mark.parametrize(
    ("answer", "told"),
    [(fails(503), "HTTP 503: fake 503"), (drops(), "openai: "), (drops(reset=True), "openai: ")],
    ids=["status", "fin", "rst"],
)
def test_a_failing_provider_is_told(
    start_gateway: StartGateway, provider: FakeProviderThread, answer: Script, told: str
) -> None:
    """Without another provider, the caller learns what has gone wrong, after one call."""
    gateway = start_gateway(model_at(provider.will("fails", answer)))

    response = gateway.client.post("/inference", json={"model_name": "local", **SAYING_HI})

    assert response.status_code == 502
    assert told in response.json()["error"]
    assert len(provider.requests) == 1


def test_a_broken_stream_ends_with_an_error_event(
    start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """What has arrived is passed on; then the fault is told, and the stream still ends well."""
    gateway = start_gateway(model_at(provider.will("cut", cut_after(2))))

    events = gateway.stream(model_name="local", **SAYING_HI)

    assert [event for event in events if "error" in event]
    assert "".join(b["text"] for e in events for b in e.get("content", ())) == "An old"


def test_a_caller_who_leaves_takes_the_provider_call_along(
    start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """A client that goes away cancels the call of the provider at once."""
    gateway = start_gateway(model_at(provider.will("hangs", hangs(after_head=True))))
    body = {"model_name": "local", **SAYING_HI, "stream": True}

    with unanswered(gateway, body):
        call = provider.wait_for_request()

    provider.wait_closed(call)


def test_pieces_of_a_stream_are_passed_on_as_they_come(
    start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """Each chunk of the provider becomes one of ours."""
    gateway = start_gateway(model_at(provider.will("streams", streams(["a", "b", "c"]))))

    events = gateway.stream(model_name="local", **SAYING_HI)

    assert [[b["text"] for b in event["content"]] for event in events if event["content"]] == [
        ["a"],
        ["b"],
        ["c"],
    ]

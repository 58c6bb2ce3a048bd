"""The end of a process amid its work: crashes lose no answer, stops wait, insisting cuts off."""

import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import httpx
import orjson
import pytest
import trio

from tests.api.asking import SAYING_HI, WAIT_S_MAX, Box, model, saying, text_of, wait_for
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway, stream_events
from tests.fakes.openai_scripts import chunk, events, hangs, says
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Script, Until

SYNC = "gateway.observability.async_writes = false\n"
ASK = {"model_name": "box", **SAYING_HI}


def configuration(provider: FakeProviderThread, head: str = "") -> str:
    """One model behind the provider."""
    return head + model("box", Box("one", provider.url("box")))


def asked(gateway: Gateway, body: dict[str, Any]) -> dict[str, Any]:
    """The answer to one request; of a stream, with all of its text."""
    response = gateway.post("/inference", body)
    assert response.status_code == 200, response.text
    if not body.get("stream"):
        answer: dict[str, Any] = response.json()
        return answer
    chunks = stream_events(response.text)
    return {**chunks[-1], "content": [{"type": "text", "text": text_of(chunks)}]}


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_a_crash_right_after_an_answer_does_not_lose_it(
    start_gateway: StartGateway, provider: FakeProviderThread, stream: bool
) -> None:
    """With synchronous writes, whoever has the answer will find its record."""
    provider.will("box", says("yes"))
    gateway = start_gateway(configuration(provider, SYNC))

    answer = asked(gateway, {**ASK, "stream": stream})
    gateway.kill()
    gateway.start()

    record = gateway.stored(answer["inference_id"])
    assert record is not None
    assert record["output"] == [{"type": "text", "text": "yes"}]
    assert len(gateway.calls(answer["inference_id"])) == 1


@pytest.mark.parametrize("head", [SYNC, ""], ids=["sync", "async"])
def test_case_61_a_crash_amid_writes_leaves_whole_records(
    start_gateway: StartGateway, provider: FakeProviderThread, head: str
) -> None:
    """An inference is found whole or not at all; with synchronous writes all answered ones are."""
    provider.will("box", says("yes"))
    gateway = start_gateway(configuration(provider, head))
    answered: list[str] = []
    enough, is_over = Event(), Event()

    def ask_on(stream: bool) -> None:
        while not is_over.is_set():
            try:
                answer = asked(gateway, {**ASK, "stream": stream, "tags": {"a": "b"}})
            except (httpx.TransportError, AssertionError):
                return
            answered.append(answer["inference_id"])
            if len(answered) >= 100:
                enough.set()

    with ThreadPoolExecutor(8) as pool:
        for number in range(8):
            pool.submit(ask_on, number % 2 == 0)
        assert enough.wait(WAIT_S_MAX)
        gateway.kill()
        is_over.set()
    gateway.start()

    found = [gateway.stored(each) for each in answered]
    assert head == "" or None not in found
    for record in filter(None, found):
        assert record["output"] == [{"type": "text", "text": "yes"}]
        (call,) = gateway.calls(record["inference_id"])
        assert call["status"] == "ok"


@pytest.mark.parametrize(
    ("number", "server"),
    [(signal.SIGTERM, "auto"), (signal.SIGINT, "auto"), (signal.SIGTERM, "hypercorn")],
    ids=["SIGTERM", "SIGINT", "SIGTERM to Hypercorn"],
)
def test_a_stop_waits_for_fifty_requests(
    start_gateway: StartGateway, provider: FakeProviderThread, number: signal.Signals, server: str
) -> None:
    """Each of them gets its answer, and all are on record at the next start."""
    may_go_on = trio.Event()

    def echoing(request: RecordedRequest) -> Script:
        text = request.json()["messages"][-1]["content"]
        head, *rest = says(text)(request).steps
        return Script((head, Until(may_go_on), *rest))

    provider.will("box", echoing)
    gateway = start_gateway(configuration(provider, f'gateway.server = "{server}"\n'))
    texts = [f"number {each}" for each in range(50)]

    with ThreadPoolExecutor(50) as pool:
        answers = [
            pool.submit(asked, gateway, {**ASK, **saying(text), "stream": place % 2 == 0})
            for place, text in enumerate(texts)
        ]
        wait_for(lambda: len(provider.requests) == 50)
        gateway.send_signal(number)
        (draining,) = wait_for(lambda: gateway.log_records("draining"))
        provider.set(may_go_on)
        told = [answer.result() for answer in answers]

    assert draining["in_flight"] == 50
    assert [text_of(answer) for answer in told] == texts
    assert gateway.wait() == 0
    gateway.start()
    records = [gateway.stored(answer["inference_id"]) for answer in told]
    assert [record and text_of({"content": record["output"]}) for record in records] == texts


def test_a_stopping_daemon_takes_no_new_connections(
    start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """While the old ones are being served."""
    may_go_on = trio.Event()
    provider.will("box", lambda request: waiting(says("yes")(request), may_go_on))
    gateway = start_gateway(configuration(provider))

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(asked, gateway, ASK)
        provider.wait_for_request()
        gateway.send_signal(signal.SIGTERM)
        wait_for(lambda: is_refused(gateway))
        provider.set(may_go_on)
        assert text_of(answer.result()) == "yes"

    assert gateway.wait() == 0


def waiting(script: Script, event: trio.Event) -> Script:
    """The script, after the event."""
    return Script((Until(event), *script.steps))


def is_refused(gateway: Gateway) -> bool:
    """Whether a new connection is refused."""
    host, _, port = gateway.url.removeprefix("http://").rpartition(":")
    try:
        socket.create_connection((host, int(port))).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_load_balancer_has_time_to_notice(
    start_gateway: StartGateway, provider: FakeProviderThread
) -> None:
    """For the configured delay the daemon says that it is going, and serves all the same."""
    provider.will("box", says("yes"))
    gateway = start_gateway(configuration(provider, "gateway.shutdown_delay_ms = 3000\n"))

    gateway.send_signal(signal.SIGTERM)
    wait_for(lambda: gateway.log_records("draining"))
    health = gateway.client.get("/health")
    late = asked(gateway, ASK)

    assert health.status_code == 503
    assert health.json() == {"gateway": "draining", "store": "ok"}
    assert text_of(late) == "yes"
    assert gateway.wait() == 0


Insist = Callable[[Gateway], None]


def by_signal(number: signal.Signals) -> Insist:
    """Asks a second time."""
    return lambda gateway: gateway.send_signal(number)


@pytest.mark.parametrize(
    ("first", "insist", "head", "code"),
    [
        (signal.SIGTERM, by_signal(signal.SIGTERM), "", 143),
        (signal.SIGTERM, by_signal(signal.SIGTERM), 'gateway.server = "hypercorn"\n', 143),
        (signal.SIGINT, by_signal(signal.SIGINT), "", 130),
        (signal.SIGTERM, lambda gateway: None, "gateway.shutdown_timeout_ms = 300\n", 143),
    ],
    ids=["second SIGTERM", "second SIGTERM to Hypercorn", "second SIGINT", "time is over"],
)
def test_whoever_insists_cuts_requests_off(
    start_gateway: StartGateway,
    provider: FakeProviderThread,
    first: signal.Signals,
    insist: Insist,
    head: str,
    code: int,
) -> None:
    """Streams end with an error event, plain requests with 503; what had arrived is recorded."""
    started = events([chunk({"content": "a"})], done=False)
    never = Script((*started.steps, *hangs().steps))
    provider.will("box", lambda request: never if request.json().get("stream") else hangs())
    gateway = start_gateway(configuration(provider, head))
    begun: list[str] = []

    with ThreadPoolExecutor(10) as pool:
        streamed = [pool.submit(lines_of, gateway, begun) for _ in range(5)]
        plain = [pool.submit(gateway.post, "/inference", ASK) for _ in range(5)]
        wait_for(lambda: len(provider.requests) == 10 and len(begun) == 5)
        gateway.send_signal(first)
        wait_for(lambda: gateway.log_records("draining"))
        insist(gateway)
        chunks = [each.result() for each in streamed]
        responses = [each.result() for each in plain]

    assert gateway.wait() == code
    for a, error in chunks:
        assert text_of(a) == "a"
        assert error == {"error": "the daemon is stopping; the answer is not complete"}
    for response in responses:
        assert response.status_code == 503
        assert response.json() == {"error": "the daemon is stopping; the answer is not complete"}
    gateway.start()
    for a, _ in chunks:
        record = gateway.stored(a["inference_id"])
        assert record is not None
        assert (record["status"], text_of({"content": record["output"]})) == ("interrupted", "a")


def lines_of(gateway: Gateway, begun: list[str]) -> list[dict[str, Any]]:
    """The events of a stream, whether or not it ends well; `begun` gets the first at once."""
    found: list[str] = []
    with gateway.client.stream("POST", "/inference", json={**ASK, "stream": True}) as response:
        for line in response.iter_lines():
            if line.startswith("data: {"):
                found.append(line.removeprefix("data: "))
                begun += found if len(found) == 1 else []
    return [orjson.loads(each) for each in found]

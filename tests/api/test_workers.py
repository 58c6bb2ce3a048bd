"""Several processes that serve one address: they look like one, and survive each other."""

import os
import signal
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import attrs
import httptools
import httpx
import orjson
import pytest
import trio

from tests.api.asking import SAYING_HI, saying, wait_for
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.api.load import under_load

SYNC = "[gateway.observability]\nasync_writes = false\n"
METRIC = '[metrics.solved]\ntype = "boolean"\noptimize = "max"\nlevel = "inference"\n'
SLOW = 'models.slow = { routing = ["p"], providers.p = { type = "echo", chunk_delay_ms = 100 } }\n'

AT_ONCE = int(os.environ.get("LSD_TEST_REQUESTS", "1000"))
"""Requests at the same time under one limit."""

TRIES = 24
"""Requests on connections of their own: few enough to be quick, and more than one worker's."""


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway) -> Gateway:
    """Three workers that record asynchronously, and count to 5 for each customer."""
    limits = (
        "[[rate_limiting.rules]]\npriority = 1\nmodel_inferences_per_day = 5\n"
        'scope = [{ tag_key = "customer", tag_value = "lsd::each" }]\n'
    )
    return start_shared(SLOW + METRIC + limits, "--workers", "3")


def workers_of(gateway: Gateway) -> list[int]:
    """The processes that the main one has started."""
    shown = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    pairs = [line.split() for line in shown.stdout.splitlines()]
    return [int(pid) for pid, parent in pairs if int(parent) == gateway.pid]


def anew(gateway: Gateway) -> httpx.Client:
    """A client with a connection of its own, which any worker may serve."""
    return httpx.Client(base_url=gateway.url, timeout=20, trust_env=False, verify=False)


def get(gateway: Gateway, path: str) -> httpx.Response:
    """The answer on a connection of its own."""
    with anew(gateway) as client:
        return client.get(path)


def post(gateway: Gateway, path: str, body: object) -> httpx.Response:
    """The answer on a connection of its own."""
    with anew(gateway) as client:
        return client.post(path, json=body)


def test_workers_are_announced_and_numbered(gateway: Gateway) -> None:
    """The main process serves nothing, and tells of all of them."""
    (serving,) = gateway.log_records("serving")

    assert (serving["workers"], serving["worker"], serving["pid"]) == (3, 0, gateway.pid)
    assert len(workers_of(gateway)) == 3


def test_what_one_worker_has_answered_another_can_show(gateway: Gateway) -> None:
    """Case 65: a record that is written asynchronously is found right after the answer."""
    for number in range(TRIES):
        answer = post(gateway, "/inference", {"model_name": "echo::m", **saying(str(number))})

        inference_id = answer.json()["inference_id"]
        shown = post(gateway, "/v1/inferences/get_inferences", {"ids": [inference_id]})

        assert [each["inference_id"] for each in shown.json()["inferences"]] == [inference_id]
    assert gateway.log_records("read without the last records of other workers") == []


def test_feedback_counts_at_once_in_every_worker(gateway: Gateway) -> None:
    """Case 64: on inferences of any worker, and in the statistics of any other."""
    answer = post(gateway, "/inference", {"model_name": "echo::m", **SAYING_HI}).json()
    target = answer["inference_id"]
    for number in range(1, TRIES):
        feedback = {"metric_name": "solved", "value": True, "inference_id": target}
        assert post(gateway, "/feedback", feedback).status_code == 200

        shown = get(gateway, f"/internal/feedback/{target}/count")

        assert shown.json()["count"] == number


def test_feedback_waits_for_a_stream_of_any_worker(gateway: Gateway) -> None:
    """Its client knows the id from the first chunk, and need not know who serves it."""
    body = {"model_name": "slow", **saying("a b c d e f g h"), "stream": True}
    for _ in range(3):
        with anew(gateway) as client, client.stream("POST", "/inference", json=body) as stream:
            lines = stream.iter_lines()
            target = orjson.loads(next(lines).removeprefix("data: "))["inference_id"]
            feedback = {"metric_name": "solved", "value": True, "inference_id": target}
            given = post(gateway, "/feedback", feedback)
            rest = list(lines)

        assert (given.status_code, rest[-2:]) == (200, ["data: [DONE]", ""])


def test_ids_rise_over_all_workers(gateway: Gateway) -> None:
    """What is asked after an answer has the greater id, whoever makes it."""
    body = {"model_name": "echo::m", **SAYING_HI}
    clients = [anew(gateway) for _ in range(12)]

    ids = [
        client.post("/inference", json=body).json()["inference_id"]
        for _ in range(10)
        for client in clients
    ]
    for client in clients:
        client.close()

    assert ids == sorted(ids)


def test_a_limit_is_one_for_all_workers(gateway: Gateway) -> None:
    """Case 47: ten at once, five of them pass, whoever serves them."""
    body = {"model_name": "echo::m", **SAYING_HI, "tags": {"customer": "case 47"}}

    with ThreadPoolExecutor(10) as clients:
        answers = list(clients.map(lambda _: post(gateway, "/inference", body), range(10)))

    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [429] * 5


def count_of(gateway: Gateway, series: str) -> float:
    """The value of a series, as any worker shows it."""
    lines = get(gateway, "/metrics").text.splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(series)), 0.0)


def test_any_worker_shows_what_all_have_counted(gateway: Gateway) -> None:
    """Case 63: within a second; dry runs and looks at the daemon's health leave no trace."""
    labels = 'endpoint="inference",function_name="lsd::default",model_name="echo::63"'
    series = f"lsd_requests_total{{{labels}}}"
    body = {"model_name": "echo::63", **SAYING_HI}

    for _ in range(TRIES):
        post(gateway, "/inference", body)
        post(gateway, "/inference", {**body, "dryrun": True})
        get(gateway, "/health")

    wait_for(lambda: {count_of(gateway, series) for _ in range(TRIES // 2)} == {TRIES})
    assert count_of(gateway, "lsd_workers") == 3
    assert "health" not in get(gateway, "/metrics").text


def test_ids_are_of_all_workers_and_never_twice(gateway: Gateway) -> None:
    """Whoever makes them."""
    body = {"model_name": "echo::m", **SAYING_HI}

    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _: post(gateway, "/inference", body), range(64)))

    assert len({answer.json()["inference_id"] for answer in answers}) == 64


@pytest.fixture(scope="module")
def crew(start_shared: StartGateway) -> Gateway:
    """Four workers that answer after the commit; of `AT_ONCE` requests, a fifth may pass."""
    limit = (
        f"[[rate_limiting.rules]]\npriority = 1\nmodel_inferences_per_hour = {AT_ONCE // 5}\n"
        'scope = [{ tag_key = "at_once", tag_value = "lsd::total" }]\n'
    )
    return start_shared(SYNC + limit, "--workers", "4")


def test_a_killed_worker_is_replaced_and_the_others_serve(crew: Gateway) -> None:
    """Case 62: what was answered is stored; only requests of the dead worker fail."""
    gateway = crew
    deaths = len(gateway.log_records("worker died"))
    replaced = len(gateway.log_records("worker replaced"))
    before = count_of(gateway, "lsd_inferences_total")
    first = set(workers_of(gateway))
    victim = min(first)

    with under_load(gateway, {"model_name": "echo::m", **SAYING_HI}, clients=8) as load:
        wait_for(lambda: len(load.outcomes) > 40)
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: len(gateway.log_records("worker replaced")) > replaced)
        after = len(load.outcomes)
        wait_for(lambda: len(load.outcomes) > after + 40)

    ids = [answer["inference_id"] for answer in load.answered()]
    stored = gateway.post("/v1/inferences/get_inferences", {"ids": ids}).json()["inferences"]
    assert {each["inference_id"] for each in stored} == set(ids)
    assert {each.status for each in load.failed()} <= {0}
    assert len(load.failed()) <= 8
    assert len(workers_of(gateway)) == 4
    assert first - set(workers_of(gateway)) == {victim}
    wait_for(lambda: count_of(gateway, "lsd_workers") == 4)
    counted = count_of(gateway, "lsd_inferences_total")
    assert counted >= before + len(ids) - 100, "a crash costs a second of counts at most"
    (death,) = gateway.log_records("worker died")[deaths:]
    assert (death["worker_pid"], death["exit_code"]) == (victim, -signal.SIGKILL)


def test_workers_that_die_too_often_are_given_up(start_gateway: StartGateway) -> None:
    """Case 62: the fifth death within a minute ends everything, with 3."""
    gateway = start_gateway("", "--workers", "2")
    killed: set[int] = set()
    while len(killed) < 5:
        alive = [pid for pid in workers_of(gateway) if pid not in killed]
        if alive:
            os.kill(alive[0], signal.SIGKILL)
            killed.add(alive[0])
        time.sleep(0.05)

    assert gateway.wait() == 3
    assert len(gateway.log_records("worker died")) == 5


def test_a_worker_that_is_sent_away_is_replaced(crew: Gateway) -> None:
    """It finishes what it does; nobody notices.

    But for who sends a request just as its idle connection is closed: for that HTTP has no cure
    (RFC 9112, 9.5), so here each request has a connection of its own.
    """
    gateway, before = crew, len(crew.log_records("worker replaced"))
    body = {"model_name": "echo::m", **SAYING_HI}

    with under_load(gateway, body, clients=4, keeps_connections=False) as load:
        wait_for(lambda: len(load.outcomes) > 20)
        os.kill(min(workers_of(gateway)), signal.SIGTERM)
        wait_for(lambda: len(gateway.log_records("worker replaced")) > before)

    assert load.failed() == []


def test_workers_do_not_outlive_the_main_process(start_gateway: StartGateway) -> None:
    """They finish their work when there is nobody any more who would look after them."""
    gateway = start_gateway("", "--workers", "2")
    workers = workers_of(gateway)

    gateway.kill()

    wait_for(lambda: not any(is_alive(pid) for pid in workers))


def is_alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_all_workers_finish_their_work_at_a_stop(start_gateway: StartGateway) -> None:
    """Case 61: streams go on to their end, new connections are refused, and the exit is 0."""
    gateway = start_gateway(SLOW, "--workers", "2")
    body = {"model_name": "slow", **saying("a b c d e f g h i j"), "stream": True}

    begun: list[str] = []

    def ask(_: int) -> str:
        with anew(gateway) as client, client.stream("POST", "/inference", json=body) as stream:
            pieces = stream.iter_text()
            begun.append(next(pieces))
            return begun[-1] + "".join(pieces)

    with ThreadPoolExecutor(4) as clients:
        texts = clients.map(ask, range(4))
        wait_for(lambda: len(begun) == 4)
        gateway.send_signal(signal.SIGTERM)
        wait_for(lambda: is_refused(gateway))
        streams = list(texts)

    assert gateway.wait() == 0
    assert all(text.endswith("data: [DONE]\n\n") for text in streams)


def is_refused(gateway: Gateway) -> bool:
    """Whether nobody listens any more."""
    try:
        get(gateway, "/status")
    except httpx.ConnectError:
        return True
    except httpx.TransportError:  # it came between the last look and the end of listening
        return False
    return False


def test_a_second_signal_ends_all_workers_at_once(start_gateway: StartGateway) -> None:
    """Case 61: what runs is cut off, and the exit code tells."""
    slow = 'models.slow = { routing = ["p"], providers.p = { type = "echo", delay_ms = 60000 } }\n'
    gateway = start_gateway(slow, "--workers", "2")

    with ThreadPoolExecutor(1) as client:
        answer = client.submit(post, gateway, "/inference", {"model_name": "slow", **SAYING_HI})
        wait_for(lambda: "lsd_requests_total" in get(gateway, "/metrics").text)
        gateway.send_signal(signal.SIGTERM)
        wait_for(lambda: gateway.log_records("draining"))
        gateway.send_signal(signal.SIGINT)

        assert answer.result().status_code == 503
    assert gateway.wait() == 130


def test_of_many_requests_at_once_as_many_pass_as_may(crew: Gateway) -> None:
    """Not one more and not one less, for four workers and for all that is asked together."""
    body = {"model_name": "echo::m", **SAYING_HI, "tags": {"at_once": "yes"}}

    statuses = trio.run(statuses_of, crew, orjson.dumps(body), AT_ONCE // 20, 20)

    assert Counter(statuses) == {200: AT_ONCE // 5, 429: AT_ONCE - AT_ONCE // 5}


@attrs.define(eq=False)
class Answer:
    """Hears from the parser that the answer is there."""

    is_complete: bool = False

    def on_message_complete(self) -> None:
        self.is_complete = True


async def statuses_of(gateway: Gateway, body: bytes, connections: int, each: int) -> list[int]:
    """The statuses of requests on many connections at once, one after another on each."""
    host, port = gateway.url.removeprefix("http://").split(":")
    head = f"POST /inference HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n"
    statuses: list[int] = []

    async def ask() -> None:
        answer = Answer()
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            for _ in range(each):
                answer.is_complete = False
                parser = httptools.HttpResponseParser(answer)
                await stream.send_all(head.encode() + body)
                while not answer.is_complete:
                    parser.feed_data(await stream.receive_some())
                statuses.append(parser.get_status_code())

    async with trio.open_nursery() as nursery:
        for _ in range(connections):
            nursery.start_soon(ask)
    return statuses


def test_a_disabled_key_opens_nothing_in_any_worker(start_gateway: StartGateway) -> None:
    """Case 34: from the very next request on, with the memory for keys switched on."""
    gateway = start_gateway("gateway.auth.enabled = true\n", "--workers", "3")
    key = gateway.command("--create-api-key").stdout.strip()
    headers = {"authorization": f"Bearer {key}"}
    body = {"model_name": "echo::m", **SAYING_HI}

    def ask() -> int:
        with anew(gateway) as client:
            return client.post("/inference", json=body, headers=headers).status_code

    before = {ask() for _ in range(TRIES)}
    gateway.command("--disable-api-key", key.split("-")[2])
    after = {ask() for _ in range(TRIES)}

    assert (before, after) == ({200}, {401})

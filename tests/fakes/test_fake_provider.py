"""The fake provider, driven by a stock client."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
import trio

from tests.fakes.connection import Playback
from tests.fakes.openai_scripts import (
    answers,
    cut_after,
    drops,
    embeds,
    fails,
    hangs,
    malformed_chunk_at,
    says,
    streams,
    tool_call,
)
from tests.fakes.provider import FakeProvider
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.script import (
    Body,
    Chunked,
    Delay,
    ExpectClose,
    Fin,
    Head,
    Header,
    Raw,
    Rst,
    Script,
    Split,
    SplitAt,
    Until,
    script,
)

STREAMED = {"stream": True}


@pytest.fixture
async def fake() -> AsyncIterator[FakeProvider]:
    """The fake provider, running."""
    async with FakeProvider() as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A stock client that fails rather than waits."""
    async with httpx.AsyncClient(timeout=30, trust_env=False) as open_client:
        yield open_client


async def ask(client: httpx.AsyncClient, base: str, body: object = None) -> httpx.Response:
    """One chat completion."""
    return await client.post(f"{base}/chat/completions", json=body or {})


def payloads(text: str) -> list[Any]:
    """The events of a stream, parsed, without `[DONE]`, which must be the last."""
    events = [event.removeprefix("data: ") for event in text.split("\n\n") if event]
    assert events.pop() == "[DONE]"
    return [orjson.loads(event) for event in events]


def text_of(chunks: list[Any]) -> str:
    """The text that the chunks add up to."""
    return "".join(
        choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"]
    )


async def test_a_request_is_remembered_as_it_came(
    fake: FakeProvider, client: httpx.AsyncClient
) -> None:
    """Method, path, query, headers and body are kept as they arrived."""
    base = fake.will("plain", says("hello"))

    await client.post(f"{base}/chat/completions?a=1", json={"n": 1}, headers={"X-Role": "tester"})

    (request,) = fake.requests
    assert (request.method, request.path, request.query) == (
        "POST",
        "/s/plain/v1/chat/completions",
        "a=1",
    )
    assert request.headers["x-role"] == "tester"
    assert request.json() == {"n": 1}
    assert request.scenario == "plain"
    await request.wait_ended()
    assert request.answered
    assert not request.closed_early


async def test_says_answers_plainly_and_as_a_stream(
    fake: FakeProvider, client: httpx.AsyncClient
) -> None:
    """One script serves both kinds of request."""
    base = fake.will("says", says("An old silent pond"))

    whole = (await ask(client, base)).json()
    streamed = payloads((await ask(client, base, STREAMED)).text)

    assert whole["choices"][0]["message"]["content"] == "An old silent pond"
    assert text_of(streamed) == "An old silent pond"
    assert streamed[-1]["usage"] == whole["usage"]


async def test_a_tool_call_comes_whole_or_in_pieces(
    fake: FakeProvider, client: httpx.AsyncClient
) -> None:
    """The arguments of a streamed call add up to those of the whole one."""
    base = fake.will("tool", tool_call("page", {"team": "facilities"}))

    whole = (await ask(client, base)).json()["choices"][0]
    streamed = payloads((await ask(client, base, STREAMED)).text)

    pieces = [
        call["function"]["arguments"]
        for chunk in streamed
        for choice in chunk["choices"]
        for call in choice["delta"].get("tool_calls", ())
    ]
    assert whole["message"]["tool_calls"][0]["function"]["arguments"] == "".join(pieces)
    assert whole["finish_reason"] == "tool_calls"
    assert len(pieces) > 2


async def test_a_sequence_goes_through_its_scripts_and_repeats_the_last(
    fake: FakeProvider, client: httpx.AsyncClient
) -> None:
    """`seq:a,b` answers the first request by `a` and all others by `b`."""
    fake.will("sad", fails(503, headers={"Retry-After": "1"}))
    fake.will("glad", says("better now"))

    got = [await ask(client, fake.url("seq:sad,glad")) for _ in range(3)]

    assert [response.status_code for response in got] == [503, 200, 200]
    assert got[0].headers["retry-after"] == "1"
    assert got[0].json()["error"]["message"] == "fake 503"
    assert len(fake.requests_to("seq:sad,glad")) == 3


async def test_requests_share_a_connection_while_it_is_whole(
    fake: FakeProvider, client: httpx.AsyncClient
) -> None:
    """Connections are kept alive; each request says on which one it came."""
    base = fake.will("plain", says("hello"))

    for _ in range(3):
        await ask(client, base)

    assert [request.connection for request in fake.requests] == [1, 1, 1]


async def test_a_key_can_be_demanded(fake: FakeProvider, client: httpx.AsyncClient) -> None:
    """Without the right key the answer is 401, in the shape of the dialect that asked."""
    base = fake.will("locked", Script(answers({}).steps, require_key="sk-1"))

    refused = await ask(client, base)
    refused_message = await client.post(f"{base}/messages", json={}, headers={"x-api-key": "no"})
    let_in = await client.post(base, json={}, headers={"Authorization": "Bearer sk-1"})

    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "invalid_api_key"
    assert refused_message.json()["error"]["type"] == "authentication_error"
    assert let_in.status_code == 200


async def test_an_unknown_scenario_is_not_found(
    fake: FakeProvider, client: httpx.AsyncClient
) -> None:
    """A slip in a test's scenario name shows at once."""
    response = await ask(client, fake.url("slip"))

    assert response.status_code == 404
    assert "'slip'" in response.text


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
async def test_a_dropped_connection_has_no_answer(
    fake: FakeProvider, client: httpx.AsyncClient, reset: bool
) -> None:
    """A drop shows the client a broken connection, not a response."""
    base = fake.will("drops", drops(reset=reset))

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await ask(client, base)

    request = await fake.wait_for_request()
    await request.wait_ended()
    assert request.answered


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
async def test_a_cut_stream_ends_amid_its_chunks(
    fake: FakeProvider, client: httpx.AsyncClient, reset: bool
) -> None:
    """A stream cut after n chunks shows at most these n, then breaks."""
    base = fake.will("cut", cut_after(2, reset=reset))
    received = b""

    async def read() -> None:
        nonlocal received
        async with client.stream("POST", f"{base}/chat/completions", json=STREAMED) as response:
            async for piece in response.aiter_bytes():
                received += piece

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await read()

    assert received.count(b"data: ") == 2 or reset


async def test_a_malformed_chunk_is_followed_by_good_ones(
    fake: FakeProvider, client: httpx.AsyncClient
) -> None:
    """Only the named chunk is not JSON."""
    base = fake.will("bad", malformed_chunk_at(2))

    events = (await ask(client, base, STREAMED)).text.split("\n\n")

    assert events[1] == 'data: {"choices": ['
    assert [orjson.loads(each[6:])["object"] for each in (events[0], events[2])]


@pytest.mark.parametrize("after_head", [False, True])
async def test_it_tells_when_the_peer_goes_away(
    fake: FakeProvider, client: httpx.AsyncClient, after_head: bool
) -> None:
    """A hanging request whose client leaves is recorded as closed early."""
    base = fake.will("hangs", hangs(after_head=after_head))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask, client, base)
        request = await fake.wait_for_request(1, scenario="hangs")
        nursery.cancel_scope.cancel()

    await request.wait_closed()
    assert request.closed_early
    assert request.closed_at is not None
    assert request.closed_at >= request.arrived_at


async def test_who_waits_for_a_close_in_vain_is_told(
    fake: FakeProvider, client: httpx.AsyncClient
) -> None:
    """A peer that stays until its answer is complete has not closed early."""
    base = fake.will("patient", script(ExpectClose(1), *answers({}).steps))

    await ask(client, base)

    with pytest.raises(AssertionError, match="it was to be closed"):
        await fake.requests[0].wait_closed()


@pytest.mark.parametrize(
    ("step", "pieces"),
    [
        (None, [(0, b"abcdefgh")]),
        (Split(3, gap_ms=7), [(0, b"abc"), (7, b"def"), (7, b"gh")]),
        (SplitAt(2, gap_ms=9), [(0, b"ab"), (9, b"cdefgh")]),
    ],
    ids=["whole", "split", "split-at"],
)
def test_bytes_are_split_as_told(
    step: Split | SplitAt | None, pieces: list[tuple[float, bytes]]
) -> None:
    """A write is cut into pieces of a size, or once at an offset, with pauses between."""
    playback = Playback()
    playback.split = step if isinstance(step, Split) else None
    playback.split_at = step if isinstance(step, SplitAt) else None

    assert list(playback.pieces(b"abcdefgh")) == pieces


async def test_what_is_not_http_goes_out_as_it_is(fake: FakeProvider) -> None:
    """Raw bytes reach the peer unchanged, however they are split."""
    fake.will("raw", script(Split(3), Raw(b"no "), SplitAt(1), Raw(b"such protocol"), Fin()))
    received = b""

    async with await trio.open_tcp_stream("127.0.0.1", fake.port) as stream:
        await stream.send_all(b"GET /s/raw/v1 HTTP/1.1\r\n\r\n")
        async for piece in stream:
            received += piece

    assert received == b"no such protocol"


async def test_the_head_may_come_before_anything_else(
    fake: FakeProvider, client: httpx.AsyncClient
) -> None:
    """A head sent at once lets the client see the status while the body is still held back."""
    steps = (Header("X-Early", "yes"), Head(), ExpectClose(30_000), Chunked(b"late"))
    base = fake.will("early", Script(steps))

    async with client.stream("POST", f"{base}/chat/completions") as response:
        assert response.headers["x-early"] == "yes"

    await fake.requests[0].wait_closed()


async def test_a_content_length_may_lie(fake: FakeProvider, client: httpx.AsyncClient) -> None:
    """A `Content-Length` header of the script replaces the true one."""
    base = fake.will("short", script(Header("Content-Length", "9"), Body(b"five!"), Rst()))

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await ask(client, base)


async def test_pauses_take_their_time(fake: FakeProvider, client: httpx.AsyncClient) -> None:
    """`gap_ms` and `Delay` hold back the answer at least so long."""
    base = fake.will("slow", streams(["a", "b"], gap_ms=20, usage={"prompt_tokens": 1}))
    later = fake.will("later", script(Delay(30), *answers({}).steps))

    began = trio.current_time()
    chunks = payloads((await ask(client, base, STREAMED)).text)
    between = trio.current_time()
    await ask(client, later)

    assert text_of(chunks) == "ab"
    assert chunks[-1]["usage"] == {"prompt_tokens": 1}
    assert between - began >= 0.08
    assert trio.current_time() - between >= 0.03


async def test_embeddings_come_in_order(fake: FakeProvider, client: httpx.AsyncClient) -> None:
    """The given vectors are the answer, indexed."""
    base = fake.will("embeds", embeds([[1.0, 0.0], [0.0, 1.0]]))

    data = (await client.post(f"{base}/embeddings", json={"input": ["a", "b"]})).json()["data"]

    assert [(each["index"], each["embedding"]) for each in data] == [
        (0, [1.0, 0.0]),
        (1, [0.0, 1.0]),
    ]


async def test_waiting_for_a_request_that_never_comes_ends(fake: FakeProvider) -> None:
    """A wait in vain is an error after its time."""
    with pytest.raises(trio.TooSlowError):
        await fake.wait_for_request(timeout_s=0.01)


def test_it_also_serves_tests_that_are_not_async() -> None:
    """In a thread, the same methods simply wait."""
    with FakeProviderThread() as fake, httpx.Client(trust_env=False) as client:
        base = fake.will("says", says("hello"))
        hanging = fake.will("hangs", hangs())

        answer = client.post(f"{base}/chat/completions", json={}).json()
        patience = httpx.Timeout(30, read=0.05)
        with pytest.raises(httpx.ReadTimeout):
            client.post(f"{hanging}/chat/completions", json={}, timeout=patience)

        assert answer["choices"][0]["message"]["content"] == "hello"
        first = fake.wait_for_request(1)
        fake.wait_ended(first)
        fake.wait_closed(fake.wait_for_request(1, scenario="hangs"))
        assert fake.requests_to("says") == [first]
        assert fake.url("says") == f"{fake.root('says')}/v1"


def test_a_script_can_wait_for_the_test() -> None:
    """Nothing is said before the test wants it, so that no test has to sleep for luck."""
    with FakeProviderThread() as fake, httpx.Client(trust_env=False) as client:
        said = trio.Event()
        steps = (Head(), Chunked(b"one"), Until(said), Chunked(b"two"))
        base = fake.will("waits", Script(steps))

        with client.stream("POST", base, json={}) as response:
            pieces = response.iter_bytes()
            first = next(pieces)
            had_last_word = fake.requests[0].has_last_word
            fake.set(said)
            second = next(pieces)

        assert (first, second) == (b"one", b"two")
        assert (had_last_word, fake.requests[0].has_last_word) == (False, True)


def test_what_was_asked_can_be_forgotten() -> None:
    """Afterwards requests and sequences begin anew."""
    with FakeProviderThread() as fake, httpx.Client(trust_env=False) as client:
        fake.will("first", says("1"))
        fake.will("second", says("2"))
        asked = f"{fake.url('seq:first,second')}/chat/completions"
        client.post(asked, json={})

        fake.forget()
        answer = client.post(asked, json={}).json()

        assert answer["choices"][0]["message"]["content"] == "1"
        assert len(fake.requests) == 1

"""Streams: their events, their faults, and clients that leave."""

import signal
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import httpx
import orjson
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from lsd.store import Selection
from tests.api.asking import (
    SAYING_HI,
    Box,
    model,
    open_store,
    refusal,
    statuses,
    text_of,
    unanswered,
    wait_for,
)
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway, stream_events
from tests.fakes.openai_scripts import (
    answers,
    chunk,
    cut_after,
    events,
    fails,
    hangs,
    malformed_chunk_at,
    says,
    streams,
    tool_call,
)
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Chunked, Head, Header, Script, Until

NUMBER = orjson.dumps({"type": "object", "properties": {"n": {"type": "integer"}}}).decode()
TOOL = orjson.dumps({"type": "object"}).decode()
FILES = {"number.json": NUMBER, "tool.json": TOOL}

FUNCTIONS = """
    [tools.weather]
    description = "Tells the weather"
    parameters = "tool.json"

    [functions.chat]
    type = "chat"
    tools = ["weather"]
    variants.only.model = "box"

    [functions.count]
    type = "json"
    output_schema = "number.json"
    variants.only.model = "box"
"""

CHAT = {"function_name": "chat", **SAYING_HI}
COUNT = {"function_name": "count", **SAYING_HI}
KEPT = {"cache_options": {"enabled": "on"}}
USAGE = {"prompt_tokens": 7, "completion_tokens": 3}


@pytest.fixture
def box(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """Provider `box`, with `spare` behind it in the model `pair`."""
    shared_provider.forget()
    shared_provider.will("box", streams(["a", "b", "c"], usage=USAGE))
    shared_provider.will("spare", says("spare"))
    return shared_provider


def models(provider: FakeProviderThread) -> str:
    """A model with one box and one with two."""
    one, two = Box("one", provider.url("box")), Box("two", provider.url("spare"))
    return model("box", one) + model("pair", one, two)


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A gateway in front of it."""
    return start_shared(models(shared_provider) + FUNCTIONS, files=FILES)


def stored(gateway: Gateway, inference_id: str) -> dict[str, Any]:
    """The record of an inference, which must exist."""
    record = gateway.stored(inference_id)
    assert record is not None
    return record


def received(response: httpx.Response) -> Iterator[dict[str, Any]]:
    """The events of a stream, each as soon as it has arrived."""
    for line in response.iter_lines():
        if line.startswith("data: {"):
            yield orjson.loads(line.removeprefix("data: "))


def test_the_frame_of_a_stream(gateway: Gateway, box: FakeProviderThread) -> None:
    """Only data lines and blank ones, the end mark last, and nothing is to be cached."""
    response = gateway.post("/inference", {**CHAT, "stream": True})

    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-cache"
    blocks = response.text.split("\n\n")
    assert blocks.pop() == ""
    assert blocks[-1] == "data: [DONE]"
    assert all(block.startswith("data: ") and "\n" not in block for block in blocks)


def test_case_45_usage_comes_once_and_last(gateway: Gateway, box: FakeProviderThread) -> None:
    """Ids and the variant are in every chunk, and never change."""
    usages = [{"prompt_tokens": 7, "completion_tokens": n} for n in (0, 1, 2)]
    payloads = [chunk({"content": "x"}, usage=usage) for usage in usages]
    last = {**chunk({}, usage=USAGE), "choices": []}
    box.will("box", events([*payloads, chunk({}, finish_reason="stop"), last]))

    chunks = gateway.stream(**CHAT)

    assert ["usage" in each for each in chunks] == [False] * 3 + [True]
    assert chunks[-1]["usage"] == {"input_tokens": 7, "output_tokens": 3, "cost": None}
    assert chunks[-1]["content"] == []
    assert chunks[-1]["finish_reason"] == "stop"
    assert all("finish_reason" not in each for each in chunks[:-1])
    names = ("inference_id", "episode_id", "variant_name")
    assert len({tuple(each[name] for name in names) for each in chunks}) == 1


def test_a_chunk_is_passed_on_before_the_next_one_is_made(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """The client has read the first when the provider writes the second."""
    may_go_on = trio.Event()
    first, *rest = events([chunk({"content": "a"}), chunk({"content": "b"})]).steps[2:]
    head = events([], done=False).steps
    end = events([chunk({}, finish_reason="stop")]).steps[2:]
    box.will("box", Script((*head, first, Until(may_go_on), rest[0], *end)))

    with gateway.client.stream("POST", "/inference", json={**CHAT, "stream": True}) as response:
        arriving = received(response)
        one = next(arriving)
        was_waiting = not box.requests[0].answered
        box.set(may_go_on)
        two = next(arriving)

    assert (text_of(one), text_of(two)) == ("a", "b")
    assert was_waiting


def test_case_46_a_stream_survives_an_undecodable_event(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """It is told where it happened; the rest follows, and all good chunks are stored."""
    box.will("box", malformed_chunk_at(4, pieces=["a", "b", "c", "d", "e"]))

    chunks = gateway.stream(**CHAT)

    shape = ["error" if "error" in each else text_of(each) for each in chunks]
    assert shape == ["a", "b", "c", "error", "d", "e", ""]
    assert chunks[-1]["finish_reason"] == "stop"
    record = stored(gateway, chunks[-1]["inference_id"])
    assert record["output"] == [{"type": "text", "text": "abcde"}]
    assert record["status"] == "ok"


def test_an_error_event_of_the_provider_is_passed_on(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """With its raw text, for whoever asked for raw things; it is not told twice."""
    payload = {"error": {"message": "out of memory", "type": "server_error"}}
    box.will("box", events([chunk({"content": "a"}), payload], done=False))

    chunks = gateway.stream(**CHAT, include_raw_response=True)

    errors = [each for each in chunks if "error" in each]
    assert len(errors) == 1
    assert "out of memory" in errors[0]["error"]
    assert orjson.loads(errors[0]["raw_chunk"]) == payload
    assert stored(gateway, chunks[-1]["inference_id"])["status"] == "interrupted"


WIRE = b"".join(
    step.data
    for step in streams(["ä€😀 ", 'b"c\\', "\n\n", "d"], usage=USAGE).steps
    if isinstance(step, Chunked)
)
"""A stream's bytes: characters of several bytes, and line ends that are none."""


@settings(max_examples=25, deadline=None)
@given(places=st.lists(st.integers(0, len(WIRE)), max_size=40))
def test_where_a_providers_bytes_are_cut_does_not_matter(
    gateway: Gateway, shared_provider: FakeProviderThread, places: list[int]
) -> None:
    """Any cut of them gives the same chunks, and the same stored output."""
    bounds = [0, *sorted({*places, len(WIRE)} - {0})]
    pieces = [Chunked(WIRE[start:end]) for start, end in pairwise(bounds)]
    head = (Header("Content-Type", "text/event-stream"), Head())
    shared_provider.will("box", Script((*head, *pieces)))

    *told, end = gateway.stream(**CHAT)

    texts = [block["text"] for event in told for block in event["content"]]
    assert texts == ["ä€😀 ", 'b"c\\', "\n\n", "d"]
    assert end["usage"] == {"input_tokens": 7, "output_tokens": 3, "cost": None}
    record = gateway.stored(end["inference_id"])
    assert record is not None
    assert record["output"] == [{"type": "text", "text": "".join(texts)}]


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("count", [1, 2], ids=["after 1 chunk", "case 47: after 2 chunks"])
def test_a_stream_that_breaks_off_ends_well(
    gateway: Gateway, box: FakeProviderThread, reset: bool, count: int
) -> None:
    """An error event, the final chunk, the end mark; what had arrived is on record."""
    box.will("box", cut_after(count, pieces=["a", "b", "c"], reset=reset))
    text = "ab"[:count]

    *pieces, error, last = gateway.stream(**CHAT)

    assert text_of(pieces) == text
    assert list(error) == ["error"]
    assert last["content"] == []
    assert "usage" in last
    assert "finish_reason" not in last
    record = stored(gateway, last["inference_id"])
    assert record["status"] == "interrupted"
    assert record["output"] == [{"type": "text", "text": text}]
    assert statuses(gateway.calls(last["inference_id"])) == [("one", "interrupted")]
    assert len(box.requests) == 1


def test_a_broken_json_stream_is_parsed_as_far_as_it_goes(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """Half a document is raw text without a value."""
    box.will("box", cut_after(2, pieces=['{"n"', ": 1", "}"]))

    *pieces, _, last = gateway.stream(**COUNT)

    assert "".join(each["raw"] for each in pieces) == '{"n": 1'
    record = stored(gateway, last["inference_id"])
    assert record["output"] == {"raw": '{"n": 1', "parsed": None}


@pytest.mark.parametrize(
    "empty",
    [
        cut_after(0),
        cut_after(0, reset=True),
        events([]),
        events([chunk({"role": "assistant"})], done=False),
        answers("", content_type="text/event-stream"),
        answers("{}", content_type="application/json"),
        answers("<html>", content_type="text/html"),
        fails(500),
    ],
    ids=[
        "case 49: closed",
        "reset",
        "end mark only",
        "role only",
        "no bytes",
        "JSON instead",
        "HTML instead",
        "error status",
    ],
)
def test_a_stream_that_never_starts_is_a_failed_attempt(
    gateway: Gateway, box: FakeProviderThread, empty: Script
) -> None:
    """The next provider answers; without one, the error is JSON with a status."""
    box.will("box", empty)

    chunks = gateway.stream(model_name="pair", **SAYING_HI)
    told = refusal(gateway, 502, {**CHAT, "stream": True})

    assert text_of(chunks) == "spare"
    calls = gateway.calls(chunks[-1]["inference_id"])
    assert statuses(calls) == [("one", "error"), ("two", "ok")]
    assert 'provider "one": ' in told


@pytest.mark.parametrize(
    "script",
    [
        streams(["a", "b"], usage=USAGE),
        tool_call("weather", {"place": "Kyoto"}),
        events(
            [
                chunk({"content": "a"}),
                chunk({"reasoning_content": "hm"}),
                chunk({"content": "b"}),
                chunk({}, finish_reason="stop"),
            ]
        ),
    ],
    ids=["text", "tool call", "with a thought"],
)
def test_case_50_the_aggregated_answer_is_the_stored_one(
    gateway: Gateway, box: FakeProviderThread, script: Any
) -> None:
    """And the one that the chunks make up."""
    box.will("box", script)

    chunks = gateway.stream(**CHAT, include_aggregated_response=True)

    record = stored(gateway, chunks[-1]["inference_id"])
    assert chunks[-1]["aggregated_response"] == record["output"]
    assert text_of(chunks) == text_of({"content": record["output"]})
    assert all("aggregated_response" not in each for each in chunks[:-1])


def test_case_50_an_aggregated_json_answer(gateway: Gateway, box: FakeProviderThread) -> None:
    """Raw text and value."""
    box.will("box", streams(['{"n"', ": 1}"]))

    *pieces, last = gateway.stream(**COUNT, include_aggregated_response=True)

    assert [each["raw"] for each in pieces] == ['{"n"', ": 1}"]
    assert last["raw"] == ""
    assert last["aggregated_response"] == {"raw": '{"n": 1}', "parsed": {"n": 1}}
    assert stored(gateway, last["inference_id"])["output"] == last["aggregated_response"]


def test_case_50_without_a_stream_nothing_is_aggregated(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """The flag is refused, and nobody is asked."""
    told = refusal(gateway, 400, {**CHAT, "include_aggregated_response": True})

    assert told.startswith("include_aggregated_response: ")
    assert box.requests == []


def test_case_51_a_tools_name_may_come_in_pieces(gateway: Gateway, box: FakeProviderThread) -> None:
    """Pieces are passed on, each once; stored is the whole."""

    def call(**function: str) -> dict[str, Any]:
        return chunk({"tool_calls": [{"index": 0, "function": function}]})

    start = {"index": 0, "id": "call_1", "type": "function"}
    payloads = [
        chunk({"tool_calls": [{**start, "function": {"name": "wea", "arguments": ""}}]}),
        call(name="ther"),
        call(arguments='{"place":'),
        call(arguments='"Kyoto"}'),
        chunk({}, finish_reason="tool_calls"),
    ]
    box.will("box", events(payloads))

    *pieces, last = gateway.stream(**CHAT)

    blocks = [block for each in pieces for block in each["content"]]
    assert {(block["type"], block["id"]) for block in blocks} == {("tool_call", "call_1")}
    assert [block["raw_name"] for block in blocks if block["raw_name"]] == ["wea", "ther"]
    assert "".join(block["raw_arguments"] for block in blocks) == '{"place":"Kyoto"}'
    (block,) = stored(gateway, last["inference_id"])["output"]
    assert (block["name"], block["arguments"]) == ("weather", {"place": "Kyoto"})
    assert last["finish_reason"] == "tool_call"


def test_raw_parts_come_in_their_order(gateway: Gateway, box: FakeProviderThread) -> None:
    """First the bodies of failed attempts, then the provider's events, each with its raw text."""
    box.will("box", fails(503))
    box.will("spare", streams(["a", "b"], usage=USAGE))

    chunks = gateway.stream(
        model_name="pair",
        include_raw_response=True,
        include_raw_usage=True,
        include_original_response=True,
        **SAYING_HI,
    )

    failed, *_, last = chunks
    a, b = (each for each in chunks if text_of(each))
    assert (failed["content"], list(failed)[-1]) == ([], "raw_response")
    assert "model_inference_id" not in failed["raw_response"][0]
    assert "fake 503" in failed["raw_response"][0]["data"]
    for each, text in ((a, "a"), (b, "b")):
        assert orjson.loads(each["raw_chunk"])["choices"][0]["delta"] == {"content": text}
        assert each["original_chunk"] == each["raw_chunk"]
    usages = [entry for each in chunks for entry in each.get("raw_usage", ())]
    assert [entry["data"] for entry in usages] == [USAGE]
    _, call = gateway.calls(last["inference_id"])
    assert usages[0]["model_inference_id"] == call["id"]
    assert failed["inference_id"] == last["inference_id"]


def test_the_last_of_several_finish_reasons_counts(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """Nothing after the first is lost."""
    payloads = [
        chunk({"content": "a"}, finish_reason="length"),
        chunk({"content": "b"}, finish_reason="stop"),
    ]
    box.will("box", events(payloads))

    chunks = gateway.stream(**CHAT)

    assert text_of(chunks) == "ab"
    assert chunks[-1]["finish_reason"] == "stop"


def test_many_streams_at_once_are_kept_apart(gateway: Gateway, box: FakeProviderThread) -> None:
    """Each client gets its own pieces only."""

    def echoing(request: RecordedRequest) -> Script:
        text = request.json()["messages"][-1]["content"]
        return streams([text] * 20, gap_ms=1)

    box.will("box", echoing)
    names = [f"<{number}>" for number in range(30)]
    texts: dict[str, str] = {}

    async def ask(client: httpx.AsyncClient, name: str) -> None:
        body = {"model_name": "box", "stream": True}
        message = {"messages": [{"role": "user", "content": name}]}
        response = await client.post("/inference", json={**body, "input": message})
        texts[name] = text_of(stream_events(response.text))

    async def ask_all() -> None:
        async with (
            httpx.AsyncClient(base_url=gateway.url, timeout=20, trust_env=False) as client,
            trio.open_nursery() as nursery,
        ):
            for name in names:
                nursery.start_soon(ask, client, name)

    trio.run(ask_all)

    assert texts == {name: name * 20 for name in names}


def leave_after_first_chunk(gateway: Gateway, box: FakeProviderThread, end: trio.Event) -> str:
    """Starts a stream of two chunks, reads one, and leaves; the id of the inference.

    The provider says its second chunk, and ends well, when `end` is set.
    """
    head = events([], done=False).steps
    one, two = events([chunk({"content": "a"}), chunk({"content": "b"})], done=False).steps[2:]
    last = events([chunk({}, finish_reason="stop")]).steps[2:]
    box.will("box", Script((*head, one, Until(end), two, *last)))
    with (
        httpx.Client(base_url=gateway.url, timeout=20, trust_env=False) as client,
        client.stream("POST", "/inference", json={**CHAT, **KEPT, "stream": True}) as response,
    ):
        first = next(received(response))
        assert text_of(first) == "a"
        inference_id: str = first["inference_id"]
        return inference_id


def test_case_48_a_client_that_leaves_its_stream_cancels_it(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """The provider's connection is closed at once; what had arrived is recorded, not cached."""
    inference_id = leave_after_first_chunk(gateway, box, trio.Event())

    box.wait_closed(box.wait_for_request())
    record = wait_for(lambda: gateway.stored(inference_id))
    assert record is not None
    assert record["status"] == "interrupted"
    assert record["output"] == [{"type": "text", "text": "a"}]
    (call,) = gateway.calls(inference_id)
    assert call["status"] == "interrupted"
    assert "finish_reason" not in call
    box.will("box", streams(["a", "b", "c"]))
    assert text_of(gateway.stream(**CHAT, **KEPT)) == "abc"


def leave_without_answer(gateway: Gateway, box: FakeProviderThread, episode_id: str) -> None:
    """Sends a plain request, and leaves when the provider has it."""
    with unanswered(gateway, {**CHAT, "episode_id": episode_id}):
        box.wait_for_request()


def begin_episode(gateway: Gateway) -> str:
    """The id of an episode with one inference."""
    episode_id: str = gateway.infer(model_name="echo::x", **SAYING_HI)["episode_id"]
    return episode_id


def test_case_48_a_client_that_leaves_a_plain_request_leaves_an_attempt(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """There is no inference then; the call is on record as interrupted."""
    box.will("box", hangs())
    episode_id = begin_episode(gateway)

    leave_without_answer(gateway, box, episode_id)

    box.wait_closed(box.wait_for_request())
    (call,) = wait_for(lambda: gateway.calls(episode_id))
    assert call["status"] == "interrupted"
    assert gateway.stored(call["inference_id"]) is None


FINISH = 'gateway.on_client_disconnect = "finish"\n'


def test_case_48_finish_reads_a_left_stream_to_its_end(
    start_gateway: StartGateway, box: FakeProviderThread
) -> None:
    """The record is that of a patient client."""
    gateway = start_gateway(FINISH + models(box) + FUNCTIONS, files=FILES)
    end = trio.Event()

    inference_id = leave_after_first_chunk(gateway, box, end)
    wait_for(lambda: gateway.log_records("client left"))
    box.set(end)

    record = wait_for(lambda: gateway.stored(inference_id))
    assert record is not None
    assert record["status"] == "ok"
    assert record["output"] == [{"type": "text", "text": "ab"}]
    (call,) = gateway.calls(inference_id)
    assert (call["status"], call["finish_reason"]) == ("ok", "stop")


def test_case_48_finish_is_finished_before_a_stop(
    start_gateway: StartGateway, box: FakeProviderThread
) -> None:
    """A stop waits for work whose client has left; its record is complete."""
    gateway = start_gateway(FINISH + models(box) + FUNCTIONS, files=FILES)
    end = trio.Event()
    box.will("box", lambda request: Script((Until(end), *says("ab")(request).steps)))
    episode_id = begin_episode(gateway)

    leave_without_answer(gateway, box, episode_id)
    wait_for(lambda: gateway.log_records("client left"))
    gateway.send_signal(signal.SIGTERM)
    wait_for(lambda: gateway.log_records("draining"))
    box.set(end)

    assert gateway.wait() == 0
    with open_store(gateway) as store:
        left, first = store.inferences.page(Selection(episode_id=episode_id), limit=9)
        assert (left.function_name, first.function_name) == ("chat", "lsd::default")
        body = store.inferences.body(left.inference_id)
    assert left.status == "ok"
    assert body is not None
    assert body.output == [{"type": "text", "text": "ab"}]

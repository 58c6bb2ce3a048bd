"""What happens to one inference, from the checked request to the last byte and the record."""

from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from lsd.conversation import ModelRequest
from lsd.inference import DirectCall, InferenceFailed, UnknownName
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import (
    Hang,
    Script,
    Until,
    breaks_after,
    fails,
    hangs,
    said,
    says,
    stream_of,
    streams,
)
from tests.unit.inference.gateway import (
    PLAIN,
    TWO_PROVIDERS,
    Client,
    Gateway,
    Shelf,
    request,
)

WAITING = """
[models.x]
routing = ["one"]
providers.one = { type = "openai", model_name = "gpt-1" }

[functions.chat]
type = "chat"
[functions.chat.variants.v]
model = "x"
retries = { num_retries = 3, max_delay_s = 60 }
"""


def counted(gateway: Gateway) -> dict[str, float]:
    """The metrics that are not 0, by name and labels."""
    lines = gateway.service.metrics.text().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs if float(value)}


async def test_the_offline_provider_needs_nobody(start: StartGateway) -> None:
    """The first call works on a machine without network and without a key."""
    answer = await start(PLAIN).infer(model_name="echo::demo")

    assert answer["content"] == [{"type": "text", "text": "Hi"}]
    assert answer["variant_name"] == "echo::demo"


async def test_the_offline_provider_streams(start: StartGateway) -> None:
    """Word by word."""
    events = await start(PLAIN).stream(
        model_name="echo::demo",
        input={"messages": [{"role": "user", "content": "An old silent pond"}]},
    )

    pieces = [block["text"] for each in events for block in each["content"]]
    assert pieces == ["An ", "old ", "silent ", "pond"]


async def test_a_bad_request_is_refused_before_anybody_is_asked(
    start: StartGateway, shelf: Shelf
) -> None:
    """Nothing is sent, counted or recorded, whether a stream was asked for or not."""
    gateway = start(PLAIN, shelf=shelf)
    client = Client()

    with pytest.raises(UnknownName):
        await gateway.infer(function_name="absent")
    with pytest.raises(UnknownName):
        await gateway.service.stream(request(function_name="absent", stream=True), client.start)

    assert not client.has_started
    assert gateway.providers.asked() == []
    assert [name for name in counted(gateway) if name.startswith("lsd_inferences")] == []
    assert gateway.service.running.count() == 0


async def test_a_stream_that_never_starts_is_a_plain_failure(
    start: StartGateway, shelf: Shelf
) -> None:
    """The caller has been told nothing yet, and can be given an ordinary error."""
    gateway = start(TWO_PROVIDERS, shelf=shelf)
    gateway["one"].will(fails(500, "first"))
    gateway["two"].will(stream_of())
    client = Client()

    with pytest.raises(InferenceFailed) as failed:
        await gateway.service.stream(request(stream=True, include_raw_response=True), client.start)

    assert not client.has_started
    assert [each["provider_type"] for each in failed.value.raw_response] == ["openai"]
    kept = await gateway.stored_calls(failed.value.inference_id or "")
    assert [(call.model_provider_name, call.status) for call in kept] == [
        ("one", "error"),
        ("two", "error"),
    ]


async def test_an_inference_is_in_progress_until_it_is_recorded(
    start: StartGateway, shelf: Shelf
) -> None:
    """Whoever waits for its end finds the record."""
    gateway = start(PLAIN, shelf=shelf)
    may_answer = trio.Event()
    gateway["one"].will(Script(before=(Until(may_answer),), body=says("Hi").body))
    answers: list[Any] = []

    async def infer() -> None:
        answers.append(await gateway.infer())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(infer)
        await trio.testing.wait_all_tasks_blocked()
        (inference_id,) = gateway.service.running._here
        running = gateway.service.running.find(inference_id, "inference")
        assert running is not None
        may_answer.set()
        await running.wait_ended()
        assert gateway.store is not None
        assert gateway.store.inferences.exists(inference_id)

    assert answers[0]["inference_id"] == inference_id
    assert gateway.service.running.count() == 0


async def test_a_request_is_counted_when_it_is_accepted(start: StartGateway) -> None:
    """Failed ones, too; a dry run is not, though its calls are."""
    gateway = start(PLAIN)
    gateway["one"].will(says("Hi"), fails(500), says("Hi"), says("Hi"))

    await gateway.infer()
    with pytest.raises(InferenceFailed):
        await gateway.infer()
    await gateway.infer(dryrun=True)
    await gateway.infer(model_name="m")

    figures = counted(gateway)
    assert figures['lsd_inferences_total{endpoint="inference",function_name="chat"}'] == 2
    assert (
        figures[
            'lsd_inferences_total{endpoint="inference",function_name="lsd::default",model_name="m"}'
        ]
        == 1
    )
    assert figures["lsd_input_tokens_total"] == 30
    assert figures["lsd_output_tokens_total"] == 15


async def test_time_at_providers_is_not_lsds(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """The overhead is what a request took beyond its calls; waits between them are part of it."""
    gateway = start(WAITING)
    gateway["one"].will(fails(500, after_s=3), says("Hi", after_s=5))

    await gateway.infer()

    figures = counted(gateway)
    labels = 'function_name="chat",variant_name="v"'
    overhead = figures[f"lsd_inference_latency_overhead_seconds_sum{{{labels}}}"]
    assert 1 <= overhead <= 2


async def test_the_overhead_is_that_of_native_requests(start: StartGateway, shelf: Shelf) -> None:
    """Streamed or not. Nobody waits for items of batches, and other APIs are not told apart."""
    gateway = start(PLAIN, shelf=shelf)
    gateway["one"].will(says("Hi"), streams("Hi"), says("Hi"))
    name = "lsd_inference_latency_overhead_seconds_count"

    await gateway.infer()
    await gateway.stream()
    await gateway.service.run_under(gateway.service.ids.new(), gateway.accept())
    model = gateway.prepared.model("m")
    assert model is not None
    await gateway.service.call(DirectCall(model=model, request=ModelRequest(messages=())))

    counts = [value for key, value in counted(gateway).items() if key.startswith(name)]
    assert counts == [2]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_a_caller_that_leaves_before_the_answer_leaves_an_attempt(
    start: StartGateway, shelf: Shelf, stream: bool
) -> None:
    """The call is cut off at once and kept as interrupted; there was no inference."""
    gateway = start(TWO_PROVIDERS, shelf=shelf)
    gateway["one"].will(fails(500))
    gateway["two"].will(hangs())
    client = Client()
    accepted_ids: list[str] = []

    async with trio.open_nursery() as nursery:
        asked = request(stream=stream)
        if stream:
            nursery.start_soon(gateway.service.stream, asked, client.start)
        else:
            nursery.start_soon(gateway.service.infer, asked)
        await trio.testing.wait_all_tasks_blocked()
        accepted_ids += gateway.service.running._here
        nursery.cancel_scope.cancel()

    (inference_id,) = accepted_ids
    assert not client.has_started
    assert gateway.service.running.count() == 0
    assert await gateway.stored(inference_id) is None
    one, two = await gateway.stored_calls(inference_id)
    assert (one.status, two.status) == ("error", "interrupted")
    assert two.error == "the request ended before the provider's answer was complete"
    assert two.body is not None
    assert two.body.raw_request is not None


async def test_a_caller_that_leaves_a_stream_leaves_what_had_arrived(
    start: StartGateway, shelf: Shelf
) -> None:
    """The inference is interrupted, with the partial answer; the connection is closed at once."""
    gateway = start(PLAIN, shelf=shelf)
    gateway["one"].will(stream_of(said("An old"), said(" silent"), Hang()))
    client = Client()

    async with trio.open_nursery() as nursery:
        asked = request(stream=True, cache_options={"enabled": "on"}, tags={"a": "b"})
        nursery.start_soon(gateway.service.stream, asked, client.start)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()

    assert gateway["one"].open_responses == 0
    made = await gateway.stored(client.events[0]["inference_id"])
    assert made is not None
    assert (made.status, made.tags) == ("interrupted", {"a": "b"})
    assert made.body is not None
    assert made.body.output == [{"type": "text", "text": "An old silent"}]
    (call,) = await gateway.stored_calls(made.inference_id)
    assert (call.status, call.finish_reason) == ("interrupted", None)
    assert call.body is not None
    assert call.body.raw_response is not None
    assert call.body.raw_response.count("\n") == 1

    gateway["one"].will(streams("whole"))
    again = await gateway.stream(cache_options={"enabled": "on"})
    assert again[0]["content"][0]["text"] == "whole"


async def test_a_json_stream_that_is_left_is_kept_as_far_as_it_came(
    start: StartGateway, shelf: Shelf
) -> None:
    """Half a document has no value."""
    gateway = start(PLAIN, shelf=shelf)
    gateway["one"].will(stream_of(said('{"urgent":'), Hang()))
    client = Client()

    async with trio.open_nursery() as nursery:
        asked = request(stream=True, function_name="verdict")
        nursery.start_soon(gateway.service.stream, asked, client.start)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()

    made = await gateway.stored(client.events[0]["inference_id"])
    assert made is not None
    assert made.body is not None
    assert made.body.output == {"raw": '{"urgent":', "parsed": None}


@attrs.define(eq=False)
class LeavingClient(Client):
    """Leaves when it has to take the n-th piece, the head of the answer being the 0th."""

    leaves_at: int
    scope: trio.CancelScope = attrs.Factory(trio.CancelScope)

    async def start(self) -> Callable[[bytes], Awaitable[None]]:
        await self._maybe_leave()
        return await super().start()

    async def take(self, piece: bytes) -> None:
        await self._maybe_leave()
        await super().take(piece)

    async def _maybe_leave(self) -> None:
        if len(self.pieces) + self.has_started == self.leaves_at:
            self.scope.cancel()
        await trio.lowlevel.checkpoint()


@pytest.mark.parametrize(
    ("leaves_at", "status", "text"),
    [
        (0, "interrupted", "a"),
        (1, "interrupted", "a"),
        (2, "interrupted", "ab"),
        (4, "ok", "abc"),
        (5, "ok", "abc"),
    ],
    ids=["at the head", "first chunk", "second chunk", "final chunk", "end mark"],
)
async def test_wherever_a_caller_leaves_there_is_one_record(
    start: StartGateway, shelf: Shelf, leaves_at: int, status: str, text: str
) -> None:
    """It holds what had arrived at the gateway, and is whole if the provider had finished."""
    gateway = start(PLAIN, shelf=shelf)
    gateway["one"].will(streams("a", "b", "c"))
    client = LeavingClient(leaves_at=leaves_at)

    with client.scope:
        await gateway.service.stream(request(stream=True), client.start)

    assert client.scope.cancelled_caught
    assert gateway["one"].open_responses == 0
    (head,) = await gateway.all_stored()
    made = await gateway.stored(head.inference_id)
    assert made is not None
    assert made.status == status
    assert made.body is not None
    assert made.body.output == [{"type": "text", "text": text}]
    (call,) = await gateway.stored_calls(head.inference_id)
    assert call.status == status


async def test_a_caller_that_leaves_a_dry_run_leaves_nothing(
    start: StartGateway, shelf: Shelf
) -> None:
    """It would have left nothing anyway."""
    gateway = start(PLAIN, shelf=shelf)
    gateway["one"].will(streams("a", "b"))
    client = LeavingClient(leaves_at=2)

    with client.scope:
        await gateway.service.stream(request(stream=True, dryrun=True), client.start)

    assert await gateway.all_stored() == []
    assert shelf.writer.statistics().writes_queued == 0


async def test_a_broken_stream_still_ends_in_order(start: StartGateway, shelf: Shelf) -> None:
    """An error event, the final chunk, the end mark; its record is interrupted."""
    gateway = start(PLAIN, shelf=shelf)
    gateway["one"].will(breaks_after("a", "b"))

    events = await gateway.stream()

    assert [sorted(each.keys() & {"content", "error", "usage"}) for each in events] == [
        ["content"],
        ["content"],
        ["error"],
        ["content", "usage"],
    ]
    (head,) = await gateway.all_stored()
    assert head.status == "interrupted"


async def test_the_record_is_there_before_the_end_mark(start: StartGateway, shelf: Shelf) -> None:
    """Whoever has the end of a stream can read its inference."""
    gateway = start(PLAIN, shelf=shelf)
    gateway["one"].will(streams("a"))
    client = Client()
    found: list[bool] = []

    async def take(piece: bytes) -> None:
        await client.take(piece)
        if client.events[-1] == "[DONE]":
            found.append(shelf.store.inferences.exists(client.events[0]["inference_id"]))

    async def start_events() -> Callable[[bytes], Awaitable[None]]:
        return take

    await gateway.service.stream(request(stream=True), start_events)

    assert found == [True]


STATIC = (
    PLAIN
    + """
[functions.tried]
type = "chat"
variants = { a.model = "m", b.model = "m", c.model = "m" }
[functions.tried.experimentation]
type = "static"
candidate_variants = { a = 3.0, b = 1.0 }
[functions.tried.experimentation.namespaces.lab]
type = "static"
candidate_variants = { c = 1.0 }
"""
)


@pytest.mark.parametrize(
    ("function", "namespace", "probabilities"),
    [
        ("tried", None, {"a": 0.75, "b": 0.25, "c": 0.0}),
        ("tried", "lab", {"a": 0.0, "b": 0.0, "c": 1.0}),
        ("tried", "elsewhere", {"a": 0.75, "b": 0.25, "c": 0.0}),
        ("chat", None, {"v": 1.0}),
        ("lsd::default", None, {}),
        ("absent", None, None),
    ],
)
async def test_how_likely_each_variant_is_can_be_asked(
    start: StartGateway, function: str, namespace: str | None, probabilities: Any
) -> None:
    """By function and namespace; the built-in function has no variants of its own."""
    service = start(STATIC).service

    shown = service.sampling(function, namespace)

    assert shown == (None if probabilities is None else {"probabilities": probabilities})

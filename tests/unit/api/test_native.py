"""Inferences and feedback over HTTP: what is read, what is answered, with which status."""

import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import attrs
import orjson
import pytest
from trio.testing import MockClock

from lsd.api import Front, Native, Request, native
from lsd.api.exchange import Headers, Send
from lsd.feedback import FeedbackRequest, UnknownMetric
from lsd.inference import InferenceFailed, InferenceRequest
from tests.unit.api.endpoints import front_of
from tests.unit.api.gateways import events, gateway_without_store, post
from tests.unit.api.in_memory import ask

HI = {"input": {"messages": [{"role": "user", "content": "An old silent pond"}]}}
SOMETHING = {"metric_name": "solved", "inference_id": "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"}


@attrs.define(eq=False)
class FakeInferences:
    """Answers every inference with the same bytes, or fails."""

    failure: Exception | None = None
    fails_after_start: bool = False
    asked: list[InferenceRequest] = attrs.field(factory=list, init=False)
    keys: list[str | None] = attrs.field(factory=list, init=False)

    async def infer(
        self, request: InferenceRequest, *, api_key_public_id: str | None = None
    ) -> bytes:
        self.asked.append(request)
        self.keys.append(api_key_public_id)
        if self.failure is not None:
            raise self.failure
        return b'{"content":[]}'

    async def stream(
        self,
        request: InferenceRequest,
        start: Callable[[], Awaitable[Any]],
        *,
        api_key_public_id: str | None = None,
    ) -> None:
        self.asked.append(request)
        self.keys.append(api_key_public_id)
        if self.failure is not None and not self.fails_after_start:
            raise self.failure
        send = await start()
        await send(b"data: {}\n\n")
        if self.failure is not None:
            raise self.failure
        await send(b"data: [DONE]\n\n")


@attrs.define(eq=False)
class FakeFeedback:
    """Takes all feedback, or none."""

    failure: Exception | None = None
    given: list[FeedbackRequest] = attrs.field(factory=list, init=False)
    keys: list[str | None] = attrs.field(factory=list, init=False)

    async def give(self, request: FeedbackRequest, *, api_key_public_id: str | None = None) -> str:
        self.given.append(request)
        self.keys.append(api_key_public_id)
        if self.failure is not None:
            raise self.failure
        return "0199e3a2-7c11-7d30-9a51-000000000001"


def front(inferences: FakeInferences | None = None, feedback: FakeFeedback | None = None) -> Front:
    """Serves what the fakes answer."""
    endpoints = Native(inferences or FakeInferences(), feedback).endpoints()  # type: ignore[arg-type]
    return front_of(*endpoints, body_bytes_max=10 << 20)


async def test_an_inference_is_answered_by_the_service() -> None:
    """The bytes are the service's own."""
    inferences = FakeInferences()

    asked = await post(front(inferences), "/inference", {"function_name": "f", **HI})

    assert asked.status == 200
    assert asked.headers["content-type"] == "application/json"
    assert asked.body == b'{"content":[]}'
    assert [each.function_name for each in inferences.asked] == ["f"]


async def test_the_services_are_told_whose_key_was_shown() -> None:
    """Plain, streamed and with feedback."""
    inferences, feedback = FakeInferences(), FakeFeedback()
    by_path = {each.path: each for each in Native(inferences, feedback).endpoints()}  # type: ignore[arg-type]
    stream: dict[str, Any] = {"stream": True}

    for path, body in (
        ("/inference", {"model_name": "m", **HI}),
        ("/inference", {"model_name": "m", **stream, **HI}),
        ("/feedback", {"value": True, **SOMETHING}),
    ):
        request = Request(
            headers={},
            body=orjson.dumps(body),
            api_key_public_id="abcDEF012345",
        )
        await by_path[path].handle(request, starting_nothing)

    assert inferences.keys == ["abcDEF012345"] * 2
    assert feedback.keys == ["abcDEF012345"]


async def starting_nothing(_headers: Headers) -> Send:
    """Takes the pieces of a stream, and drops them."""

    async def send(_piece: bytes) -> None:
        pass

    return send


@pytest.mark.parametrize("stream", [False, None])
async def test_only_true_asks_for_a_stream(stream: bool | None) -> None:
    """False and null are plain."""
    asked = await post(front(), "/inference", {"model_name": "m", "stream": stream, **HI})

    assert asked.headers["content-type"] == "application/json"


async def test_a_stream_is_of_events() -> None:
    """No cache may keep it."""
    asked = await post(front(), "/inference", {"model_name": "m", "stream": True, **HI})

    assert asked.status == 200
    assert asked.headers["content-type"] == "text/event-stream"
    assert asked.headers["cache-control"] == "no-cache"
    assert "content-length" not in asked.headers
    assert asked.body == b"data: {}\n\ndata: [DONE]\n\n"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_failure_before_the_first_chunk_is_plain_json(stream: bool) -> None:
    """With its status, whatever was asked for."""
    inferences = FakeInferences(failure=InferenceFailed("providers", "all failed"))

    asked = await post(front(inferences), "/inference", {"model_name": "m", "stream": stream, **HI})

    assert (asked.status, asked.error()) == (502, "all failed")


async def test_a_bug_within_a_stream_is_its_last_event() -> None:
    """The status is 200 already."""
    inferences = FakeInferences(failure=ValueError("sk-secret"), fails_after_start=True)

    asked = await post(front(inferences), "/inference", {"model_name": "m", "stream": True, **HI})

    assert asked.status == 200
    assert asked.is_complete
    assert asked.body.startswith(b'data: {}\n\ndata: {"error":"internal error; ')


@pytest.mark.parametrize("path", ["/inference", "/feedback"])
@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "the body is not JSON: "),
        (b"{", "the body is not JSON: "),
        (b"\xff", "the body is not JSON: "),
        (b"[]", "found an array"),
        (b"null", "found null"),
        (b'{"ghost":1}', "ghost: unknown key"),
    ],
)
async def test_what_is_no_request_is_told(path: str, body: bytes, told: str) -> None:
    """400, with the place and the reason; services hear of nothing."""
    inferences, feedback = FakeInferences(), FakeFeedback()

    asked = await ask(front(inferences, feedback), "POST", path, body)

    assert asked.status == 400
    assert told in asked.error()
    assert (inferences.asked, feedback.given) == ([], [])


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
async def test_the_content_type_is_not_examined(content_type: str | None) -> None:
    """The body is JSON, whatever the header says."""
    headers = {} if content_type is None else {"content-type": content_type}
    body = orjson.dumps({"model_name": "m", **HI})

    assert (await ask(front(), "POST", "/inference", body, headers=headers)).status == 200


async def test_feedback_is_answered_with_its_id() -> None:
    """Once it is committed."""
    feedback = FakeFeedback()

    asked = await post(front(feedback=feedback), "/feedback", {**SOMETHING, "value": True})

    assert asked.json() == {"feedback_id": "0199e3a2-7c11-7d30-9a51-000000000001"}
    assert [each.value for each in feedback.given] == [True]


async def test_refused_feedback_is_told() -> None:
    """With the status of its reason."""
    feedback = FakeFeedback(failure=UnknownMetric("solved"))

    asked = await post(front(feedback=feedback), "/feedback", {**SOMETHING, "value": True})

    assert asked.status == 404
    assert "'solved'" in asked.error()


async def test_without_a_store_there_is_no_feedback() -> None:
    """A wrong request is told first; a right one, that nothing can be stored."""
    app = front(feedback=None)

    wrong = await post(app, "/feedback", {})
    right = await post(app, "/feedback", {**SOMETHING, "value": True})

    assert wrong.status == 400
    assert right.status == 503
    assert "the store could not be opened" in right.error()


async def test_long_bodies_are_parsed_beside_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Others do not wait while a body of megabytes is read; a short one costs no thread."""
    in_loop: list[bool] = []
    read = native.read_inference_request

    def noting(body: bytes) -> InferenceRequest:
        in_loop.append(threading.current_thread() is threading.main_thread())
        return read(body)

    monkeypatch.setattr(native, "read_inference_request", noting)
    inferences = FakeInferences()
    app = front(inferences)

    for text in ("short", "long" * (1 << 18)):
        body = {"model_name": "m", "input": {"messages": [{"role": "user", "content": text}]}}
        assert (await post(app, "/inference", body)).status == 200

    assert in_loop == [True, False]


FAILING = """
[models]
well = { routing = ["p"], providers.p = { type = "echo" } }
ill = { routing = ["p"], providers.p = { type = "echo", statuses = [401] } }
slow = { routing = ["p"], providers.p = { type = "echo", delay_ms = 60_000 } }

[models.impatient]
routing = ["p"]
providers.p = { type = "echo", delay_ms = 60_000 }
timeouts = { non_streaming = { total_ms = 50 }, streaming = { ttft_ms = 50 } }

[functions]
ill = { type = "chat", variants = { v = { type = "chat_completion", model = "ill" } } }
slow_model = { type = "chat", variants = { v = { type = "chat_completion", model = "impatient" } } }
without_variants = { type = "chat", variants = {} }
slow_variant.type = "chat"
greeting.type = "chat"
greeting_in_one.type = "chat"

[functions.slow_variant.variants.v]
type = "chat_completion"
model = "slow"
timeouts = { non_streaming = { total_ms = 50 }, streaming = { ttft_ms = 50 } }

[functions.greeting.variants.v]
type = "chat_completion"
model = "well"
templates.greet.path = "greet.minijinja"

[functions.greeting_in_one.variants]
v = { type = "chat_completion", model = "well" }
w = { type = "chat_completion", model = "ill", templates.greet.path = "greet.minijinja" }
"""


def greeting(**arguments: str) -> dict[str, Any]:
    """An input by the template `greet`."""
    block = {"type": "template", "name": "greet", "arguments": arguments}
    return {"input": {"messages": [{"role": "user", "content": [block]}]}}


FAILURES: list[tuple[str, dict[str, Any], int, int, str]] = [
    ("ill", HI, 500, 502, "HTTP 401: echo: scripted 401"),
    ("slow_model", HI, 408, 502, 'model "impatient": timeouts.'),
    ("slow_variant", HI, 408, 502, 'variant "v": timeouts.'),
    ("greeting", greeting(), 500, 502, "`name` is undefined"),
    ("greeting_in_one", greeting(name="x"), 400, 502, "there is no template 'greet'"),
    ("without_variants", HI, 500, 500, "has no variants"),
]


@pytest.fixture
def gateway(tmp_path: Path, autojump_clock: MockClock) -> Front:
    """A gateway where everything fails in a way of its own; its clock jumps over waits."""
    return gateway_without_store(tmp_path, FAILING, greet="Hello, {{ name }}!")


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(("function", "asked_for", "pinned", "otherwise", "told"), FAILURES)
async def test_each_failure_has_its_status(
    gateway: Front,
    stream: bool,
    function: str,
    asked_for: dict[str, Any],
    pinned: int,
    otherwise: int,
    told: str,
) -> None:
    """One for callers who pin the variant, another for those who leave the choice to us."""
    body = {"function_name": function, "stream": stream, **asked_for}

    of_pinned = await post(gateway, "/inference", {**body, "variant_name": "v"})
    of_sampled = await post(gateway, "/inference", body)

    assert (of_pinned.status, of_sampled.status) == (pinned, otherwise)
    assert told in of_pinned.error()
    assert told in of_sampled.error()


@pytest.mark.parametrize(("model", "status"), [("ill", 502), ("impatient", 502), ("well", 200)])
async def test_a_model_called_directly_is_not_pinned(
    gateway: Front, model: str, status: int
) -> None:
    """Its failures are those of the gateway; a provider's 401 is never ours."""
    assert (await post(gateway, "/inference", {"model_name": model, **HI})).status == status


async def test_what_a_provider_sent_is_in_the_error_if_asked_for(gateway: Front) -> None:
    """One entry for each failed attempt with a body, which is not one of a model inference."""
    body = {"function_name": "ill", "include_raw_response": True, **HI}

    answer = (await post(gateway, "/inference", body)).json()

    (entry,) = answer["raw_response"]
    assert entry["data"] == '{"error":{"message":"echo: scripted 401"}}'
    assert "model_inference_id" not in entry
    assert {"error", "inference_id", "episode_id", "raw_response"} == set(answer)


async def test_the_causes_can_be_had_as_a_tree(tmp_path: Path) -> None:
    """Variants, models, tries, providers, each with its own failure."""
    text = "[gateway]\nunstable_error_json = true\n" + FAILING
    app = gateway_without_store(tmp_path, text, greet="")

    answer = (await post(app, "/inference", {"function_name": "ill", **HI})).json()

    assert answer["error_json"]["kind"] == "providers"
    (variant,) = answer["error_json"]["variants"]
    assert variant["variant"] == "v"
    assert "scripted 401" in orjson.dumps(variant["models"]).decode()


async def test_a_stream_tells_its_ids_and_ends(gateway: Front) -> None:
    """Chunks, the final chunk with usage and finish reason, and the mark of the end."""
    asked = await post(gateway, "/inference", {"model_name": "well", "stream": True, **HI})

    *chunks, last = events(asked)
    assert "".join(b["text"] for chunk in chunks for b in chunk["content"]) == "An old silent pond"
    assert (last["content"], last["finish_reason"]) == ([], "stop")
    assert len({chunk["inference_id"] for chunk in (*chunks, last)}) == 1

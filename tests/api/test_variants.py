"""Variants that are more than one call, against a running gateway."""

import socket
from typing import Any

import pytest
import trio

from lsd.conversation import encode_json
from tests.api.asking import SAYING_HI, Box, model, refusal, statuses, text_of
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.openai_scripts import fails, hangs, says
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Script, Until

FUNCTIONS = """
    [functions.reply]
    type = "chat"
    [functions.reply.variants]
    short.model = "first"
    formal.model = "second"

    [functions.reply.variants.five]
    type = "best_of_n_sampling"
    candidates = ["short", "short", "short", "short", "short"]
    evaluator.model = "judge"

    [functions.reply.variants.twice]
    type = "best_of_n_sampling"
    candidates = ["short", "short"]
    evaluator.model = "judge"

    [functions.reply.variants.mix]
    type = "mixture_of_n"
    candidates = ["short", "formal"]
    fuser.model = "judge"

    [functions.reply.variants.late]
    type = "best_of_n_sampling"
    candidates = ["short", "formal"]
    evaluator.model = "judge"
    timeouts.non_streaming.total_ms = 2000

    [functions.reply.experimentation]
    type = "static"
    candidate_variants = ["five"]
    fallback_variants = ["formal"]
"""

CHOICE = '{"thinking":"x","answer_choice":1}'


@pytest.fixture
def boxes(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """Providers `first` and `second` say their names, `judge` chooses the second candidate."""
    shared_provider.forget()
    for name in ("first", "second"):
        shared_provider.will(name, says(name))
    shared_provider.will("judge", says(CHOICE))
    return shared_provider


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A gateway whose function `reply` has composite variants."""
    models = "".join(
        model(name, Box("box", shared_provider.url(name))) for name in ("first", "second", "judge")
    )
    return start_shared(models + FUNCTIONS)


def asked(boxes: FakeProviderThread) -> dict[str, int]:
    """How often each provider was asked."""
    return {name: len(boxes.requests_to(name)) for name in ("first", "second", "judge")}


def test_five_candidates_are_asked_at_the_same_time(
    gateway: Gateway, boxes: FakeProviderThread
) -> None:
    """The provider says nothing until all five have asked, and the evaluator comes after them."""
    everybody = trio.Event()
    arrived: list[RecordedRequest] = []

    def answer(request: RecordedRequest) -> Script:
        arrived.append(request)
        if len(arrived) == 5:
            everybody.set()
        whole = says("first")(request)
        return Script((Until(everybody), *whole.steps))

    boxes.will("first", answer)
    boxes.will("judge", says('{"thinking":"x","answer_choice":4}'))

    answered = gateway.infer(function_name="reply", variant_name="five", **SAYING_HI)

    assert text_of(answered) == "first"
    assert asked(boxes) == {"first": 5, "second": 0, "judge": 1}
    assert boxes.requests[-1].scenario == "judge"
    assert answered["usage"]["input_tokens"] == 60
    calls = gateway.calls(answered["inference_id"])
    assert [call["status"] for call in calls] == ["ok"] * 6
    assert gateway.stored(answered["inference_id"])["variant_name"] == "five"  # type: ignore[index]


def test_case_58_equal_candidates_have_their_own_places_in_the_cache(
    gateway: Gateway, boxes: FakeProviderThread
) -> None:
    """Two candidate calls and the evaluator's the first time, no call the second."""
    request: dict[str, Any] = {
        "function_name": "reply",
        "variant_name": "twice",
        "cache_options": {"enabled": "on"},
        "input": {"messages": [{"role": "user", "content": "case 58"}]},
    }

    first = gateway.infer(**request)
    second = gateway.infer(**request)

    assert asked(boxes) == {"first": 2, "second": 0, "judge": 1}
    assert second["usage"] == {"input_tokens": 0, "output_tokens": 0, "cost": 0}
    assert first["content"] == second["content"]
    assert [call["cached"] for call in gateway.calls(second["inference_id"])] == [True] * 3


def test_part_1_case_7_all_candidates_fail(gateway: Gateway, boxes: FakeProviderThread) -> None:
    """Pinned: 502 with every key; sampled: the next variant answers."""
    boxes.will("first", fails(500, "first is ill"))

    told = refusal(gateway, 502, {"function_name": "reply", "variant_name": "twice", **SAYING_HI})
    sampled = gateway.infer(function_name="reply", **SAYING_HI)

    assert "candidates[0] (short): " in told
    assert "candidates[1] (short): " in told
    assert "first is ill" in told
    assert (sampled["variant_name"], text_of(sampled)) == ("formal", "second")
    assert sampled["usage"]["input_tokens"] == 10


def test_part_1_case_8_a_composite_that_takes_too_long(
    gateway: Gateway, boxes: FakeProviderThread
) -> None:
    """408 naming variant, key and value; no inference, but the attempts with what they used."""
    boxes.will("judge", hangs())
    body = {"function_name": "reply", "variant_name": "late", **SAYING_HI}

    response = gateway.post("/inference", body)

    assert response.status_code == 408
    failed = response.json()
    assert 'variant "late": timeouts.non_streaming.total_ms = 2000 reached' in failed["error"]
    assert gateway.stored(failed["inference_id"]) is None
    calls = gateway.calls(failed["inference_id"])
    assert [status for _, status in statuses(calls)] == ["error"] * 3
    assert sorted(call.get("input_tokens") or 0 for call in calls) == [0, 10, 10]


def test_part_1_case_9_streams_of_whole_answers(
    gateway: Gateway, boxes: FakeProviderThread
) -> None:
    """One content chunk and one final chunk; with a broken fuser, rows of the candidates only."""
    chosen = gateway.stream(function_name="reply", variant_name="twice", **SAYING_HI)
    boxes.will("judge", fails(500))
    picked = gateway.stream(function_name="reply", variant_name="mix", **SAYING_HI)

    for events in (chosen, picked):
        content, end = events
        assert len(content["content"]) == 1
        assert end["content"] == []
        assert "usage" in end
    rows = gateway.calls(picked[0]["inference_id"])
    assert [call["status"] for call in rows].count("ok") == 2
    assert picked[1]["usage"]["input_tokens"] == 20


def test_part_1_case_10_a_fusers_stream(gateway: Gateway, boxes: FakeProviderThread) -> None:
    """Candidates have no time to the first chunk, the fuser has."""
    boxes.will("judge", says("one better answer"))

    events = gateway.stream(function_name="reply", variant_name="mix", **SAYING_HI)

    assert text_of(events) == "one better answer"
    assert len([each for each in events if each["content"]]) == 3
    times = {
        call["model_name"]: call.get("ttft_ms") for call in gateway.calls(events[0]["inference_id"])
    }
    assert times["first"] is None
    assert times["second"] is None
    assert times["judge"] is not None


def test_part_1_case_14_a_dry_run(gateway: Gateway, boxes: FakeProviderThread) -> None:
    """The same shape, and nothing stored."""
    for name in ("twice", "mix"):
        answered = gateway.infer(function_name="reply", variant_name=name, dryrun=True, **SAYING_HI)
        assert answered["variant_name"] == name
        assert gateway.stored(answered["inference_id"]) is None
        assert gateway.calls(answered["inference_id"]) == []


def test_a_client_that_leaves_ends_all_candidates(
    gateway: Gateway, boxes: FakeProviderThread
) -> None:
    """The connections to the providers are closed at once."""
    boxes.will("first", hangs())
    host, port = gateway.url.removeprefix("http://").split(":")
    body = encode_json({"function_name": "reply", "variant_name": "five", **SAYING_HI})
    head = f"POST /inference HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n"

    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + body)
        boxes.wait_for_request(5, scenario="first")

    for request in boxes.requests_to("first"):
        boxes.wait_closed(request)


def test_a_composite_may_come_along(gateway: Gateway, boxes: FakeProviderThread) -> None:
    """A variant that a request brings may run those of the function."""
    table = {
        "type": "best_of_n_sampling",
        "candidates": ["short", "formal"],
        "evaluator": {"model": "judge"},
    }
    answered = gateway.infer(
        function_name="reply",
        dryrun=True,
        internal_dynamic_variant_config=table,
        **SAYING_HI,
    )

    assert text_of(answered) == "second"
    assert asked(boxes) == {"first": 1, "second": 1, "judge": 1}

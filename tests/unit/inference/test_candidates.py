"""The candidates of a variant that runs others: siblings of one nursery, each with its outcome."""

from random import Random
from typing import Any

import pytest
import trio
import trio.testing

from lsd.conversation import UNSET_PARAMS
from lsd.inference import InferenceFailed
from lsd.inference.answers import Answer
from lsd.inference.candidates import Candidates
from lsd.inference.outputs import JsonOutput
from tests.unit.inference.composites import CONFIG, MODELS, chooses, sent, usage_of, uses
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import (
    Script,
    Until,
    calls,
    fails,
    hangs,
    says,
)
from tests.unit.inference.gateway import OPERATORS_KEY, Gateway, Shelf, request

LIMITED = CONFIG.replace("A.model", "A.timeouts.non_streaming.total_ms = 500\nA.model")
STRICT = CONFIG.replace('evaluator.model = "judge"', 'evaluator.model = "judge"\n{}', 1)

NESTED = (
    MODELS
    + """
[functions.chat]
type = "chat"
[functions.chat.variants]
A.model = "a"
B.model = "b"

[functions.chat.variants.inner]
type = "best_of_n_sampling"
candidates = ["A", "B"]
evaluator.model = "judge"

[functions.chat.variants.outer]
type = "best_of_n_sampling"
candidates = ["inner", "A", "inner"]
evaluator.model = "judge"
"""
)

ON: dict[str, Any] = {"cache_options": {"enabled": "on"}}
PICK: dict[str, Any] = {"variant_name": "pick"}


@pytest.fixture
async def gateway(start: StartGateway) -> Gateway:
    """A gateway whose candidates say their names."""
    made = start(CONFIG)
    for name in "abc":
        made[name].will(says(name.upper()))
    made["judge"].will(chooses(1))
    return made


def given(parsed: Any) -> Answer:
    """The answer of a json function."""
    value = JsonOutput(raw="{}", parsed=parsed, auxiliary=())
    return Answer(
        variant_name="A",
        output=value,
        params=UNSET_PARAMS,
        finish_reason=None,
        calls=(),
        deciding=None,
    )


@pytest.mark.parametrize(
    ("left_out", "readable"),
    [({1, 3}, [0, 2, 4, 5]), ({0, 1, 2, 3, 4}, [5]), (set(range(6)), [])],
    ids=["some", "all but one", "all"],
)
def test_json_that_does_not_fit_is_not_counted(left_out: set[int], readable: list[int]) -> None:
    """Case 5: the n-th of those that a model is shown is the candidate at the n-th place here."""
    answers = tuple(given(None if place in left_out else {"a": 1}) for place in range(6))

    candidates = Candidates(of="pick", answers=answers, failed=())

    assert candidates.readable() == readable
    assert candidates.any_place(Random(7)) in (readable or range(6))


async def test_candidates_run_at_the_same_time(
    gateway: Gateway, autojump_clock: trio.testing.MockClock
) -> None:
    """All of them together take as long as the slowest."""
    for name, seconds in (("a", 3), ("b", 1), ("c", 2)):
        gateway[name].will(says(name, after_s=seconds))
    began = trio.current_time()

    await gateway.infer(**PICK)

    assert trio.current_time() - began == pytest.approx(3)


async def test_a_candidate_that_fails_is_lost_alone(gateway: Gateway) -> None:
    """Case 6: two of three fail; there is nothing to choose, and nobody is asked to."""
    gateway["a"].will(fails(500))
    gateway["c"].will(fails(400))

    answer = await gateway.infer(**PICK)

    assert answer["content"] == [{"type": "text", "text": "B"}]
    assert (answer["variant_name"], answer["usage"]) == ("pick", usage_of(1))
    assert gateway["judge"].requests == []


async def test_when_all_candidates_fail_each_is_told(gateway: Gateway) -> None:
    """Case 7: pinned, with the place and the name of each."""
    for name in "abc":
        gateway[name].will(fails(500, f"{name} is ill"))

    with pytest.raises(InferenceFailed) as failed:
        await gateway.infer(**PICK)

    told = str(failed.value)
    assert (failed.value.cause, failed.value.pinned) == ("candidates", True)
    for place, name in enumerate("ABC"):
        assert f"candidates[{place}] ({name}): " in told
        assert f"{name.lower()} is ill" in told
    assert len(failed.value.failures) == 3
    (variant,) = failed.value.tree
    assert variant["models"][0]["candidate"] == "candidates[0] (A)"


async def test_a_sampled_composite_gives_way_to_the_next_variant(start: StartGateway) -> None:
    """Case 7: whose candidates have all failed is a failed variant like any other."""
    gateway = start(
        CONFIG
        + """
[functions.chat.experimentation]
type = "static"
candidate_variants = ["pick"]
fallback_variants = ["mix"]
"""
    )
    for name in "abc":
        gateway[name].will(fails(500), says(name))
    gateway["judge"].will(says("fused"))

    answer = await gateway.infer()

    assert answer["variant_name"] == "mix"
    assert answer["content"] == [{"type": "text", "text": "fused"}]
    assert answer["usage"] == usage_of(4)


async def test_a_candidates_timeout_is_its_own(
    start: StartGateway, shelf: Shelf, autojump_clock: trio.testing.MockClock
) -> None:
    """Case 8: only this candidate is lost, and only its call is settled by it."""
    gateway = start(LIMITED, shelf=shelf)
    gateway["a"].will(hangs())
    gateway["b"].will(says("B", after_s=2))
    gateway["c"].will(says("C", after_s=1))
    gateway["judge"].will(chooses(0))

    answer = await gateway.infer(**PICK)

    assert answer["content"] == [{"type": "text", "text": "B"}]
    kept = {call.model_name: call for call in await gateway.stored_calls(answer["inference_id"])}
    assert {name: call.status for name, call in kept.items()} == {
        "a": "error",
        "b": "ok",
        "c": "ok",
        "judge": "ok",
    }
    assert kept["a"].error == 'variant "A": timeouts.non_streaming.total_ms = 500 reached'


async def test_what_a_failed_composite_had_cost_is_kept(
    start: StartGateway, shelf: Shelf, autojump_clock: trio.testing.MockClock
) -> None:
    """Case 8: the evaluator is too slow; no inference, but attempts with what they have used."""
    config = CONFIG.replace(
        "[functions.chat.variants.pick]",
        "[functions.chat.variants.pick]\ntimeouts.non_streaming.total_ms = 1500",
    )
    gateway = start(config, shelf=shelf)
    for name in "abc":
        gateway[name].will(says(name, after_s=1))
    gateway["judge"].will(hangs())

    with pytest.raises(InferenceFailed) as failed:
        await gateway.infer(**PICK)

    told = 'variant "pick": timeouts.non_streaming.total_ms = 1500 reached'
    assert failed.value.cause == "timeout"
    assert str(failed.value) == told
    inference_id = failed.value.inference_id or ""
    assert await gateway.stored(inference_id) is None
    kept = await gateway.stored_calls(inference_id)
    assert [call.status for call in kept] == ["error"] * 4
    assert [call.input_tokens for call in kept] == [10, 10, 10, None]
    assert {call.error for call in kept[:3]} == {
        'variant "pick": timeouts.non_streaming.total_ms = 1500 reached'
    }
    assert all(call.body is not None and call.body.output is None for call in kept)


async def test_a_caller_who_leaves_ends_all_candidates(start: StartGateway, shelf: Shelf) -> None:
    """What had ended stays as it was; what was open is interrupted; no inference is recorded."""
    gateway = start(CONFIG, shelf=shelf)
    reached = trio.Event()
    gateway["a"].will(says("A"))
    gateway["b"].will(hangs())
    gateway["c"].will(Script(before=(Until(reached),), body=(b"{}",)))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(gateway.service.infer, request(**PICK))
        await trio.testing.wait_all_tasks_blocked()
        (inference_id,) = gateway.service.running._here
        nursery.cancel_scope.cancel()

    kept = await gateway.stored_calls(inference_id)
    assert {call.model_name: call.status for call in kept} == {
        "a": "ok",
        "b": "interrupted",
        "c": "interrupted",
    }
    assert await gateway.stored(inference_id) is None


async def test_candidates_have_their_own_parameters_and_the_requests_edits(
    gateway: Gateway,
) -> None:
    """Those of the request reach no candidate, evaluator or fuser; edits reach candidates."""
    await gateway.infer(
        **PICK,
        params={"chat_completion": {"temperature": 0.9}},
        extra_body=[
            {"pointer": "/all", "value": 1},
            {"pointer": "/b", "value": 1, "variant_name": "B"},
        ],
    )

    assert "temperature" not in sent(gateway["a"])
    assert [sent(gateway[name]).get("all") for name in ("a", "b", "judge")] == [1, 1, None]
    assert [sent(gateway[name]).get("b") for name in ("a", "b", "c")] == [None, 1, None]


async def test_candidates_are_asked_for_whole_answers(gateway: Gateway) -> None:
    """Also when the caller wants a stream."""
    await gateway.stream(**PICK)

    assert not any(sent(gateway[name]).get("stream") for name in ("a", "b", "c", "judge"))


async def test_equal_candidates_are_two_samples(start: StartGateway, shelf: Shelf) -> None:
    """Case 1: not one answer from the cache; the second time all comes from it."""
    config = CONFIG.replace('candidates = ["A", "B", "C"]', 'candidates = ["A", "A", "B"]', 1)
    gateway = start(config, shelf=shelf)
    gateway["a"].will(says("A1"), says("A2"))
    gateway["b"].will(says("B"))
    gateway["judge"].will(chooses(0))

    first = await gateway.infer(**PICK, **ON)
    second = await gateway.infer(**PICK, **ON)

    asked = [len(gateway[name].requests) for name in ("a", "b", "judge")]
    assert asked == [2, 1, 1]
    assert first["content"] == second["content"]
    assert first["usage"] == usage_of(4)
    assert second["usage"] == {"input_tokens": 0, "output_tokens": 0, "cost": 0}
    kept = await gateway.stored_calls(second["inference_id"])
    assert [(call.cached, call.input_tokens) for call in kept] == [(True, 10)] * 4


async def test_a_candidate_may_be_a_composite(start: StartGateway) -> None:
    """Each occurrence runs by itself; all calls count for the outermost."""
    gateway = start(NESTED)
    gateway["a"].will(says("A"))
    gateway["b"].will(says("B"))
    gateway["judge"].will(chooses(1))

    answer = await gateway.infer(variant_name="outer")

    asked = [len(gateway[name].requests) for name in ("a", "b", "judge")]
    assert asked == [3, 2, 3]
    assert answer["content"] == [{"type": "text", "text": "A"}]
    assert (answer["variant_name"], answer["usage"]) == ("outer", usage_of(8))


async def test_a_sample_of_a_nested_composite_has_its_own_place(
    start: StartGateway, shelf: Shelf
) -> None:
    """The same candidate in the same place of two inner composites is two samples."""
    gateway = start(NESTED, shelf=shelf)
    gateway["a"].will(says("A"))
    gateway["b"].will(says("B"))
    gateway["judge"].will(chooses(1))

    for _ in range(2):
        await gateway.infer(variant_name="outer", **ON)

    asked = [len(gateway[name].requests) for name in ("a", "b", "judge")]
    assert asked == [3, 2, 3]


async def test_raw_bodies_stand_in_the_order_of_their_weight(gateway: Gateway) -> None:
    """Those of failed candidates, the chosen one's, the others', the evaluator's."""
    gateway["a"].will(fails(500, "a is ill"))
    gateway["b"].will(uses("B", 1))
    gateway["c"].will(uses("C", 2))
    gateway["judge"].will(chooses(1))

    answer = await gateway.infer(**PICK, include_raw_response=True, include_raw_usage=True)

    shown = [entry["data"] for entry in answer["raw_response"]]
    assert answer["content"] == [{"type": "text", "text": "C"}]
    assert ["a is ill" in shown[0], '"C"' in shown[1], '"B"' in shown[2]] == [True] * 3
    assert "answer_choice" in shown[3]
    assert "model_inference_id" not in answer["raw_response"][0]
    assert [each["data"]["prompt_tokens"] for each in answer["raw_usage"]] == [2, 1, 10]
    assert answer["usage"]["input_tokens"] == 13


async def test_a_key_that_a_candidate_repeats_reaches_no_other_model(
    start: StartGateway, shelf: Shelf
) -> None:
    """The evaluator belongs perhaps to somebody else."""
    gateway = start(CONFIG, shelf=shelf)
    gateway["a"].will(says(f"my key is {OPERATORS_KEY}"))
    gateway["b"].will(says("B"))
    gateway["c"].will(says("C"))
    gateway["judge"].will(chooses(1))

    answer = await gateway.infer(**PICK)

    assert OPERATORS_KEY not in gateway["judge"].requests[0].body.decode()
    assert "my key is ***" in gateway["judge"].requests[0].body.decode()
    assert answer["content"] == [{"type": "text", "text": "B"}]


async def test_a_dry_run_of_a_composite_leaves_nothing(start: StartGateway, shelf: Shelf) -> None:
    """Case 14: the same answer, and no record."""
    gateway = start(CONFIG, shelf=shelf)
    for name in "abc":
        gateway[name].will(says(name))
    gateway["judge"].will(chooses(2))

    answer = await gateway.infer(**PICK, dryrun=True)

    assert answer["content"] == [{"type": "text", "text": "c"}]
    assert await gateway.all_stored() == []
    assert await gateway.stored_calls(answer["inference_id"]) == []


async def test_overhead_is_not_counted_while_any_candidate_is_open(
    gateway: Gateway, autojump_clock: trio.testing.MockClock
) -> None:
    """Three calls at once are not three times the waiting."""
    for name in "abc":
        gateway[name].will(says(name, after_s=1))
    gateway["judge"].will(says('{"answer_choice":1}', after_s=1))

    await gateway.service.infer(request(**PICK))

    text = gateway.service.metrics.text().decode()
    line = next(each for each in text.splitlines() if "overhead_seconds_sum" in each)
    assert float(line.rsplit(" ", 1)[1]) == pytest.approx(0, abs=0.01)


async def test_tools_of_the_request_reach_candidates(gateway: Gateway) -> None:
    """They answer the request; the evaluator only judges."""
    gateway["b"].will(calls("page", "{}"))
    tool = {"name": "page", "description": "Calls", "parameters": {"type": "object"}}

    answer = await gateway.infer(**PICK, additional_tools=[tool])

    (block,) = answer["content"]
    assert (block["name"], block["arguments"]) == ("page", {})
    assert [len(sent(gateway[name]).get("tools", ())) for name in ("a", "judge")] == [1, 0]

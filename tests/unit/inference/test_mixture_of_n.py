"""`mixture_of_n`: several variants answer, and a model writes one answer out of theirs."""

from collections.abc import MutableMapping
from typing import Any

import pytest
import trio
import trio.testing

from lsd.inference import InferenceFailed
from tests.unit.inference.composites import CONFIG, sent, usage_of
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import Hang, breaks_after, calls, fails, says, streams
from tests.unit.inference.gateway import Client, Gateway, Shelf, request

MIX: dict[str, Any] = {"variant_name": "mix"}
VERDICT: dict[str, Any] = {"function_name": "verdict", **MIX}
TRUE, FALSE = '{"urgent":true}', '{"urgent":false}'

NO_ANSWER = "no answer of the fuser; a candidate is picked at random"


@pytest.fixture
async def gateway(start: StartGateway, shelf: Shelf) -> Gateway:
    """A gateway whose candidates say their names."""
    made = start(CONFIG, shelf=shelf)
    for name in "abc":
        made[name].will(says(name.upper()))
    made["judge"].will(says("fused"))
    return made


async def test_the_fuser_writes_the_answer(gateway: Gateway) -> None:
    """Its call stands before those of the candidates; usage is that of all."""
    answer = await gateway.infer(**MIX, include_raw_response=True, include_original_response=True)

    assert answer["content"] == [{"type": "text", "text": "fused"}]
    assert (answer["variant_name"], answer["usage"]) == ("mix", usage_of(4))
    assert "fused" in answer["original_response"]
    shown = [entry["data"] for entry in answer["raw_response"]]
    assert ["fused" in each for each in shown] == [True, False, False, False]
    kept = await gateway.stored_calls(answer["inference_id"])
    assert {(call.variant_name, call.status) for call in kept} == {("mix", "ok")}


async def test_the_fuser_is_shown_the_conversation_and_all_answers(gateway: Gateway) -> None:
    """It is asked as the function is, with the answers behind the conversation."""
    tool = {"name": "page", "description": "Calls", "parameters": {"type": "object"}}

    await gateway.infer(**MIX, additional_tools=[tool])

    body = sent(gateway["judge"])
    system, hi, listing = (each["content"] for each in body["messages"])
    assert "some of them may be wrong" in system
    assert "------" not in system
    assert hi == "Hi"
    for place, name in enumerate("ABC"):
        assert f'{place}:\n[{{"type":"text","text":"{name}"}}]\n------\n' in listing
    assert body["tools"][0]["function"]["name"] == "page"


async def test_the_system_text_of_the_task_is_wrapped(gateway: Gateway) -> None:
    """What the models were told, the fuser is told, too."""
    talk = {"system": "Be brief.", "messages": [{"role": "user", "content": "Hi"}]}

    await gateway.infer(**MIX, input=talk)

    assert sent(gateway["judge"])["messages"][0]["content"].endswith("------\nBe brief.\n------")


async def test_the_fuser_may_call_tools(gateway: Gateway) -> None:
    """Its answer is read as any answer of the function."""
    gateway["judge"].will(calls("page", "{}"))
    tool = {"name": "page", "description": "Calls", "parameters": {"type": "object"}}

    answer = await gateway.infer(**MIX, additional_tools=[tool])

    (block,) = answer["content"]
    assert (block["name"], block["arguments"]) == ("page", {})
    assert answer["finish_reason"] == "tool_call"


async def test_a_single_answer_is_not_fused(gateway: Gateway) -> None:
    """There is nothing to mix."""
    gateway["a"].will(fails(500))
    gateway["b"].will(fails(500))

    answer = await gateway.infer(**MIX)
    streamed = await gateway.stream(**MIX)

    assert answer["content"] == [{"type": "text", "text": "C"}]
    assert [each["content"] for each in streamed] == [
        [{"type": "text", "id": "0", "text": "C"}],
        [],
    ]
    assert gateway["judge"].requests == []


async def test_json_is_fused_by_its_schema(gateway: Gateway) -> None:
    """What does not fit is not shown; with one left the fuser is asked all the same."""
    gateway["a"].will(says("no"))
    gateway["b"].will(says(TRUE))
    gateway["c"].will(says("{}"))
    gateway["judge"].will(says(FALSE))

    answer = await gateway.infer(**VERDICT)

    assert answer["output"] == {"raw": FALSE, "parsed": {"urgent": False}}
    assert answer["usage"] == usage_of(4)
    body = sent(gateway["judge"])
    assert f"0:\n{TRUE}\n------" in str(body["messages"][-1]["content"])
    assert "1:" not in body["messages"][-1]["content"]
    assert body["response_format"]["json_schema"]["schema"]["required"] == ["urgent"]


async def test_without_json_that_fits_nobody_is_asked(gateway: Gateway) -> None:
    """One of the answers is better than none."""
    for name in "abc":
        gateway[name].will(says("no"))

    answer = await gateway.infer(**VERDICT)

    assert answer["output"] == {"raw": "no", "parsed": None}
    assert gateway["judge"].requests == []


async def test_a_fuser_that_fails_is_replaced_by_a_candidate(
    gateway: Gateway, log: list[MutableMapping[str, Any]]
) -> None:
    """By chance; there is no row of the fuser, and no original response."""
    gateway["judge"].will(fails(500))

    answer = await gateway.infer(**MIX, include_original_response=True)

    (block,) = answer["content"]
    assert block["text"] in "ABC"
    assert answer["usage"] == usage_of(3)
    assert "original_response" not in answer
    kept = await gateway.stored_calls(answer["inference_id"])
    assert sorted(call.status for call in kept) == ["error", "ok", "ok", "ok"]
    assert [each["reason"] for each in log if each["event"] == NO_ANSWER]


async def test_the_fusers_stream_is_passed_on(gateway: Gateway) -> None:
    """Case 10: only the fuser's row has a time to the first chunk; usage comes at the end."""
    usage = {"prompt_tokens": 7, "completion_tokens": 3}
    gateway["judge"].will(streams("An old", " pond", usage=usage))

    events = await gateway.stream(**MIX, include_aggregated_response=True)

    pieces = [block["text"] for each in events for block in each["content"]]
    assert pieces == ["An old", " pond"]
    assert events[-1]["usage"] == {"input_tokens": 37, "output_tokens": 18, "cost": None}
    assert events[-1]["aggregated_response"] == [{"type": "text", "text": "An old pond"}]
    inference_id = events[0]["inference_id"]
    kept = await gateway.stored_calls(inference_id)
    assert {call.model_name: call.ttft_ms is not None for call in kept} == {
        "a": False,
        "b": False,
        "c": False,
        "judge": True,
    }
    record = await gateway.stored(inference_id)
    assert record is not None
    assert (record.variant_name, record.status) == ("mix", "ok")
    assert record.ttft_ms is not None


async def test_what_preceded_the_stream_is_told_before_it(gateway: Gateway) -> None:
    """The usage of the candidates, then bodies: of failed attempts, then of the candidates."""
    gateway["a"].will(fails(500, "a is ill"))
    gateway["judge"].will(streams("fused"))

    usage, failed, candidates, first, *_ = await gateway.stream(
        **MIX, include_raw_response=True, include_raw_usage=True
    )

    assert len(usage["raw_usage"]) == 2
    assert ["a is ill" in each["data"] for each in failed["raw_response"]] == [True]
    assert len(candidates["raw_response"]) == 2
    assert usage["content"] == failed["content"] == candidates["content"] == []
    assert "raw_chunk" in first


async def test_a_fuser_whose_stream_does_not_start_is_replaced_by_a_candidate(
    gateway: Gateway,
) -> None:
    """Case 9: one chunk and the end; rows of the candidates alone."""
    gateway["b"].will(fails(500))
    gateway["judge"].will(fails(503))

    content, end = await gateway.stream(**MIX)

    ((block,), rest) = (content["content"], end["content"])
    assert block["text"] in "AC"
    assert rest == []
    assert end["usage"] == usage_of(2)
    kept = await gateway.stored_calls(end["inference_id"])
    assert sorted(call.status for call in kept) == ["error", "error", "ok", "ok"]


async def test_a_fuser_that_breaks_off_is_a_fault_of_the_stream(gateway: Gateway) -> None:
    """Once a chunk has left there is no way back to the candidates."""
    gateway["judge"].will(breaks_after("An old"))

    first, fault, end = await gateway.stream(**MIX)

    assert first["content"][0]["text"] == "An old"
    assert "error" in fault
    assert end["usage"]["input_tokens"] is None
    record = await gateway.stored(end["inference_id"])
    assert record is not None
    assert (record.status, record.variant_name) == ("interrupted", "mix")


async def test_a_caller_who_leaves_within_the_fusers_stream_leaves_what_had_arrived(
    gateway: Gateway,
) -> None:
    """The candidates' rows as they were, the fuser's as far as it came."""
    gateway["judge"].will(streams("An old", Hang()))
    client = Client()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(gateway.service.stream, request(stream=True, **MIX), client.start)
        await trio.testing.wait_all_tasks_blocked(0.01)
        nursery.cancel_scope.cancel()

    inference_id = client.events[0]["inference_id"]
    record = await gateway.stored(inference_id)
    assert record is not None
    assert record.status == "interrupted"
    assert record.body is not None
    assert record.body.output == [{"type": "text", "text": "An old"}]
    kept = await gateway.stored_calls(inference_id)
    assert sorted(call.status for call in kept) == ["interrupted", "ok", "ok", "ok"]


async def test_all_candidates_failing_is_the_variants_failure(gateway: Gateway) -> None:
    """Streamed or not."""
    for name in "abc":
        gateway[name].will(fails(500))

    with pytest.raises(InferenceFailed) as plain:
        await gateway.infer(**MIX)
    with pytest.raises(InferenceFailed) as streamed:
        await gateway.stream(**MIX)

    assert plain.value.cause == streamed.value.cause == "candidates"


async def test_the_variants_time_goes_on_within_the_stream(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """What candidates have used up is missing at the end."""
    config = CONFIG.replace(
        "[functions.chat.variants.mix]",
        "[functions.chat.variants.mix]\ntimeouts.streaming.total_ms = 2000",
    )
    gateway = start(config)
    for name in "abc":
        gateway[name].will(says(name, after_s=1))
    gateway["judge"].will(streams("An old", Hang()))
    began = trio.current_time()

    _, fault, _ = await gateway.stream(**MIX)

    assert fault["error"] == 'variant "mix": timeouts.streaming.total_ms = 2000 reached'
    assert trio.current_time() - began == pytest.approx(2)

"""`best_of_n_sampling`: several variants answer, and a model chooses among their answers."""

from collections.abc import MutableMapping
from typing import Any

import pytest

from lsd.conversation import Text, Thought, ToolCall, encode_json
from lsd.inference import InferenceFailed
from lsd.inference.best_of_n import choice_of
from tests.unit.inference.composites import CONFIG, chooses, sent, usage_of
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import Script, calls, fails, says
from tests.unit.inference.gateway import Gateway, Shelf

PICK: dict[str, Any] = {"variant_name": "pick"}
VERDICT: dict[str, Any] = {"function_name": "verdict", **PICK}
TRUE, FALSE = '{"urgent":true}', '{"urgent":false}'

NO_CHOICE = "no choice of the evaluator; a candidate is picked at random"


@pytest.fixture
async def gateway(start: StartGateway) -> Gateway:
    """A gateway whose candidates say their names."""
    made = start(CONFIG)
    for name in "abc":
        made[name].will(says(name.upper()))
    made["judge"].will(chooses(1))
    return made


def text_of(answer: Any) -> str:
    """The text of a chat answer."""
    (block,) = answer["content"]
    return str(block["text"])


async def test_the_evaluator_chooses(start: StartGateway, shelf: Shelf) -> None:
    """Case 2: its candidate is returned; four rows, and the usage of all four."""
    gateway = start(CONFIG, shelf=shelf)
    for name in "abc":
        gateway[name].will(says(name.upper()))
    gateway["judge"].will(chooses(1))

    answer = await gateway.infer(**PICK, include_original_response=True)

    assert text_of(answer) == "B"
    assert (answer["variant_name"], answer["usage"]) == ("pick", usage_of(4))
    assert "answer_choice" in answer["original_response"]
    kept = await gateway.stored_calls(answer["inference_id"])
    assert sorted(call.model_name for call in kept) == ["a", "b", "c", "judge"]
    assert {(call.variant_name, call.status) for call in kept} == {("pick", "ok")}
    record = await gateway.stored(answer["inference_id"])
    assert record is not None
    assert record.variant_name == "pick"
    assert record.body is not None
    assert record.body.output == [{"type": "text", "text": "B"}]


async def test_the_evaluator_is_shown_problem_conversation_and_candidates(
    start: StartGateway,
) -> None:
    """Its own prompt is written as if it were solving the task; the frame is LSD's."""
    config = CONFIG.replace(
        'evaluator.model = "judge"',
        'evaluator.model = "judge"\nevaluator.temperature = 0.25\n'
        'evaluator.templates.system.path = "task.minijinja"',
        1,
    )
    gateway = start(config, files={"task.minijinja": "Write a haiku. {{ 1 }}"})
    for name in "abc":
        gateway[name].will(says(name.upper()))
    gateway["judge"].will(chooses(2))

    await gateway.infer(**PICK)

    body = sent(gateway["judge"])
    system, hi, listing = (each["content"] for each in body["messages"])
    assert "re-ranking task" in system
    assert "------\nWrite a haiku. 1\n------" in system
    assert "from 0 to 2" in system
    assert hi in ("Hi", [{"type": "text", "text": "Hi"}])
    shown = listing if isinstance(listing, str) else listing[0]["text"]
    for place, name in enumerate("ABC"):
        assert f'{place}: [{{"type":"text","text":"{name}"}}]\n------\n' in shown
    assert body["temperature"] == 0.25
    schema = body["response_format"]["json_schema"]["schema"]
    assert schema["required"] == ["thinking", "answer_choice"]
    assert schema["additionalProperties"] is False


async def test_without_a_problem_statement_there_is_none(gateway: Gateway) -> None:
    """No template and no system text."""
    await gateway.infer(**PICK)

    assert "------" not in sent(gateway["judge"])["messages"][0]["content"]


async def test_an_evaluator_may_be_made_to_answer_by_a_tool(start: StartGateway) -> None:
    """For models without JSON modes."""
    config = CONFIG.replace(
        'evaluator.model = "judge"', 'evaluator = { model = "judge", json_mode = "tool" }', 1
    )
    gateway = start(config)
    for name in "abc":
        gateway[name].will(says(name.upper()))
    gateway["judge"].will(calls("respond", '{"thinking":"x","answer_choice":2}'))

    assert text_of(await gateway.infer(**PICK)) == "C"
    body = sent(gateway["judge"])
    assert body["tools"][0]["function"]["name"] == "respond"
    assert body["tool_choice"]["function"]["name"] == "respond"
    assert "response_format" not in body


@pytest.mark.parametrize(
    "said",
    [chooses(7), chooses('"1"'), chooses(1.0), chooses(-1), chooses("true"), says("B"), says(None)],
    ids=["out of range", "text", "float", "negative", "bool", "no JSON", "nothing"],
)
async def test_an_unusable_choice_is_replaced_by_chance(
    start: StartGateway, shelf: Shelf, said: Script, log: list[MutableMapping[str, Any]]
) -> None:
    """Case 3: the request succeeds, and the evaluator's call counts all the same."""
    gateway = start(CONFIG, shelf=shelf)
    for name in "abc":
        gateway[name].will(says(name.upper()))
    gateway["judge"].will(said)

    answer = await gateway.infer(**PICK, include_original_response=True)

    assert text_of(answer) in "ABC"
    assert answer["usage"] == usage_of(4)
    assert "original_response" in answer
    assert len(await gateway.stored_calls(answer["inference_id"])) == 4
    (warning,) = [each for each in log if each["event"] == NO_CHOICE]
    assert warning["variant"] == "pick"


async def test_an_evaluator_that_is_down_is_replaced_by_chance(
    start: StartGateway, shelf: Shelf
) -> None:
    """Case 4: three rows, and no response that could be called original."""
    gateway = start(CONFIG, shelf=shelf)
    for name in "abc":
        gateway[name].will(says(name.upper()))
    gateway["judge"].will(fails(500))

    answer = await gateway.infer(**PICK, include_original_response=True)

    assert text_of(answer) in "ABC"
    assert answer["usage"] == usage_of(3)
    assert "original_response" not in answer
    kept = await gateway.stored_calls(answer["inference_id"])
    assert sorted(call.status for call in kept) == ["error", "ok", "ok", "ok"]


async def test_chance_reaches_every_candidate(gateway: Gateway) -> None:
    """Uniformly; in fifty times each comes up."""
    gateway["judge"].will(fails(500))

    assert {text_of(await gateway.infer(**PICK)) for _ in range(50)} == set("ABC")


async def test_json_that_does_not_fit_is_not_shown(gateway: Gateway) -> None:
    """Case 5: the first candidate is unparsable, so number 0 is the second."""
    gateway["a"].will(says("no JSON"))
    gateway["b"].will(says(TRUE))
    gateway["c"].will(says(FALSE))
    gateway["judge"].will(chooses(0))

    answer = await gateway.infer(**VERDICT)

    assert answer["output"] == {"raw": TRUE, "parsed": {"urgent": True}}
    assert answer["usage"] == usage_of(4)
    listing = str(sent(gateway["judge"])["messages"][-1]["content"])
    assert "no JSON" not in listing
    assert "2: " not in listing


async def test_the_only_json_that_fits_wins_without_a_call(gateway: Gateway) -> None:
    """Case 5, the last part: of {0, 1} left out, number 0 is the third."""
    gateway["a"].will(says("no"))
    gateway["b"].will(says("{}"))
    gateway["c"].will(says(TRUE))

    answer = await gateway.infer(**VERDICT, include_original_response=True)

    assert answer["output"]["raw"] == TRUE
    assert answer["usage"] == usage_of(3)
    assert gateway["judge"].requests == []
    assert "urgent" in answer["original_response"]


async def test_without_any_json_that_fits_one_is_picked_by_chance(gateway: Gateway) -> None:
    """That is no failure of the request; nobody is asked."""
    for name in "abc":
        gateway[name].will(says("no"))

    answer = await gateway.infer(**VERDICT)

    assert answer["output"] == {"raw": "no", "parsed": None}
    assert gateway["judge"].requests == []


async def test_chance_prefers_json_that_fits(gateway: Gateway) -> None:
    """Where there is any, the caller gets something that he can use."""
    gateway["a"].will(says("no"))
    gateway["b"].will(says(TRUE))
    gateway["c"].will(says(FALSE))
    gateway["judge"].will(fails(500))

    for _ in range(20):
        answer = await gateway.infer(**VERDICT)
        assert answer["output"]["parsed"] is not None


async def test_streamed_it_is_one_chunk_and_the_end(gateway: Gateway) -> None:
    """Case 9: everything is there before the first chunk."""
    content, end = await gateway.stream(**PICK, include_aggregated_response=True)

    assert content["content"] == [{"type": "text", "id": "0", "text": "B"}]
    assert content["variant_name"] == end["variant_name"] == "pick"
    assert end["content"] == []
    assert end["usage"] == usage_of(4)
    assert end["finish_reason"] == "stop"
    assert end["aggregated_response"] == [{"type": "text", "text": "B"}]


async def test_a_stream_that_takes_too_long_to_choose_never_starts(
    start: StartGateway, autojump_clock: Any
) -> None:
    """The time to the first chunk covers candidates and evaluator."""
    config = CONFIG.replace(
        "[functions.chat.variants.pick]",
        "[functions.chat.variants.pick]\ntimeouts.streaming.ttft_ms = 1500",
    )
    gateway = start(config)
    for name in "abc":
        gateway[name].will(says(name, after_s=1))
    gateway["judge"].will(says(encode_json({"answer_choice": 1}).decode(), after_s=1))

    with pytest.raises(InferenceFailed) as failed:
        await gateway.stream(**PICK)

    assert str(failed.value) == 'variant "pick": timeouts.streaming.ttft_ms = 1500 reached'
    assert failed.value.cause == "timeout"


@pytest.mark.parametrize(
    ("blocks", "choice"),
    [
        ([Text(text='{"answer_choice": 2}')], 2),
        ([Thought(text="hm"), Text(text='{"answer_choice": 0}')], 0),
        ([ToolCall(id="c", name="respond", arguments='{"answer_choice": 1}')], 1),
    ],
    ids=["text", "behind a thought", "tool call"],
)
def test_a_choice_is_read_from_text_or_tool_call(blocks: list[Any], choice: int) -> None:
    """The first of either kind."""
    assert choice_of(blocks, 3) == choice

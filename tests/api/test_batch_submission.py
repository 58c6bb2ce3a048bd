"""Submitting batches: the two shapes of the body, and what is refused before anything is stored."""

from typing import Any

import pytest
import trio

from lsd.store import Store
from tests.api.asking import open_store, wait_for
from tests.api.batching import (
    bounded,
    by_text,
    configured,
    done,
    finished,
    messages,
    polled,
    polled_item,
    refused,
    row,
    submitted,
    text_of_request,
    texts,
)
from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.openai_scripts import completes
from tests.fakes.provider_thread import FakeProviderThread
from tests.fakes.recorded import RecordedRequest
from tests.fakes.script import Script, Until

JSON_FUNCTION = """
[functions.extract]
type = "json"
output_schema = "object.json"
variants.v = { type = "chat_completion", model = "m", json_mode = "off" }

[functions.choose]
type = "chat"
variants.a = { type = "chat_completion", model = "m" }
variants.b = { type = "chat_completion", model = "m" }
variants.warm = { type = "chat_completion", model = "m", temperature = 0.5 }
"""

TOOLED = """
[tools.own]
description = ""
parameters = "object.json"

[functions.tooled]
type = "chat"
tools = ["own"]
variants.v = { type = "chat_completion", model = "m" }
"""

TOOL = {"name": "x", "description": "", "parameters": {"type": "object"}}


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A daemon whose provider repeats what it is told."""
    shared_provider.will("box", by_text())
    more = JSON_FUNCTION + TOOLED + bounded(max_items=200)
    files = {"object.json": '{"type": "object"}'}
    return start_shared(configured(shared_provider.url("box"), more), files=files)


@pytest.fixture
def box(gateway: Gateway, shared_provider: FakeProviderThread) -> FakeProviderThread:
    """Its provider, who has forgotten what other tests had asked."""
    shared_provider.forget()
    return shared_provider


def is_completed(gateway: Gateway, batch_id: str, inference_id: str) -> bool:
    """Whether an item has its answer."""
    return bool(polled_item(gateway, batch_id, inference_id)["status"] == "completed")


def columns(*inputs: str, **fields: Any) -> dict[str, Any]:
    """A column-wise body for the function `talk`."""
    return {"function_name": "talk", "inputs": list(map(messages, inputs)), **fields}


def test_an_array_of_bodies_gives_ids_in_its_order(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """Case 1: six new ids, and results in the order of the submission, which ended in reverse."""
    may_end = {text: trio.Event() for text in ("one", "two", "three")}

    def answer_when_told(request: RecordedRequest) -> Script:
        text = text_of_request(request)
        said = completes({"role": "assistant", "content": text})
        return Script((Until(may_end[text]), *said.steps))

    box.will("box", answer_when_told)
    answer = submitted(gateway, list(map(row, may_end)))
    for inference_id, text in reversed([*zip(answer["inference_ids"], may_end, strict=True)]):
        box.set(may_end[text])
        wait_for(lambda each=inference_id: is_completed(gateway, answer["batch_id"], each))
    batch = polled(gateway, answer["batch_id"])
    box.will("box", by_text())

    ids = [answer["batch_id"], *answer["inference_ids"], *answer["episode_ids"]]
    assert len(set(ids)) == 7
    assert answer["inference_ids"] == sorted(answer["inference_ids"])
    assert [each["inference_id"] for each in batch["inferences"]] == answer["inference_ids"]
    assert [each["episode_id"] for each in batch["inferences"]] == answer["episode_ids"]
    assert texts(batch) == ["one", "two", "three"]


@pytest.mark.parametrize("key", ["requests", "inferences", "params"])
def test_the_array_may_stand_in_an_object(gateway: Gateway, key: str) -> None:
    """Case 2: under any of three names."""
    assert texts(done(gateway, {key: [row("one"), row("two")]})) == ["one", "two"]


def test_columns_are_rows_with_one_variant(gateway: Gateway) -> None:
    """Case 3: the same results, and one draw for the whole batch."""
    body = columns(*map(str, range(12)), tags=[{"n": str(n)} for n in range(12)])
    batch = done(gateway, {**body, "function_name": "choose"})

    assert texts(batch) == list(map(str, range(12)))
    assert len({each["variant_name"] for each in batch["inferences"]}) == 1
    record = gateway.stored(batch["inferences"][3]["inference_id"])
    assert record is not None
    assert record["tags"] == {"n": "3"}


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": [messages("a")], "function_name": "talk", "requests": []},
        {"inputs": [messages("a")], "function_name": "talk", "params": []},
        {"requests": [row("a")], "inferences": [row("a")]},
        {"requests": [row("a")], "function_name": "talk"},
        {"requests": {}},
        {"params": {}},
        {"foo": []},
        {},
        [],
        {"inputs": []},
        {"inputs": None, "function_name": "talk"},
        {"requests": []},
        "text",
        None,
        [1],
    ],
)
def test_a_body_in_neither_shape_is_refused(gateway: Gateway, body: Any) -> None:
    """Case 4: with a word on what would be right."""
    assert refused(gateway, 400, body)


@pytest.mark.parametrize(
    "field",
    [
        "episode_ids",
        "tags",
        "allowed_tools",
        "additional_tools",
        "tool_choice",
        "parallel_tool_calls",
        "provider_tools",
        "output_schemas",
    ],
)
def test_arrays_are_as_long_as_the_inputs(gateway: Gateway, field: str) -> None:
    """Case 5: one short and one long are refused, with both numbers; null is no array."""
    for length in (1, 3):
        told = refused(gateway, 400, columns("a", "b", **{field: [None] * length}))
        assert field in told
        assert f"found {length}" in told
        assert "wanted 2" in told
    assert len(done(gateway, columns("a", "b", **{field: None}))["inferences"]) == 2


def test_arrays_of_parameters_are_as_long_as_the_inputs(gateway: Gateway) -> None:
    """Case 5, for parameters; those of types of variants that nobody knows are not looked at."""
    long = {"chat_completion": {"stop_sequences": [None, ["x"], None]}}
    told = refused(gateway, 400, columns("a", "b", params=long))
    unknown = {"chat_completion": {"heat": [None, None]}}

    assert "params.chat_completion.stop_sequences: found 3" in told
    assert "heat" in refused(gateway, 400, columns("a", "b", params=unknown))
    for params in ({}, {"made_up": {"x": 1}}, {"chat_completion": {}}):
        assert texts(done(gateway, columns("a", "b", params=params))) == ["a", "b"]


def test_an_element_of_a_column_is_for_its_item_alone(
    gateway: Gateway, box: FakeProviderThread
) -> None:
    """Case 6: the tool choice of each item, and the tool of the last."""
    choice = [None, "required", {"specific": "x"}]
    tools = [None, None, [TOOL]]
    body = columns("a", "b", "c", tool_choice=choice, additional_tools=tools)
    done(gateway, {**body, "function_name": "tooled"})
    done(gateway, body)

    tooled, plain = (
        {text_of_request(each): each.json() for each in some}
        for some in (box.requests[:3], box.requests[3:])
    )
    names = {
        text: [tool["function"]["name"] for tool in sent["tools"]] for text, sent in tooled.items()
    }
    specific = {"type": "function", "function": {"name": "x"}}
    assert names == {"a": ["own"], "b": ["own"], "c": ["own", "x"]}
    assert {text: sent["tool_choice"] for text, sent in tooled.items()} == {
        "a": "auto",
        "b": "required",
        "c": specific,
    }
    assert {text: sent.get("tool_choice") for text, sent in plain.items()} == {
        "a": None,
        "b": None,
        "c": specific,
    }


def test_a_null_parameter_is_that_of_the_variant(gateway: Gateway, box: FakeProviderThread) -> None:
    """Case 7: the second item has the variant's temperature."""
    params = {"chat_completion": {"temperature": [0.2, None]}}
    body = columns("a", "b", params=params, variant_name="warm")
    batch = done(gateway, {**body, "function_name": "choose"})

    assert {text_of_request(each): each.json()["temperature"] for each in box.requests} == {
        "a": 0.2,
        "b": 0.5,
    }
    records = [gateway.stored(each["inference_id"]) for each in batch["inferences"]]
    assert [
        record and record["inference_params"]["chat_completion"]["temperature"]
        for record in records
    ] == [0.2, 0.5]


def test_episodes_can_be_given(gateway: Gateway) -> None:
    """Case 8: null is a fresh one; several items may be of one episode."""
    known = gateway.infer(**row("a"))["episode_id"]
    answer = submitted(gateway, columns("a", "b", "c", episode_ids=[None, known, known]))

    assert answer["episode_ids"][0] != known
    assert answer["episode_ids"][1:] == [known, known]
    assert len(finished(gateway, answer["batch_id"])["inferences"]) == 3
    for wrong in ("9f4b1a52-7c11-4d30-9a51-2f6d0c1b7e44", "ffffffff-7c11-7d30-9a51-2f6d0c1b7e44"):
        told = refused(gateway, 400, columns("a", "b", episode_ids=[None, wrong]))
        assert told.startswith("1: episode_id")


def test_items_of_several_functions_answer_each_in_its_form(gateway: Gateway) -> None:
    """Case 9: a chat function has content, a json function output."""
    first, second = done(
        gateway, [row("a"), {"function_name": "extract", "input": messages("{}")}]
    )["inferences"]

    assert "output" not in first
    assert second["output"] == {"raw": "{}", "parsed": {}}
    assert "content" not in second


@pytest.mark.parametrize("field", ["stream", "dryrun", "include_raw_response"])
def test_what_a_batch_cannot_do_is_refused(gateway: Gateway, field: str) -> None:
    """Case 10: true is, false is not."""
    told = refused(gateway, 400, [row("a"), row("b", **{field: True})])

    assert told.startswith(f"1: {field}")
    assert done(gateway, [row("a", **{field: False})])["status"] == "completed"


def test_one_wrong_item_spoils_all(gateway: Gateway, box: FakeProviderThread) -> None:
    """Case 11: nothing is stored, and no provider is asked."""
    rows = [row(str(number)) for number in range(100)]
    rows[41]["input"] = {"messages": "none"}
    with open_store(gateway) as store:
        before = stored_counts(store)

    assert refused(gateway, 400, rows).startswith("41: input.messages")
    assert box.requests == []
    with open_store(gateway) as store:
        assert stored_counts(store) == before


def stored_counts(store: Store) -> list[int]:
    """How many batches, items and requests there are."""
    with store.data.read() as transaction:
        return [transaction.count(each) for each in ("batch", "item", "item_request")]


def test_names_that_nobody_knows_are_refused(gateway: Gateway) -> None:
    """Case 12: functions and variants 404, models 400, and there is a bound of items."""
    assert "nobody" in refused(gateway, 404, [row("a"), row("a", function_name="nobody")])
    assert "nobody" in refused(gateway, 404, [row("a", variant_name="nobody")])
    assert "nobody" in refused(gateway, 404, columns("a", variant_name="nobody"))
    unknown = {"model_name": "nobody", "input": messages("a")}
    assert "nobody" in refused(gateway, 400, [unknown])
    told = refused(gateway, 400, [row("a")] * 201)
    assert "found 201 items; wanted at most gateway.batch_inference.max_items = 200" in told


def test_a_json_function_takes_no_tools(gateway: Gateway) -> None:
    """The field is named with its item."""
    rows = [row("a"), {"function_name": "extract", "input": messages("a"), "tool_choice": "auto"}]

    assert refused(gateway, 400, rows).startswith("1: tool_choice")


def test_a_model_can_be_called_directly(gateway: Gateway) -> None:
    """In both shapes."""
    by_row = done(gateway, [{"model_name": "m", "input": messages("a")}])
    by_column = done(gateway, {"model_name": "m", "inputs": [messages("a")]})

    assert texts(by_row) == texts(by_column) == ["a"]


def test_ids_are_checked(gateway: Gateway) -> None:
    """Case 30: unknown batches, ids that are none, and items of other batches."""
    first, second = submitted(gateway, [row("a")]), submitted(gateway, [row("b")])
    batch_id, foreign = first["batch_id"], second["inference_ids"][0]
    get = gateway.client.get

    assert get(f"/batch_inference/{foreign}").status_code == 404
    assert get("/batch_inference/nonsense").status_code == 400
    assert get(f"/batch_inference/{batch_id}/inference/nonsense").status_code == 400
    assert get(f"/batch_inference/{batch_id}/inference/{foreign}").status_code == 404
    assert get(f"/batch_inference/{foreign}/inference/{foreign}").status_code == 404
    assert gateway.post(f"/batch_inference/{foreign}/cancel", {}).status_code == 404
    own = f"chatcmpl-{first['inference_ids'][0].replace('-', '')}"
    assert polled_item(gateway, batch_id, own)["batch_id"] == batch_id


def test_a_batch_is_one_request_and_its_items(gateway: Gateway) -> None:
    """The metrics count both at the submission."""
    submitted(gateway, [row("a", function_name="choose"), row("b", function_name="choose")])
    metrics = gateway.client.get("/metrics").text.splitlines()

    labels = '{endpoint="batch_inference",function_name="choose"}'
    requests = [line for line in metrics if line.startswith(f"lsd_requests_total{labels}")]
    inferences = [line for line in metrics if line.startswith(f"lsd_inferences_total{labels}")]
    assert float(requests[0].split()[-1]) >= 1
    assert float(inferences[0].split()[-1]) >= 2


def test_batches_need_records(start_gateway: StartGateway, provider: FakeProviderThread) -> None:
    """Case 31: without them nothing would be left of one; those that are there wait for them."""
    api_base = provider.will("box", by_text())
    gateway = start_gateway(configured(api_base, bounded(max_concurrency=0)))
    batch_id = submitted(gateway, [row("a")])["batch_id"]
    gateway.stop()
    gateway.configure(configured(api_base, "[gateway.observability]\nenabled = false\n"))
    gateway.start()
    told = refused(gateway, 400, [row("b")])
    pending = polled(gateway, batch_id)
    gateway.stop()
    gateway.configure(configured(api_base))
    gateway.start()
    batch = finished(gateway, batch_id)

    assert "gateway.observability.enabled" in told
    assert (pending["status"], pending["progress"]["pending"]) == ("pending", 1)
    assert texts(batch) == ["a"]
    assert [text_of_request(each) for each in provider.requests] == ["a"]

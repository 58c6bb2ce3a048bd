"""Datapoints out of recorded inferences, asked of a real daemon."""

from typing import Any

import pytest

from tests.api.asking import Box, model, wait_for
from tests.api.conftest import StartGateway
from tests.api.datasets import (
    CONFIG,
    FAX,
    FILES,
    NOWHERE,
    VERDICT_SCHEMA,
    DatasetClient,
    asking,
    says,
)
from tests.api.gateway import Gateway
from tests.fakes.openai_scripts import cut_after
from tests.fakes.provider_thread import FakeProviderThread


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A daemon with functions of each kind, and a model that can be cut off."""
    flaky = model("flaky", Box("one", shared_provider.url("one")))
    function = '[functions.flaky]\ntype = "chat"\nvariants.v.model = "flaky"\n'
    return start_shared(CONFIG + flaky + function, files=FILES)


@pytest.fixture
def gold(gateway: Gateway, request: pytest.FixtureRequest) -> DatasetClient:
    """A dataset of the test's own."""
    return DatasetClient(gateway, f"gold {request.node.name}")


def talk(gateway: Gateway, text: str = "Hi", **fields: Any) -> str:
    """The id of a new inference."""
    answer = gateway.infer(**{"function_name": "talk", "input": asking(text), **fields})
    inference_id: str = answer["inference_id"]
    return inference_id


def demonstrate(gateway: Gateway, inference_id: str, value: Any) -> None:
    """Says what should have been answered."""
    gateway.feedback(metric_name="demonstration", inference_id=inference_id, value=value)


def cut_off(gateway: Gateway, provider: FakeProviderThread) -> str:
    """The id of an inference that was interrupted."""
    provider.will("one", cut_after(1, pieces=["a", "b"], reset=False))
    *_, last = gateway.stream(function_name="flaky", input=asking("Hi"))
    inference_id: str = last["inference_id"]
    record = wait_for(lambda: gateway.stored(inference_id))
    assert record is not None
    assert record["status"] == "interrupted"
    return inference_id


def refused(dataset: DatasetClient, **body: Any) -> str:
    """What is wrong with a choice of inferences."""
    return dataset.refused(400, "POST", "/from_inferences", body)


def by_ids(*ids: str, **fields: Any) -> dict[str, Any]:
    """The body that takes these."""
    return {"type": "inference_ids", "inference_ids": ids, **fields}


def test_case_30_an_answer_is_an_example_at_once(gateway: Gateway, gold: DatasetClient) -> None:
    """As often as it is taken, but once in a call; in the order of the request."""
    first, second = talk(gateway, "one"), talk(gateway, "two", tags={"a": "b"})

    assert len(gold.from_ids(first)) == len(gold.from_ids(first)) == 1
    again = gold.from_ids(second, first, second)

    assert again == sorted(again)
    sources = [gold.one(each)["source_inference_id"] for each in again]
    assert sources == [second, first]
    assert NOWHERE in refused(gold, **by_ids(first, NOWHERE))
    assert gold.count() == 4
    assert gold.from_ids() == []


def test_what_is_copied(gateway: Gateway, gold: DatasetClient) -> None:
    """Input, output, episode, tags with LSD's own; it is not custom and has no name."""
    answer = gateway.infer(
        function_name="talk", variant_name="v", input=asking("Hi"), tags={"a": "b"}
    )
    record = gateway.stored(answer["inference_id"])
    assert record is not None

    shown = gold.one(gold.from_ids(answer["inference_id"])[0])

    assert {**shown, "id": "", "updated_at": ""} == {
        "type": "chat",
        "dataset_name": gold.name,
        "function_name": "talk",
        "id": "",
        "episode_id": answer["episode_id"],
        "input": record["input"],
        "output": record["output"],
        "provider_tools": [],
        "tags": {"a": "b", "lsd::variant_pinned": "v"},
        "is_custom": False,
        "is_deleted": False,
        "source_inference_id": answer["inference_id"],
        "updated_at": "",
    }


def test_schemas_and_tools_are_those_that_resulted(gateway: Gateway, gold: DatasetClient) -> None:
    """Of a json function the schema in force, of a chat the tools as they were chosen."""
    own = {"type": "object", "properties": {"x": {"type": "string"}}}
    plain = talk(gateway, function_name="verdict")
    special = talk(gateway, function_name="verdict", output_schema=own)
    office = talk(gateway, function_name="office", additional_tools=[FAX], allowed_tools=["fax"])

    by_default, by_request, with_tools = map(gold.one, gold.from_ids(plain, special, office))

    assert by_default["output_schema"] == VERDICT_SCHEMA
    assert by_request["output_schema"] == own
    assert set(by_request["output"]) == {"raw", "parsed"}
    assert (with_tools["allowed_tools"], with_tools["additional_tools"]) == (["fax"], [FAX])
    assert (with_tools["tool_choice"], with_tools["parallel_tool_calls"]) == ("required", True)


def test_case_31_where_the_output_comes_from(gateway: Gateway, gold: DatasetClient) -> None:
    """From nowhere, the answer, or the latest of two demonstrations."""
    inference_id = talk(gateway, "Hi")
    demonstrate(gateway, inference_id, "first")
    demonstrate(gateway, inference_id, "second")
    record = gateway.stored(inference_id)
    assert record is not None

    made = [
        gold.one(gold.from_ids(inference_id, output_source=source)[0])
        for source in ("none", "inference", "demonstration")
    ]

    assert [each.get("output") for each in made] == [None, record["output"], says("second")]
    assert "output" not in made[0]
    assert [each["is_custom"] for each in made] == [False] * 3


def test_a_demonstration_of_json_has_raw_and_parsed(gateway: Gateway, gold: DatasetClient) -> None:
    """As it is stored."""
    inference_id = talk(gateway, function_name="verdict")
    demonstrate(gateway, inference_id, {"urgent": True})

    (own_id,) = gold.from_ids(inference_id, output_source="demonstration")

    wanted = {"raw": '{"urgent":true}', "parsed": {"urgent": True}}
    assert gold.one(own_id)["output"] == wanted


def test_case_32_what_has_no_output(
    gateway: Gateway, gold: DatasetClient, shared_provider: FakeProviderThread
) -> None:
    """Of a list of ids that is a mistake; of a query it is left out."""
    ids = [talk(gateway, tags={"case": "32"}) for _ in range(3)]
    demonstrate(gateway, ids[1], "better")
    tagged = {"type": "tag", "key": "case", "value": "32", "comparison_operator": "="}

    (own_id,) = gold.from_query(filters=tagged, output_source="demonstration")
    assert gold.one(own_id)["source_inference_id"] == ids[1]
    told = refused(gold, **by_ids(*ids, output_source="demonstration"))
    assert ids[0] in told
    assert "not found" in told

    broken = cut_off(gateway, shared_provider)
    told = refused(gold, **by_ids(broken))
    assert broken in told
    assert "missing output" in told
    assert gold.from_query(function_name="flaky") == []
    (none,) = gold.from_query(function_name="flaky", output_source="none")
    assert "output" not in gold.one(none)
    demonstrate(gateway, broken, "whole")
    (whole,) = gold.from_ids(broken, output_source="demonstration")
    assert gold.one(whole)["output"] == says("whole")
    assert gold.count() == 3


def test_dry_runs_select_nothing(gateway: Gateway, gold: DatasetClient) -> None:
    """They have left no record."""
    dry = gateway.infer(function_name="talk", input=asking("Hi"), dryrun=True)["inference_id"]

    assert dry in refused(gold, **by_ids(dry))


def test_case_33_queries_are_those_of_lists(gateway: Gateway, gold: DatasetClient) -> None:
    """Without a limit everything is meant; cursors, orders and mistakes are the same."""
    ids = [talk(gateway, f"n {number}", tags={"case": "33"}) for number in range(30)]
    tagged = {"type": "tag", "key": "case", "value": "33", "comparison_operator": "="}

    def sources(**query: Any) -> list[str]:
        made = gold.from_query(**{"filters": tagged, **query})
        return [gold.one(each)["source_inference_id"] for each in made]

    assert sources() == ids[::-1]
    assert sources(after=ids[9], limit=2) == [ids[11], ids[10]]
    assert sources(before=ids[9], limit=2) == [ids[8], ids[7]]
    ascending = [{"by": "timestamp", "direction": "ascending"}]
    assert sources(order_by=ascending, limit=2, offset=1) == ids[1:3]
    assert sources(filters=None, filter=tagged, limit=1) == [ids[-1]]
    assert sources(limit=0) == []
    assert sources(variant_name="nobody") == []
    assert sources(search_query_experimental="n 17") == [ids[17]]
    query = {"type": "inference_query"}
    assert "before, after" in refused(gold, **query, before=ids[0], after=ids[1])
    assert "offset" in refused(gold, **query, before=ids[0], offset=1)
    assert "order_by" in refused(gold, **query, order_by=[{"by": "search_relevance"}])
    assert gold.refused(404, "POST", "/from_inferences", {**query, "function_name": "nobody"})


def test_case_34_the_latest_value_of_a_metric_counts(gateway: Gateway, gold: DatasetClient) -> None:
    """An earlier one that would have fitted does not."""
    better, worse, silent = (talk(gateway, tags={"case": "34"}) for _ in range(3))
    for inference_id, value in ((better, 0.2), (better, 0.9), (worse, 0.3)):
        gateway.feedback(metric_name="score", inference_id=inference_id, value=value)
    tagged = {"type": "tag", "key": "case", "value": "34", "comparison_operator": "="}
    low = {
        "type": "float_metric",
        "metric_name": "score",
        "value": 0.5,
        "comparison_operator": "<",
    }

    made = gold.from_query(filters={"type": "and", "children": [tagged, low]})
    others = gold.from_query(
        filters={"type": "and", "children": [tagged, {"type": "not", "child": low}]}
    )

    assert [gold.one(each)["source_inference_id"] for each in made] == [worse]
    assert [gold.one(each)["source_inference_id"] for each in others] == [silent, better]
    for name in ("nothing", "good"):
        told = refused(gold, type="inference_query", filters={**low, "metric_name": name})
        assert name in told


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "type: "),
        ({"type": "inferences"}, "type: "),
        ({"type": "inference_ids"}, "inference_ids: missing"),
        ({"type": "inference_ids", "inference_ids": ["x"]}, "inference_ids[0]: "),
        ({"type": "inference_query", "output_source": "both"}, "output_source: "),
        ({"type": "inference_query", "limit": -1}, "limit: "),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    gold: DatasetClient, body: dict[str, Any], told: str
) -> None:
    """Of this, as of everything."""
    assert refused(gold, **body).startswith(told)


def test_a_function_that_is_gone_has_no_new_datapoints(start_gateway: StartGateway) -> None:
    """Those that there are can be read, renamed and deleted, but not changed."""
    gateway = start_gateway(CONFIG, files=FILES)
    gold = DatasetClient(gateway, "gold")
    inference_id = talk(gateway)
    (own_id,) = gold.from_ids(inference_id)
    assert gateway.stop() == 0
    gateway.configure(CONFIG.replace("functions.talk]", "functions.chat]"))
    gateway.start()

    told = gold.refused(404, "POST", "/from_inferences", by_ids(inference_id))
    assert "'talk'" in told
    patch = {"datapoints": [{"type": "chat", "id": own_id}]}
    assert "'talk'" in gold.refused(404, "PATCH", "/datapoints", patch)
    assert gold.rename({"id": own_id, "name": "n"}) == [own_id]
    assert gold.one(own_id)["name"] == "n"
    assert gold.delete() == 1

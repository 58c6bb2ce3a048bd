"""Datapoints and datasets in lists, asked of a real daemon."""

from typing import Any

import pytest

from tests.api.conftest import StartGateway
from tests.api.datasets import (
    CONFIG,
    FILES,
    DatasetClient,
    chat,
    datasets,
    says,
    verdict,
)
from tests.api.gateway import Gateway

TEST = {"type": "tag", "key": "split", "value": "test"}


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway) -> Gateway:
    """A daemon with functions of each kind."""
    return start_shared(CONFIG, files=FILES)


@pytest.fixture
def gold(gateway: Gateway, request: pytest.FixtureRequest) -> DatasetClient:
    """A dataset of the test's own."""
    return DatasetClient(gateway, f"gold {request.node.name}")


@pytest.fixture(scope="module")
def many(gateway: Gateway) -> DatasetClient:
    """A dataset of 25."""
    dataset = DatasetClient(gateway, "many")
    dataset.create(*(chat(f"number {number}") for number in range(25)))
    return dataset


def refused(dataset: DatasetClient, **body: Any) -> str:
    """What is wrong with a list that nobody can have."""
    return dataset.refused(400, "POST", "/list_datapoints", body)


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ({}, 20),
        ({"limit": None, "page_size": None, "offset": None, "filter": None}, 20),
        ({"page_size": 5}, 5),
        ({"limit": 3, "page_size": 5}, 3),
        ({"limit": 0}, 0),
        ({"offset": 24}, 1),
        ({"offset": 25}, 0),
        ({"limit": 4294967295}, 25),
        ({"limit": 4294967295, "offset": 4294967295}, 0),
    ],
)
def test_case_25_pages_have_a_limit_and_an_offset(
    many: DatasetClient, body: dict[str, Any], number: int
) -> None:
    """Twenty where nothing is said."""
    assert len(many.list(**body)) == number


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"limit": -1}, "limit"),
        ({"limit": 4294967296}, "limit"),
        ({"limit": 1.5}, "limit"),
        ({"offset": "1"}, "offset"),
        ({"page_size": -1}, "page_size"),
        ({"function_name": 1}, "function_name"),
        ({"filter": {}}, "filter.type"),
        ({"filter": {"type": "metric"}}, "filter.type"),
        ({"filter": {"type": "demonstration_feedback", "has_demonstration": True}}, "filter.type"),
        ({"filter": TEST}, "filter.comparison_operator"),
        ({"filter": {**TEST, "comparison_operator": "<"}}, "filter.comparison_operator"),
        (
            {"filter": {"type": "time", "time": "yesterday", "comparison_operator": "<"}},
            "filter.time",
        ),
        (
            {"filter": {"type": "time", "time": "2026-01-01T00:00:00", "comparison_operator": "<"}},
            "filter.time",
        ),
        ({"filter": {"type": "and"}}, "filter.children"),
        ({"filter": {"type": "or", "children": [{"type": "x"}]}}, "filter.children[0].type"),
        ({"filter": {"type": "not", "child": [TEST]}}, "filter.child"),
        ({"order_by": [{"by": "metric"}]}, "order_by[0].by"),
        ({"order_by": [{"by": "timestamp", "direction": "up"}]}, "order_by[0].direction"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    many: DatasetClient, body: dict[str, Any], path: str
) -> None:
    """Of lists, as of everything."""
    assert refused(many, **body).startswith(f"{path}: ")


def test_filters_nest_as_deep_as_people_can_think(many: DatasetClient) -> None:
    """And no deeper."""
    deep: dict[str, Any] = {"type": "and", "children": []}
    for _ in range(64):
        deep = {"type": "not", "child": deep}

    assert len(many.list(filter=deep)) == 20
    assert "64" in refused(many, filter={"type": "not", "child": deep})


def test_case_26_tags_and_their_negations(gold: DatasetClient) -> None:
    """`!=` wants the tag with another value; `not` of `=` takes those without it, too."""
    test, train, none = gold.create(
        chat(tags={"split": "test"}), chat(tags={"split": "train"}), chat()
    )
    equal = {**TEST, "comparison_operator": "="}
    unequal = {**TEST, "comparison_operator": "!="}

    assert gold.listed(filter=equal) == [test]
    assert gold.listed(filter=unequal) == [train]
    assert gold.listed(filter={"type": "not", "child": equal}) == [none, train]
    assert gold.listed(filter={"type": "and", "children": []}) == [none, train, test]
    assert gold.listed(filter={"type": "or", "children": []}) == []
    either = {"type": "or", "children": [equal, unequal]}
    assert gold.listed(filter={"type": "and", "children": [either, unequal]}) == [train]


def test_case_27_a_time_that_was_read_is_exact(gold: DatasetClient) -> None:
    """It finds the datapoints of one call, and no others."""
    gold.create(chat(), chat())
    second = gold.create(chat(), verdict())
    gold.create(chat())
    time = gold.one(second[0])["updated_at"]

    def at(comparison: str) -> int:
        wanted = {"type": "time", "time": time, "comparison_operator": comparison}
        return len(gold.list(filter=wanted))

    equal = {"type": "time", "time": time, "comparison_operator": "="}
    assert gold.listed(filter=equal) == second[::-1]
    assert [at(each) for each in ("<", "<=", ">", ">=", "!=")] == [2, 4, 1, 3, 3]


def test_case_28_orders_and_ties(gold: DatasetClient) -> None:
    """Those of one call have one time, and then the greater id comes first, either way."""
    first, second = gold.create(chat(), chat())
    (third,) = gold.create(chat())

    ascending = [{"by": "timestamp", "direction": "ascending"}]
    assert gold.listed(order_by=ascending) == [second, first, third]
    assert gold.listed(order_by=ascending, limit=1, offset=1) == [first]
    assert gold.listed(order_by=[{"by": "timestamp"}]) == gold.listed() == [third, second, first]
    assert gold.listed(order_by=[]) == [third, second, first]


def test_case_29_texts_are_found_as_they_are(gold: DatasetClient) -> None:
    """Quotes, percent signs and letter case; what has it more often comes first."""
    quoted, percent, other = gold.create(
        verdict("A", output={"raw": '{"urgent": true, "why": "a \\"quoted\\" word"}'}),
        chat("Half: 50% of WORDS, words", output=says("line\nbreak")),
        chat("A word, 500 of them", tags={"x": "quoted"}),
    )

    assert gold.listed(search_query_experimental='"quoted" word') == [quoted]
    assert gold.listed(search_query_experimental="WORDS") == [percent]
    assert gold.listed(search_query_experimental="50%") == [percent]
    assert gold.listed(search_query_experimental="line\nbreak") == [percent]
    by_relevance = [{"by": "search_relevance"}]
    found = gold.listed(search_query_experimental="word", order_by=by_relevance)
    assert found[-1] == other
    assert set(found) == {quoted, percent, other}
    assert gold.listed(search_query_experimental="") == [other, percent, quoted]
    told = refused(gold, order_by=by_relevance)
    assert told.startswith("order_by[0].by: ")


def test_lists_are_by_function_and_dataset(gold: DatasetClient) -> None:
    """What nobody knows has nothing in it."""
    (own_id, json_id) = gold.create(chat(), verdict())

    assert gold.listed(function_name="talk") == [own_id]
    assert gold.listed(function_name="verdict") == [json_id]
    assert gold.listed(function_name="nobody") == []
    assert DatasetClient(gold.gateway, "nowhere").list() == []
    counts = [gold.count(), gold.count(function_name="talk"), gold.count(function_name="nobody")]
    assert counts == [2, 1, 0]
    assert DatasetClient(gold.gateway, "nowhere").count() == 0


def test_case_37_datasets_are_listed(start_gateway: StartGateway) -> None:
    """Changed last first; of a function, only what it has."""
    gateway = start_gateway(CONFIG, files=FILES)
    older, newer = DatasetClient(gateway, "older"), DatasetClient(gateway, "newer")
    older.create(chat(), verdict())
    newer.create(verdict(), verdict(), chat())
    newer.delete([newer.listed(function_name="talk")[0]])

    newer_time, older_time = newer.list()[0]["updated_at"], older.list()[0]["updated_at"]
    shown = [
        {"dataset_name": "newer", "datapoint_count": 2, "last_updated": newer_time},
        {"dataset_name": "older", "datapoint_count": 2, "last_updated": older_time},
    ]
    assert datasets(gateway) == datasets(gateway, "/internal/datasets") == shown
    assert datasets(gateway, limit=1) == shown[:1]
    assert datasets(gateway, offset=1) == shown[1:]
    assert datasets(gateway, limit=0) == datasets(gateway, offset=2) == []
    assert datasets(gateway, function_name="talk") == [{**shown[1], "datapoint_count": 1}]
    assert datasets(gateway, function_name="nobody") == []
    response = gateway.client.get("/internal/datasets", params={"limit": "-1"})
    assert response.status_code == 400


def test_datasets_are_there_after_a_restart(start_gateway: StartGateway) -> None:
    """And whatever is made then is newer."""
    gateway = start_gateway(CONFIG, files=FILES)
    gold = DatasetClient(gateway, "gold")
    (first,) = gold.create(chat(name="n"))
    before = gold.list()

    assert gateway.stop() == 0
    gateway.start()

    assert gold.list() == before
    (second,) = gold.patch({"type": "chat", "id": first})
    assert second > first
    assert gold.one(second)["name"] == "n"


def test_datasets_work_without_records(start_gateway: StartGateway) -> None:
    """With observability off, they are all that is stored."""
    gateway = start_gateway(CONFIG + "[gateway.observability]\nenabled = false\n", files=FILES)
    gold = DatasetClient(gateway, "gold")

    assert gold.create(chat()) == gold.listed()

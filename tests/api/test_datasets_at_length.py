"""Datasets as somebody uses them: built from feedback, mended, read page by page, exported."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import orjson
import pytest

from tests.api.asking import WAIT_S_MAX
from tests.api.conftest import StartGateway
from tests.api.datasets import CONFIG, FILES, DatasetClient, asking, chat, datasets, says
from tests.api.gateway import Gateway

INFERENCES = 300
"""Every third is a bad one, and of those every second has a demonstration."""

PAGE = 7


@pytest.fixture
def gateway(start_gateway: StartGateway) -> Gateway:
    """A daemon with functions of each kind."""
    return start_gateway(CONFIG, files=FILES)


def recorded(gateway: Gateway, number: int) -> str | None:
    """Asks, and says what it thinks of the answer; the id, if it has shown what would be better."""
    answer = gateway.infer(
        function_name="talk", input=asking(f"question {number}"), tags={"run": "one"}
    )
    inference_id: str = answer["inference_id"]
    is_bad = number % 3 == 0
    score = 0.1 if is_bad else 0.9
    gateway.feedback(metric_name="score", inference_id=inference_id, value=1 - score)
    gateway.feedback(metric_name="score", inference_id=inference_id, value=score)
    if not is_bad or number % 2:
        return None
    gateway.feedback(
        metric_name="demonstration", inference_id=inference_id, value=f"better {number}"
    )
    return inference_id


def pages(dataset: DatasetClient, **query: Any) -> list[dict[str, Any]]:
    """A whole list, page by page, until there is none."""
    found: list[dict[str, Any]] = []
    while page := dataset.list(limit=PAGE, offset=len(found), **query):
        found += page
    return found


def test_from_feedback_to_a_file_and_away(gateway: Gateway) -> None:
    """Nothing is lost on the way, and nothing is there twice."""
    with ThreadPoolExecutor(8) as clients:
        told = clients.map(lambda number: recorded(gateway, number), range(INFERENCES))
        sources = [each for each in told if each is not None]
    assert len(sources) == INFERENCES // 6

    gold, other = DatasetClient(gateway, "gold"), DatasetClient(gateway, "other")
    low = {"type": "float_metric", "metric_name": "score", "value": 0.5}
    made = gold.from_query(
        function_name="talk",
        output_source="demonstration",
        filters={**low, "comparison_operator": "<"},
    )
    assert len(made) == len(sources)
    first = pages(gold)
    assert {each["source_inference_id"] for each in first} == set(sources)
    assert all(each["output"][0]["text"].startswith("better ") for each in first)

    edited = [
        {"type": "chat", "id": each["id"], "output": says(f"edited {each['output'][0]['text']}")}
        for each in first[::2]
    ]
    assert len(gold.patch(*edited)) == len(edited)

    begun, done = Event(), Event()

    def write_elsewhere_and_read() -> int:
        written = 0
        while not done.is_set():
            (own_id,) = other.create(chat(f"beside {written}"))
            other.patch({"type": "chat", "id": own_id, "tags": {"seen": "yes"}})
            assert gold.count() == len(sources)
            written += 1
            begun.set()
        return written

    with ThreadPoolExecutor(1) as clients:
        beside = clients.submit(write_elsewhere_and_read)
        begun.wait(WAIT_S_MAX)
        exported = b"".join(orjson.dumps(each) + b"\n" for each in pages(gold))
        done.set()
        written = beside.result()
    lines = [orjson.loads(line) for line in exported.splitlines()]
    assert len({each["id"] for each in lines}) == len(lines) == len(sources)
    assert {each["source_inference_id"] for each in lines} == set(sources)
    assert sum(each["output"][0]["text"].startswith("edited better ") for each in lines) == len(
        edited
    )
    assert {each["is_custom"] for each in lines} == {True, False}
    assert other.count() == written > 0

    assert gold.delete() == len(sources)
    assert [each["dataset_name"] for each in datasets(gateway)] == ["other"]
    assert len(gold.get(*(each["id"] for each in lines))) == len(lines)


def test_pages_of_a_dataset_that_grows_have_all_that_was_there(gateway: Gateway) -> None:
    """From the oldest on, what comes in the meantime comes behind; each page is of one moment."""
    gold = DatasetClient(gateway, "gold")
    there = {own_id for _ in range(5) for own_id in gold.create(*[chat()] * 20)}
    oldest_first = [{"by": "timestamp", "direction": "ascending"}]

    found: list[str] = []
    while len(found) < 100:
        found += gold.listed(limit=PAGE, offset=len(found), order_by=oldest_first)
        gold.create(chat("late"))

    assert set(found[:100]) == there


def test_ten_thousand_are_created_in_one_call(gateway: Gateway) -> None:
    """One bad item among them, and there are none; the refusal says which."""
    gold = DatasetClient(gateway, "gold")
    items = [chat(f"number {number}") for number in range(10_000)]

    bad = [*items]
    bad[7_777] = chat(function_name="nobody")
    told = gold.refused(400, "POST", "/datapoints", {"datapoints": bad})
    assert told.startswith("datapoints[7777].function_name: ")
    assert gold.count() == 0

    ids = gold.create(*items)

    assert ids == sorted(ids)
    assert len(set(ids)) == gold.count() == 10_000
    assert gold.listed(limit=10_000) == ids[::-1]

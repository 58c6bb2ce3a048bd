"""Datasets over HTTP: what routes make of paths, queries and bodies."""

from typing import Any

import attrs
import pytest

from lsd.api import Datasets
from lsd.config import Loaded
from lsd.conversation import decode_json, encode_json
from lsd.datasets import Chosen
from lsd.store import Dataset, InferenceQuery, Selection, Store, TagIs
from tests.unit.api.endpoints import quart_of
from tests.unit.api.in_memory import ask

ID = "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"
TAG = {"type": "tag", "key": "k", "value": "v", "comparison_operator": "="}
TAGGED = Selection(filter=TagIs(key="k", value="v"))


@attrs.define(eq=False)
class FakeDatasets:
    """Remembers what it was asked; has three datasets."""

    asked: list[Any] = attrs.field(factory=list)

    async def datasets(self, function_name: str | None) -> list[Dataset]:
        self.asked.append(function_name)
        return [Dataset(name=name, datapoints=1, last_updated_us=1) for name in "abc"]

    async def count(self, name: str, function_name: str | None) -> int:
        self.asked.append((name, function_name))
        return 7

    async def clone(self, name: str, ids: Any) -> list[str | None]:
        self.asked.append((name, ids))
        return [None]

    async def delete(self, name: str, ids: Any) -> int:
        self.asked.append((name, ids))
        return 3

    async def from_inferences(self, name: str, chosen: Chosen) -> list[str]:
        self.asked.append((name, chosen))
        return [ID]


@pytest.fixture
def service() -> FakeDatasets:
    """The service behind the routes."""
    return FakeDatasets()


@pytest.fixture
def app(service: FakeDatasets, loaded: Loaded, store: Store) -> Any:
    """The application with the routes of datasets."""
    endpoints = Datasets(service, loaded.config, store).endpoints()  # type: ignore[arg-type]
    return quart_of(*endpoints, body_bytes_max=1 << 20)


@pytest.mark.parametrize("path", ["/internal/datasets", "/v1/datasets"])
async def test_datasets_are_listed_in_pages(app: Any, service: FakeDatasets, path: str) -> None:
    """All of them, unless a page is asked for."""
    everything = await ask(app, "GET", path)
    page = await ask(app, "GET", f"{path}?function_name=f&limit=1&offset=1")

    assert [each["dataset_name"] for each in decode_json(everything.body)["datasets"]] == [*"abc"]
    time = "1970-01-01T00:00:00.000001Z"
    wanted = {"dataset_name": "b", "datapoint_count": 1, "last_updated": time}
    assert decode_json(page.body)["datasets"] == [wanted]
    assert service.asked == [None, "f"]


async def test_a_dataset_is_counted_cloned_and_deleted(app: Any, service: FakeDatasets) -> None:
    """By its name in the path."""
    inner = "/internal/datasets/gold/datapoints"

    counted = await ask(app, "GET", f"{inner}/count?function_name=f")
    body = encode_json({"datapoint_ids": [ID.upper()]})
    cloned = await ask(app, "POST", f"{inner}/clone", body=body)
    deleted = await ask(app, "DELETE", "/v1/datasets/gold", body=b"anything")

    assert decode_json(counted.body) == {"datapoint_count": 7}
    assert decode_json(cloned.body) == {"datapoint_ids": [None]}
    assert decode_json(deleted.body) == {"num_deleted_datapoints": 3}
    assert service.asked == [("gold", "f"), ("gold", (ID,)), ("gold", None)]


@pytest.mark.parametrize(
    ("body", "chosen"),
    [
        (
            {"type": "inference_ids", "inference_ids": [f"msg_{ID.replace('-', '')}"]},
            Chosen(by=(ID,), output_source="inference"),
        ),
        (
            {"type": "inference_query", "filter": TAG, "output_source": "none", "unknown": 1},
            Chosen(by=InferenceQuery(selection=TAGGED), output_source="none"),
        ),
        (
            {"type": "inference_query", "filters": TAG, "filter": {**TAG, "key": "x"}, "limit": 3},
            Chosen(by=InferenceQuery(selection=TAGGED, limit=3), output_source="inference"),
        ),
    ],
)
async def test_inferences_are_chosen(
    app: Any, service: FakeDatasets, body: Any, chosen: Chosen
) -> None:
    """By their ids, or by a query, without a limit unless one is asked for."""
    answer = await ask(app, "POST", "/v1/datasets/gold/from_inferences", body=encode_json(body))

    assert decode_json(answer.body) == {"ids": [ID]}
    assert service.asked == [("gold", chosen)]


async def test_a_function_that_nobody_knows_has_no_inferences(
    app: Any, service: FakeDatasets
) -> None:
    """As in a list of inferences."""
    body = encode_json({"type": "inference_query", "function_name": "nobody"})

    answer = await ask(app, "POST", "/v1/datasets/gold/from_inferences", body=body)

    assert answer.status == 404
    assert service.asked == []

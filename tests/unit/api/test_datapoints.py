"""Datapoints over HTTP: what routes make of paths and bodies. The rest is told to a real daemon."""

from typing import Any

import attrs
import pytest

from lsd.api import Datapoints
from lsd.config import Config
from lsd.conversation import decode_json, encode_json
from lsd.store import Datapoint, DatapointQuery
from tests.unit.api.endpoints import quart_of
from tests.unit.api.in_memory import ask
from tests.unit.captured_log import Log
from tests.unit.store.makers import Maker

ID = "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"
PATH = "/v1/datasets/göld one"


@attrs.define(eq=False)
class FakeDatasets:
    """Remembers what it was asked."""

    asked: list[Any] = attrs.field(factory=list)

    async def create(self, name: str, new: Any) -> list[str]:
        self.asked.append((name, len(new)))
        return [ID]

    async def update(self, name: str, patches: Any) -> list[str]:
        self.asked.append((name, patches[0].id))
        return [ID]

    async def rename(self, name: str, renamings: Any) -> list[str]:
        self.asked.append((name, renamings[0].name))
        return [ID]

    async def delete(self, name: str, ids: Any) -> int:
        self.asked.append((name, ids))
        return 3

    async def get(self, ids: Any, *, dataset_name: str | None = None) -> list[Datapoint]:
        self.asked.append((dataset_name, ids))
        return [Maker().datapoint()]

    async def select(self, query: DatapointQuery) -> list[Datapoint]:
        self.asked.append(query)
        return []


@pytest.fixture
def service() -> FakeDatasets:
    """The service behind the routes."""
    return FakeDatasets()


@pytest.fixture
def app(service: FakeDatasets) -> Any:
    """The application with the routes of datapoints."""
    config = Config(functions={})
    endpoints = Datapoints(service, config).endpoints()  # type: ignore[arg-type]
    return quart_of(*endpoints, body_bytes_max=1 << 20)


NEW = {"type": "chat", "function_name": "f", "input": {}}
ITEM = {"type": "chat", "id": ID, "name": "n"}


@pytest.mark.parametrize(
    ("method", "path", "body", "asked", "answer"),
    [
        ("POST", "/datapoints", {"datapoints": [NEW]}, ("göld one", 1), {"ids": [ID]}),
        ("PATCH", "/datapoints", {"datapoints": [ITEM]}, ("göld one", ID), {"ids": [ID]}),
        ("PATCH", "/datapoints/metadata", {"datapoints": [ITEM]}, ("göld one", "n"), {"ids": [ID]}),
        (
            "DELETE",
            "/datapoints",
            {"ids": [ID]},
            ("göld one", (ID,)),
            {"num_deleted_datapoints": 3},
        ),
        (
            "POST",
            "/list_datapoints",
            {"limit": 1},
            DatapointQuery(dataset_name="göld one", limit=1),
            {"datapoints": []},
        ),
    ],
)
async def test_a_route_asks_the_service(
    app: Any, service: FakeDatasets, method: str, path: str, body: Any, asked: Any, answer: Any
) -> None:
    """With the dataset of its path."""
    given = await ask(app, method, PATH + path, body=encode_json(body))

    assert decode_json(given.body) == answer
    assert service.asked == [asked]


async def test_datapoints_are_read_in_one_dataset_or_in_all(
    app: Any, service: FakeDatasets, log: Log
) -> None:
    """The latter is an older way, and the log says so."""
    body = encode_json({"ids": [ID]})

    answer = await ask(app, "POST", f"{PATH}/get_datapoints", body=body)
    assert decode_json(answer.body)["datapoints"][0]["dataset_name"] == "gold"
    assert not log
    await ask(app, "POST", "/v1/datasets/get_datapoints", body=body)

    assert service.asked == [("göld one", (ID,)), (None, (ID,))]
    assert [entry["event"].split(";")[0] for entry in log] == ["deprecated route"]


async def test_the_name_is_looked_at_before_the_body(app: Any, service: FakeDatasets) -> None:
    """Which may be anything then."""
    answer = await ask(app, "POST", "/v1/datasets/builder/datapoints", body=b"{")

    assert answer.status == 400
    assert "builder" in decode_json(answer.body)["error"]
    assert service.asked == []

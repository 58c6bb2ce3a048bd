"""How tests of datasets write their configuration and requests, and read what comes back."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import attrs
import httpx

from tests.api.gateway import Gateway

CONFIG: Final = """
[models.demo]
routing = ["echo"]
providers.echo = { type = "echo" }

[functions.talk]
type = "chat"
variants.v.model = "demo"

[functions.guarded]
type = "chat"
schemas.user.path = "asked.json"
variants.v = { model = "demo", templates.user.path = "asked.minijinja" }

[functions.office]
type = "chat"
tools = ["page", "order"]
tool_choice = "required"
parallel_tool_calls = true
variants.v.model = "demo"

[functions.verdict]
type = "json"
output_schema = "verdict.json"
variants.v.model = "demo"

[tools.page]
description = "Pages somebody"
parameters = "page.json"

[tools.order]
description = "Orders something"
parameters = "page.json"

[metrics.good]
type = "boolean"
optimize = "max"
level = "inference"

[metrics.score]
type = "float"
optimize = "max"
level = "inference"
"""

FILES: Final = {
    "asked.minijinja": "About {{ topic }}",
    "asked.json": '{"type": "object", "required": ["topic"]}',
    "verdict.json": '{"type": "object", "properties": {"urgent": {"type": "boolean"}},'
    ' "required": ["urgent"]}',
    "page.json": '{"type": "object", "properties": {"whom": {"type": "string"}},'
    ' "required": ["whom"], "additionalProperties": false}',
}

VERDICT_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {"urgent": {"type": "boolean"}},
    "required": ["urgent"],
}

NOWHERE: Final = "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"
"""An id that nothing has."""

FAX: Final[Mapping[str, Any]] = {
    "type": "function",
    "name": "fax",
    "description": "Sends a fax",
    "parameters": {"type": "object"},
    "strict": True,
}


def asking(text: str) -> dict[str, Any]:
    """An input, as it is stored: one message of the user."""
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": text}]}]}


def says(text: str) -> list[dict[str, Any]]:
    """The output of a chat: one text."""
    return [{"type": "text", "text": text}]


def chat(text: str = "Hi", **fields: Any) -> dict[str, Any]:
    """A new datapoint of the chat function `talk`."""
    return {"type": "chat", "function_name": "talk", "input": asking(text), **fields}


def office(**fields: Any) -> dict[str, Any]:
    """A new datapoint of the chat function that has tools."""
    return chat(**{"function_name": "office", **fields})


def verdict(text: str = "Hi", **fields: Any) -> dict[str, Any]:
    """A new datapoint of the json function."""
    return {"type": "json", "function_name": "verdict", "input": asking(text), **fields}


def call_of(raw_name: str, raw_arguments: str, **fields: Any) -> dict[str, Any]:
    """A tool call in an output."""
    return {
        "type": "tool_call",
        "id": "c1",
        "raw_name": raw_name,
        "raw_arguments": raw_arguments,
        **fields,
    }


@attrs.frozen
class DatasetClient:
    """Speaks of one dataset to a gateway. Its methods want status 200 and give what is in it."""

    gateway: Gateway
    name: str

    @property
    def path(self) -> str:
        """Where the dataset lies."""
        return f"/v1/datasets/{quote(self.name, safe='')}"

    def send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """The response to a request on something below the dataset, whatever its status."""
        return self.gateway.client.request(method, f"{self.path}{path}", json=body)

    def refused(self, status: int, method: str, path: str, body: Any = None) -> str:
        """What is wrong with a request that must get this status."""
        response = self.send(method, path, body)
        assert response.status_code == status, f"{response.status_code}: {response.text}"
        error: str = response.json()["error"]
        return error

    def create(self, *items: Mapping[str, Any]) -> list[str]:
        """The ids of new datapoints."""
        return self._ids("POST", "/datapoints", {"datapoints": items})

    def patch(self, *items: Mapping[str, Any]) -> list[str]:
        """The ids of new versions."""
        return self._ids("PATCH", "/datapoints", {"datapoints": items})

    def rename(self, *items: Mapping[str, Any]) -> list[str]:
        """The ids that were renamed."""
        return self._ids("PATCH", "/datapoints/metadata", {"datapoints": items})

    def from_ids(self, *ids: str, **fields: Any) -> list[str]:
        """The ids of datapoints made of inferences."""
        body = {"type": "inference_ids", "inference_ids": ids, **fields}
        return self._ids("POST", "/from_inferences", body)

    def from_query(self, **fields: Any) -> list[str]:
        """The ids of datapoints made of the inferences of a query."""
        return self._ids("POST", "/from_inferences", {"type": "inference_query", **fields})

    def delete(self, ids: Sequence[str] | None = None) -> int:
        """How many of these, or of all, were deleted."""
        if ids is None:
            response = self.send("DELETE", "")
        else:
            response = self.send("DELETE", "/datapoints", {"ids": ids})
        deleted: int = _good(response)["num_deleted_datapoints"]
        return deleted

    def get(self, *ids: str) -> list[dict[str, Any]]:
        """Datapoints by id."""
        found: list[dict[str, Any]]
        found = _good(self.send("POST", "/get_datapoints", {"ids": ids}))["datapoints"]
        return found

    def one(self, own_id: str) -> dict[str, Any]:
        """The datapoint of an id."""
        (found,) = self.get(own_id)
        return found

    def list(self, **body: Any) -> list[dict[str, Any]]:
        """A list of datapoints."""
        found: list[dict[str, Any]]
        found = _good(self.send("POST", "/list_datapoints", body))["datapoints"]
        return found

    def listed(self, **body: Any) -> "list[str]":
        """The ids of a list."""
        return [each["id"] for each in self.list(**body)]

    def clone(self, *ids: str) -> "list[str | None]":
        """The ids of copies in this dataset."""
        path = f"/internal/datasets/{quote(self.name, safe='')}/datapoints/clone"
        response = self.gateway.post(path, {"datapoint_ids": ids})
        copies: list[str | None] = _good(response)["datapoint_ids"]
        return copies

    def count(self, **query: str) -> int:
        """How many there are."""
        path = f"/internal/datasets/{quote(self.name, safe='')}/datapoints/count"
        counted: int = _good(self.gateway.client.get(path, params=query))["datapoint_count"]
        return counted

    def _ids(self, method: str, path: str, body: Any) -> "list[str]":
        made: list[str] = _good(self.send(method, path, body))["ids"]
        return made


def datasets(gateway: Gateway, path: str = "/v1/datasets", **query: Any) -> list[dict[str, Any]]:
    """The list of datasets."""
    found: list[dict[str, Any]]
    found = _good(gateway.client.get(path, params=query))["datasets"]
    return found


def _good(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, f"{response.status_code}: {response.text}"
    answer: dict[str, Any] = response.json()
    return answer

"""Examples of dicl variants over HTTP."""

from typing import Any

import attrs
import pytest

from lsd.api import ExampleEndpoints
from lsd.conversation import decode_json
from lsd.inference import ExamplesRequest
from lsd.store import Example
from tests.unit.api.endpoints import quart_of
from tests.unit.api.in_memory import ask

PATH = "/internal/functions/f/variants/v/dicl_examples"
ID = "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"


@attrs.define(eq=False)
class FakeExamples:
    """Remembers what it was asked; has one example."""

    asked: list[Any] = attrs.field(factory=list)

    async def add(
        self,
        function: str,
        variant: str,
        request: ExamplesRequest,
        *,
        api_key_public_id: str | None,
    ) -> list[str]:
        self.asked.append((function, variant, len(request.examples or ())))
        return [ID]

    async def page(
        self, function: str, variant: str, *, before: str | None, limit: int
    ) -> list[Example]:
        self.asked.append((function, variant, before, limit))
        return [
            Example(id=ID, input='{"messages":[]}', output="[]", namespace="lab"),
            Example(id=ID, input='{"messages":[]}', output='{"raw":null,"parsed":null}'),
        ]

    async def delete(self, function: str, variant: str) -> int:
        self.asked.append((function, variant))
        return 7


@pytest.fixture
def examples() -> FakeExamples:
    """The service behind the routes."""
    return FakeExamples()


@pytest.fixture
def app(examples: FakeExamples) -> Any:
    """The application with the routes of examples."""
    endpoints = ExampleEndpoints(examples).endpoints()  # type: ignore[arg-type]
    return quart_of(*endpoints, body_bytes_max=1 << 20)


async def test_examples_are_added(app: Any, examples: FakeExamples) -> None:
    """The answer has their ids."""
    body = b'{"examples":[{"input":{},"output":[]}]}'

    answer = await ask(app, "POST", PATH, body=body)

    assert decode_json(answer.body) == {"ids": [ID]}
    assert examples.asked == [("f", "v", 1)]


async def test_examples_are_listed(app: Any, examples: FakeExamples) -> None:
    """With their time, and a namespace if they have one."""
    answer = await ask(app, "GET", f"{PATH}?limit=3&before={ID.upper()}")

    first, second = decode_json(answer.body)["examples"]
    assert first == {
        "id": ID,
        "input": {"messages": []},
        "output": [],
        "created_at": "2025-10-14T16:51:40.689Z",
        "namespace": "lab",
    }
    assert second["output"] == {"raw": None, "parsed": None}
    assert "namespace" not in second
    assert examples.asked == [("f", "v", ID, 3)]


async def test_examples_are_deleted(app: Any, examples: FakeExamples) -> None:
    """All of them; the answer has their number."""
    answer = await ask(app, "DELETE", PATH)

    assert decode_json(answer.body) == {"deleted": 7}
    assert examples.asked == [("f", "v")]

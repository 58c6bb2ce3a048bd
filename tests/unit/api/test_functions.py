"""What the running configuration says of functions."""

from typing import Any

import attrs
import pytest

from lsd.api import Functions
from tests.unit.api.endpoints import quart_of
from tests.unit.api.in_memory import ask

ROUTE = "/internal/functions/{}/variant_sampling_probabilities"


@attrs.define(eq=False)
class FakeInferences:
    """Knows one function."""

    asked: list[tuple[str, str | None]] = attrs.field(factory=list, init=False)

    def sampling(self, name: str, namespace: str | None) -> dict[str, Any] | None:
        self.asked.append((name, namespace))
        probabilities = {"terse": 0.25, "long": 0.75}
        return {"probabilities": probabilities} if name == "write_haiku" else None


@pytest.fixture
def inferences() -> FakeInferences:
    """The service that knows the probabilities."""
    return FakeInferences()


@pytest.fixture
def app(inferences: FakeInferences) -> Any:
    """The application with the routes of functions."""
    return quart_of(*Functions(inferences).endpoints())  # type: ignore[arg-type]


async def test_probabilities_are_those_of_the_next_draw(
    app: Any, inferences: FakeInferences
) -> None:
    """A namespace may have an experiment of its own."""
    usual = await ask(app, "GET", ROUTE.format("write_haiku"))
    other = await ask(app, "GET", ROUTE.format("write_haiku") + "?namespace=acme")

    assert usual.json() == {"probabilities": {"terse": 0.25, "long": 0.75}}
    assert other.status == 200
    assert inferences.asked == [("write_haiku", None), ("write_haiku", "acme")]


async def test_an_unknown_function_is_told(app: Any) -> None:
    """404, with its name."""
    asked = await ask(app, "GET", ROUTE.format("ghost"))

    assert asked.status == 404
    assert asked.error() == "found the function 'ghost'; wanted a configured one"

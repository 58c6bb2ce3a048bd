"""Judgements of people, found by the output they saw."""

from typing import Any

import pytest

from lsd.api import HumanFeedback, Reading
from lsd.store import Store, Verdict
from tests.unit.api.endpoints import quart_of
from tests.unit.api.gateways import post
from tests.unit.store.makers import Maker, given, stored

PATH = "/internal/evaluations/datapoints/{}/get_human_feedback"


@pytest.fixture
def app(reading: Reading) -> Any:
    """The application with this route."""
    return quart_of(*HumanFeedback(reading).endpoints())


async def test_a_judgement_is_found_by_the_output(app: Any, store: Store, make: Maker) -> None:
    """However its keys are ordered and spaced; the latest counts."""
    target = stored(store, make.inference()).inference_id
    verdict = Verdict(datapoint_id=make.id(), evaluator_inference_id=make.id())
    for value in (True, False):
        entry = make.feedback(target, metric_name="polite", value=value)
        given(store, entry, verdict=verdict)
    path = PATH.format(verdict.datapoint_id)

    async def found(metric_name: str, output: str) -> Any:
        asked = await post(app, path, {"metric_name": metric_name, "output": output})
        assert asked.status == 200, asked.body
        return asked.json()

    output = '[ {"text": "An old silent pond", "type": "text"} ]'
    assert await found("polite", output) == {
        "feedback": {"value": False, "evaluator_inference_id": verdict.evaluator_inference_id}
    }
    assert await found("other", output) == {}
    assert await found("polite", "[]") == {}


@pytest.mark.parametrize(
    ("datapoint", "body", "told"),
    [
        ("x", {"metric_name": "a", "output": "1"}, "datapoint_id: found"),
        (None, {"metric_name": "a"}, "output: missing"),
        (None, {"metric_name": "a", "output": "{"}, "output: found no JSON text"),
        (None, {"metric_name": "a", "output": {}}, "output: found an object; wanted a string"),
    ],
)
async def test_a_wrong_question_is_told(
    app: Any, make: Maker, datapoint: str | None, body: Any, told: str
) -> None:
    """400, with the place."""
    asked = await post(app, PATH.format(datapoint or make.id()), body)

    assert asked.status == 400
    assert asked.error().startswith(told)

"""What datapoints are checked by."""

import pytest

from lsd.conversation import Malformed, Problem
from lsd.datasets.checks import below
from lsd.inference import DEFAULT_FUNCTION, BadRequest, UnknownName
from tests.unit.datasets.workbench import Workbench


async def test_functions_are_those_of_the_configuration(bench: Workbench) -> None:
    """And the built-in one; the type must be right."""
    assert bench.checks.new_target("chat", "chat").name == "chat"
    assert bench.checks.old_target(DEFAULT_FUNCTION, "chat").prompts == ()
    with pytest.raises(BadRequest, match="'verdict', a json function; wanted a chat function"):
        bench.checks.new_target("verdict", "chat")


async def test_an_unknown_function_is_a_mistake_of_new_ones_only(bench: Workbench) -> None:
    """What is stored may have had it once."""
    with pytest.raises(BadRequest, match="function_name: found 'gone'"):
        bench.checks.new_target("gone", "chat")
    with pytest.raises(UnknownName):
        bench.checks.old_target("gone", "chat")


async def test_a_schema_must_be_one(bench: Workbench) -> None:
    """It is compiled."""
    assert bench.checks.schema({"type": "object"}).accepts({})
    with pytest.raises(BadRequest, match="output_schema: not a usable JSON Schema"):
        bench.checks.schema({"type": "nothing"})


def test_what_is_refused_has_its_whole_path() -> None:
    """The items of a call are told apart."""
    with pytest.raises(BadRequest, match=r"^datapoints\[1\]\.input: bad$"), below("datapoints[1]"):
        raise BadRequest("input", "bad")
    with pytest.raises(Malformed, match=r"^datapoints\[1\]\.raw: bad$"), below("datapoints[1]"):
        raise Malformed((Problem("raw", "bad"),))
    with pytest.raises(UnknownName, match=r"^datapoints\[1\]\.f: "), below("datapoints[1]"):
        raise UnknownName("f", "function", "gone")

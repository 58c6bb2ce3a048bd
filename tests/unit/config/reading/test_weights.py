"""The candidates of a static experiment."""

import pytest

from lsd.config import StaticExperiment
from tests.unit.config.folder import Folder

FUNCTION = """
[functions.f]
type = "chat"
variants.a.model = "echo::a"
variants.b.model = "echo::b"
[functions.f.experimentation]
type = "static"
"""


def test_a_list_gives_equal_weights(folder: Folder) -> None:
    """A table gives each name its own; integers and floats both do."""
    for text, weights in (
        ("['b', 'a']", {"b": 1.0, "a": 1.0}),
        ("{ a = 5, b = 0.5 }", {"a": 5.0, "b": 0.5}),
    ):
        loaded = folder.load(f"{FUNCTION}candidate_variants = {text}")

        experiment = loaded.config.functions["f"].experimentation.base
        assert isinstance(experiment, StaticExperiment)
        assert experiment.candidate_variants == weights


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("['a', 'a']", '[1]: "a" is listed twice'),
        ("['a', 5]", "[1]: found 5; wanted a string"),
        ("{ a = 'x' }", '.a: found "x"; wanted a number'),
        ("{ a = inf }", ".a: found infinity; wanted a number"),
        ("'a'", ': found "a"; wanted a list of strings or a table of numbers'),
    ],
)
def test_other_things_are_refused(folder: Folder, text: str, told: str) -> None:
    """Each at its own place."""
    problem = folder.problem(f"{FUNCTION}candidate_variants = {text}")

    assert problem == f"functions.f.experimentation.candidate_variants{told}"

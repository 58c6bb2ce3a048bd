"""Routing."""

import pytest

from tests.unit.config.folder import Folder


@pytest.mark.parametrize(
    ("table", "path", "told"),
    [
        ("{ routing = [], providers = {} }", "routing", "found an empty list; wanted one of "),
        (
            "{ routing = ['a', 'a'], providers.a.type = 'echo' }",
            "routing[1]",
            '"a" is listed twice',
        ),
        (
            "{ routing = ['x', 'a'], providers.a.type = 'echo' }",
            "routing[0]",
            'there is no provider "x"; wanted one of a',
        ),
        (
            "{ routing = ['a'], providers = { a.type = 'echo', b.type = 'echo' } }",
            "providers.b",
            'the provider "b" is not in routing; add it there, or remove it here',
        ),
    ],
)
def test_routing_and_providers_agree(folder: Folder, table: str, path: str, told: str) -> None:
    """Four ways of not agreeing, each told differently, for both kinds of models."""
    problem = folder.problem(f"models.m = {table}")  # case 9

    assert problem.startswith(f"models.m.{path}: {told}")
    problems = folder.problems(f"embedding_models.m = {table}")
    assert problems[f"embedding_models.m.{path}"].startswith(told)

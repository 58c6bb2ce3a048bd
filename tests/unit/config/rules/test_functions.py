"""Tools, JSON modes, and types that do not go together."""

import pytest

from tests.unit.config.folder import Folder

TOOLS = """
[tools.a]
description = "A"
parameters = "s.json"
[tools.b]
description = "B"
parameters = "s.json"
name = "a"
"""


@pytest.mark.parametrize(
    ("keys", "path", "told"),
    [
        ("tools = ['x']", "tools[0]", 'there is no tool "x"; wanted one of a, b'),
        (
            "tools = ['a', 'b']",
            "tools[1]",
            'a and b are both called "a"; wanted one name for one tool',
        ),
        (
            "tools = ['a', 'a']",
            "tools[1]",
            'a and a are both called "a"; wanted one name for one tool',
        ),
        (
            "tools = ['a']\ntool_choice = { specific = 'b' }",
            "tool_choice.specific",
            '"b" is not in tools; wanted one of a',
        ),
    ],
)
def test_tools_exist_and_differ(folder: Folder, keys: str, path: str, told: str) -> None:
    """For the model, the name counts that it sees."""
    folder.write("s.json", "{}")

    problem = folder.problem(f"{TOOLS}[functions.f]\ntype = 'chat'\nvariants = {{}}\n{keys}")

    assert problem == f"functions.f.{path}: {told}"


def test_a_chat_function_has_no_json_mode(folder: Folder) -> None:
    """Except in an evaluator, which answers in JSON whatever the function does."""
    problems = folder.problems(
        """
        [functions.f]
        type = "chat"
        variants.a = { model = "echo::x", json_mode = "on" }
        [functions.f.variants.best]
        type = "best_of_n_sampling"
        candidates = ["a"]
        evaluator = { model = "echo::x", json_mode = "tool" }
        [functions.f.variants.mix]
        type = "mixture_of_n"
        candidates = ["a"]
        fuser = { model = "echo::x", json_mode = "tool" }
        """
    )  # case 16

    told = 'in a function of type "chat"; it works in json functions only'
    assert problems["functions.f.variants.a.json_mode"] == f'found "on" {told}'
    assert problems["functions.f.variants.mix.fuser.json_mode"] == f'found "tool" {told}'
    assert "functions.f.variants.best.evaluator.json_mode" not in problems


def test_thinking_aloud_is_for_json_functions(folder: Folder) -> None:
    """The message names both types; the variant's own is deprecated anyway."""
    problems = folder.problems(
        "functions.f = { type = 'chat', variants.v = { type='chain_of_thought', model='echo::x' } }"
    )

    assert problems["functions.f.variants.v.type"].startswith(
        'a variant of type "chain_of_thought" in a function of type "chat"; '
    )


def test_a_json_function_may_have_modes(folder: Folder) -> None:
    """All four."""
    folder.write("s.json", "{}")
    for mode in ("off", "on", "strict", "tool"):
        folder.load(
            "functions.f = { type='json', output_schema='s.json', "
            f"variants.v = {{ model='echo::x', json_mode='{mode}' }} }}"
        )

"""Evaluators and evaluations."""

import pytest

from lsd.config.rules.evaluators import pattern_problem
from tests.unit.config.folder import Folder

FUNCTION = "functions.f = {{ type = 'chat', variants = {{}}, evaluators.e = {{ {} }} }}"
PATH = "functions.f.evaluators.e"
JUDGE = "type = 'llm_judge', output_type = 'float', optimize = 'max', "
VARIANT = "{ model = 'echo::x', system_instructions = 'i.txt'%s }"

TABLES = {
    "type = 'regex'": ("", "found no pattern; wanted must_match, must_not_match or both"),
    "type = 'regex', must_match = '('": (".must_match", "not a regular expression: "),
    "type = 'regex', must_not_match = '(?=a)'": (".must_not_match", "(?= is not taken: "),
    "type = 'tool_use', behavior = 'any', tools = ['x']": (
        ".tools",
        'the behavior "any" has no tools',
    ),
    "type = 'tool_use', behavior = 'all_of'": (
        ".tools",
        'missing or empty; the behavior "all_of" needs names of tools',
    ),
    "type = 'tool_use', behavior = 'none_of', tools = []": (".tools", "missing or empty; "),
    "type = 'script', command = [], output_type = 'float', optimize = 'max'": (
        ".command",
        "found an empty list; wanted a program",
    ),
    JUDGE + "variants = {}": (".variants", "found no variant; wanted at least one"),
    JUDGE + f"variants.a = {VARIANT % ', active = false'}": (
        ".variants.a.active",
        "the only variant is not active; leave active out",
    ),
    JUDGE + f"variants = {{ a = {VARIANT % ''}, b = {VARIANT % ''} }}": (
        ".variants",
        "0 of 2 variants are active; wanted active = true in exactly one",
    ),
    JUDGE + f"variants.a = {(VARIANT % '').replace('echo::x', 'ghost')}": (
        ".variants.a.model",
        'there is no model "ghost"; ',
    ),
    JUDGE
    + "variants.a = { type = 'mixture_of_n', candidates = ['z'], "
    + f"fuser = {VARIANT % ''} }}": (".variants.a.candidates[0]", 'there is no variant "z"; '),
}


@pytest.mark.parametrize("table", TABLES)
def test_each_type_has_its_rules(folder: Folder, table: str) -> None:
    """Told at the evaluator or at its key."""
    folder.write("i.txt", "Judge.")
    key, told = TABLES[table]

    problems = folder.problems(FUNCTION.format(table))

    assert problems[PATH + key].startswith(told)


@pytest.mark.parametrize(
    "table",
    [
        "type = 'exact_match', cutoff = 0.5, description = 'x'",
        "type = 'regex', must_match = '(?i)^[(?=]+\\\\d$'",
        "type = 'tool_use', behavior = 'any_of', tools = ['x']",
        "type = 'script', command = ['./x'], output_type = 'boolean', optimize = 'min'",
        JUDGE + f"variants.a = {VARIANT % ', active = true'}",
        JUDGE + f"variants = {{ a = {VARIANT % ', active = true'}, b = {VARIANT % ''} }}",
    ],
)
def test_good_ones_are_taken(folder: Folder, table: str) -> None:
    """Nothing is wrong with them."""
    folder.write("i.txt", "Judge.")

    assert folder.problems(FUNCTION.format(table)) == {}


def test_a_judge_has_instructions_and_no_templates(folder: Folder) -> None:
    """So its prompt is the same in every run."""
    problems = folder.problems(
        FUNCTION.format(JUDGE + "variants.a = { model = 'echo::x', user_template = 'x' }")
    )

    assert problems[f"{PATH}.variants.a.system_instructions"].startswith("missing; ")
    assert problems[f"{PATH}.variants.a.user_template"].startswith("unknown key; ")


def test_an_evaluation_has_a_function(folder: Folder) -> None:
    """One that exists; its older type is taken."""
    problems = folder.problems("evaluations.e = { type = 'static', function_name = 'ghost' }")

    assert problems == {
        "evaluations.e.function_name": (
            'there is no function "ghost"; wanted one of (there are none)'
        ),
    }


@pytest.mark.parametrize(
    "pattern",
    ["(?=a)", "(?!a)", "(?<=a)", "(?<!a)", r"(a)\1", "(?P<n>a)(?P=n)", "(a)?(?(1)b|c)", "["],
)
def test_patterns_that_engines_disagree_about_are_refused(pattern: str) -> None:
    """Look-around, back-references, conditions."""
    assert pattern_problem(pattern) is not None


@pytest.mark.parametrize(
    "pattern", ["(?i)a", "(?:a|b)*", "(?P<n>a)", r"\(?=a", "[(?=]", r"[\](?=]", r"\\1", "a{2,3}?"]
)
def test_plain_patterns_are_taken(pattern: str) -> None:
    """What merely looks like one of the others is no reason to refuse."""
    assert pattern_problem(pattern) is None

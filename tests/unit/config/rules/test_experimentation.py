"""The lists of experiments, and the numbers of adaptive ones."""

import pytest

from tests.unit.config.folder import Folder

FUNCTION = """
functions.f.type = "chat"
functions.f.variants.a.model = "echo::x"
functions.f.variants.b.model = "echo::x"
functions.f.variants.c.model = "echo::x"
metrics.m = { type = "float", optimize = "max", level = "episode" }
"""
PATH = "functions.f.experimentation"
STATIC = f"{PATH} = {{{{ type = 'static', {{}} }}}}"
ADAPTIVE = f"{PATH} = {{{{ type='adaptive', metric='m', candidate_variants=['a','b','c'], {{}} }}}}"

STATIC_TABLES = {
    "candidate_variants = ['a', 'x']": ("candidate_variants.x", 'there is no variant "x"; '),
    "candidate_variants = { x = 1 }": ("candidate_variants.x", 'there is no variant "x"; '),
    "candidate_variants = ['a'], fallback_variants = ['x']": (
        "fallback_variants[0]",
        'there is no variant "x"; wanted one of a, b, c',
    ),
    "candidate_variants = ['a', 'a']": ("candidate_variants[1]", '"a" is listed twice'),
    "candidate_variants = ['a'], fallback_variants = ['b', 'b']": (
        "fallback_variants[1]",
        '"b" is listed twice',
    ),
    "candidate_variants = ['a'], fallback_variants = ['a']": (
        "fallback_variants[0]",
        '"a" is a candidate, too; list it once',
    ),
    "candidate_variants = { a = 1, b = -0.5 }": (
        "candidate_variants.b",
        "found -0.5; wanted at least 0",
    ),
    "candidate_variants = { a = 0, b = 0 }": (
        "candidate_variants",
        "no candidate has a weight above 0, and there are no fallback_variants; ",
    ),
    "candidate_variants = []": (
        "candidate_variants",
        "no candidate has a weight above 0, and there are no fallback_variants; ",
    ),
}

ADAPTIVE_TABLES = {
    "metric = 'x'": ("metric", 'there is no metric "x"; wanted one of m'),
    "candidate_variants = []": ("candidate_variants", "found an empty list; "),
    "candidate_variants = ['a', 'a']": ("candidate_variants[1]", '"a" is listed twice'),
    "delta = 0": ("delta", "found 0.0; wanted between 0 and 1, both excluded"),
    "delta = 1": ("delta", "found 1.0; "),
    "epsilon = -1": ("epsilon", "found -1.0; wanted at least 0"),
    "min_prob = 0.5": ("min_prob", "found 0.5 for 3 candidates; "),
    "min_prob = -0.1": ("min_prob", "found -0.1 for 3 candidates; "),
    "min_samples_per_variant = 0": ("min_samples_per_variant", "found 0; wanted at least 1"),
    "max_samples_per_variant = 9": (
        "max_samples_per_variant",
        "found 9; wanted at least min_samples_per_variant, 10",
    ),
    "update_period_s = 0": ("update_period_s", "found 0; wanted at least 1"),
}


@pytest.mark.parametrize("keys", STATIC_TABLES)
def test_lists_and_weights_of_static_experiments(folder: Folder, keys: str) -> None:
    """Each message has its place in the list."""
    key, told = STATIC_TABLES[keys]

    problems = folder.problems(FUNCTION + STATIC.format(keys))  # case 17

    assert problems.keys() <= {f"{PATH}.{key}"} or keys == "candidate_variants = ['a', 'x']"
    assert problems[f"{PATH}.{key}"].startswith(told)


@pytest.mark.parametrize("keys", ADAPTIVE_TABLES)
def test_the_numbers_of_adaptive_experiments(folder: Folder, keys: str) -> None:
    """Value and range."""
    key, told = ADAPTIVE_TABLES[keys]
    table = ADAPTIVE.format(keys)
    name = keys.partition(" ")[0]
    if name in ("metric", "candidate_variants"):
        start = table.index(f"{name}=")
        end = table.index("]" if name == "candidate_variants" else ",", start)
        table = table[:start] + table[end + 1 :].lstrip(", ")

    problems = folder.problems(FUNCTION + table)  # case 17

    assert problems[f"{PATH}.{key}"].startswith(told)


def test_good_experiments_are_taken(folder: Folder) -> None:
    """Weights need not add up to anything; only fallbacks will do."""
    folder.load(FUNCTION + STATIC.format("candidate_variants = { a = 5, b = 1 }"))  # case 17
    folder.load(
        FUNCTION + STATIC.format("candidate_variants = { a = 0 }, fallback_variants = ['b']")
    )
    third = FUNCTION + ADAPTIVE.format("min_prob = 0.3333333333333333")
    assert folder.problems(third) == {}


def test_experiments_of_namespaces_are_checked_too(folder: Folder) -> None:
    """By the same rules."""
    told = folder.problem(
        FUNCTION + f"{PATH}.namespaces.n = {{ type = 'static', candidate_variants = ['a', 'x'] }}"
    )

    assert told.startswith(f'{PATH}.namespaces.n.candidate_variants.x: there is no variant "x"; ')

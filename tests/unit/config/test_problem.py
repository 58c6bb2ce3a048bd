"""How problems read."""

from lsd.config import ConfigRefused, Problem
from lsd.config.problem import in_order


def test_a_problem_is_one_line() -> None:
    """File, key, what was found, what would be right; parts that do not exist are left out."""
    whole = Problem(file="lsd.toml", path=("a", "b"), found="found 5", wanted="wanted 6")
    short = Problem(found="no file matches this pattern")

    assert str(whole) == "lsd.toml: a.b: found 5; wanted 6"
    assert str(short) == "no file matches this pattern"


def test_a_refusal_ends_with_the_count() -> None:
    """The last line says how much there is to mend."""
    one, two = Problem(path=("a",), found="x"), Problem(path=("b",), found="y")

    assert str(ConfigRefused((one,))) == "a: x\nconfiguration refused: 1 problem"
    assert str(ConfigRefused((one, two))) == "a: x\nb: y\nconfiguration refused: 2 problems"


def test_problems_are_sorted_and_told_once() -> None:
    """Two checks may find the same thing."""
    one, two = Problem(path=("a", 10), found="x"), Problem(path=("a", 9), found="x")

    assert in_order([one, two, Problem(path=("a", 10), found="x")]) == (two, one)

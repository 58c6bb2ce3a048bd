"""How problems are told."""

import copy
import pickle

import pytest

from lsd.conversation import LsdError, Malformed, Problem


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("input.messages[0].role", "input.messages[0].role: missing; it is required"),
        ("", "missing; it is required"),
    ],
)
def test_a_problem_is_told_with_its_place(path: str, told: str) -> None:
    """The place comes first; what concerns the whole document has none."""
    assert str(Problem(path, "missing; it is required")) == told


def test_all_problems_are_told_at_once() -> None:
    """Nobody has to send a document again for each of its problems."""
    error = Malformed((Problem("a", "found 1; wanted a string"), Problem("b[0]", "too long")))

    assert str(error) == "a: found 1; wanted a string; b[0]: too long"
    assert isinstance(error, LsdError)


def test_problems_are_sorted_by_place() -> None:
    """Sorting a list of problems brings those of one place together."""
    later, earlier = Problem("b", "x"), Problem("a", "y")

    assert sorted([later, earlier]) == [earlier, later]


def test_an_error_survives_a_journey() -> None:
    """It can be copied, and sent to another process."""
    error = Malformed((Problem("a", "missing"),))

    assert copy.copy(error).problems == error.problems
    assert pickle.loads(pickle.dumps(error)).problems == error.problems

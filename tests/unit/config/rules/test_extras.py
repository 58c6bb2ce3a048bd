"""`extra_body` and `extra_headers`."""

import pytest

from tests.unit.config.folder import Folder

BODIES = {
    "{ pointer = '/a', delete = false }": "[0].delete: found false; wanted true, or no such key",
    "{ pointer = '/a' }": "[0]: found neither of value and delete; wanted exactly one of them",
    "{ pointer = '/a', value = 1, delete = true }": (
        "[0]: found both of value and delete; wanted exactly one of them"
    ),
    "{ pointer = 'a', value = 1 }": (
        '[0].pointer: found "a"; wanted a pointer that starts with /, such as /usage/tokens'
    ),
    "{ pointer = '', value = 1 }": (
        '[0].pointer: found ""; wanted a pointer that starts with /, such as /usage/tokens'
    ),
    "{ pointer = '/a/', value = 1 }": '[0].pointer: found "/a/"; wanted no / at the end',
    "{ pointer = '/-/a', value = 1 }": (
        '[0].pointer: found "/-/a"; wanted - only as the last part, where it appends'
    ),
    "{ pointer = '/a/-', delete = true }": (
        '[0].pointer: found "/a/-"; there is nothing to delete behind the end'
    ),
}


@pytest.mark.parametrize("entry", BODIES)
def test_an_edit_of_the_body_can_be_made(folder: Folder, entry: str) -> None:
    """As far as that can be known without a body."""
    told = folder.problem(  # case 23
        f"models.m = {{ routing=['p'], providers.p = {{ type='echo', extra_body = [{entry}] }} }}"
    )

    assert told == f"models.m.providers.p.extra_body{BODIES[entry]}"


def test_an_edit_of_a_header_sets_or_deletes(folder: Folder) -> None:
    """Variants have them, too, and so have evaluators."""
    problems = folder.problems(
        """
        [functions.f]
        type = "chat"
        [functions.f.variants.v]
        model = "echo::x"
        extra_headers = [{ name = "A" }]
        [functions.f.variants.b]
        type = "best_of_n_sampling"
        candidates = ["v"]
        evaluator = { model = "echo::x", extra_headers = [{ name = "A", delete = false }] }
        """
    )  # case 23

    assert "found neither" in problems["functions.f.variants.v.extra_headers[0]"]
    key = "functions.f.variants.b.evaluator.extra_headers[0].delete"
    assert problems[key].startswith("found false")


def test_good_edits_are_taken(folder: Folder) -> None:
    """Appending, deleting, escaped parts, empty headers."""
    folder.load(
        """
        [models.m]
        routing = ["p"]
        [models.m.providers.p]
        type = "echo"
        extra_body = [
            { pointer = "/a/-", value = 1 },
            { pointer = "/a~1b/0", delete = true },
            { pointer = "/c", value = {} },
        ]
        extra_headers = [{ name = "A", value = "" }, { name = "B", delete = true }]
        """
    )

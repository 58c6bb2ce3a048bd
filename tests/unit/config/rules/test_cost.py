"""`cost` and `batch_cost`."""

import pytest

from tests.unit.config.folder import Folder

ENTRIES = {
    "{ pointer = '/a', cost_per_million = 1, cost_per_unit = 1 }": (
        "[1]: found both of cost_per_million and cost_per_unit; wanted exactly one of them"
    ),
    "{ pointer = '/a' }": (
        "[1]: found neither of cost_per_million and cost_per_unit; wanted exactly one of them"
    ),
    "{ pointer_streaming = '/a', cost_per_unit = 1 }": (
        "[1]: found only pointer_streaming; "
        "wanted pointer, or pointer_nonstreaming and pointer_streaming"
    ),
    "{ cost_per_unit = 1 }": (
        "[1]: found no pointer; wanted pointer, or pointer_nonstreaming and pointer_streaming"
    ),
    "{ pointer = '/a', pointer_streaming = '/b', cost_per_unit = 1 }": (
        "[1]: found pointer and pointer_streaming; wanted either pointer or the other two"
    ),
    "{ pointer = 'a', cost_per_unit = 1 }": (
        '[1].pointer: found "a"; wanted a pointer that starts with /, such as /usage/tokens'
    ),
    "{ pointer_nonstreaming = '/a', pointer_streaming = '/~2', cost_per_unit = 1 }": (
        '[1].pointer_streaming: found "/~2"; wanted ~0 for ~ and ~1 for / within a part'
    ),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_has_a_figure_and_a_rate(folder: Folder, entry: str) -> None:
    """One way of each; the message has the index."""
    good = "{ pointer = '/a~1b', cost_per_unit = -0.5, required = true }"

    told = folder.problem(  # case 22
        "models.m = { routing = ['p'], providers.p = { type = 'echo', cost = "
        f"[{good}, {entry}] }} }}"
    )

    assert told == f"models.m.providers.p.cost{ENTRIES[entry]}"


def test_batches_and_embeddings_have_no_streams(folder: Folder) -> None:
    """So they have no pointer for them either."""
    split = "[{ pointer_nonstreaming = '/a', pointer_streaming = '/b', cost_per_unit = 1 }]"
    problems = folder.problems(
        f"""
        models.m = {{ routing = ["p"], providers.p = {{ type = "echo", batch_cost = {split} }} }}
        embedding_models.e = {{ routing=["p"], providers.p = {{ type="echo", cost = {split} }} }}
        """
    )

    told = "nothing is streamed here; wanted pointer"
    assert problems["models.m.providers.p.batch_cost[0].pointer_nonstreaming"] == told
    assert problems["embedding_models.e.providers.p.cost[0].pointer_nonstreaming"] == told

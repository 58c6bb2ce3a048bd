"""The body of an embeddings request."""

from typing import Any

import pytest

from lsd.api.openai.embedding_fields import KNOWN, EmbeddingsAsked, read_embedding_request
from lsd.conversation import EmbeddingRequest, Malformed


def read(**fields: Any) -> EmbeddingsAsked:
    """The request that a body with these fields is."""
    return read_embedding_request({"model": "m", "input": "a", **fields})


def problems(**fields: Any) -> list[str]:
    """What is wrong with a body."""
    with pytest.raises(Malformed) as caught:
        read_embedding_request(fields)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("given", "inputs", "is_single"),
    [
        ("a", ("a",), True),
        (["a"], ("a",), False),
        (["a", "b"], ("a", "b"), False),
        ([1, 2, 3], ((1, 2, 3),), True),
        ([1.0], ((1,),), True),
        ([[1], [2, 3]], ((1,), (2, 3)), False),
    ],
)
def test_inputs_have_four_forms(given: Any, inputs: Any, is_single: bool) -> None:
    """Case 46: a text or one input of tokens may come bare."""
    neutral = read(input=given).neutral

    assert (neutral.inputs, neutral.is_single) == (inputs, is_single)


@pytest.mark.parametrize(
    "given",
    [
        "",
        [],
        [[]],
        [""],
        ["a", ""],
        ["a", 1],
        [1, "a"],
        [[1], "a"],
        [[[1]]],
        [-1],
        [1.5],
        [True],
        5,
        {},
    ],
    ids=str,
)
def test_anything_else_is_no_input(given: Any) -> None:
    """Empty, mixed, deeper, or no tokens."""
    (problem,) = problems(model="m", input=given)

    assert problem.startswith("input: found")


def test_all_fields_are_read() -> None:
    """What is not known is passed on."""
    asked = read(encoding_format="base64", dimensions=8.0, user="u", foo=1)

    assert asked.model == "m"
    assert asked.tags == {"user": "u"}
    assert asked.neutral == EmbeddingRequest(
        inputs=("a",),
        is_single=True,
        encoding_format="base64",
        dimensions=8,
        user="u",
        further={"foo": 1},
    )
    assert read().tags == {}
    assert "foo" not in KNOWN


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"encoding_format": "int8"}, 'encoding_format: found "int8"; wanted one of float, base64'),
        ({"encoding_format": 5}, "encoding_format: found 5; wanted one of float, base64"),
        ({"dimensions": 0}, "dimensions: found 0; wanted an integer ≥ 1"),
        ({"user": 5}, "user: found 5; wanted a string"),
    ],
)
def test_types_and_values_are_checked(fields: dict[str, Any], told: str) -> None:
    """Case 47."""
    assert problems(model="m", input="a", **fields) == [told]


def test_model_and_input_are_needed() -> None:
    """Both are told at once."""
    assert problems() == ["model: missing; it is required", "input: missing; it is required"]

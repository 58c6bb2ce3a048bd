"""Columns become rows."""

import pytest

from lsd.batches.columns import read_rows
from lsd.batches.refusals import BadSubmission
from lsd.conversation import Malformed


def test_each_row_has_its_element_of_each_column() -> None:
    """Null elements are as if they were not there; one name is for all rows."""
    body = {
        "function_name": "f",
        "variant_name": None,
        "inputs": [{"messages": []}, {"system": "s"}],
        "tags": [None, {"a": "b"}],
        "output_schemas": [{"type": "object"}, None],
        "params": {"chat_completion": {"seed": [1, None], "json_mode": None}, "other": 5},
        "credentials": {"key": "value"},
    }

    assert read_rows(body) == [
        {
            "function_name": "f",
            "credentials": {"key": "value"},
            "input": {"messages": []},
            "output_schema": {"type": "object"},
            "params": {"chat_completion": {"seed": 1}},
        },
        {
            "function_name": "f",
            "credentials": {"key": "value"},
            "input": {"system": "s"},
            "tags": {"a": "b"},
        },
    ]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"inputs": [{}], "tags": []}, "tags: found 0 elements; wanted 1"),
        (
            {"inputs": [{}], "params": {"chat_completion": {"seed": [1, 2]}}},
            "params.chat_completion.seed: found 2 elements; wanted 1",
        ),
        (
            {"inputs": [{}], "params": {"chat_completion": {"sed": [1]}}},
            "params.chat_completion.sed: unknown parameter",
        ),
    ],
)
def test_lengths_and_names_are_checked(body: object, told: str) -> None:
    """The field is named, with both numbers."""
    with pytest.raises(BadSubmission) as refusal:
        read_rows(body)

    assert told in str(refusal.value)


@pytest.mark.parametrize("body", [{"inputs": {}}, {"inputs": [{}], "stream": True}])
def test_other_shapes_are_refused(body: object) -> None:
    """Unknown keys, too."""
    with pytest.raises(Malformed):
        read_rows(body)

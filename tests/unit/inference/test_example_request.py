"""New examples of a dicl variant, from bytes to a checked shape."""

from typing import Any

import pytest

from lsd.conversation import Malformed, encode_json
from lsd.inference.example_request import (
    OutputCall,
    OutputText,
    OutputThought,
    OutputUnknown,
    read_examples_request,
    read_json_output,
    read_output_blocks,
)

SAID = {"messages": [{"role": "user", "content": "Hi"}]}


def test_examples_have_input_output_and_perhaps_a_namespace() -> None:
    """The input is read as that of an inference."""
    body = {"examples": [{"input": SAID, "output": [], "namespace": "lab"}]}

    asked = read_examples_request(encode_json(body))

    assert asked.examples is not None
    (example,) = asked.examples
    assert example.input.messages[0].role == "user"
    assert (example.output, example.namespace) == ([], "lab")
    assert asked.dataset_name is None


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"{", ""),
        (b"[]", ""),
        (b'{"exampels": []}', "exampels"),
        (b'{"examples": [{"output": []}]}', "examples[0].input"),
        (b'{"examples": [{"input": {}}]}', "examples[0].output"),
        (b'{"examples": [{"input": {"x": 1}, "output": []}]}', "examples[0].input.x"),
    ],
)
def test_what_is_wrong_is_told_with_its_path(body: bytes, path: str) -> None:
    """As in every request."""
    with pytest.raises(Malformed) as malformed:
        read_examples_request(body)

    assert malformed.value.problems[0].path == path


def test_outputs_have_four_kinds_of_blocks() -> None:
    """In the form in which they are stored; keys that LSD works out itself are passed over."""
    blocks: list[dict[str, Any]] = [
        {"type": "text", "text": "a"},
        {
            "type": "tool_call",
            "id": "c",
            "raw_name": "n",
            "raw_arguments": "{}",
            "name": None,
            "arguments": None,
        },
        {"type": "thought", "text": "hm"},
        {"type": "unknown", "data": 1},
    ]

    assert read_output_blocks(blocks, "output") == (
        OutputText(text="a"),
        OutputCall(id="c", raw_name="n", raw_arguments="{}"),
        OutputThought(text="hm"),
        OutputUnknown(data=1),
    )
    with pytest.raises(Malformed) as malformed:
        read_output_blocks([{"type": "file"}], "examples[0].output")
    assert malformed.value.problems[0].path == "examples[0].output[0].type"


def test_the_output_of_json_is_an_object() -> None:
    """With whatever keys."""
    assert read_json_output({"raw": "{}"}, "output") == {"raw": "{}"}
    with pytest.raises(Malformed):
        read_json_output("{}", "output")

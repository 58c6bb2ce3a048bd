"""New examples of a dicl variant, from bytes to a checked shape."""

import pytest

from lsd.conversation import Malformed, encode_json
from lsd.inference.example_request import read_examples_request

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

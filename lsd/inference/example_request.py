"""New examples of a dicl variant, from bytes to a checked shape."""

from typing import Any

import attrs

from lsd.conversation import Input, JsonValue, Structurer, register_input


@attrs.frozen(kw_only=True)
class NewExample:
    """What was asked, and what should be answered, in the form in which outputs are stored."""

    input: Input
    output: Any
    namespace: str | None = None


@attrs.frozen(kw_only=True)
class ExamplesRequest:
    """Examples, or the name of a dataset that holds them: one of the two."""

    examples: tuple[NewExample, ...] | None = None
    dataset_name: str | None = None


def read_examples_request(body: bytes) -> ExamplesRequest:
    """The request that `body` holds. Raises Malformed with every problem and its path."""
    return _REQUESTS.read(body, ExamplesRequest)


def read_stored_input(value: JsonValue) -> Input:
    """The input of a datapoint. Raises Malformed."""
    return _REQUESTS.structure(value, Input, "input")


def _request_structurer() -> Structurer:
    structurer = Structurer()
    register_input(structurer)
    return structurer


_REQUESTS = _request_structurer()

"""New examples of a dicl variant, from bytes to a checked shape."""

from collections.abc import Mapping
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


@attrs.frozen(kw_only=True)
class OutputText:
    """Text of a chat's output."""

    text: str


@attrs.frozen(kw_only=True)
class OutputCall:
    """A tool call of a chat's output; only the raw pair counts."""

    id: str
    raw_name: str
    raw_arguments: str


@attrs.frozen(kw_only=True)
class OutputThought:
    """A thought of a chat's output."""

    text: str | None = None
    signature: str | None = None
    summary: Any = None
    provider_type: str | None = None
    extra_data: Any = None


@attrs.frozen(kw_only=True)
class OutputUnknown:
    """A block of a provider's own kind."""

    data: Any
    model_name: str | None = None
    provider_name: str | None = None


OutputBlock = OutputText | OutputCall | OutputThought | OutputUnknown


def read_examples_request(body: bytes) -> ExamplesRequest:
    """The request that `body` holds. Raises Malformed with every problem and its path."""
    return _REQUESTS.read(body, ExamplesRequest)


def read_output_blocks(value: JsonValue, path: str) -> tuple[OutputBlock, ...]:
    """The output of a chat example. Raises Malformed."""
    blocks: tuple[OutputBlock, ...] = _BLOCKS.structure(value, tuple[OutputBlock, ...], path)
    return blocks


def read_json_output(value: JsonValue, path: str) -> Mapping[str, Any]:
    """The output of a json example. Raises Malformed."""
    return _BLOCKS.structure(value, dict[str, Any], path)


def _request_structurer() -> Structurer:
    structurer = Structurer()
    register_input(structurer)
    return structurer


def _block_structurer() -> Structurer:
    structurer = Structurer(unknown_keys="ignored")
    structurer.tagged(
        OutputBlock,
        {
            "text": OutputText,
            "tool_call": OutputCall,
            "thought": OutputThought,
            "unknown": OutputUnknown,
        },
    )
    return structurer


_REQUESTS = _request_structurer()
_BLOCKS = _block_structurer()

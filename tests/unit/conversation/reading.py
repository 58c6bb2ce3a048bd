"""Reads documents as rooms do, and lists their problems as callers see them."""

from typing import Any

import pytest

from lsd.conversation import Input, Malformed, Structurer, register_input


def input_structurer() -> Structurer:
    """A structurer that knows inputs."""
    structurer = Structurer()
    register_input(structurer)
    return structurer


INPUTS = input_structurer()


def read_input(value: Any) -> Input:
    """A decoded `input`."""
    return INPUTS.structure(value, Input, "input")


def problems(structurer: Structurer, value: Any, cls: Any, path: str = "") -> list[str]:
    """What is wrong with a value, in the order in which it is told."""
    with pytest.raises(Malformed) as caught:
        structurer.structure(value, cls, path)
    return [str(problem) for problem in caught.value.problems]

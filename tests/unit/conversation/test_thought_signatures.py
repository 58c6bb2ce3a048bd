"""Signatures that hide where a thought came from."""

import attrs
import pytest

from lsd.conversation import (
    Thought,
    foreign_signature,
    is_foreign_signature,
    read_foreign_signature,
)


@pytest.mark.parametrize(
    "hidden",
    [
        {},
        {"signature": "c2ln"},
        {"extra_data": {"reasoning_format": "think_tags"}},
        {"summary": ({"type": "summary_text", "text": "A"},), "signature": "{"},
    ],
)
@pytest.mark.parametrize("provider_type", ["deepseek", "aws_sagemaker::openai"])
def test_what_is_hidden_is_found_again(hidden: dict[str, object], provider_type: str) -> None:
    """All but the text, which is shown beside it."""
    thought = Thought(text="Hm.", provider_type=provider_type, **hidden)  # type: ignore[arg-type]

    signature = foreign_signature(thought)

    assert is_foreign_signature(signature)
    assert read_foreign_signature(signature) == attrs.evolve(thought, text=None)


def test_where_nothing_is_hidden_the_origin_is_readable() -> None:
    """And a provider's own signature is all that is encoded."""
    assert foreign_signature(Thought(provider_type="vllm")) == "lsd1:vllm:"
    assert foreign_signature(Thought(provider_type="x", signature="c2ln")) == "lsd1:x:YzJsbg"


def test_a_signature_of_anthropics_hides_nothing() -> None:
    """It holds no colon."""
    assert read_foreign_signature("EqQBCkYIARgCKkBvbmUtb2Y") is None

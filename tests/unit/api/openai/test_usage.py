"""Token counts as OpenAI tells them."""

from typing import Any

import pytest

from lsd.api.openai.usage import usage_json
from lsd.conversation import Usage
from tests.unit.api.openai.replies import model_call


def test_what_is_not_known_is_not_told() -> None:
    """Case 31: no numbers are invented, no empty details shown."""
    assert usage_json(model_call(usage=Usage())) is None
    assert usage_json(model_call()) == {
        "prompt_tokens": 9,
        "completion_tokens": 3,
        "total_tokens": 12,
    }


def test_the_prompt_includes_what_the_cache_did() -> None:
    """Case 30: 9 fresh, 32 read and 5 written tokens are a prompt of 46, 32 of them cached."""
    usage = Usage(
        input_tokens=46,
        output_tokens=3,
        provider_cache_read_input_tokens=32,
        provider_cache_write_input_tokens=5,
        reasoning_tokens=2,
    )

    assert usage_json(model_call(usage=usage)) == {
        "prompt_tokens": 46,
        "completion_tokens": 3,
        "total_tokens": 49,
        "prompt_tokens_details": {"cached_tokens": 32},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }


def test_an_answer_from_the_cache_costs_nothing() -> None:
    """Case 32."""
    shown = usage_json(model_call(cached=True))

    assert shown == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


@pytest.mark.parametrize(
    ("own", "shown"),
    [
        (
            {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 13, "queue_time": 0.1},
            {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 13, "queue_time": 0.1},
        ),
        (
            {"prompt_tokens": 9, "prompt_tokens_details": None},
            {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
        ),
    ],
)
def test_a_provider_of_the_same_kind_tells_more(own: Any, shown: Any) -> None:
    """Its object is kept, and completed."""
    assert usage_json(model_call(is_relayed=True, raw_usage=own)) == shown


def test_other_providers_objects_are_not_shown() -> None:
    """Their words are not OpenAI's."""
    shown = usage_json(model_call(raw_usage={"input_tokens": 9}))

    assert shown is not None
    assert "input_tokens" not in shown

"""xAI counts thoughts apart, mostly."""

from typing import Any

import pytest

from lsd.conversation import encode_json
from tests.unit.providers.recorded import make_dialect


@pytest.mark.parametrize(
    ("total", "details", "output"),
    [
        (140, {"reasoning_tokens": 30}, 40),
        (110, {"reasoning_tokens": 30}, 10),
        (None, {"reasoning_tokens": 30}, 40),
        (110, None, 10),
        (110, {"reasoning_tokens": 0}, 10),
        (110, {"reasoning_tokens": "30"}, 10),
    ],
)
def test_thoughts_are_counted_once(total: Any, details: Any, output: int) -> None:
    """Case 41: the total shows whether the completion's count has them already."""
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "total_tokens": total,
        "completion_tokens_details": details,
    }
    answer = encode_json({"choices": [{"message": {"content": "Hi"}}], "usage": usage})

    response = make_dialect("xai").decode(200, {}, answer)

    assert response.usage.output_tokens == output
    assert response.raw_usage == usage


def test_no_count_stays_unknown() -> None:
    """Thoughts alone make no output count."""
    answer = encode_json(
        {
            "choices": [{"message": {"content": "Hi"}}],
            "usage": {"completion_tokens_details": {"reasoning_tokens": 3}},
        }
    )

    assert make_dialect("xai").decode(200, {}, answer).usage.output_tokens is None

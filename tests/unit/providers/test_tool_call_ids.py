"""Ids of tool calls fit the provider that they are sent to."""

from hashlib import sha256
from random import Random

import pytest

from lsd.providers.tool_call_ids import ToolCallIdRule, fitting_tool_call_id, new_tool_call_id

LONG = "call_" + "x" * 36


def digits(text: str, length: int) -> str:
    """The first hexadecimal digits of the text's SHA-256."""
    return sha256(text.encode()).hexdigest()[:length]


@pytest.mark.parametrize(
    ("identifier", "rule", "fitting"),
    [
        (LONG, "any", LONG),
        ("a\nb" * 30, "any", "a\nb" * 30),
        ("x" * 40, "openai", "x" * 40),
        (LONG, "openai", "call_" + digits(LONG, 24)),
        ("functions.Bash:0", "openai", "functions.Bash:0"),
        ("abcDEF123", "mistral", "abcDEF123"),
        ("call_abc123", "mistral", digits("call_abc123", 9)),
        ("abcdef12\n", "mistral", digits("abcdef12\n", 9)),
        ("toolu_01", "anthropic", "toolu_01"),
        ("functions.Bash:0", "anthropic", "toolu_" + digits("functions.Bash:0", 24)),
        ("", "anthropic", "toolu_" + digits("", 24)),
    ],
)
def test_an_id_is_rewritten_only_if_it_must_be(
    identifier: str, rule: ToolCallIdRule, fitting: str
) -> None:
    """Case 38: calls and results of one id map to one id, by the id alone."""
    assert fitting_tool_call_id(identifier, rule) == fitting


def test_different_ids_stay_different() -> None:
    """Case 38: short as they are, Mistral's ids do not collide in a request."""
    ids = {fitting_tool_call_id(f"call_{number}", "mistral") for number in range(5000)}

    assert len(ids) == 5000
    assert all(len(each) == 9 and each.isalnum() for each in ids)


def test_new_ids_look_like_those_of_openai() -> None:
    """Case 25: `call_` and 24 letters and digits, new each time."""
    random = Random(7)
    first, second = new_tool_call_id(random), new_tool_call_id(random)

    assert first != second
    assert first.startswith("call_")
    assert len(first) == 29
    assert first[5:].isalnum()

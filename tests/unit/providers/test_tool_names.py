"""Names of tools that providers take."""

import re

import pytest

from lsd.providers.tool_names import fitting_tool_name


@pytest.mark.parametrize("name", ["get_weather", "a", "A-1", "x" * 64])
def test_a_name_that_fits_stays(name: str) -> None:
    """Nobody notices anything."""
    assert fitting_tool_name(name) == name


@pytest.mark.parametrize(
    "name", ["x" * 65, "x" * 80, "server.tool", "Wetter für morgen", "", "a\n"]
)
def test_any_other_becomes_one_that_fits(name: str) -> None:
    """Case 48: always the same, so that the turns of a conversation agree."""
    fitting = fitting_tool_name(name)

    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", fitting)
    assert fitting_tool_name(name) == fitting


def test_its_beginning_is_kept_and_its_hash_tells_it_from_others() -> None:
    """55 characters, then the first eight hexadecimal digits of SHA-256."""
    assert fitting_tool_name("x" * 80) == "x" * 55 + "_d929cdee"
    first, second = fitting_tool_name("x" * 70 + "a"), fitting_tool_name("x" * 70 + "b")
    assert first[:56] == second[:56] == "x" * 55 + "_"
    assert first != second

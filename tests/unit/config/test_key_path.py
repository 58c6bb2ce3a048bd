"""How the place of a key is written."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from lsd.config.key_path import quote, show_path, sort_key


def test_parts_that_are_not_bare_keys_are_quoted() -> None:
    """A path can be read as TOML would have it."""
    assert show_path(("models", "gpt-4.1", "routing", 0)) == 'models."gpt-4.1".routing[0]'
    assert show_path(("extra_body", 12, "pointer")) == "extra_body[12].pointer"
    assert show_path(("a", "")) == 'a.""'
    assert show_path(()) == ""


@given(st.text())
def test_a_quoted_text_is_one_line_of_toml(text: str) -> None:
    """No name can break a message or pretend to be two."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    quoted = quote(text)

    assert not set(quoted) & set("\n\r\t\x00\x7f")
    assert tomllib.loads(f"x = {quoted}")["x"] == text


def test_indexes_sort_as_numbers() -> None:
    """The tenth entry comes after the second."""
    paths = [("a", 10), ("a", 2), ("a",), ("B",), ("a", 2, "x")]

    assert sorted(paths, key=sort_key) == [("B",), ("a",), ("a", 2), ("a", 2, "x"), ("a", 10)]

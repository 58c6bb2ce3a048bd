"""How locations of credentials are written."""

import pytest

from lsd.config import (
    DynamicLocation,
    EnvLocation,
    FallbackLocation,
    LiteralLocation,
    NoneLocation,
    PathFromEnvLocation,
    PathLocation,
    SdkLocation,
)
from lsd.config.tables.credentials import SingleLocation, parse_location

FORMS: dict[str, SingleLocation] = {
    "env::KEY": EnvLocation("KEY"),
    "path::/run/key": PathLocation("/run/key"),
    "path_from_env::KEY_FILE": PathFromEnvLocation("KEY_FILE"),
    "dynamic::mine": DynamicLocation("mine"),
    "sdk": SdkLocation(),
    "none": NoneLocation(),
}


@pytest.mark.parametrize("text", FORMS)
def test_each_form_is_read_as_it_is_written(text: str) -> None:
    """There and back."""
    location = parse_location(text, literal=False)

    assert location == FORMS[text]
    assert str(location) == text


@pytest.mark.parametrize("text", ["env::", "dynamic::", "path::", "path_from_env::"])
def test_nothing_after_the_colons_is_refused(text: str) -> None:
    """In fields that take a literal, too."""
    for literal in (False, True):
        with pytest.raises(ValueError, match="found nothing after"):
            parse_location(text, literal=literal)


def test_a_path_must_be_absolute() -> None:
    """It would mean something else after a change of folder."""
    with pytest.raises(ValueError, match="relative") as caught:
        parse_location("path::sk-very-secret", literal=False)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["OPENAI_KEY", "sk-very-secret", "ENV::X", "file::/x", "sdk::x"])
def test_anything_else_is_refused_unseen(text: str) -> None:
    """It may be the key itself; all forms are listed."""
    with pytest.raises(ValueError, match="env::VAR, path::") as caught:
        parse_location(text, literal=False)  # case 21

    assert text not in str(caught.value)


def test_some_fields_take_the_value_itself() -> None:
    """A URL holds a colon, but not two after a word."""
    for text in ("eu-west-1", "https://x.openai.azure.com", "http://[::1]:80"):
        assert parse_location(text, literal=True) == LiteralLocation(text)
    assert parse_location("env::X", literal=True) == EnvLocation("X")
    with pytest.raises(ValueError, match="a literal"):
        parse_location("vault::x", literal=True)


def test_a_pair_reads_as_a_sentence() -> None:
    """For messages."""
    pair = FallbackLocation(default=DynamicLocation("a"), fallback=EnvLocation("B"))

    assert str(pair) == "dynamic::a, else env::B"

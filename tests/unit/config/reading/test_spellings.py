"""Attributes that take other keys than that of their name."""

from lsd.config import ChatCompletionVariant, ChatFunction, Model, RateLimitRule
from lsd.config.annotations import keys_of
from lsd.config.reading.spellings import keys_known_to, spelling_of
from lsd.config.tables.experimentation import Experimentation


def test_a_table_knows_all_spellings_of_its_attributes() -> None:
    """What is not among them is an unknown key."""
    function = keys_known_to(keys_of(ChatFunction)) or []
    variant = keys_known_to(keys_of(ChatCompletionVariant)) or []
    rule = keys_known_to(keys_of(RateLimitRule)) or []

    assert {"schemas", "system_schema", "tools"} <= set(function)
    assert {"templates", "user_template", "input_wrappers", "model"} <= set(variant)
    assert {"limits", "tokens_per_minute", "scope"} <= set(rule)
    assert len(rule) == len(set(rule))


def test_most_attributes_have_one_key() -> None:
    """That of their name."""
    assert keys_known_to(keys_of(Model)) == [key.name for key in keys_of(Model)]
    assert all(spelling_of(key) is None for key in keys_of(Model))


def test_an_experiment_shares_its_table_with_those_of_namespaces() -> None:
    """So which keys are known depends on its type."""
    assert keys_known_to(keys_of(Experimentation)) is None

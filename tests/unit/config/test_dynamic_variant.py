"""A variant that comes with a request."""

from typing import Any

import pytest

from lsd.config import ChatCompletionVariant, Config, Loaded, Template, read_dynamic_variant
from lsd.conversation import Malformed
from tests.unit.config.folder import Folder

TEXT = """
[gateway.template_filesystem_access]
base_path = "shared"
[models.m]
routing = ["p"]
providers.p = { type = "echo" }
[functions.f]
type = "chat"
schemas.user.path = "s.json"
variants = {}
[functions.g]
type = "chat"
[functions.g.variants.v]
model = "m"
templates.system.path = "t.txt"
"""


@pytest.fixture
def config(folder: Folder) -> Config:
    """Two functions, one with a schema, and a template to include."""
    folder.write("s.json", "{}")
    folder.write("t.txt", "{% include 'i.txt' %}")
    folder.write("shared/i.txt", "I")
    loaded: Loaded = folder.load(TEXT)
    return loaded.config


def refused(config: Config, table: dict[str, Any], function: str = "g") -> list[str]:
    """What is wrong with a variant."""
    with pytest.raises(Malformed) as caught:
        read_dynamic_variant(table, function, config)
    return [str(problem) for problem in caught.value.problems]


def test_templates_are_texts(config: Config) -> None:
    """The other keys are those of the file; null is absence."""
    variant = read_dynamic_variant(
        {
            "model": "m",
            "templates": {"user": "{{ x }}", "system": "{% include 'i.txt' %}"},
            "temperature": 0.5,
            "max_tokens": None,
        },
        "f",
        config,
    )

    assert variant == ChatCompletionVariant(
        model="m",
        temperature=0.5,
        templates={
            "user": Template(path="inline", text="{{ x }}"),
            "system": Template(path="inline", text="{% include 'i.txt' %}"),
        },
    )


def test_older_keys_work_as_in_the_file(config: Config) -> None:
    """Legacy only without a schema."""
    table = {"model": "m", "user_template": "{{ user_text }}"}

    bare = read_dynamic_variant(table, "g", config)
    with_schema = read_dynamic_variant(table, "f", config)

    assert isinstance(bare, ChatCompletionVariant)
    assert isinstance(with_schema, ChatCompletionVariant)
    assert bare.templates["user"].legacy
    assert not with_schema.templates["user"].legacy


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({}, "model: missing; it is required; wanted a string"),
        ({"model": "m", "typo": 1}, "typo: unknown key; "),
        ({"model": "m", "max_tokens": 5.0}, "max_tokens: found 5.0; wanted an integer"),
        ({"model": "m", "max_tokens": -1}, "max_tokens: found -1; wanted 0 to 4294967295"),
        ({"model": "ghost"}, 'model: there is no model "ghost"; '),
        ({"model": "m", "templates": {"a": {"path": "x"}}}, "templates.a: found a table; "),
        ({"model": "m", "templates": {"a": "{{"}}, 'templates.a: "a" line 1: '),
        ({"model": "m", "templates": {"a": "{% include x %}"}}, "templates.a: "),
        ({"model": "m", "templates": {"a": "{% include 'gone' %}"}}, "templates.a: "),
        (
            {"model": "m", "user_template": "{{ other }}"},
            "user_template: there is no schema for user, and the template uses other; ",
        ),
        ({"model": "m", "json_mode": "on"}, "json_mode: "),
        (
            {"type": "mixture_of_n", "candidates": ["w"], "fuser": {"model": "m"}},
            'candidates[0]: there is no variant "w"; ',
        ),
        (
            {"model": "m", "timeouts": {"non_streaming": {"total_ms": 900_001}}},
            "timeouts.non_streaming.total_ms: found 900001; ",
        ),
    ],
)
def test_all_checks_of_the_file_are_made(config: Config, table: dict[str, Any], told: str) -> None:
    """Paths begin at the table."""
    (problem, *rest) = refused(config, table)

    assert problem.startswith(told)
    assert rest == []


def test_a_schema_needs_its_template_here_too(config: Config) -> None:
    """As in the file."""
    (problem,) = refused(config, {"model": "m"}, "f")

    assert problem.startswith("templates.user: missing; it is needed because functions.f.schemas")

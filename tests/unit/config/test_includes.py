"""What a template includes, without rendering it."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from minijinja import Environment, TemplateError

from lsd.config.includes import KEYWORDS, includes_of

LITERAL = {
    '{% include "a.txt" %}': (("a.txt",),),
    "{%- include 'a.txt' -%}": (("a.txt",),),
    "{%+ include 'a.txt' +%}": (("a.txt",),),
    "{% include ['a', 'b',] %}": (("a", "b"),),
    "{% include [] %}": ((),),
    '{% include "a" if x else "b" %}': (("a",), ("b",)),
    '{% include "a" if f("else", [1]) else ["b", "c"] %}': (("a",), ("b", "c")),
    '{% include ("a" if x else "b") %}': (("a",), ("b",)),
    '{% include "a" if (1 if x else 2) else "b" if y else "c" %}': (("a",), ("b",), ("c",)),
    '{% include "a" if x %}': (("a",),),
    '{% include "a" with context %}': (("a",),),
    '{% include "a" without context %}': (("a",),),
    '{% import "m" as m %}': (("m",),),
    '{% from "m" import f, g as h %}': (("m",),),
    '{% extends "base" %}': (("base",),),
    r'{% include "a\"\u0062\n" %}': (('a"b\n',),),
    '{% include "%}" %}': (("%}",),),
    '{{ {"a": {}} }}{% include "a" %}': (("a",),),
    '{{ "{% include x %}" }}{% include "a" %}': (("a",),),
}

COMPUTED = (
    "{% include x %}",
    '{% include x ~ ".txt" %}',
    '{% include "a" ~ "b" %}',
    '{% include "a" if x else y %}',
    '{% include ["a", y] %}',
    '{% include ("a" ~ "b") %}',
    '{% include "a"|upper %}',
    "{% import name as m %}",
    "{% from name import f %}",
    "{% extends layout %}",
)

NONE = (
    "include",
    "{{ include }}",
    "{# {% include x %} #}",
    "{% raw %}{% include x %}{% endraw %}",
    "{%- raw -%}{% include x %}{%- endraw -%}",
    "{% if include %}{% endif %}",
)


@pytest.mark.parametrize("template", LITERAL)
def test_literal_names_are_found(template: str) -> None:
    """Each group holds names of which the first that exists is taken."""
    Environment().add_template("t", template)

    (include,) = includes_of(template)

    assert include.names == LITERAL[template]


@pytest.mark.parametrize("template", COMPUTED)
def test_computed_names_are_found_out(template: str) -> None:
    """They could not be loaded at the start."""
    Environment().add_template("t", template)

    (include,) = includes_of(template)

    assert include.names is None


@pytest.mark.parametrize("template", NONE)
def test_what_only_looks_like_an_include_is_none(template: str) -> None:
    """Comments, raw text and output are not tags."""
    Environment().add_template("t", template)

    assert includes_of(template) == []


def test_the_place_is_that_of_the_expression() -> None:
    """Line and column, from 1, where an editor can jump to."""
    (include,) = includes_of("one\ntwo {% include  dir ~ '.txt' %}\n")  # case 14

    assert (include.line, include.column) == (2, 17)
    assert include.expression == "dir ~ '.txt'"


def test_an_include_can_be_optional() -> None:
    """`ignore missing` is said by the template, and with or without context."""
    assert [each.optional for each in includes_of("{% include 'a' ignore missing %}")] == [True]
    template = "{% include 'a' ignore missing without context %}"
    assert [each.optional for each in includes_of(template)] == [True]


def test_all_includes_are_found_in_their_order() -> None:
    """A template may have many."""
    template = (
        "{% extends 'b' %}{% if x %}{% include 'c' %}{% else %}{% import 'd' as e %}{% endif %}"
    )

    assert [each.names for each in includes_of(template)] == [(("b",),), (("c",),), (("d",),)]


FRAGMENTS = (
    *("{% include ", "{% import ", "{% from ", "{% extends ", " as m", " import f", " %}", "-%}"),
    *("'a'", '"b"', "['c', 'd']", "name", " ~ ", " if x", " else ", "(", ")", " ignore missing"),
    *("{# ", " #}", "{% raw %}", "{% endraw %}", "{{ ", " }}", "{", "}", "\n", "with context"),
)


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join))
def test_whatever_the_engine_loads_was_found(template: str) -> None:
    """No template that parses makes the search stumble, and no include is overlooked."""
    loaded: list[str] = []

    def loader(name: str) -> str:
        loaded.append(name)
        return ""

    environment = Environment(loader=loader)
    try:
        environment.add_template("t", template)
    except TemplateError:
        return
    found = includes_of(template)
    with suppress(TemplateError):
        environment.render_template("t", x=True)

    names = {name for each in found for group in each.names or () for name in group}
    assert set(loaded) <= names or any(each.names is None for each in found)


def test_every_tag_that_loads_is_known() -> None:
    """The engine has four of them."""
    assert set(KEYWORDS) == {"include", "import", "from", "extends"}

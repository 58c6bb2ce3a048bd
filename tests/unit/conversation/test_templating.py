"""Templates: how values print, and what is an error."""

from typing import Any

import minijinja
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import (
    decode_json,
    encode_json,
    new_template_environment,
    printed,
    render_template,
)
from tests.unit.conversation.json_values import JSON_OBJECTS, JSON_VALUES


def rendered(template: str, name: str = "prompt.minijinja", /, **values: Any) -> str:
    """What a template of this name makes of some values."""
    environment = new_template_environment()
    environment.add_template(name, template)
    return render_template(environment, name, values)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (2**70, "1180591620717411303424"),
        (0.1, "0.1"),
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (1e22, "10000000000000000000000.0"),
        (1e-7, "0.0000001"),
        ("", ""),
        ("it's", "it's"),
        ("<b>&", "<b>&"),
        ([], "[]"),
        ({}, "{}"),
        (["it's", 'say "hi"', "é\n"], '["it\'s", "say \\"hi\\"", "é\\n"]'),
        ([None, True, [1.0, {"a": None}]], '[none, true, [1.0, {"a": none}]]'),
        ([1e22, 1e-7, 1.5e300, 0.001], "[1e22, 1e-7, 1.5e300, 0.001]"),
        ({"b": 1, "a": ["x"]}, '{"b": 1, "a": ["x"]}'),
    ],
)
def test_values_print_as_in_minijinja(value: Any, text: str) -> None:
    """Lower-case words, numbers in full, lists and maps like JSON, texts as they are."""
    assert rendered("{{ value }}", value=value) == text
    assert printed(value) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ a is none }} {{ a == 1 }}", "true false"),
        ("{{ c.price }}|{{ c.list[0] }}", "2.0|none"),
        ("{% for each in c.list %}[{{ each }}]{% endfor %}", "[none][true]"),
        ("{{ 1 / 2 }} {{ 4 / 2 }} {{ 7 // 2 }}", "0.5 2.0 3"),
        ("{{ c.list | first }}", "none"),
        ("{{ c | tojson }}", '{"price": 2.0, "list": [null, true]}'),
        ("{{ ('<b>' | safe) }}", "<b>"),
        ("{{ missing | default(none) }}", "none"),
        ("{% if a %}yes{% else %}no{% endif %}", "no"),
    ],
)
def test_what_a_template_works_out_prints_alike(template: str, text: str) -> None:
    """Comparisons, arithmetic, filters and loops give values that print like any other."""
    assert rendered(template, a=None, c={"price": 2.0, "list": [None, True]}) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ list | join(', ') }}", 'none, true, it\'s, 1.0, ["x"]'),
        ("{{ list | join }}", 'nonetrueit\'s1.0["x"]'),
        ("{{ list | join(none) }}", 'nonetrueit\'s1.0["x"]'),
        ("{{ list | join(0) }}", 'none0true0it\'s01.00["x"]'),
        ("{{ list | join(d='-') }}", 'none-true-it\'s-1.0-["x"]'),
        ("{{ 'abc' | join('-') }}", "a-b-c"),
        ("{{ rows | join(', ', attribute='name') }}", "Ann, none, "),
        ("{{ rows | join('/', 'at.0') }}", "5//"),
        ("{{ rows | map(attribute='name') | list | length }}", "3"),
        ("{{ none | join(',') }}", ""),
        ("{{ range(3) | join('.') }}", "0.1.2"),
        ("{{ {'a': 1, 'b': 2} | join(',') }}", "a,b"),
    ],
)
def test_joined_values_print_alike(template: str, text: str) -> None:
    """Each value of a joined list prints as it would alone; what is not there is nothing."""
    rows: list[Any] = [{"name": "Ann", "at": [5]}, {"name": None}, {}]

    assert rendered(template, list=[None, True, "it's", 1.0, ["x"]], rows=rows) == text


@pytest.mark.parametrize(
    "template",
    [
        "{{ missing }}",
        "{{ known.missing }}",
        "{{ missing | string }}",
        "{{ missing ~ '' }}",
        "{% for each in missing %}{% endfor %}",
        "{{ 5 | join }}",
        "{{ known | join(1, 2, 3) }}",
        "{{ known | join(separator=',') }}",
        "{{ known | join(',', 0) }}",
        "{{ known | nofilter }}",
        "{{ known() }}",
        "{{ known.keys(1) }}",
        "{{ known.pop('b') }}",
        "{{ known.no_method() }}",
        "{{ known.__class__ }}",
        "{{ known.get.__self__ }}",
        "{{ [] | sum(5) }}",
        "{{ 'x' * -1 + 1 }}",
        "{% include 'none' %}",
    ],
)
def test_whatever_goes_wrong_is_an_error_of_the_template(template: str) -> None:
    """What is undefined is never printed as something, and no mistake looks like a bug of LSD."""
    with pytest.raises(minijinja.TemplateError):
        rendered(template, known={"a": 1})


@pytest.mark.parametrize(
    "template",
    ["{{ map.pop('a') }}", "{{ map.update({'b': 2}) }}", "{{ map.list.append(1) }}"],
)
def test_a_template_cannot_change_what_it_is_given(template: str) -> None:
    """The next variant, and the record, have the arguments that the caller sent."""
    arguments = {"map": {"a": 1, "list": [0]}}

    rendered(template, **arguments)

    assert arguments == {"map": {"a": 1, "list": [0]}}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("one\n", "one"),
        ("one\n\n", "one\n"),
        (" {{ 1 }} \n", " 1 "),
        ("{% if 1 %}\nx{% endif %}", "\nx"),
    ],
)
def test_one_newline_at_the_end_is_dropped(source: str, text: str) -> None:
    """All other white space of a template stays."""
    assert rendered(source) == text


@pytest.mark.parametrize("name", ["prompt.minijinja", "prompt.txt", "prompt.md", "prompt"])
def test_prompts_are_not_escaped(name: str) -> None:
    """A model gets what was written."""
    assert rendered("{{ value }}", name, value='<a href="x">&') == '<a href="x">&'


@pytest.mark.parametrize("name", ["page.html", "page.htm", "page.xml"])
def test_pages_are_escaped(name: str) -> None:
    """Values cannot become markup, alone or within a list, unless they are marked as safe."""
    template = "{{ value }} {{ [value] }} {{ value | safe }}"

    shown = rendered(template, name, value='<"')

    assert shown == '&lt;&quot; [&quot;&lt;\\&quot;&quot;] <"'


@pytest.mark.parametrize("name", ["body.json", "body.yaml", "body.yml", "body.js"])
@given(value=JSON_VALUES)
def test_values_in_json_are_json(name: str, value: Any) -> None:
    """In a template of a JSON file each value is written as JSON, none as null."""
    shown = decode_json(rendered("{{ value }}", name, value=value))

    # A whole number with a fraction of 0 may lose it: the same number to a reader of JSON.
    assert shown == decode_json(encode_json(value))


@given(JSON_OBJECTS)
def test_any_arguments_can_be_printed(arguments: dict[str, Any]) -> None:
    """Whatever a caller sends, and under whatever name, is printed as `printed` has it."""
    for name, value in arguments.items():
        if name.isidentifier() and name.isascii() and name not in ("none", "true", "false"):
            assert rendered("{{ each[0] }}", **{**arguments, "each": [value]}) == printed(value)


@given(st.text())
def test_a_text_is_printed_once(text: str) -> None:
    """What looks like a template in a caller's text is just text."""
    assert rendered("{{ value }}", value=text) == text
    assert rendered("{{ value }}", value="{{ 1 + 1 }}") == "{{ 1 + 1 }}"

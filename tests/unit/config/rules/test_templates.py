"""Templates against the schemas of their function."""

import pytest

from tests.unit.config.folder import Folder

FUNCTION = "[functions.f]\ntype = 'chat'\n"
VARIANT = "[functions.f.variants.v]\nmodel = 'echo::x'\n"
PATH = "functions.f.variants.v"


@pytest.fixture(autouse=True)
def files(folder: Folder) -> None:
    """A schema and some templates."""
    folder.write("s.json", '{"type": "object"}')
    folder.write("name.txt", "{{ name }}")
    folder.write("text.txt", "{{ user_text|upper }} {% for x in range(3) %}{{ x }}{% endfor %}")


def test_every_schema_needs_its_template(folder: Folder) -> None:
    """In each variant that renders any, evaluators and fusers included."""
    problems = folder.problems(
        FUNCTION
        + "user_schema = 's.json'\nschemas.other.path = 's.json'\n"
        + VARIANT
        + "templates.user.path = 'name.txt'\n"
        + "[functions.f.variants.w]\ntype='best_of_n_sampling'\ncandidates=['v']\n"
        + "evaluator = { model = 'echo::x', templates.other.path = 'name.txt' }"
    )  # case 13

    assert problems[f"{PATH}.templates.other"] == (
        "missing; it is needed because functions.f.schemas.other exists"
    )
    assert problems["functions.f.variants.w.evaluator.templates.user"] == (
        "missing; it is needed because functions.f.user_schema exists"
    )


def test_without_a_schema_an_older_template_sees_only_its_text(folder: Folder) -> None:
    """Other variables are listed, with the allowed one; what the engine brings along is none."""
    folder.write("bad.txt", "{{ user_text }}{{ b }}{{ a.c }}{{ system_text }}")

    folder.load(FUNCTION + VARIANT + "user_template = 'text.txt'")
    told = folder.problem(FUNCTION + VARIANT + "user_template = 'bad.txt'")  # case 13

    assert told == (
        f"{PATH}.user_template: there is no schema for user, and the template uses "
        "a, b, system_text; wanted only user_text"
    )


def test_with_a_schema_or_as_a_named_template_it_may_see_anything(folder: Folder) -> None:
    """Arguments are checked when they come."""
    folder.load(FUNCTION + "user_schema='s.json'\n" + VARIANT + "user_template = 'name.txt'")
    folder.load(FUNCTION + VARIANT + "templates.user.path = 'name.txt'")


def test_a_wrapper_and_a_schema_exclude_each_other(folder: Folder) -> None:
    """A wrapper wraps plain text."""
    told = folder.problem(
        FUNCTION + "user_schema='s.json'\n" + VARIANT + "input_wrappers.user = 'text.txt'"
    )

    assert told == (
        f"{PATH}.input_wrappers.user: set beside functions.f.user_schema; "
        f"write {PATH}.user_template"
    )

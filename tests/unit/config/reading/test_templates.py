"""The templates of a variant."""

from lsd.config import ChatCompletionVariant, Template
from tests.unit.config.folder import Folder

VARIANT = "[functions.f]\ntype = 'chat'\n[functions.f.variants.v]\nmodel = 'echo::x'\n"


def test_templates_have_two_spellings(folder: Folder) -> None:
    """Under the older one, and without a schema, they see only the text of their role."""
    folder.write("new.txt", "N")
    folder.write("old.txt", "O {{ user_text }}")

    loaded = folder.load(VARIANT + "templates.system.path='new.txt'\nuser_template='old.txt'")

    variant = loaded.config.functions["f"].variants["v"]
    assert isinstance(variant, ChatCompletionVariant)
    assert variant.templates == {
        "system": Template(path="new.txt", text="N"),
        "user": Template(path="old.txt", text="O {{ user_text }}", legacy=True),
    }


def test_two_templates_for_one_role_are_refused(folder: Folder) -> None:
    """In any two of the three spellings."""
    folder.write("t.txt", "T")
    spellings = ("templates.user.path", "user_template", "input_wrappers.user")

    for first, second in (spellings[:2], spellings[1:], spellings[::2]):
        told = folder.problem(VARIANT + f"{first} = 't.txt'\n{second} = 't.txt'")  # case 13
        assert told == (
            f"functions.f.variants.v.{second}: another template for user is set, too; "
            "write one of templates.user and user_template"
        )


def test_wrappers_exist_for_the_three_roles(folder: Folder) -> None:
    """Other names are unknown keys."""
    told = folder.problem(VARIANT + "input_wrappers.tool = 't.txt'")

    assert told.startswith("functions.f.variants.v.input_wrappers.tool: unknown key; ")

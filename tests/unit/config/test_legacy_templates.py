"""Templates under the older keys."""

from lsd.config import ChatCompletionVariant, Config
from tests.unit.config.folder import Folder

VARIANT = """
[functions.f]
type = "chat"
[functions.f.variants.v]
model = "echo::x"
user_template = "t.txt"
"""


def test_with_a_schema_an_older_key_is_like_a_new_one(folder: Folder) -> None:
    """It is rendered with arguments; without one it wraps the text of its role."""
    folder.write("t.txt", "{{ user_text }}")
    folder.write("s.json", '{"type": "object"}')

    bare = folder.load(VARIANT).config
    with_schema = folder.load(VARIANT + "[functions.f.schemas.user]\npath = 's.json'").config

    assert is_legacy(bare)
    assert not is_legacy(with_schema)


def is_legacy(config: Config) -> bool:
    """Whether the template of user messages wraps their text."""
    variant = config.functions["f"].variants["v"]
    assert isinstance(variant, ChatCompletionVariant)
    return variant.templates["user"].legacy


def test_the_same_holds_within_composites(folder: Folder) -> None:
    """Evaluators and fusers have templates, too."""
    folder.write("t.txt", "{{ user_text }}")
    folder.write("s.json", '{"type": "object"}')
    composite = """
    [functions.f]
    type = "chat"
    user_schema = "s.json"
    variants.a = { model = "echo::x", user_template = "t.txt" }
    [functions.f.variants.v]
    type = "best_of_n_sampling"
    candidates = ["a"]
    evaluator = { model = "echo::x", user_template = "t.txt" }
    """

    problems = folder.problems(composite)

    assert problems == {}
    folder.write("t.txt", "{{ user_text }}{{ from_the_schema }}")
    assert folder.problems(composite) == {}

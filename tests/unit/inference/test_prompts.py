"""A variant's templates, row by row: what goes in, and what its model is sent."""

from collections.abc import Mapping
from typing import Any

import pytest

from lsd.config import Template as TemplateFile
from lsd.conversation import (
    Base64File,
    Input,
    InputBlock,
    InputMessage,
    ModelBlock,
    RawText,
    Role,
    StoredFile,
    Template,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Unknown,
    UrlFile,
)
from lsd.inference.prompts import Prompts
from lsd.inference.refusals import VariantFailed

MOOD = {"system": "Be {{ mood }}."}
NAMED = {"user": "U {{ x }}", "greet": "Hello {{ name }}"}
LEGACY = {
    "system": "S <{{ system_text }}>",
    "user": "U <{{ user_text }}>",
    "assistant": "A <{{ assistant_text }}>",
}


def prompts(
    templates: Mapping[str, str] | None = None,
    *,
    legacy: bool = False,
    included: Mapping[str, str] | None = None,
    ending: str = "minijinja",
) -> Prompts:
    """The compiled templates of a variant."""
    files = {
        name: TemplateFile(path=f"{name}.{ending}", text=text, legacy=legacy)
        for name, text in (templates or {}).items()
    }
    return Prompts.compile(files, included or {})


def system(made: Prompts, value: str | Mapping[str, Any] | None) -> str | None:
    """The system text that a model is sent."""
    return made.render(Input(system=value))[0]


def content(made: Prompts, *blocks: InputBlock, role: Role = "user") -> tuple[ModelBlock, ...]:
    """The content that a model is sent."""
    _, (message,) = made.render(Input(messages=(InputMessage(role=role, content=blocks),)))
    assert message.role == role
    return message.content


def failure(made: Prompts, value: Input) -> VariantFailed:
    """How rendering fails."""
    with pytest.raises(VariantFailed) as failed:
        made.render(value)
    return failed.value


def asking(*blocks: InputBlock, role: Role = "user") -> Input:
    """An input of one message."""
    return Input(messages=(InputMessage(role=role, content=blocks),))


@pytest.mark.parametrize(
    ("made", "value", "sent"),
    [
        (prompts(), None, None),
        (prompts(), "Be kind.", "Be kind."),
        (prompts(), "{{ mood }}", "{{ mood }}"),
        (prompts(MOOD), {"mood": "kind"}, "Be kind."),
        (prompts({"system": "Be kind."}), None, "Be kind."),
        (prompts({"system": "Be kind."}), "ignored", "Be kind."),
        (prompts(LEGACY, legacy=True), "kind", "S <kind>"),
        (prompts(LEGACY, legacy=True), None, "S <none>"),
        (prompts({"user": "U"}), "Be kind.", "Be kind."),
    ],
    ids=[
        "no template, nothing",
        "no template, a string",
        "no template, a string with braces",
        "template, an object",
        "template, nothing",
        "template, a string",
        "wrapper, a string",
        "wrapper, nothing",
        "template of another role",
    ],
)
def test_the_system_text_is_passed_or_rendered(
    made: Prompts, value: str | dict[str, Any] | None, sent: str | None
) -> None:
    """A template takes an object's keys as variables; a wrapper takes the text as its only one."""
    assert system(made, value) == sent


@pytest.mark.parametrize(
    ("made", "value", "cause", "told"),
    [
        (
            prompts(),
            {"mood": "kind"},
            "template",
            "input.system: found template arguments, but there is no template `system`",
        ),
        (
            prompts(LEGACY, legacy=True),
            {"mood": "kind"},
            "template",
            "input.system: found an object; the template `system` takes a string",
        ),
        (prompts(MOOD), None, "rendering", "template 'system', line 1: "),
        (prompts(MOOD), "Be kind.", "rendering", "template 'system', line 1: "),
        (prompts(MOOD), {"food": "cake"}, "rendering", "template 'system', line 1: "),
    ],
    ids=["no template", "wrapper", "nothing to fill in", "a string fills nothing in", "undefined"],
)
def test_a_system_of_the_wrong_form_fails_the_variant(
    made: Prompts, value: str | dict[str, Any] | None, cause: str, told: str
) -> None:
    """Another variant may have the template that this one lacks."""
    failed = failure(made, Input(system=value))

    assert failed.cause == cause
    assert str(failed).startswith(told)


@pytest.mark.parametrize(
    ("made", "block", "sent"),
    [
        (prompts(), Text(text="Hi"), "Hi"),
        (prompts(NAMED), Text(text="Hi {{ x }}"), "Hi {{ x }}"),
        (prompts(LEGACY, legacy=True), Text(text="Hi"), "U <Hi>"),
        (prompts(NAMED), Template(name="user", arguments={"x": 1}), "U 1"),
        (prompts(NAMED), Template(name="greet", arguments={"name": "Ann"}), "Hello Ann"),
        (prompts({"greet": "Hello"}), Template(name="greet", arguments={}), "Hello"),
        (prompts(), RawText(value="{{ x }}"), "{{ x }}"),
        (prompts(LEGACY, legacy=True), RawText(value="Hi"), "Hi"),
        (prompts(NAMED), RawText(value="Hi"), "Hi"),
    ],
    ids=[
        "text",
        "text beside a template",
        "text in a wrapper",
        "template of the role",
        "template",
        "template without arguments",
        "raw text",
        "raw text beside a wrapper",
        "raw text beside a template",
    ],
)
def test_a_block_is_passed_or_rendered(made: Prompts, block: InputBlock, sent: str) -> None:
    """Only template blocks are rendered, and plain text only where a wrapper wants it."""
    assert content(made, block) == (Text(text=sent),)


def test_each_role_has_its_own_wrapper() -> None:
    """What the assistant had said goes through the assistant's wrapper."""
    made = prompts(LEGACY, legacy=True)

    assert content(made, Text(text="Hi"), role="assistant") == (Text(text="A <Hi>"),)


@pytest.mark.parametrize(
    ("made", "value", "cause", "told"),
    [
        (
            prompts(NAMED),
            asking(Template(name="absent", arguments={})),
            "template",
            "there is no template 'absent'",
        ),
        (
            prompts(LEGACY, legacy=True),
            asking(Template(name="user", arguments={"x": 1})),
            "template",
            "the template 'user' takes plain text, not template arguments",
        ),
        (
            prompts({"two": "fine\n{{ a.b.c }}"}),
            asking(Template(name="two", arguments={"a": {}})),
            "rendering",
            "template 'two', line 2: ",
        ),
        (
            prompts({"t": "{{ 1 / 0 }}"}),
            asking(Template(name="t", arguments={})),
            "rendering",
            "template 't', line 1: ",
        ),
        (
            prompts({"t": "{% include 'absent' %}"}),
            asking(Template(name="t", arguments={})),
            "rendering",
            "template 't', line 1: ",
        ),
    ],
    ids=["missing", "a wrapper", "undefined", "not computable", "missing include"],
)
def test_a_block_that_cannot_be_rendered_fails_the_variant(
    made: Prompts, value: Input, cause: str, told: str
) -> None:
    """A template that is missing is told apart from one that fails."""
    failed = failure(made, value)

    assert failed.cause == cause
    assert str(failed).startswith(told)


def test_blocks_stay_separate_and_in_order() -> None:
    """Each block is rendered on its own; nothing is joined or moved."""
    made = prompts(LEGACY, legacy=True)
    call = ToolCall(id="c", name="f", arguments="{}")

    sent = content(made, Text(text="a"), call, Text(text="b"), RawText(value="c"))

    assert sent == (Text(text="U <a>"), call, Text(text="U <b>"), Text(text="c"))


@pytest.mark.parametrize("made", [prompts(), prompts(NAMED)], ids=["plain", "with templates"])
def test_all_other_blocks_are_passed_as_they_are(made: Prompts) -> None:
    """Templates make text; calls, results, thoughts and files are not their business."""
    blocks = (
        ToolCall(id="c", name="f", arguments="{}"),
        ToolResult(id="c", name="f", result="5"),
        Thought(text="hm"),
        UrlFile(url="https://files.example/a.png"),
        Base64File(data="aGk=", mime_type="text/plain"),
        StoredFile(storage_path="aa/bb", mime_type="text/plain"),
        Unknown(data={"a": 1}),
    )

    assert content(made, *blocks) == blocks


def test_a_message_may_be_empty() -> None:
    """A turn without blocks is still a turn."""
    assert content(prompts()) == ()
    assert content(prompts(NAMED)) == ()


@pytest.mark.parametrize(
    ("text", "arguments", "printed"),
    [
        ("{{ a }}", {"a": None}, "none"),
        ("{{ a }}|{{ b }}", {"a": True, "b": False}, "true|false"),
        ("{{ a }}", {"a": 1.0}, "1.0"),
        ("{{ a }}", {"a": ["x", 1, None]}, '["x", 1, none]'),
        ("{{ a }}", {"a": {"k": ["v"]}}, '{"k": ["v"]}'),
        ("{{ a }}", {"a": "<b>&'"}, "<b>&'"),
        ("{{ a }}", {"a": "{{ b }}"}, "{{ b }}"),
        ("line\n", {}, "line"),
        ("line\n\n", {}, "line\n"),
        ("  {% if a %}  x  {% endif %}  ", {"a": 1}, "    x    "),
        (
            "{% for n in a %}{{ n }}{% if not loop.last %}, {% endif %}{% endfor %}",
            {"a": [1, 2]},
            "1, 2",
        ),
        ("{{ a | default('none given') }}", {}, "none given"),
        (
            "{{ self_ }}{{ template_name }}{{ name }}",
            {"self_": 1, "template_name": 2, "name": 3},
            "123",
        ),
        ("{{ self }}", {"self": 1}, "1"),
    ],
    ids=[
        "none",
        "booleans",
        "float",
        "list",
        "map",
        "nothing is escaped",
        "nothing is rendered twice",
        "one last newline",
        "only one",
        "white space",
        "loop",
        "default",
        "names of variables",
        "the name self",
    ],
)
def test_templates_print_as_minijinja_does(
    text: str, arguments: dict[str, Any], printed: str
) -> None:
    """Prompts written for the engine's other builds look the same here."""
    made = prompts({"t": text})

    assert content(made, Template(name="t", arguments=arguments)) == (Text(text=printed),)


@pytest.mark.parametrize(
    ("ending", "printed"),
    [("minijinja", "<b>"), ("txt", "<b>"), ("html", "&lt;b&gt;"), ("json", '"<b>"')],
)
def test_only_templates_for_markup_are_escaped(ending: str, printed: str) -> None:
    """The file's name decides, as it does everywhere in the engine."""
    made = prompts({"t": "{{ a }}"}, ending=ending)

    (block,) = content(made, Template(name="t", arguments={"a": "<b>"}))

    assert isinstance(block, Text)
    assert block.text.replace("\\u003c", "<").replace("\\u003e", ">") == printed


def test_templates_may_include_files_that_were_loaded() -> None:
    """Included files are known by the names that templates use."""
    made = prompts({"t": "{% include 'parts/a' %}!"}, included={"parts/a": "Hi {{ name }}"})

    sent = content(made, Template(name="t", arguments={"name": "Ann"}))

    assert sent == (Text(text="Hi Ann!"),)


@pytest.mark.parametrize(
    ("made", "name", "is_callable"),
    [
        (prompts(NAMED), "greet", True),
        (prompts(NAMED), "user", True),
        (prompts(NAMED), "absent", False),
        (prompts(LEGACY, legacy=True), "user", False),
        (prompts(), "user", False),
    ],
    ids=["named", "of a role", "missing", "wrapper", "none"],
)
def test_wrappers_cannot_be_called(made: Prompts, name: str, is_callable: bool) -> None:
    """A wrapper is for plain text only; template blocks need a template."""
    assert made.can_call(name) == is_callable

"""The input of a request against the schemas of its function, before a variant is drawn."""

from collections.abc import Mapping
from typing import Any

import pytest

from lsd.config import Template as TemplateFile
from lsd.conversation import (
    Input,
    InputBlock,
    InputMessage,
    RawText,
    Role,
    Schema,
    Template,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    UrlFile,
)
from lsd.inference import BadRequest
from lsd.inference.input_checks import check_input
from lsd.inference.prompts import Prompts

OBJECT = Schema.compile(
    {
        "type": "object",
        "properties": {"age": {"type": "integer"}},
        "required": ["age"],
        "additionalProperties": False,
    }
)
SHORT = Schema.compile({"type": "string", "maxLength": 5})


def variant(*names: str, legacy: bool = False) -> Prompts:
    """A variant with templates of these names."""
    files = {name: TemplateFile(path=name, text="", legacy=legacy) for name in names}
    return Prompts.compile(files, {})


def check(
    value: Input,
    schemas: Mapping[str, Schema] | None = None,
    *variants: Prompts,
    show_values: bool = False,
) -> None:
    """Checks an input of a function with these schemas and variants."""
    check_input(value, schemas or {}, variants or (variant(),), show_values=show_values)


def refusal(*args: Any, **options: Any) -> str:
    """Why an input is refused."""
    with pytest.raises(BadRequest) as refused:
        check(*args, **options)
    return str(refused.value)


def asking(*blocks: InputBlock, role: Role = "user") -> Input:
    """An input whose second message holds these blocks behind another."""
    first = InputMessage(role="assistant", content=())
    return Input(messages=(first, InputMessage(role=role, content=(Thought(text="hm"), *blocks))))


@pytest.mark.parametrize(
    ("system", "schemas", "variants"),
    [
        (None, {}, (variant(),)),
        ("text", {}, (variant(),)),
        ("text", {}, (variant("system"),)),
        ({"age": 5}, {}, (variant("system"),)),
        ({"age": 5}, {}, (variant(), variant("system"))),
        ({"age": 5}, {"system": OBJECT}, (variant(),)),
        ("short", {"system": SHORT}, (variant(),)),
    ],
    ids=[
        "absent",
        "string",
        "string beside a template",
        "object for a template",
        "object for a template of some variant",
        "object that fits",
        "string that fits",
    ],
)
def test_a_system_is_taken(
    system: Any, schemas: dict[str, Schema], variants: tuple[Prompts, ...]
) -> None:
    """An object needs a template in some variant, or a schema that it fits."""
    check(Input(system=system), schemas, *variants)


@pytest.mark.parametrize(
    ("system", "schemas", "variants", "told"),
    [
        (
            {"age": 5},
            {},
            (variant(),),
            "input.system: found an object; wanted a string, as no variant has a template `system`",
        ),
        (
            {"age": 5},
            {},
            (variant("system", legacy=True),),
            "input.system: found an object; wanted a string, as no variant has a template `system`",
        ),
        (None, {"system": OBJECT}, (variant(),), "input.system: missing; it must fit the schema {"),
        (
            "text",
            {"system": OBJECT},
            (variant(),),
            "input.system: does not fit its schema: the value: fails `type` (wanted object); the",
        ),
        (
            {"age": "x"},
            {"system": OBJECT},
            (variant("system"),),
            "input.system: does not fit its schema: age: fails `type` (wanted integer); the sche",
        ),
    ],
    ids=["object for nobody", "object for a wrapper", "absent", "string", "does not fit"],
)
def test_a_system_is_refused(
    system: Any, schemas: dict[str, Schema], variants: tuple[Prompts, ...], told: str
) -> None:
    """A schema wants its value, of its type; an object wants a template."""
    assert refusal(Input(system=system), schemas, *variants).startswith(told)


@pytest.mark.parametrize(
    ("value", "schemas", "variants"),
    [
        (asking(Text(text="long enough")), {}, ()),
        (asking(Text(text="short")), {"user": SHORT}, ()),
        (asking(Text(text="long enough")), {"assistant": SHORT}, ()),
        (asking(Text(text="long enough"), role="assistant"), {"user": SHORT}, ()),
        (asking(RawText(value="long enough")), {"user": OBJECT}, ()),
        (asking(Template(name="user", arguments={"age": 5})), {"user": OBJECT}, ()),
        (asking(Template(name="greet", arguments={"age": 5})), {"greet": OBJECT}, ()),
        (asking(Template(name="greet", arguments={"x": 5})), {}, (variant(), variant("greet"))),
        (
            asking(
                ToolCall(id="c", name="f", arguments="{"),
                ToolResult(id="c", name="f", result="long enough"),
                UrlFile(url="https://files.example"),
            ),
            {"user": OBJECT},
            (),
        ),
        (Input(), {"user": OBJECT}, ()),
    ],
    ids=[
        "text without a schema",
        "text that fits",
        "text of the other role",
        "the other way round",
        "raw text",
        "arguments that fit",
        "arguments of a named schema",
        "template of some variant",
        "other blocks",
        "no messages",
    ],
)
def test_a_block_is_taken(
    value: Input, schemas: dict[str, Schema], variants: tuple[Prompts, ...]
) -> None:
    """Text is checked by its role, arguments by their template's name, the rest by nobody."""
    check(value, schemas, *variants)


@pytest.mark.parametrize(
    ("block", "schemas", "told"),
    [
        (
            Text(text="long enough"),
            {"user": SHORT},
            "input.messages[1].content[1].text: does not fit its schema: the value: fails `max",
        ),
        (
            Text(text="plain"),
            {"user": OBJECT},
            "input.messages[1].content[1].text: does not fit its schema: the value: fails `type`",
        ),
        (
            Template(name="user", arguments={}),
            {"user": OBJECT},
            "input.messages[1].content[1].arguments: does not fit its schema: the value: fails `re",
        ),
        (
            Template(name="greet", arguments={}),
            {},
            "input.messages[1].content[1].name: found 'greet'; wanted the name of a template of",
        ),
    ],
    ids=["text too long", "text for an object", "arguments", "unknown template"],
)
def test_a_block_is_refused_with_its_place(
    block: InputBlock, schemas: dict[str, Schema], told: str
) -> None:
    """Message and block are counted from 0, and the schema is shown."""
    assert refusal(asking(block), schemas).startswith(told)


def test_a_wrapper_is_no_template_to_call() -> None:
    """Old wrapper templates take plain text only, so a template block finds nobody."""
    told = refusal(asking(Template(name="user", arguments={})), {}, variant("user", legacy=True))

    assert told.startswith("input.messages[1].content[1].name: found 'user'; wanted")


def test_values_are_quoted_only_for_debugging() -> None:
    """What users have written stays out of error messages unless the operator wants it there."""
    value = asking(Template(name="user", arguments={"age": "forty-two"}))

    assert "forty-two" not in refusal(value, {"user": OBJECT})
    assert "forty-two" in refusal(value, {"user": OBJECT}, show_values=True)


def test_the_first_fault_is_told() -> None:
    """The system comes before the messages, and these in their order."""
    bad = Text(text="long enough")
    messages = asking(bad, bad).messages

    assert refusal(asking(bad, bad), {"user": SHORT}).startswith("input.messages[1].content[1].")
    both = Input(system="long enough", messages=messages)
    assert refusal(both, {"user": SHORT, "system": SHORT}).startswith("input.system: ")

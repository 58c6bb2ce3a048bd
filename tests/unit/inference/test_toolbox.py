"""The tools of one chat inference: which there are, and which of them may be called."""

from typing import Any

import pytest

from lsd.config import ChatFunction, ForcedTool
from lsd.config import Tool as ConfiguredTool
from lsd.conversation import (
    CustomTool,
    FunctionTool,
    ProviderTool,
    Schema,
    SchemaCache,
    SpecificTool,
    ToolChoice,
    encode_json,
)
from lsd.inference import BadRequest, read_inference_request
from lsd.inference.toolbox import Toolbox, forced_tool, toolbox_for

NUMBER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}

CONFIGURED = {
    key: ConfiguredTool(name=name, description=key, parameters=Schema.compile(NUMBER))
    for key, name in {"k_page": "page", "k_mail": "mail", "k_call": "call"}.items()
}
"""Configured tools by their keys; models see other names."""

LOOKUP = {"name": "lookup", "description": "Find a ticket", "parameters": NUMBER}
SQL = {"type": "openai_custom", "name": "sql"}


def toolbox(
    *keys: str, own_choice: Any = "auto", own_parallel: bool | None = None, **fields: Any
) -> Toolbox | None:
    """The tools of a request of these fields to a function with the tools `keys`."""
    function = ChatFunction(
        variants={}, tools=keys, tool_choice=own_choice, parallel_tool_calls=own_parallel
    )
    request = read_inference_request(encode_json({"input": {}, **fields}))
    return toolbox_for(function, CONFIGURED, request, SchemaCache())


def offered(*keys: str, **fields: Any) -> tuple[list[str], tuple[str, ...] | None]:
    """The names of the tools, and the list of allowed ones."""
    made = toolbox(*keys, **fields)
    assert made is not None
    return [tool.name for tool in made.tool_set.tools], made.tool_set.allowed


def refusal(*keys: str, **fields: Any) -> str:
    """Why the tools of a request are refused."""
    with pytest.raises(BadRequest) as refused:
        toolbox(*keys, **fields)
    return str(refused.value)


def test_without_tools_there_is_no_toolbox() -> None:
    """Nothing about tools is sent or stored, whatever else was said about them."""
    assert toolbox() is None
    assert toolbox(own_choice="required", own_parallel=True) is None
    assert toolbox(additional_tools=[], allowed_tools=[], provider_tools=[]) is None
    assert toolbox(parallel_tool_calls=True) is None


@pytest.mark.parametrize(
    ("keys", "fields", "names", "allowed"),
    [
        (("k_page", "k_mail"), {}, ["page", "mail"], None),
        ((), {"additional_tools": [LOOKUP]}, ["lookup"], None),
        (("k_page",), {"additional_tools": [LOOKUP, SQL]}, ["page", "lookup", "sql"], None),
        (("k_page", "k_mail"), {"allowed_tools": ["k_mail"]}, ["page", "mail"], ("mail",)),
        (("k_page",), {"allowed_tools": ["k_call"]}, ["page", "call"], ("call",)),
        (
            ("k_page",),
            {"allowed_tools": ["lookup", "k_call"], "additional_tools": [LOOKUP, SQL]},
            ["page", "call", "lookup", "sql"],
            ("lookup", "call"),
        ),
        (("k_page",), {"allowed_tools": []}, ["page"], ()),
        (("k_page",), {"allowed_tools": ["k_page", "k_page"]}, ["page"], ("page",)),
        ((), {"allowed_tools": ["k_call", "k_call"]}, ["call"], ("call",)),
    ],
    ids=[
        "the function's",
        "additional ones",
        "both",
        "narrowed",
        "one from outside the function",
        "from everywhere",
        "none of them",
        "named twice",
        "named twice from outside",
    ],
)
def test_tools_come_from_three_places(
    keys: tuple[str, ...],
    fields: dict[str, Any],
    names: list[str],
    allowed: tuple[str, ...] | None,
) -> None:
    """The function's, other configured ones that the request allows, then its own."""
    assert offered(*keys, **fields) == (names, allowed)


@pytest.mark.parametrize(
    ("keys", "fields", "callable_names"),
    [
        (("k_page", "k_mail"), {}, {"page", "mail"}),
        (("k_page", "k_mail"), {"allowed_tools": ["k_mail"]}, {"mail"}),
        (("k_page",), {"allowed_tools": ["lookup"], "additional_tools": [LOOKUP, SQL]}, {"lookup"}),
        (("k_page",), {"additional_tools": [SQL]}, {"page", "sql"}),
        (("k_page",), {"allowed_tools": []}, set()),
    ],
    ids=["all", "narrowed", "an additional one", "free form", "none"],
)
def test_exactly_the_allowed_tools_may_be_called(
    keys: tuple[str, ...], fields: dict[str, Any], callable_names: set[str]
) -> None:
    """`allowed_tools` narrows configured and additional tools alike."""
    made = toolbox(*keys, **fields)

    assert made is not None
    names = {"page", "mail", "call", "lookup", "sql", "k_page"}
    assert {name for name in names if made.may_call(name)} == callable_names


def test_tools_are_told_as_they_are_configured_or_sent() -> None:
    """Models see the name, the description and the schema, not the key."""
    made = toolbox("k_page", additional_tools=[{**LOOKUP, "strict": True}, SQL])

    assert made is not None
    assert made.tool_set.tools == (
        FunctionTool(name="page", description="k_page", parameters=NUMBER),
        FunctionTool(name="lookup", description="Find a ticket", parameters=NUMBER, strict=True),
        CustomTool(name="sql"),
    )


def test_arguments_have_the_schemas_of_their_tools() -> None:
    """Configured and additional tools are checked alike; free-form tools are not checked."""
    made = toolbox("k_page", additional_tools=[LOOKUP, SQL])

    assert made is not None
    for name in ("page", "lookup"):
        schema = made.parameters_of(name)
        assert schema is not None
        assert schema.accepts({"n": 1})
        assert not schema.accepts({"n": "1"})
    assert made.parameters_of("sql") is None


@pytest.mark.parametrize(
    ("keys", "fields", "told"),
    [
        (
            (),
            {"allowed_tools": ["page"]},
            "allowed_tools[0]: found 'page'; wanted the key of a configured tool or the name",
        ),
        (
            ("k_page",),
            {"allowed_tools": ["k_page", "unheard"]},
            "allowed_tools[1]: found 'unheard'; wanted the key of a configured tool",
        ),
        (
            ("k_page",),
            {"additional_tools": [{**LOOKUP, "name": "page"}]},
            "additional_tools[0].name: found a second tool 'page'; wanted names that differ",
        ),
        (
            (),
            {"additional_tools": [LOOKUP, LOOKUP]},
            "additional_tools[1].name: found a second tool 'lookup'; wanted names that differ",
        ),
        (
            (),
            {"additional_tools": [{**LOOKUP, "parameters": {"type": "objekt"}}]},
            "additional_tools[0].parameters: not a usable JSON Schema: ",
        ),
        (
            ("k_page",),
            {"tool_choice": {"specific": "mail"}},
            "tool_choice.specific: found 'mail'; wanted one of the tools of this request (page)",
        ),
        (
            ("k_page",),
            {"tool_choice": {"specific": "k_page"}},
            "tool_choice.specific: found 'k_page'; wanted one of the tools of this request (page)",
        ),
        (
            ("k_page", "k_mail"),
            {"tool_choice": {"specific": "page"}, "allowed_tools": ["k_mail"]},
            "tool_choice.specific: found 'page'; wanted one of the tools of this request (mail)",
        ),
        (
            (),
            {"tool_choice": {"specific": "page"}},
            "tool_choice.specific: found 'page'; wanted one of the tools of this request (there",
        ),
    ],
    ids=[
        "display name instead of the key",
        "unknown entry",
        "same name as a configured tool",
        "twice the same name",
        "broken schema",
        "choice of another tool",
        "choice by key",
        "choice of one that is not allowed",
        "choice without tools",
    ],
)
def test_tools_that_do_not_fit_together_are_refused(
    keys: tuple[str, ...], fields: dict[str, Any], told: str
) -> None:
    """The message names the entry, and lists what there would be to choose from."""
    assert refusal(*keys, **fields).startswith(told)


@pytest.mark.parametrize(
    ("configured", "asked", "choice"),
    [
        ("auto", None, "auto"),
        ("required", None, "required"),
        ("required", "none", "none"),
        ("none", {"specific": "mail"}, SpecificTool(name="mail")),
        (ForcedTool(specific="k_page"), None, SpecificTool(name="page")),
        (ForcedTool(specific="k_page"), "auto", "auto"),
    ],
    ids=str,
)
def test_a_request_may_choose_otherwise_than_its_function(
    configured: Any, asked: Any, choice: ToolChoice
) -> None:
    """The request's `tool_choice` counts where there is one; the function's names a key."""
    made = toolbox("k_page", "k_mail", own_choice=configured, tool_choice=asked)

    assert made is not None
    assert made.tool_set.choice == choice


@pytest.mark.parametrize(
    ("configured", "asked", "parallel"),
    [
        (None, None, None),
        (True, None, True),
        (True, False, False),
        (False, True, True),
        (None, False, False),
    ],
    ids=str,
)
def test_a_request_may_allow_parallel_calls_or_forbid_them(
    configured: bool | None, asked: bool | None, parallel: bool | None
) -> None:
    """False is something said, and not the same as nothing."""
    made = toolbox("k_page", own_parallel=configured, parallel_tool_calls=asked)

    assert made is not None
    assert made.tool_set.parallel is parallel


def test_provider_tools_alone_make_a_toolbox() -> None:
    """They run at the provider: none of them may be called from here."""
    made = toolbox(provider_tools=[{"tool": {"type": "web"}, "scope": {"model_name": "m"}}])

    assert made is not None
    assert made.tool_set.tools == ()
    assert made.tool_set.provider_tools == (ProviderTool(tool={"type": "web"}, model_name="m"),)
    assert not made.may_call("web")


def test_json_can_be_forced_by_a_tool() -> None:
    """One tool with the output's schema, which the model must call, and only once."""
    tools = forced_tool(NUMBER)

    (tool,) = tools.tools
    assert isinstance(tool, FunctionTool)
    assert (tool.name, tool.parameters) == ("respond", NUMBER)
    assert tools.choice == SpecificTool(name="respond")
    assert tools.parallel is False

"""Tools, choices and parts in the shapes of other APIs."""

from typing import Any

import pytest

from lsd.api.openai.foreign_shapes import NO_PARAMETERS, normalised
from lsd.conversation import Malformed

SCHEMA = {"type": "object", "properties": {"z": {}, "a": {}}}
TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}
CUSTOM = {"type": "custom", "custom": {"name": "c"}}
HI = {"role": "user", "content": "hi"}


def body(**fields: Any) -> dict[str, Any]:
    """A body with these fields, normalised."""
    return normalised({"model": "m", "messages": [HI], **fields})


def message(*parts: Any, role: str = "user", **fields: Any) -> list[Any]:
    """The messages that one of these parts becomes."""
    made: list[Any] = body(messages=[{"role": role, "content": list(parts), **fields}])["messages"]
    return made


def test_openais_own_shapes_stay_the_same_objects() -> None:
    """Case 20: nothing is written anew."""
    made = body(tools=[TOOL, CUSTOM], tool_choice="auto")

    assert made["tools"][0] is TOOL
    assert made["tools"][1] is CUSTOM
    assert made["messages"][0] is HI


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "function", "name": "f", "description": "d", "parameters": SCHEMA},
        {"name": "f", "description": "d", "input_schema": SCHEMA},
    ],
    ids=["flat", "bare"],
)
def test_tools_may_be_flat_or_bare(tool: dict[str, Any]) -> None:
    """Trap 14: agents mix the APIs' shapes."""
    assert body(tools=[tool])["tools"] == [TOOL]


def test_a_tool_without_parameters_takes_none() -> None:
    """Servers want a schema all the same."""
    (tool,) = body(tools=[{"type": "function", "function": {"name": "f"}}])["tools"]

    assert tool["function"]["parameters"] == NO_PARAMETERS
    assert body(tools=[{"name": "f"}])["tools"] == [tool]


@pytest.mark.parametrize(
    ("tool", "told"),
    [
        ({"type": "web_search"}, 'tools[0].type: found "web_search"; wanted function or custom'),
        ({}, "tools[0].type: found null; wanted function or custom"),
        ({"name": 5}, "tools[0].name: found 5; wanted the tool's name"),
        ({"type": "function", "function": {}}, "tools[0].function.name: found null; wanted"),
        ({"type": "custom", "custom": {}}, "tools[0].custom.name: found null; wanted"),
    ],
)
def test_anything_else_is_no_tool(tool: dict[str, Any], told: str) -> None:
    """The place is named."""
    with pytest.raises(Malformed) as malformed:
        body(tools=[tool])

    assert str(malformed.value).startswith(told)


@pytest.mark.parametrize(
    ("choice", "made"),
    [
        ("none", "none"),
        ("auto", "auto"),
        ("required", "required"),
        ({"type": "any"}, "required"),
        ({"type": "auto"}, "auto"),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "f"}, {"type": "function", "function": {"name": "f"}}),
        ({"type": "function", "name": "f"}, {"type": "function", "function": {"name": "f"}}),
        ({"type": "tool", "name": "c"}, {"type": "custom", "custom": {"name": "c"}}),
    ],
)
def test_choices_have_one_form(choice: Any, made: Any) -> None:
    """Those of Anthropic are OpenAI's under other names."""
    assert body(tools=[TOOL, CUSTOM], tool_choice=choice)["tool_choice"] == made


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "function", "function": {"name": "f"}},
        {"type": "custom", "custom": {"name": "c"}},
        {
            "type": "allowed_tools",
            "allowed_tools": {
                "mode": "required",
                "tools": [{"type": "function", "function": {"name": "f"}}, {"name": "c"}],
            },
        },
    ],
)
def test_openais_own_choices_stay(choice: Any) -> None:
    """The same object goes on."""
    assert body(tools=[TOOL, CUSTOM], tool_choice=choice)["tool_choice"] is choice


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ("any", 'tool_choice: found "any"; wanted "none", "auto", "required", or'),
        ({"type": "function"}, "tool_choice: found an object; wanted"),
        ({"type": "function", "function": {"name": "x"}}, "found the tool 'x'; wanted one of"),
        ({"type": "tool", "name": "x"}, "found the tool 'x'; wanted one of"),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [1]}},
            "found 1 among the allowed tools",
        ),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"name": "x"}]}},
            "found the tool 'x'",
        ),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "no", "tools": []}},
            "found an object",
        ),
    ],
)
def test_any_other_choice_is_refused(choice: Any, told: str) -> None:
    """A tool must be one of those that are offered."""
    with pytest.raises(Malformed) as malformed:
        body(tools=[TOOL, CUSTOM], tool_choice=choice)

    assert malformed.value.problems[0].path == "tool_choice"
    assert told in str(malformed.value)


def test_calls_in_anthropics_shape_become_openais() -> None:
    """The text beside them stays, in its part."""
    use = {"type": "tool_use", "id": "t", "name": "f", "input": {"z": 1, "a": 2}}
    text = {"type": "text", "text": "so"}

    (turn,) = message(text, use, role="assistant")
    (bare,) = message({**use, "input": {}}, role="assistant")

    function = {"name": "f", "arguments": '{"z":1,"a":2}'}
    assert turn["content"] == [text]
    assert turn["tool_calls"] == [{"id": "t", "type": "function", "function": function}]
    assert bare["content"] is None
    assert bare["tool_calls"][0]["function"]["arguments"] == "{}"


def test_results_in_anthropics_shape_come_first() -> None:
    """Case 23: a message of a tool, then the rest of the user's."""
    text = {"type": "text", "text": "and?"}
    result = {"type": "tool_result", "tool_use_id": "t", "content": "ok"}

    assert message(text, result) == [
        {"role": "tool", "tool_call_id": "t", "content": "ok"},
        {"role": "user", "content": [text]},
    ]
    assert message(result) == [{"role": "tool", "tool_call_id": "t", "content": "ok"}]


def test_results_may_hold_more_than_text() -> None:
    """Case 24: pictures follow in a message of the user, errors say so."""
    source = {"type": "base64", "media_type": "image/png", "data": "QQ=="}
    content = [
        {"type": "text", "text": "see"},
        {"type": "image", "source": source},
        {"type": "tool_reference", "tool_name": "g"},
    ]
    result = {"type": "tool_result", "tool_use_id": "t", "content": content, "is_error": True}

    tool, user = message(result)

    text = 'Error: see\n\n[attachment 1 follows]\n\n{"type":"tool_reference","tool_name":"g"}'
    assert tool["content"] == text
    url = "data:image/png;base64,QQ=="
    assert user == {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}


def test_pictures_in_anthropics_shape_become_openais() -> None:
    """From a URL, too; what cannot be read stays as it was."""
    linked = {"type": "image", "source": {"type": "url", "url": "https://h/a.png"}}
    odd = {"type": "image", "source": {"type": "file", "file_id": "f"}}

    (turn,) = message(linked, odd)

    assert turn["content"] == [
        {"type": "image_url", "image_url": {"url": "https://h/a.png"}},
        odd,
    ]


@pytest.mark.parametrize("kind", [["image"], {}, 1, None])
def test_parts_of_no_kind_stay_as_they_were(kind: Any) -> None:
    """Whoever reads them says what is wrong."""
    part = {"type": kind}

    (turn,) = message(part)

    assert turn["content"] == [part]

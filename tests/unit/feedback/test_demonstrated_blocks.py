"""Content blocks that an inference could have given."""

from typing import Any

import pytest

from lsd.feedback import BadFeedback
from lsd.feedback.demonstrated_blocks import read_blocks, stored_block
from lsd.feedback.schema_check import SchemaCheck
from tests.unit.feedback.desk import ORDER_PARAMETERS

TOOLS = {"lookup_order": ORDER_PARAMETERS, "sql": None}
CALL = {"type": "tool_call", "id": "c1", "name": "lookup_order", "arguments": {"order": 7}}
STORED_CALL = CALL | {"raw_name": "lookup_order", "raw_arguments": '{"order":7}'}


def stored(value: Any) -> list[dict[str, Any]]:
    """A demonstration as it is stored."""
    check = SchemaCheck(show_values=False)
    return [
        stored_block(block, f"value[{place}]", TOOLS, check)
        for place, block in enumerate(read_blocks(value))
    ]


def refusal_of(value: Any) -> str:
    """Why a demonstration is not taken."""
    with pytest.raises(BadFeedback) as caught:
        stored(value)
    return str(caught.value)


def test_a_string_is_short_for_one_text_block() -> None:
    """Both are stored alike."""
    assert stored("Gladly") == stored([{"type": "text", "text": "Gladly"}])
    assert stored("Gladly") == [{"type": "text", "text": "Gladly"}]


def test_an_answer_may_be_empty() -> None:
    """Saying nothing can be right."""
    assert stored([]) == []


def test_a_tool_call_is_stored_as_a_model_would_have_made_it() -> None:
    """The raw fields are made from the checked ones."""
    assert stored([CALL]) == [STORED_CALL]


def test_a_stored_block_can_be_sent_back() -> None:
    """Further keys are passed over, and the raw fields are made anew."""
    sent = STORED_CALL | {"raw_arguments": "changed", "note": 1}

    assert stored([sent]) == [STORED_CALL]


def test_a_free_form_tool_takes_a_text() -> None:
    """The text is the raw form, too."""
    call = {"type": "tool_call", "id": "c2", "name": "sql", "arguments": "select 1"}

    assert stored([call]) == [call | {"raw_name": "sql", "raw_arguments": "select 1"}]
    assert "value[0].arguments: invalid tool call arguments" in refusal_of(
        [call | {"arguments": {"query": "select 1"}}]
    )


@pytest.mark.parametrize("value", [None, 3, True, {"type": "text", "text": "Gladly"}])
def test_anything_but_a_string_or_an_array_is_refused(value: Any) -> None:
    """A single block needs its brackets."""
    told = refusal_of(value)

    assert told.startswith("value: found ")
    assert "string or array of content blocks" in told


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("Gladly", 'value[1]: found "Gladly"; wanted an object'),
        ({"text": "Gladly"}, "value[1].type: found nothing; wanted one of text, tool_call"),
        ({"type": "thought", "text": "Hm"}, 'value[1].type: found "thought"; wanted one of'),
        ({"type": "text"}, "value[1].text: missing"),
        ({"type": "text", "text": None}, "value[1].text: found null; wanted a string"),
        ({"type": "tool_call", "id": "c", "name": "sql"}, "value[1].arguments: missing"),
        (CALL | {"name": None}, "value[1].name: found null; wanted a string"),
        (CALL | {"id": 1}, "value[1].id: found 1; wanted a string"),
    ],
)
def test_a_block_that_does_not_parse_is_told_by_its_path(block: Any, problem: str) -> None:
    """A call of an unknown tool, as it is stored, has no name, and cannot be sent back."""
    assert refusal_of([{"type": "text", "text": "Gladly"}, block]).startswith(problem)


def test_all_blocks_that_do_not_parse_are_told() -> None:
    """Nobody mends them one at a time."""
    told = refusal_of([{"type": "text"}, {"type": "poem"}])

    assert "value[0].text: " in told
    assert "value[1].type: " in told


def test_a_call_of_an_unknown_tool_is_refused() -> None:
    """The message lists the tools that there were."""
    told = refusal_of([CALL | {"name": "lookup"}])

    assert told.startswith('value[0].name: invalid tool name: found "lookup"; wanted one of ')
    assert "lookup_order, sql" in told


def test_without_tools_no_call_is_possible() -> None:
    """The message says so."""
    (block,) = read_blocks([CALL])

    with pytest.raises(BadFeedback, match=r"invalid tool name: .* wanted no tool call"):
        stored_block(block, "value[0]", {}, SchemaCheck(show_values=False))


@pytest.mark.parametrize("arguments", [{}, {"order": "7"}, '{"order":7}', None, [7]])
def test_arguments_must_fit_the_tool(arguments: Any) -> None:
    """A text that holds JSON is a text."""
    told = refusal_of([CALL | {"arguments": arguments}])

    assert told.startswith("value[0].arguments: invalid tool call arguments: ")
    assert "lookup_order" in told

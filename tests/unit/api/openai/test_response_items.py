"""Items of the output of a response."""

from lsd.api.openai.response_items import Item, output_items
from lsd.conversation import OutputBlock, Text, Thought, ToolCall, Unknown, read_foreign_signature


def items(*output: OutputBlock) -> list[Item]:
    """All items of an answer."""
    return output_items("abc", output, frozenset({"sh"}), "completed")


def test_texts_are_parts_of_one_message() -> None:
    """As long as nothing stands between them."""
    first, call, last = items(
        Text(text="a"), Text(text="b"), ToolCall(id="c", name="f", arguments="{}"), Text(text="d")
    )

    assert [part["text"] for part in first["content"]] == ["a", "b"]
    assert first["content"][0] == {
        "type": "output_text",
        "text": "a",
        "annotations": [],
        "logprobs": [],
    }
    assert [first["id"], call["id"], last["id"]] == ["msg_abc_0", "fc_abc_1", "msg_abc_2"]


def test_calls() -> None:
    """Of functions, which always have arguments, and of free-form tools."""
    function, custom = items(
        ToolCall(id="1", name="f", arguments=""), ToolCall(id="2", name="sh", arguments="")
    )

    assert function == {
        "id": "fc_abc_0",
        "type": "function_call",
        "status": "completed",
        "call_id": "1",
        "name": "f",
        "arguments": "{}",
    }
    assert (custom["id"], custom["type"], custom["input"]) == ("ctc_abc_1", "custom_tool_call", "")


def test_thoughts_are_shown_and_sealed() -> None:
    """By their text, else by their summaries; redacted ones by nothing."""
    summary = ({"type": "summary_text", "text": "s"}, {"type": "summary_text", "text": "t"})
    said, summed, hidden = items(
        Thought(text="hm", signature="x", provider_type="anthropic"),
        Thought(summary=summary, provider_type="openai", signature="y"),
        Thought(signature="z", provider_type="anthropic"),
    )

    assert [part["text"] for part in said["summary"]] == ["hm"]
    assert [part["text"] for part in summed["summary"]] == ["s", "t"]
    assert hidden["summary"] == []
    thought = read_foreign_signature(hidden["encrypted_content"])
    assert thought == Thought(signature="z", provider_type="anthropic")


def test_what_has_no_origin_is_not_sealed() -> None:
    """There is nothing to keep."""
    (item,) = items(Thought(text="hm"))

    assert item["encrypted_content"] is None


def test_what_only_its_provider_knows_is_left_out() -> None:
    """Clients could do nothing with it."""
    assert items(Unknown(data={})) == []


def test_the_last_item_ends_as_the_answer_does() -> None:
    """Those before it are whole."""
    output = (Text(text="a"), ToolCall(id="1", name="f", arguments='{"a'))

    made = output_items("abc", output, frozenset(), "incomplete")

    assert [item["status"] for item in made] == ["completed", "incomplete"]

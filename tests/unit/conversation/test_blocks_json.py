"""Content blocks as they are stored and shown."""

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import (
    Base64File,
    Input,
    InputBlock,
    InputMessage,
    RawText,
    StoredFile,
    Template,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Unknown,
    UrlFile,
    block_to_json,
    decode_json,
    encode_json,
    input_to_json,
    thought_to_json,
)
from tests.unit.conversation.json_values import JSON_OBJECTS, JSON_VALUES
from tests.unit.conversation.reading import read_input

WORDS = st.text(max_size=8)
BASE64 = st.binary(max_size=6).map(lambda data: b64encode(data).decode())
MAYBE = st.none() | WORDS
ABOUT_FILES: dict[str, Any] = {
    "detail": st.none() | st.sampled_from(["low", "high", "auto"]),
    "filename": MAYBE,
}
PRESENT = JSON_VALUES.filter(lambda value: value is not None)

FILES = (
    st.builds(UrlFile, url=WORDS, mime_type=MAYBE, **ABOUT_FILES)
    | st.builds(
        Base64File,
        data=BASE64,
        mime_type=st.text(min_size=1),
        **ABOUT_FILES,
    )
    | st.builds(
        StoredFile,
        storage_path=PRESENT,
        mime_type=WORDS,
        source_url=MAYBE,
        data=st.none() | BASE64,
        **ABOUT_FILES,
    )
)
TEXTS = st.builds(Text, text=WORDS)
BLOCKS = st.one_of(
    TEXTS,
    FILES,
    st.builds(RawText, value=WORDS),
    st.builds(Template, name=st.text(min_size=1, max_size=5), arguments=JSON_OBJECTS),
    st.builds(ToolCall, id=WORDS, name=WORDS, arguments=WORDS),
    st.builds(
        ToolResult,
        id=WORDS,
        name=WORDS,
        result=WORDS | st.lists(TEXTS | FILES, max_size=2).map(tuple),
        is_error=st.booleans(),
    ),
    st.builds(
        Thought,
        text=MAYBE,
        signature=MAYBE,
        summary=st.none()
        | st.lists(WORDS.map(lambda text: {"type": "summary_text", "text": text}), max_size=2).map(
            tuple
        ),
        provider_type=MAYBE,
        extra_data=JSON_VALUES,
    ),
    st.builds(Unknown, data=JSON_VALUES, model_name=MAYBE, provider_name=MAYBE),
)
INPUTS = st.builds(
    Input,
    system=st.none() | WORDS | JSON_OBJECTS,
    messages=st.lists(
        st.builds(
            InputMessage,
            role=st.sampled_from(["user", "assistant"]),
            content=st.lists(BLOCKS, max_size=3).map(tuple),
        ),
        max_size=3,
    ).map(tuple),
)


@given(INPUTS)
def test_what_was_stored_is_the_same_input_again(value: Input) -> None:
    """A stored input can be sent once more, before and after it was written down."""
    shown = input_to_json(value)

    assert read_input(shown) == value
    assert read_input(decode_json(encode_json(shown))) == value


@pytest.mark.parametrize(
    ("block", "shown"),
    [
        (Text(text="hi"), {"type": "text", "text": "hi"}),
        (RawText(value="hi"), {"type": "raw_text", "value": "hi"}),
        (
            Template(name="user", arguments={"a": None}),
            {"type": "template", "name": "user", "arguments": {"a": None}},
        ),
        (
            ToolCall(id="1", name="look", arguments="{}"),
            {"type": "tool_call", "id": "1", "name": "look", "arguments": "{}"},
        ),
        (
            ToolResult(id="1", name="look", result="sunny"),
            {"type": "tool_result", "id": "1", "name": "look", "result": "sunny"},
        ),
        (
            ToolResult(id="1", name="look", result=(Text(text="a"),), is_error=True),
            {
                "type": "tool_result",
                "id": "1",
                "name": "look",
                "result": [{"type": "text", "text": "a"}],
                "is_error": True,
            },
        ),
        (Thought(), {"type": "thought", "text": None}),
        (
            Thought(text="hm", summary=(), signature="s"),
            {"type": "thought", "text": "hm", "signature": "s", "summary": []},
        ),
        (UrlFile(url="u"), {"type": "file", "file_type": "url", "url": "u"}),
        (
            Base64File(data="AAAA", mime_type="image/png", detail="low"),
            {
                "type": "file",
                "file_type": "base64",
                "data": "AAAA",
                "mime_type": "image/png",
                "detail": "low",
            },
        ),
        (
            StoredFile(storage_path="p", mime_type="image/png", source_url="u"),
            {
                "type": "file",
                "file_type": "object_storage_pointer",
                "storage_path": "p",
                "source_url": "u",
                "mime_type": "image/png",
            },
        ),
        (
            StoredFile(storage_path="p", mime_type="image/png", data="AAAA"),
            {
                "type": "file",
                "file_type": "object_storage",
                "storage_path": "p",
                "data": "AAAA",
                "mime_type": "image/png",
            },
        ),
        (Unknown(data=None), {"type": "unknown", "data": None}),
        (
            Unknown(data=[1], model_name="m"),
            {"type": "unknown", "data": [1], "model_name": "m"},
        ),
    ],
)
def test_a_block_shows_what_is_set(block: InputBlock, shown: dict[str, Any]) -> None:
    """Type first; fields that are not set are left out, but for a thought's text."""
    assert block_to_json(block) == shown
    assert next(iter(block_to_json(block))) == "type"


def test_an_input_without_a_system_shows_none() -> None:
    """Messages are always there."""
    assert input_to_json(Input()) == {"messages": []}
    assert input_to_json(Input(system="", messages=())) == {"system": "", "messages": []}


def test_a_thought_of_an_answer_looks_like_a_stored_one() -> None:
    """There is one form."""
    thought = Thought(text="hm", provider_type="openai", extra_data={"id": "rs_1"})

    assert thought_to_json(thought) == block_to_json(thought)

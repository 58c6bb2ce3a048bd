"""Names of tools that no provider would take, there and back."""

from hashlib import sha256
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import (
    CustomTool,
    FunctionTool,
    ModelChunk,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    SpecificTool,
    StreamEvent,
    Text,
    ToolCall,
    ToolCallChunk,
    ToolResult,
    ToolSet,
)
from lsd.providers import ToolNames
from lsd.providers.tool_names import fitting_tool_name

LONG = "mcp__filesystem__" + "read_the_whole_of_a_very_long_directory_listing_" * 2
STRANGE = "files.read/all ✓"


def hashed(name: str) -> str:
    """The end of a name that stands for `name`."""
    return sha256(name.encode()).hexdigest()[:8]


@pytest.mark.parametrize(
    ("name", "fitting"),
    [
        ("get-weather_2", "get-weather_2"),
        ("x" * 64, "x" * 64),
        ("x" * 65, "x" * 55 + "_" + hashed("x" * 65)),
        (STRANGE, f"files_read_all___{hashed(STRANGE)}"),
        ("wx\n", f"wx__{hashed(chr(119) + 'x' + chr(10))}"),
        ("", f"_{hashed('')}"),
    ],
)
def test_a_name_that_fits_stays(name: str, fitting: str) -> None:
    """Another one keeps its beginning, so that the model still understands it."""
    assert fitting_tool_name(name) == fitting


@given(name=st.text(), other=st.text())
def test_names_stay_apart(name: str, other: str) -> None:
    """Every name becomes one that fits; different ones stay different."""
    fitting = fitting_tool_name(name)

    assert 1 <= len(fitting) <= 64
    assert set(fitting) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
    assert (fitting == fitting_tool_name(other)) == (name == other)


def function(name: str) -> FunctionTool:
    """A tool of this name."""
    return FunctionTool(name=name, description="d", parameters={})


def request(tools: ToolSet | None, *blocks: Any) -> ModelRequest:
    """A request with these tools, and blocks in its one message."""
    return ModelRequest(messages=(ModelMessage(role="user", content=blocks),), tools=tools)


ASKED = request(
    ToolSet(
        tools=(function(LONG), function("wx"), CustomTool(name=STRANGE)),
        choice=SpecificTool(name=LONG),
        allowed=(LONG, "wx"),
    ),
    Text(text=LONG),
    ToolCall(id="1", name=LONG, arguments=LONG),
    ToolCall(id="2", name="wx", arguments=""),
    ToolResult(id="1", name=LONG, result=LONG),
)


def names() -> ToolNames:
    """The names of that request."""
    found = ToolNames.of(ASKED, "openai")
    assert found is not None
    return found


def test_a_request_has_fitting_names_everywhere() -> None:
    """Tools, choice, history; texts are nobody's name."""
    fitted = names().fitted(ASKED)

    long, strange = fitting_tool_name(LONG), fitting_tool_name(STRANGE)
    assert fitted.tools is not None
    assert [tool.name for tool in fitted.tools.tools] == [long, "wx", strange]
    assert fitted.tools.choice == SpecificTool(name=long)
    assert fitted.tools.allowed == (long, "wx")
    assert fitted.messages[0].content == (
        Text(text=LONG),
        ToolCall(id="1", name=long, arguments=LONG),
        ToolCall(id="2", name="wx", arguments=""),
        ToolResult(id="1", name=long, result=LONG),
    )


def test_a_history_alone_has_names_too() -> None:
    """The tools of an earlier turn need not be offered again."""
    asked = request(None, ToolCall(id="1", name=STRANGE, arguments=""))

    found = ToolNames.of(asked, "openai")

    assert found is not None
    (call,) = found.fitted(asked).messages[0].content
    assert isinstance(call, ToolCall)
    assert call.name == fitting_tool_name(STRANGE)


def test_mostly_nothing_is_to_be_done() -> None:
    """Neither without tools, nor with names that fit, nor for who takes any name."""
    for asked in (request(None, Text(text=LONG)), request(ToolSet(tools=(function("wx"),)))):
        assert ToolNames.of(asked, "openai") is None
    assert ToolNames.of(ASKED, "echo") is None


def test_an_answer_has_the_callers_names() -> None:
    """A name that the model made up is left as it is."""
    output = tuple(
        ToolCall(id="1", name=name, arguments="{}")
        for name in (fitting_tool_name(LONG), "wx", "made up")
    )

    restored = names().restored(ModelResponse(output=(Text(text="x"), *output)))

    told = [block.name for block in restored.output if isinstance(block, ToolCall)]
    assert told == [LONG, "wx", "made up"]


@attrs.define(eq=False)
class Recorded:
    """A decoder that gives one chunk for each letter it is fed."""

    chunks: dict[bytes, ToolCallChunk]
    ended: bool = False

    def feed(self, data: bytes) -> list[StreamEvent]:
        return [ModelChunk(content=[self.chunks[data]])]

    def finish(self, *, cut: bool) -> list[StreamEvent]:
        self.ended = not cut
        return []


def streamed(*pieces: tuple[str, str]) -> list[tuple[str, str]]:
    """Name and arguments of the pieces of one call, as they are told."""
    keys = [bytes([place]) for place in range(len(pieces))]
    chunks = {
        key: ToolCallChunk(id="1", raw_name=name, raw_arguments=arguments)
        for key, (name, arguments) in zip(keys, pieces, strict=True)
    }
    decoder = names().restored_stream(Recorded(chunks))
    events = [event for key in keys for event in decoder.feed(key)] + decoder.finish(cut=False)
    assert decoder.ended
    return [
        (piece.raw_name, piece.raw_arguments)
        for event in events
        if isinstance(event, ModelChunk)
        for piece in event.content
        if isinstance(piece, ToolCallChunk)
    ]


def test_a_stream_has_the_callers_names() -> None:
    """Also where the name comes in pieces: it waits until it is whole."""
    long = fitting_tool_name(LONG)

    assert streamed((long, ""), ("", "{}")) == [(LONG, ""), ("", "{}")]
    assert streamed((long[:9], ""), (long[9:], ""), ("", "{}")) == [
        ("", ""),
        (LONG, ""),
        ("", "{}"),
    ]
    assert streamed((long, "{}")) == [(LONG, "{}")]


def test_another_name_is_not_kept_back_for_good() -> None:
    """One that only begins like a changed one is told when its arguments, or the end, come."""
    assert streamed(("wx", ""), ("", "{}")) == [("wx", ""), ("", "{}")]
    assert streamed(("mcp", ""), ("", "{}")) == [("", ""), ("mcp", "{}")]
    assert streamed(("mcp", "")) == [("", ""), ("mcp", "")]

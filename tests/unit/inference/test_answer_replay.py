"""A whole answer given as a stream: all of it in one chunk."""

from typing import Any

import pytest
import trio

from lsd.conversation import UNSET_PARAMS, ModelChunk, TextChunk, ThoughtChunk, ToolCallChunk
from lsd.inference.answer_replay import replay
from lsd.inference.answers import Answer
from lsd.inference.limits import ScopeLimits
from lsd.inference.outputs import JsonOutput, Output
from lsd.inference.refusals import VariantFailed

CALL = {"type": "tool_call", "id": "c", "raw_name": "page", "raw_arguments": "{", "name": "page"}
THOUGHT = {
    "type": "thought",
    "text": "hm",
    "signature": "s",
    "summary": [{"type": "summary_text", "text": "t"}, {"type": "summary_text", "text": "u"}],
}


def answer(output: Output) -> Answer:
    """An answer with this output."""
    return Answer(
        variant_name="pick",
        output=output,
        params=UNSET_PARAMS,
        finish_reason="stop",
        calls=(),
        deciding=None,
    )


async def test_there_is_one_chunk_and_then_nothing() -> None:
    """Tool calls keep their ids, other blocks are counted; each part of a summary is a chunk."""
    blocks: list[dict[str, Any]] = [THOUGHT, CALL, {"type": "text", "text": "Hi"}]
    started = replay(answer(blocks), 3.0)

    started.stream.bound(ScopeLimits(), trio.current_time())
    (chunk,) = await started.stream.receive()
    rest = await started.stream.receive()
    await started.stream.settle()
    started.stream.note()
    await started.stream.aclose()

    assert chunk == ModelChunk(
        content=[
            ThoughtChunk(id="0", text="hm", signature="s"),
            ThoughtChunk(id="0", summary_id="0", summary_text="t"),
            ThoughtChunk(id="0", summary_id="1", summary_text="u"),
            ToolCallChunk(id="c", raw_name="page", raw_arguments="{"),
            TextChunk(id="1", text="Hi"),
        ]
    )
    assert rest == []
    assert started.stream.has_content
    assert (started.call, started.answer().first_chunk_at) == (None, 3.0)


@pytest.mark.parametrize(("raw", "text"), [('{"a":1}', '{"a":1}'), (None, "")])
async def test_json_is_given_as_its_text(raw: str | None, text: str) -> None:
    """As the pieces of a json stream are."""
    value = JsonOutput(raw=raw, parsed=None, auxiliary=())

    (chunk,) = await replay(answer(value), 0.0).stream.receive()

    assert chunk == ModelChunk(content=[TextChunk(id="0", text=text)])


async def test_a_block_of_a_providers_own_kind_cannot_be_streamed() -> None:
    """No chunk could say what it is."""
    output: Output = [{"type": "unknown", "data": 1}]

    with pytest.raises(VariantFailed, match="a block of type 'unknown'"):
        replay(answer(output), 0.0)

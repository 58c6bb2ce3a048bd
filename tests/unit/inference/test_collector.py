"""The pieces of a streamed answer, put together again."""

import attrs
from hypothesis import given
from hypothesis import strategies as st

from lsd.conversation import (
    ContentChunk,
    OutputBlock,
    Text,
    TextChunk,
    Thought,
    ThoughtChunk,
    ToolCall,
    ToolCallChunk,
    Unknown,
    UnknownChunk,
)
from lsd.inference.collector import ContentCollector

WHOLE: tuple[ContentChunk, ...] = (
    ThoughtChunk(id="0", text="Fire is urgent.", signature="c2ln", provider_type="anthropic"),
    ThoughtChunk(id="1", summary_id="s-0", summary_text="Fire"),
    TextChunk(id="0", text="Paging facilities."),
    ToolCallChunk(id="call_1", raw_name="page", raw_arguments='{"team":"facilities"}'),
    TextChunk(id="1", text="Done."),
    UnknownChunk(id="9", data={"kind": "image"}, model_name="m"),
)

BLOCKS: tuple[OutputBlock, ...] = (
    Thought(text="Fire is urgent.", signature="c2ln", provider_type="anthropic"),
    Thought(summary=({"type": "summary_text", "text": "Fire"},)),
    Text(text="Paging facilities."),
    ToolCall(id="call_1", name="page", arguments='{"team":"facilities"}'),
    Text(text="Done."),
    Unknown(data={"kind": "image"}, model_name="m"),
)


def collected(*events: list[ContentChunk]) -> tuple[OutputBlock, ...]:
    """The blocks of chunks that came together in these groups."""
    collector = ContentCollector()
    for chunks in events:
        collector.add(chunks)
    return collector.blocks()


def cut(chunk: ContentChunk, place: int) -> list[ContentChunk]:
    """A chunk as two pieces, wherever it has something to cut."""
    match chunk:
        case TextChunk():
            return [
                TextChunk(id=chunk.id, text=chunk.text[:place]),
                TextChunk(id=chunk.id, text=chunk.text[place:]),
            ]
        case ToolCallChunk():
            return [
                ToolCallChunk(id=chunk.id, raw_name=chunk.raw_name[:place]),
                ToolCallChunk(
                    id=chunk.id,
                    raw_name=chunk.raw_name[place:],
                    raw_arguments=chunk.raw_arguments[:place],
                ),
                ToolCallChunk(id=chunk.id, raw_arguments=chunk.raw_arguments[place:]),
            ]
        case ThoughtChunk(text=None):
            text = chunk.summary_text or ""
            return [
                attrs.evolve(chunk, summary_text=text[:place]),
                attrs.evolve(chunk, summary_text=text[place:]),
            ]
        case ThoughtChunk():
            text, signature = chunk.text or "", chunk.signature or ""
            return [
                ThoughtChunk(id=chunk.id, text=text[:place]),
                ThoughtChunk(id=chunk.id, provider_type=chunk.provider_type),
                ThoughtChunk(id=chunk.id, text=text[place:], signature=signature[:place]),
                ThoughtChunk(id=chunk.id, signature=signature[place:]),
            ]
        case UnknownChunk():
            return [chunk]


def test_chunks_become_blocks() -> None:
    """Each kind of chunk has its kind of block; the order is that of their first pieces."""
    assert collected(list(WHOLE)) == BLOCKS


def test_nothing_makes_no_blocks() -> None:
    """A stream without content is an answer without blocks."""
    assert collected() == ()
    assert collected([], []) == ()


@given(data=st.data())
def test_how_a_stream_was_cut_does_not_matter(data: st.DataObject) -> None:
    """However a provider cuts its blocks and groups the pieces, the answer is the same."""
    pieces = [
        piece
        for chunk in WHOLE
        for piece in cut(chunk, data.draw(st.integers(0, 25), label="cut at"))
    ]

    events: list[list[ContentChunk]] = []
    while pieces:
        size = data.draw(st.integers(1, len(pieces)), label="pieces together")
        events.append(pieces[:size])
        pieces = pieces[size:]

    assert collected(*events) == BLOCKS


@given(st.permutations(range(6)), st.permutations(range(6)))
def test_blocks_may_be_streamed_beside_each_other(first: list[int], second: list[int]) -> None:
    """Pieces of several blocks may alternate; blocks stand as they first appeared."""
    halves = [[TextChunk(id=str(n), text=f"{n}a")] for n in first]
    others = [[TextChunk(id=str(n), text=f"{n}b")] for n in second]

    blocks = collected(*halves, *others)

    assert blocks == tuple(Text(text=f"{n}a{n}b") for n in first)


def test_kinds_with_the_same_id_are_different_blocks() -> None:
    """Text "0" and thought "0" have nothing to do with each other."""
    blocks = collected([TextChunk(id="0", text="a"), ThoughtChunk(id="0", text="b")])

    assert blocks == (Text(text="a"), Thought(text="b"))


def test_a_thought_may_have_several_summaries() -> None:
    """Summaries are told apart by their ids, in the order in which they came."""
    blocks = collected(
        [ThoughtChunk(id="0", summary_id="1", summary_text="one ")],
        [ThoughtChunk(id="0", summary_id="2", summary_text="two")],
        [ThoughtChunk(id="0", summary_id="1", summary_text="more")],
    )

    one, two = (
        {"type": "summary_text", "text": "one more"},
        {"type": "summary_text", "text": "two"},
    )
    assert blocks == (Thought(summary=(one, two)),)


def test_what_has_arrived_can_be_told_at_any_moment() -> None:
    """A stream that breaks off leaves the blocks that were there."""
    collector = ContentCollector()

    collector.add([TextChunk(id="0", text="An old")])
    before = collector.blocks()
    collector.add([TextChunk(id="0", text=" pond")])

    assert before == (Text(text="An old"),)
    assert collector.blocks() == (Text(text="An old pond"),)


def test_an_empty_thought_is_still_one() -> None:
    """A thought that is nothing but a provider's own data is kept for the next turn."""
    blocks = collected([ThoughtChunk(id="0", provider_type="google", extra_data={"sig": 1})])

    assert blocks == (Thought(provider_type="google", extra_data={"sig": 1}),)

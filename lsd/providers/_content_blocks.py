"""Chunks of a whole answer as the blocks that they make up."""

from collections.abc import Sequence
from itertools import groupby

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


def blocks_of(content: Sequence[ContentChunk]) -> tuple[OutputBlock, ...]:
    """Neighbours that are pieces of one text or thought become one block; all else is whole."""
    if len(content) == 1 and isinstance(content[0], TextChunk):
        return (Text(text=content[0].text),)
    blocks: list[OutputBlock] = []
    for _, group in groupby(content, key=lambda chunk: (type(chunk), chunk.id)):
        pieces = list(group)
        texts = [piece for piece in pieces if isinstance(piece, TextChunk)]
        thoughts = [piece for piece in pieces if isinstance(piece, ThoughtChunk)]
        if texts:
            blocks.append(Text(text="".join(piece.text for piece in texts)))
        elif thoughts:
            blocks.append(_thought(thoughts))
        else:
            blocks += [_whole(piece) for piece in pieces]
    return tuple(blocks)


def _thought(pieces: list[ThoughtChunk]) -> Thought:
    summaries: dict[str, str] = {}
    for piece in pieces:
        if piece.summary_text is not None:
            key = piece.summary_id or ""
            summaries[key] = summaries.get(key, "") + piece.summary_text
    summary = tuple({"type": "summary_text", "text": text} for text in summaries.values())
    data = [piece.extra_data for piece in pieces if piece.extra_data is not None]
    return Thought(
        text=_joined([piece.text for piece in pieces]),
        signature=_joined([piece.signature for piece in pieces]),
        summary=summary or None,
        provider_type=pieces[0].provider_type,
        extra_data=data[-1] if data else None,
    )


def _joined(pieces: list[str | None]) -> str | None:
    found = [piece for piece in pieces if piece is not None]
    return "".join(found) if found else None


def _whole(piece: ContentChunk) -> OutputBlock:
    match piece:
        case ToolCallChunk():
            return ToolCall(id=piece.id, name=piece.raw_name, arguments=piece.raw_arguments)
        case UnknownChunk():
            return Unknown(
                data=piece.data, model_name=piece.model_name, provider_name=piece.provider_name
            )
        case _:
            raise AssertionError("texts and thoughts are joined, not whole")

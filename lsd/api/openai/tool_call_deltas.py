"""Pieces of tool calls as the deltas of a streamed chat completion."""

from typing import Any

from lsd.api.openai.call_pieces import CallPiece


def delta_of(piece: CallPiece) -> dict[str, Any]:
    """The only call of the delta that tells of a piece."""
    call = piece.call
    kind, argument = ("custom", "input") if call.is_custom else ("function", "arguments")
    if piece.text is not None:
        return {"index": call.index, kind: {argument: piece.text}}
    return {
        "index": call.index,
        "id": call.id,
        "type": kind,
        kind: {"name": call.name, argument: ""},
        **call.extras,
    }

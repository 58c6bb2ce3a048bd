"""Pieces of thoughts as deltas that clients can put together."""

from typing import Any

from lsd.api.openai.reasoning_deltas import ReasoningDeltas
from lsd.api.openai.thoughts import read_thoughts, reasoning_fields
from lsd.conversation import Thought, ThoughtChunk


def deltas(*chunks: ThoughtChunk, with_details: bool = True) -> list[dict[str, Any]]:
    """One delta for each piece."""
    words = ReasoningDeltas()
    made = []
    for chunk in chunks:
        delta: dict[str, Any] = {}
        words.add(chunk, delta, with_details=with_details)
        made.append(delta)
    return made


def piece(identifier: str = "0", provider_type: str = "anthropic", **fields: Any) -> ThoughtChunk:
    """A piece of a thought."""
    return ThoughtChunk(id=identifier, provider_type=provider_type, **fields)


def joined(made: list[dict[str, Any]]) -> dict[str, Any]:
    """What a client makes of deltas: texts are joined, items of arrays found by their index."""
    whole: dict[str, Any] = {"reasoning_content": "", "reasoning_details": []}
    for delta in made:
        whole["reasoning_content"] += delta.get("reasoning_content", "")
        for detail in delta.get("reasoning_details", []):
            details = whole["reasoning_details"]
            if detail["index"] == len(details):
                details.append({})
            kept = details[detail["index"]]
            for key, value in detail.items():
                kept[key] = value if key in ("index", "type") else kept.get(key, "") + value
    return whole


def test_a_thought_says_its_format_once() -> None:
    """Clients join the texts of all pieces."""
    first, second, signed = deltas(piece(text="Need "), piece(text="it."), piece(signature="s"))

    assert first == {
        "reasoning_content": "Need ",
        "reasoning_details": [
            {"type": "reasoning.text", "text": "Need ", "index": 0, "format": "anthropic"}
        ],
    }
    assert second["reasoning_details"] == [{"type": "reasoning.text", "text": "it.", "index": 0}]
    assert signed == {
        "reasoning_details": [{"type": "reasoning.text", "signature": "s", "index": 0}]
    }


def test_a_hidden_thought_is_sealed() -> None:
    """Nobody but its provider can read it."""
    (delta,) = deltas(piece(signature="d"))

    (detail,) = delta["reasoning_details"]
    assert (detail["type"], detail["data"]) == ("reasoning.encrypted", "d")
    assert "reasoning_content" not in delta


def test_thoughts_are_set_apart() -> None:
    """By a blank line, as in a whole answer."""
    made = deltas(
        piece("0", text="a"),
        piece("1", text="b"),
        piece("1", text="c"),
        piece("2", summary_id="0", summary_text="d"),
        piece("2", summary_id="1", summary_text="e"),
    )

    assert joined(made)["reasoning_content"] == "a\n\nbc\n\nd\n\ne"


def test_what_a_client_joins_is_what_a_whole_answer_has() -> None:
    """Case 59; and it comes back as the thoughts that it was."""
    made = deltas(piece("0", text="a"), piece("0", signature="s"), piece("1", signature="d"))
    thoughts = [
        Thought(text="a", signature="s", provider_type="anthropic"),
        Thought(signature="d", provider_type="anthropic"),
    ]

    assert joined(made) == reasoning_fields(thoughts)
    assert read_thoughts(joined(made)) == thoughts


def test_a_summary_beside_a_text_is_a_detail_only() -> None:
    """The text says more."""
    made = deltas(piece(text="a"), piece(summary_id="0", summary_text="b"))

    assert joined(made)["reasoning_content"] == "a"
    assert made[1]["reasoning_details"][0]["summary"] == "b"


def test_a_provider_may_send_details_itself() -> None:
    """Then LSD adds none."""
    assert deltas(piece(text="a"), with_details=False) == [{"reasoning_content": "a"}]


def test_pieces_of_one_event_are_one_delta() -> None:
    """Whatever arrived together."""
    words = ReasoningDeltas()
    delta: dict[str, Any] = {}

    words.add(piece("0", text="a"), delta, with_details=True)
    words.add(piece("1", text="b"), delta, with_details=True)

    assert delta["reasoning_content"] == "a\n\nb"
    assert [each["index"] for each in delta["reasoning_details"]] == [0, 1]


def test_an_empty_piece_says_nothing() -> None:
    """Providers open thoughts before they have any."""
    assert deltas(piece()) == [{}]

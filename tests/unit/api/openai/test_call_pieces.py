"""Pieces of tool calls: the first names the call, later ones hold arguments."""

from lsd.api.openai.call_pieces import CallPiece, CallPieces
from lsd.conversation import ToolCallChunk

Told = tuple[int, str, str | None]


def told(piece: CallPiece) -> Told:
    """Which call a piece is of, its name, and what it adds."""
    return piece.call.index, piece.call.name, piece.text


def pieces(*chunks: ToolCallChunk, custom: str = "") -> list[Told]:
    """All pieces of all calls, the end included."""
    calls = CallPieces(frozenset({custom}))
    made = [told(each) for chunk in chunks for each in calls.add(chunk, {})]
    return [*made, *map(told, calls.end())]


def piece(identifier: str = "c", name: str = "", arguments: str = "") -> ToolCallChunk:
    """A piece of a call, as providers send it."""
    return ToolCallChunk(id=identifier, raw_name=name, raw_arguments=arguments)


def test_the_first_piece_has_the_name_and_no_arguments() -> None:
    """Trap 16: even if both came together."""
    assert pieces(piece(name="f", arguments='{"a":'), piece(arguments="1}")) == [
        (0, "f", None),
        (0, "f", '{"a":'),
        (0, "f", "1}"),
    ]


def test_a_name_in_pieces_is_waited_for() -> None:
    """Clients take the first one for the whole."""
    calls = CallPieces(frozenset())

    assert calls.add(piece(name="get_"), {}) == []
    assert calls.add(piece(name="weather"), {}) == []
    begun, arguments = calls.add(piece(arguments="{}"), {})
    assert told(begun) == (0, "get_weather", None)
    assert told(arguments) == (0, "get_weather", "{}")


def test_arguments_wait_for_the_name() -> None:
    """Some servers send it late; no client takes a call without one."""
    made = pieces(
        piece("a", arguments='{"x"'),
        piece("b", name="g", arguments="{}"),
        piece("a", name="f"),
        piece("a", arguments=":1}"),
    )

    assert made == [
        (0, "g", None),
        (0, "g", "{}"),
        (1, "f", None),
        (1, "f", '{"x"'),
        (1, "f", ":1}"),
    ]


def test_calls_are_counted_as_they_appear() -> None:
    """Case 11: without gaps, also if their pieces mix."""
    made = pieces(
        piece("a", name="f"),
        piece("b", name="g", arguments="{"),
        piece("a", arguments="{}"),
        piece("b", arguments="}"),
    )

    assert made == [
        (0, "f", None),
        (1, "g", None),
        (1, "g", "{"),
        (0, "f", "{}"),
        (1, "g", "}"),
    ]


def test_a_call_without_arguments_gets_an_empty_object() -> None:
    """Case 12, trap 22."""
    assert pieces(piece("a", name="f"), piece("b", name="g")) == [
        (0, "f", None),
        (1, "g", None),
        (0, "f", "{}"),
        (1, "g", "{}"),
    ]


def test_free_form_calls_may_be_empty() -> None:
    """They hold a text, which may be none."""
    made = pieces(piece("a", name="sh", arguments="ls"), piece("b", name="sh"), custom="sh")

    assert made == [(0, "sh", None), (0, "sh", "ls"), (1, "sh", None)]


def test_further_fields_belong_to_the_call() -> None:
    """Its first piece waits, so that they can be told with it."""
    calls = CallPieces(frozenset())

    calls.add(piece(name="f"), {"extra_content": {"google": {}}})
    begun, _ = calls.add(piece(arguments="{}"), {})

    assert begun.call.extras == {"extra_content": {"google": {}}}


def test_what_follows_a_name_ends_it() -> None:
    """Nothing is held back longer than it must be."""
    calls = CallPieces(frozenset())

    assert calls.add(piece(name="f"), {}) == []
    assert [told(each) for each in calls.flush()] == [(0, "f", None)]
    assert calls.flush() == []

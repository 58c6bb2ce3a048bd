"""Events of a streamed response."""

from lsd.api.openai.response_events import ResponseEvents


def test_events_are_named_twice_and_counted() -> None:
    """Some clients read the line in front, others the data only."""
    events = ResponseEvents()

    events.tell("a", x=1)
    events.tell("b")

    assert events.take() == (
        b'event: a\ndata: {"type":"a","sequence_number":0,"x":1}\n\n'
        b'event: b\ndata: {"type":"b","sequence_number":1}\n\n'
    )


def test_each_is_taken_once() -> None:
    """The count goes on."""
    events = ResponseEvents()
    events.tell("a")
    events.take()
    assert events.take() == b""

    events.tell("b")

    assert b'"sequence_number":1' in events.take()

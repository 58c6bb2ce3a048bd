"""How tests read the events of streamed responses."""

from typing import Any

import orjson


def events_in(told: bytes) -> list[dict[str, Any]]:
    """The events of a stream, without the number and the line in front."""
    made = []
    for frame in told.decode().split("\n\n")[:-1]:
        name, data = frame.split("\n")
        event = orjson.loads(data.removeprefix("data: "))
        del event["sequence_number"]
        assert name == f"event: {event['type']}"
        made.append({**event, "type": event["type"].removeprefix("response.")})
    return made


def kinds_in(told: bytes) -> list[str]:
    """What the events are."""
    return [event["type"] for event in events_in(told)]

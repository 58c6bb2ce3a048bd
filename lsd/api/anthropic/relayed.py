"""Messages that a provider has worded itself: other names, and nothing else."""

import re
from collections.abc import Mapping
from typing import Any

from lsd.conversation import JsonValue, encode_json

_COUNTS = (
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
)

_EVENT_NAME = re.compile(r"[A-Za-z0-9_.-]+\Z")


def relayed_message(document: Mapping[str, Any], message_id: str, model: str) -> dict[str, Any]:
    """The message under the id of its record, of the model that the client has named.

    Agents count on the counts, so that those which are missing are 0.
    """
    usage = document.get("usage")
    counts = dict(usage) if isinstance(usage, dict) else {}
    for name in _COUNTS:
        if counts.get(name) is None:
            counts[name] = 0
    return {**document, "id": message_id, "model": model, "usage": counts}


def relayed_event(document: Mapping[str, JsonValue], raw: str | None) -> bytes:
    """The event under its own name; nothing for one without a name.

    `raw` is its text as it came; None if something in it was changed.
    """
    kind = document.get("type")
    if not isinstance(kind, str) or not _EVENT_NAME.match(kind):
        return b""
    # A text of several lines would need several lines of data, which not all clients read.
    lines = [] if raw is None else raw.splitlines()
    data = lines[0].encode() if len(lines) == 1 else encode_json(document)
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), data)

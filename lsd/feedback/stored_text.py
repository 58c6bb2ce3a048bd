"""The JSON text under which demonstrations are stored."""

from lsd.conversation import JsonValue, encode_json
from lsd.feedback.refusals import BadFeedback


def stored_text(value: JsonValue) -> str:
    """`value` as compact JSON, keys in their order. Raises BadFeedback if it nests too deeply."""
    try:
        return encode_json(value).decode()
    except TypeError:  # a value from JSON has one way only in which it cannot be written
        reason = "found more levels of nesting than can be stored; wanted at most 250"
        raise BadFeedback("value", reason) from None

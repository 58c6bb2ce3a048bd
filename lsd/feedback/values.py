"""The values that metrics and comments take."""

from lsd.config import Metric
from lsd.conversation import JsonValue, describe_json
from lsd.feedback.refusals import BadFeedback


def metric_value(name: str, metric: Metric, value: JsonValue) -> bool | float:
    """`value` as the metric keeps it. Raises BadFeedback naming the metric and its type."""
    if metric.type == "boolean":
        if type(value) is not bool:
            raise _mismatch(value, f"true or false for the boolean metric {name!r}")
        return value
    if type(value) is not float and type(value) is not int:  # True is an int, too
        raise _mismatch(value, f"a number for the float metric {name!r}")
    return value + 0.0  # makes a float of an integer, and 0.0 of -0.0


def comment_value(value: JsonValue) -> str:
    """The text of a comment, as it is. Raises BadFeedback."""
    if type(value) is not str:
        raise _mismatch(value, "a string for the metric 'comment'")
    return value


def _mismatch(found: JsonValue, wanted: str) -> BadFeedback:
    return BadFeedback("value", f"found {describe_json(found)}; wanted {wanted}")

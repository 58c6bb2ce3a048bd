"""What metrics and comments take."""

import math
from typing import Any

import pytest

from lsd.config import Metric
from lsd.feedback import BadFeedback
from lsd.feedback.values import comment_value, metric_value

BOOLEAN = Metric(type="boolean", optimize="max", level="inference")
FLOAT = Metric(type="float", optimize="max", level="inference")


@pytest.mark.parametrize("value", [True, False])
def test_a_boolean_metric_takes_true_and_false(value: bool) -> None:
    """Nothing else means yes or no."""
    assert metric_value("solved", BOOLEAN, value) is value


@pytest.mark.parametrize("value", [0, 1, 1.0, "true", None, [], {}])
def test_a_boolean_metric_takes_nothing_like_them(value: Any) -> None:
    """The message names the metric and its type."""
    with pytest.raises(BadFeedback, match=r"value: found .*; wanted true or false .*'solved'"):
        metric_value("solved", BOOLEAN, value)


# case 10
@pytest.mark.parametrize(("value", "kept"), [(3, 3.0), (0.25, 0.25), (2**63, float(2**63))])
def test_a_float_metric_takes_any_number(value: float, kept: float) -> None:
    """Integers become the same number in binary64."""
    made = metric_value("rating", FLOAT, value)

    assert made == kept
    assert type(made) is float


def test_there_is_one_zero() -> None:
    """A negative zero is stored as the other one, so that equal values look equal."""
    assert math.copysign(1, metric_value("rating", FLOAT, -0.0)) == 1


# case 10
@pytest.mark.parametrize("value", [True, "3", None, [3], {"value": 3}])
def test_a_float_metric_takes_only_numbers(value: Any) -> None:
    """A boolean is not a number, and neither is a text that looks like one."""
    with pytest.raises(BadFeedback, match=r"value: found .*; wanted a number .*'rating'"):
        metric_value("rating", FLOAT, value)


@pytest.mark.parametrize("value", ["", "  well done\n", "☃"])
def test_a_comment_is_kept_as_it_is(value: str) -> None:
    """Even an empty one says something."""
    assert comment_value(value) == value


@pytest.mark.parametrize("value", [None, 3, True, ["well"], {}])
def test_a_comment_is_a_text(value: Any) -> None:
    """The message names what was found."""
    with pytest.raises(BadFeedback, match=r"value: found .*; wanted a string"):
        comment_value(value)

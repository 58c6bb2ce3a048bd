"""Feedback: what people and programs say of inferences and episodes, checked and stored.

Feedback is about a *target*. It gives a *metric* a value, or it is a *comment*, or it is a
*demonstration*: the output that should have been given. With certain tags it is also a
*judgement*, by which a person overrules an evaluator.
"""

from lsd.feedback.demonstrations import DEFAULT_FUNCTION
from lsd.feedback.metrics import all_metrics, known_metric
from lsd.feedback.refusals import BadFeedback, NotStored, UnknownFunction, UnknownMetric
from lsd.feedback.request import FeedbackRequest, read_feedback_request
from lsd.feedback.service import FeedbackService
from lsd.feedback.targets import Running, RunningInferences

__all__ = [
    "DEFAULT_FUNCTION",
    "BadFeedback",
    "FeedbackRequest",
    "FeedbackService",
    "NotStored",
    "Running",
    "RunningInferences",
    "UnknownFunction",
    "UnknownMetric",
    "all_metrics",
    "known_metric",
    "read_feedback_request",
]

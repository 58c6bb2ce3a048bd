"""What a request speaks of: which metric, and of which inference or episode."""

import attrs

from lsd.config import Config, Metric
from lsd.feedback.metrics import known_metric
from lsd.feedback.refusals import BadFeedback, UnknownMetric
from lsd.feedback.request import FeedbackRequest
from lsd.feedback.targets import Target
from lsd.store import FeedbackKind, TargetType

COMMENT = "comment"
DEMONSTRATION = "demonstration"
"""Two names that need no configuration."""


@attrs.frozen(kw_only=True)
class Subject:
    """`metric` is None for comments and demonstrations. The target may not exist."""

    metric: Metric | None
    kind: FeedbackKind
    target: Target


def subject_of(request: FeedbackRequest, config: Config) -> Subject:
    """Raises BadFeedback and UnknownMetric."""
    if request.inference_id is not None and request.episode_id is not None:
        raise BadFeedback("inference_id, episode_id", "found both; wanted exactly one of them")
    name = request.metric_name
    if name == COMMENT:
        return Subject(metric=None, kind="comment", target=_given_target(request))
    if name == DEMONSTRATION:
        target = _target_at("inference", request)
        return Subject(metric=None, kind="demonstration", target=target)
    metric = known_metric(config, name)
    if metric is None:
        raise UnknownMetric(name)
    return Subject(metric=metric, kind=metric.type, target=_target_at(metric.level, request))


def _given_target(request: FeedbackRequest) -> Target:
    if request.inference_id is not None:
        return Target(level="inference", id=request.inference_id)
    if request.episode_id is not None:
        return Target(level="episode", id=request.episode_id)
    raise BadFeedback("inference_id, episode_id", "found neither; wanted exactly one of them")


def _target_at(level: TargetType, request: FeedbackRequest) -> Target:
    found = request.inference_id if level == "inference" else request.episode_id
    if found is None:
        reason = f"missing; {request.metric_name!r} is feedback on an {level}"
        raise BadFeedback(f"{level}_id", reason)
    return Target(level=level, id=found)

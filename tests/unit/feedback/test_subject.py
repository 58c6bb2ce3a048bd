"""Which metric and which target a request names."""

from typing import Any

import pytest

from lsd.feedback import BadFeedback, FeedbackRequest, UnknownMetric
from lsd.feedback.subject import Subject, subject_of
from lsd.feedback.targets import Target
from tests.unit.feedback.desk import desk_config

AN_ID = "0198f3a2-5c10-7b3e-9d41-6a0c2f5e8b17"
CONFIG = desk_config()


def about(metric_name: str, **ids: str) -> Subject:
    """The subject of a request for a metric."""
    fields: dict[str, Any] = {"metric_name": metric_name, "value": None, **ids}
    return subject_of(FeedbackRequest(**fields), CONFIG)


@pytest.mark.parametrize(
    ("metric_name", "level", "kind"),
    [
        ("solved", "inference", "boolean"),
        ("rating", "inference", "float"),
        ("resolved", "episode", "boolean"),
        ("comment", "inference", "comment"),
        ("comment", "episode", "comment"),
        ("demonstration", "inference", "demonstration"),
    ],
)
def test_a_metric_is_about_targets_of_its_level(metric_name: str, level: Any, kind: str) -> None:
    """Comments are about either."""
    subject = about(metric_name, **{f"{level}_id": AN_ID})

    assert subject.target == Target(level=level, id=AN_ID)
    assert subject.kind == kind
    assert subject.metric == CONFIG.metrics.get(metric_name)


# case 1
@pytest.mark.parametrize("metric_name", ["solved", "comment", "demonstration", "unknown"])
def test_both_ids_are_too_many(metric_name: str) -> None:
    """That is told before anything about the metric."""
    with pytest.raises(BadFeedback, match="inference_id, episode_id: found both"):
        about(metric_name, inference_id=AN_ID, episode_id=AN_ID)


# case 2
@pytest.mark.parametrize(
    ("metric_name", "told"),
    [
        ("solved", "inference_id: missing; 'solved' is feedback on an inference"),
        ("resolved", "episode_id: missing; 'resolved' is feedback on an episode"),
        ("demonstration", "inference_id: missing; 'demonstration' is feedback on an inference"),
        ("comment", "inference_id, episode_id: found neither; wanted exactly one of them"),
    ],
)
def test_without_an_id_the_level_is_told(metric_name: str, told: str) -> None:
    """The sender learns which id to send."""
    with pytest.raises(BadFeedback) as caught:
        about(metric_name)

    assert str(caught.value) == told


# case 2
@pytest.mark.parametrize("ids", [{}, {"inference_id": AN_ID}, {"episode_id": AN_ID}])
def test_an_unknown_metric_is_unknown_whatever_the_ids(ids: dict[str, str]) -> None:
    """A metric that does not exist has no level."""
    with pytest.raises(UnknownMetric, match="'speed'"):
        about("speed", **ids)


# case 3
@pytest.mark.parametrize(
    ("metric_name", "given", "wanted"),
    [
        ("solved", "episode_id", "inference"),
        ("resolved", "inference_id", "episode"),
        ("demonstration", "episode_id", "inference"),  # case 4
    ],
)
def test_the_other_id_does_not_do(metric_name: str, given: str, wanted: str) -> None:
    """A metric has one level."""
    with pytest.raises(BadFeedback, match=rf"{wanted}_id: missing; .* on an {wanted}"):
        about(metric_name, **{given: AN_ID})

"""Which metrics there are."""

from typing import Any

import attrs
import pytest

from lsd.config import Config, Evaluation, Metric
from lsd.config.tables.evaluators import ExactMatchEvaluator, ScriptEvaluator
from lsd.feedback import known_metric
from tests.unit.feedback.desk import desk_config

POLITE = ScriptEvaluator(
    command=("polite",), output_type="float", optimize="min", description="Counts rude words"
)


@pytest.fixture
def config() -> Config:
    """A configuration with an evaluator of each owner."""
    config = desk_config()
    support: Any = config.functions["support"]
    judged = attrs.evolve(support, evaluators={"polite": POLITE})
    triage = Evaluation(
        type="inference", function_name="triage", evaluators={"right": ExactMatchEvaluator()}
    )
    return attrs.evolve(
        config,
        functions={**config.functions, "support": judged},
        evaluations={"nightly": triage},
    )


def test_a_configured_metric_is_known_by_its_name(config: Config) -> None:
    """Metrics are those of the configuration."""
    assert known_metric(config, "solved") == config.metrics["solved"]


def test_an_evaluator_of_a_function_has_a_metric(config: Config) -> None:
    """A script says itself what its scores are."""
    assert known_metric(config, "lsd::function_name::support::evaluator_name::polite") == Metric(
        type="float", optimize="min", level="inference", description="Counts rude words"
    )


def test_an_evaluator_of_an_evaluation_has_a_metric(config: Config) -> None:
    """Evaluators that compare give true for a match."""
    assert known_metric(config, "lsd::evaluation_name::nightly::evaluator_name::right") == Metric(
        type="boolean", optimize="max", level="inference"
    )


@pytest.mark.parametrize(
    "name",
    [
        "",
        "unknown",
        "comment",
        "demonstration",
        "lsd::function_name::support::evaluator_name::right",
        "lsd::function_name::nightly::evaluator_name::right",
        "lsd::evaluation_name::nightly::evaluator_name::",
        "lsd::evaluation_name::nightly",
        "lsd::evaluation_name::::evaluator_name::right",
        "nightly::evaluator_name::right",
    ],
)
def test_other_names_are_no_metrics(config: Config, name: str) -> None:
    """A name that resembles a generated one is not enough."""
    assert known_metric(config, name) is None

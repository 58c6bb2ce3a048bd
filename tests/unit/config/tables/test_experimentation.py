"""Which experiment a request takes part in."""

from lsd.config import DefaultExperiment, Experimentation, StaticExperiment


def test_a_namespace_may_have_an_experiment_of_its_own() -> None:
    """Others, and requests without a namespace, share the base."""
    own = StaticExperiment(candidate_variants={"a": 1.0})
    experimentation = Experimentation(namespaces={"team": own})

    assert experimentation.experiment_for("team") == own
    assert experimentation.experiment_for("other") == DefaultExperiment()
    assert experimentation.experiment_for(None) == DefaultExperiment()

"""The metrics that feedback can be about: those of the configuration, and one per evaluator."""

from lsd.config import Config, Evaluator, Metric

_OF_EVALUATION = "lsd::evaluation_name::"
_OF_FUNCTION = "lsd::function_name::"
_EVALUATOR = "::evaluator_name::"


def known_metric(config: Config, name: str) -> Metric | None:
    """The metric of this name, configured or generated for an evaluator; None if there is none.

    `comment` and `demonstration` are not metrics.
    """
    evaluator = _evaluator_of(config, name)
    return config.metrics.get(name) if evaluator is None else _metric_of(evaluator)


def all_metrics(config: Config) -> dict[str, Metric]:
    """The configured metrics, and one for each evaluator, by name."""
    metrics = dict(config.metrics)
    owners = [(_OF_EVALUATION, config.evaluations), (_OF_FUNCTION, config.functions)]
    for prefix, tables in owners:
        for owner_name, owner in tables.items():
            for name, evaluator in owner.evaluators.items():
                metrics[f"{prefix}{owner_name}{_EVALUATOR}{name}"] = _metric_of(evaluator)
    return metrics


def _evaluator_of(config: Config, name: str) -> Evaluator | None:
    """The evaluator whose scores go under this name."""
    # Names of evaluators and evaluations hold no `::`, so the last separator is the right one.
    owner_name, _, evaluator_name = name.rpartition(_EVALUATOR)
    if owner_name.startswith(_OF_EVALUATION):
        evaluation = config.evaluations.get(owner_name.removeprefix(_OF_EVALUATION))
        return None if evaluation is None else evaluation.evaluators.get(evaluator_name)
    if owner_name.startswith(_OF_FUNCTION):
        function = config.functions.get(owner_name.removeprefix(_OF_FUNCTION))
        return None if function is None else function.evaluators.get(evaluator_name)
    return None


def _metric_of(evaluator: Evaluator) -> Metric:
    if evaluator.type == "llm_judge" or evaluator.type == "script":  # noqa: PLR1714 (mypy)
        return Metric(
            type=evaluator.output_type,
            optimize=evaluator.optimize,
            level="inference",
            description=evaluator.description,
        )
    return Metric(
        type="boolean", optimize="max", level="inference", description=evaluator.description
    )

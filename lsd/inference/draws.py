"""From a function's `experimentation` to the draws among its variants."""

from lsd.config import (
    AdaptiveExperiment,
    Config,
    DefaultExperiment,
    Experiment,
    StaticExperiment,
)
from lsd.experiments import AdaptiveDraw, Draw, UniformDraw, WeightedDraw

AnyDraw = Draw | AdaptiveDraw


def draw_of(
    function_name: str,
    namespace: str | None,
    experiment: Experiment,
    names: tuple[str, ...],
    config: Config,
) -> AnyDraw:
    """The draw that a table of the configuration describes, among the variants of these names."""
    match experiment:
        case DefaultExperiment():
            return UniformDraw(variants=names)
        case StaticExperiment():
            return WeightedDraw(
                variants=names,
                weights=experiment.candidate_variants,
                fallback=experiment.fallback_variants,
            )
        case AdaptiveExperiment():
            metric = config.metrics[experiment.metric]
            return AdaptiveDraw(
                function_name=function_name,
                namespace=namespace,
                variants=names,
                candidates=experiment.candidate_variants,
                fallback=experiment.fallback_variants,
                metric_name=experiment.metric,
                level=metric.level,
                minimises=metric.optimize == "min",
                min_samples_per_variant=experiment.min_samples_per_variant,
                max_samples_per_variant=experiment.max_samples_per_variant,
                delta=experiment.delta,
                epsilon=experiment.epsilon,
                min_prob=experiment.min_prob,
                update_period_s=experiment.update_period_s,
            )

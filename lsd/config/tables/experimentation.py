"""`[functions.F.experimentation]`: which variant answers."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import attrs

from lsd.config.kinds import Count, WeightKeys, Within


@attrs.frozen(kw_only=True)
class DefaultExperiment:
    """All variants alike."""

    type: Literal["default"] = "default"
    is_default_type: ClassVar[bool] = True


@attrs.frozen(kw_only=True)
class StaticExperiment:
    """Fixed weights; the fallback variants follow in their order when no candidate is left."""

    type: Literal["static"] = "static"
    candidate_variants: Annotated[Mapping[str, float], WeightKeys()]
    fallback_variants: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class AdaptiveExperiment:
    """Weights that follow the feedback on `metric`."""

    type: Literal["adaptive"] = "adaptive"
    algorithm: Literal["track_and_stop"] = "track_and_stop"
    metric: str
    candidate_variants: tuple[str, ...]
    fallback_variants: tuple[str, ...] = ()
    min_samples_per_variant: int = 10
    max_samples_per_variant: int = 10_000
    delta: float = 0.05
    epsilon: float = 0.0
    min_prob: float = 0.0
    update_period_s: Count = 300


Experiment = DefaultExperiment | StaticExperiment | AdaptiveExperiment


@attrs.frozen(kw_only=True)
class Experimentation:
    """The experiment of requests without a namespace, and those of namespaces."""

    base: Annotated[Experiment, Within()] = DefaultExperiment()
    namespaces: Mapping[str, Experiment] = attrs.field(factory=dict)

    def experiment_for(self, namespace: str | None) -> Experiment:
        """The experiment that a request with this namespace takes part in."""
        return self.namespaces.get(namespace, self.base) if namespace else self.base

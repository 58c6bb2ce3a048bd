"""`[functions.F.experimentation]`: the lists of variants, and the numbers of adaptive ones."""

from collections.abc import Iterator, Mapping

from lsd.config.findings import Findings, listed
from lsd.config.key_path import KeyPath, quote
from lsd.config.tables.config import Config
from lsd.config.tables.experimentation import (
    AdaptiveExperiment,
    Experiment,
    Experimentation,
    StaticExperiment,
)

SUM_TOLERANCE = 1e-9
"""What adding up shares may err by: `0.1` ten times is more than 1 in binary."""


def check_experiments(config: Config, findings: Findings) -> None:
    """The experiments of all functions, those of namespaces included."""
    for name, function in config.functions.items():
        for path, _, experiment in experiments_of(name, function.experimentation):
            match experiment:
                case StaticExperiment():
                    _check_lists(path, experiment, function.variants, findings)
                    _check_weights(path, experiment, findings)
                case AdaptiveExperiment():
                    _check_lists(path, experiment, function.variants, findings)
                    _check_adaptive(path, experiment, config, findings)
                case _:
                    pass


def experiments_of(
    function_name: str, experimentation: Experimentation
) -> Iterator[tuple[KeyPath, str | None, Experiment]]:
    """The experiments of one function with their paths and namespaces."""
    path: KeyPath = ("functions", function_name, "experimentation")
    yield path, None, experimentation.base
    for namespace, experiment in experimentation.namespaces.items():
        yield (*path, "namespaces", namespace), namespace, experiment


def _check_lists(
    path: KeyPath,
    experiment: StaticExperiment | AdaptiveExperiment,
    variants: Mapping[str, object],
    findings: Findings,
) -> None:
    candidates = experiment.candidate_variants
    weighted = isinstance(candidates, Mapping)
    for at, name in enumerate(candidates):
        place = (*path, "candidate_variants", name if weighted else at)
        if name not in variants:
            found = f"there is no variant {quote(name)}"
            findings.refuse(place, found, f"wanted one of {listed(variants)}")
        if not isinstance(candidates, Mapping) and name in candidates[:at]:
            findings.refuse(place, f"{quote(name)} is listed twice")
    for at, name in enumerate(experiment.fallback_variants):
        place = (*path, "fallback_variants", at)
        if name not in variants:
            found = f"there is no variant {quote(name)}"
            findings.refuse(place, found, f"wanted one of {listed(variants)}")
        if name in experiment.fallback_variants[:at]:
            findings.refuse(place, f"{quote(name)} is listed twice")
        if name in candidates:
            findings.refuse(place, f"{quote(name)} is a candidate, too", "list it once")


def _check_weights(path: KeyPath, experiment: StaticExperiment, findings: Findings) -> None:
    place = (*path, "candidate_variants")
    for name, weight in experiment.candidate_variants.items():
        if weight < 0:
            findings.refuse((*place, name), f"found {weight}", "wanted at least 0")
    is_drawable = any(weight > 0 for weight in experiment.candidate_variants.values())
    if not is_drawable and not experiment.fallback_variants:
        found = "no candidate has a weight above 0, and there are no fallback_variants"
        findings.refuse(place, found, "no request could be answered")


def _check_adaptive(
    path: KeyPath, experiment: AdaptiveExperiment, config: Config, findings: Findings
) -> None:
    if experiment.metric not in config.metrics:
        found = f"there is no metric {quote(experiment.metric)}"
        findings.refuse((*path, "metric"), found, f"wanted one of {listed(config.metrics)}")
    count = len(experiment.candidate_variants)
    least, most = experiment.min_samples_per_variant, experiment.max_samples_per_variant
    demands = {
        "candidate_variants": (count > 0, "found an empty list", "wanted names of variants"),
        "delta": (
            0 < experiment.delta < 1,
            f"found {experiment.delta}",
            "wanted between 0 and 1, both excluded",
        ),
        "epsilon": (experiment.epsilon >= 0, f"found {experiment.epsilon}", "wanted at least 0"),
        "min_prob": (
            experiment.min_prob >= 0 and experiment.min_prob * count <= 1 + SUM_TOLERANCE,
            f"found {experiment.min_prob} for {count} candidates",
            "wanted at least 0, and at most 1 for all candidates together",
        ),
        "min_samples_per_variant": (least >= 1, f"found {least}", "wanted at least 1"),
        "max_samples_per_variant": (
            most >= least,
            f"found {most}",
            f"wanted at least min_samples_per_variant, {least}",
        ),
    }
    for key, (is_met, found, wanted) in demands.items():
        if not is_met:
            findings.refuse((*path, key), found, wanted)

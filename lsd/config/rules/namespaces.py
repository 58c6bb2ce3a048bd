"""Models and variants that belong to a namespace are drawn only there."""

from collections.abc import Iterator, Mapping

import attrs

from lsd.config.findings import Findings
from lsd.config.generations import generations_of
from lsd.config.key_path import KeyPath, quote
from lsd.config.rules.experimentation import experiments_of
from lsd.config.rules.variants import candidates_of
from lsd.config.tables.config import Config
from lsd.config.tables.experimentation import DefaultExperiment, Experiment
from lsd.config.tables.variants import Variant


@attrs.frozen
class Restriction:
    """Something that only requests of one namespace may use."""

    what: str
    namespace: str


def check_namespaces(config: Config, findings: Findings) -> None:
    """Every variant that an experiment can draw, with all that it can reach."""
    for name, function in config.functions.items():
        for path, namespace, experiment in experiments_of(name, function.experimentation):
            for each in _drawable(experiment, function.variants):
                restrictions = restrictions_of(each, function.variants, config)
                _check(path, (name, each), namespace, restrictions, findings)


def restrictions_of(
    name: str, variants: Mapping[str, Variant], config: Config
) -> Iterator[Restriction]:
    """What binds a variant to namespaces, by itself, its models or its candidates."""
    waiting, seen = [name], {name}
    while waiting:
        each = waiting.pop()
        variant = variants[each]
        if variant.namespace is not None:
            yield Restriction(f"variant {quote(each)}", variant.namespace)
        for _, generation in generations_of(variant, ()):
            for model in (generation.model, *generation.fallback):
                namespace = config.models[model].namespace if model in config.models else None
                if namespace is not None:
                    yield Restriction(f"model {quote(model)}", namespace)
        fresh = [one for one in candidates_of(variant) if one in variants and one not in seen]
        waiting += fresh
        seen.update(fresh)


def _drawable(experiment: Experiment, variants: Mapping[str, Variant]) -> list[str]:
    if isinstance(experiment, DefaultExperiment):
        return list(variants)
    named = (*experiment.candidate_variants, *experiment.fallback_variants)
    return [name for name in dict.fromkeys(named) if name in variants]


def _check(
    path: KeyPath,
    names: tuple[str, str],
    namespace: str | None,
    restrictions: Iterator[Restriction],
    findings: Findings,
) -> None:
    function, variant = names
    where = "without a namespace" if namespace is None else f"of namespace {quote(namespace)}"
    for each in dict.fromkeys(restrictions):
        if each.namespace != namespace:
            found = (
                f"function {quote(function)} draws variant {quote(variant)} for requests {where}, "
                f"and {each.what} belongs to namespace {quote(each.namespace)}"
            )
            wanted = f"draw it only in experimentation.namespaces.{each.namespace}"
            findings.refuse(path, found, wanted)

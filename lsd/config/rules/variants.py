"""The variants of functions and judges: their models, candidates and extras."""

from collections.abc import Iterator, Mapping

from lsd.config.findings import Findings, listed
from lsd.config.generations import generations_of
from lsd.config.key_path import KeyPath, quote
from lsd.config.rules.extras import check_extras
from lsd.config.shorthand import (
    EMBEDDING_SHORTHAND_TYPES,
    shorthand_embedding_model,
    shorthand_problem,
)
from lsd.config.tables.config import Config
from lsd.config.tables.evaluators import JudgeBestOfNVariant, JudgeMixtureOfNVariant, JudgeVariant
from lsd.config.tables.variants import (
    BestOfNVariant,
    DiclVariant,
    Generation,
    MixtureOfNVariant,
    Variant,
)
from lsd.config.unsupported import NOT_YET

AnyVariant = Variant | JudgeVariant
_COMPOSITES = (BestOfNVariant, MixtureOfNVariant, JudgeBestOfNVariant, JudgeMixtureOfNVariant)


def check_variants(
    path: KeyPath, variants: Mapping[str, AnyVariant], config: Config, findings: Findings
) -> None:
    """All variants of one function or judge; `path` is that of their table."""
    before = len(findings.problems)
    for name, variant in variants.items():
        for place, generation in generations_of(variant, (*path, name)):
            _check_generation(place, generation, config, findings)
        _check_candidates((*path, name), variant, variants, findings)
    _blame_composites(path, variants, findings, before)
    for chain in _cycles(variants):
        place = (*path, chain[0], "candidates")
        findings.refuse(place, f"a variant cannot run itself: {' → '.join(chain)}")


def candidates_of(variant: AnyVariant) -> tuple[str, ...]:
    """The variants that this one runs."""
    return variant.candidates if isinstance(variant, _COMPOSITES) else ()


def _check_generation(
    path: KeyPath, generation: Generation, config: Config, findings: Findings
) -> None:
    check_extras(path, generation.extra_body, generation.extra_headers, findings)
    _check_model((*path, "model"), generation.model, config, findings)
    for at, model in enumerate(generation.fallback):
        place = (*path, "fallback", at)
        if model == generation.model:
            findings.refuse(place, f"{quote(model)} is the model itself")
        elif model in generation.fallback[:at]:
            findings.refuse(place, f"{quote(model)} is listed twice")
        _check_model(place, model, config, findings)
    if isinstance(generation, DiclVariant):
        _check_embedding_model(path, generation.embedding_model, config, findings)


def _check_model(path: KeyPath, name: str, config: Config, findings: Findings) -> None:
    problem = None if name in config.models else shorthand_problem(name)
    if problem == NOT_YET:
        findings.refuse(path, f"{quote(name)}: {NOT_YET}")
    elif problem is not None:
        wanted = f"the models of [models] are {listed(config.models)}; {problem}"
        findings.refuse(path, f"there is no model {quote(name)}", wanted)


def _check_embedding_model(path: KeyPath, name: str, config: Config, findings: Findings) -> None:
    if name not in config.embedding_models and shorthand_embedding_model(name, config) is None:
        shorthands = ", ".join(f"{kind}::NAME" for kind in EMBEDDING_SHORTHAND_TYPES)
        wanted = f"wanted one of {listed(config.embedding_models)}, or {shorthands}"
        findings.refuse(
            (*path, "embedding_model"), f"there is no embedding model {quote(name)}", wanted
        )


def _check_candidates(
    path: KeyPath, variant: AnyVariant, variants: Mapping[str, AnyVariant], findings: Findings
) -> None:
    if not isinstance(variant, _COMPOSITES):
        return
    if not variant.candidates:
        findings.refuse((*path, "candidates"), "found an empty list", "wanted names of variants")
    for at, name in enumerate(variant.candidates):
        if name not in variants:
            found = f"there is no variant {quote(name)}"
            wanted = f"wanted one of {listed(variants)}"
            findings.refuse((*path, "candidates", at), found, wanted)


def _cycles(variants: Mapping[str, AnyVariant]) -> Iterator[tuple[str, ...]]:
    """Each way from a variant back to itself, once, from its first name in the alphabet."""
    for start in sorted(variants):
        yield from sorted(set(_ways_back(variants, start, (start,))))


def _ways_back(
    variants: Mapping[str, AnyVariant], start: str, way: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    for name in candidates_of(variants[way[-1]]):
        if name == start:
            yield (*way, name)
        elif name in variants and name not in way and name > start:
            yield from _ways_back(variants, start, (*way, name))


def _blame_composites(
    path: KeyPath, variants: Mapping[str, AnyVariant], findings: Findings, before: int
) -> None:
    """A variant cannot be better than what it runs."""
    for outer, variant in variants.items():
        for name in dict.fromkeys(candidates_of(variant)):
            place = (*path, name)
            causes = [
                problem
                for problem in findings.problems[before:]
                if problem.path[: len(place)] == place and name != outer
            ]
            if causes:
                found = f"its candidate {quote(name)} cannot run: {causes[0].found}"
                findings.refuse((*path, outer), found)

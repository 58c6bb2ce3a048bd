"""A variant that comes with a request instead of a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, get_args

import attrs

from lsd.config.findings import Findings
from lsd.config.generations import prompts_of
from lsd.config.key_path import KeyPath, show_path
from lsd.config.legacy_templates import settle_legacy_templates
from lsd.config.places import template_place
from lsd.config.problem import in_order
from lsd.config.reading.document import Document
from lsd.config.reading.reader import Reader
from lsd.config.reading.texts import INLINE_TEXTS
from lsd.config.rules.functions import check_functions
from lsd.config.rules.ranges import check_ranges
from lsd.config.rules.templates import check_templates
from lsd.config.rules.timeouts import check_timeouts
from lsd.config.tables.config import Config
from lsd.config.tables.functions import Function
from lsd.config.tables.variants import Variant
from lsd.config.template_files import TemplateCollection
from lsd.config.unsupported import NOT_YET, switched_on
from lsd.conversation import Malformed, Problem

DYNAMIC_VARIANT: Final = "lsd::dynamic_variant"
"""The name under which such a variant runs."""


def read_dynamic_variant(table: Mapping[str, Any], function_name: str, config: Config) -> Variant:
    """The variant that a table with the keys of the file describes; templates are texts in it.

    The files that its templates include must have been loaded at the start. Raises Malformed,
    with paths that begin at the table.
    """
    path: KeyPath = ("functions", function_name, "variants", DYNAMIC_VARIANT)
    present = _without_nulls(table)
    findings = Findings(Document(_nested(path, present), {}, Path()))
    reader = Reader(findings, findings, INLINE_TEXTS)
    variant = reader.tagged(get_args(Variant), present, path)
    _raise_problems(findings, path)
    function = config.functions[function_name]
    alone = _with_variant(config, function_name, function, variant)
    _check(alone, path, config, findings)
    _raise_problems(findings, path)
    return alone.functions[function_name].variants[DYNAMIC_VARIANT]


def _check(config: Config, path: KeyPath, original: Config, findings: Findings) -> None:
    """All checks that a variant of the file would have to pass."""
    variant = config.functions[str(path[1])].variants[DYNAMIC_VARIANT]
    check_ranges(variant, path, findings)
    check_timeouts(config, findings)
    check_functions(config, findings)
    check_templates(config, findings)
    collection = TemplateCollection(findings, original.template_files.get)
    for place, _, generation in prompts_of(config):
        for name, template in generation.templates.items() if place[: len(path)] == path else ():
            collection.add(template_place(findings.document, place, name), name, template.text)
    for place in switched_on(_nested(path, {"type": variant.type})):
        findings.refuse(place, NOT_YET)


def _with_variant(config: Config, name: str, function: Function, variant: Variant) -> Config:
    variants = {**function.variants, DYNAMIC_VARIANT: variant}
    functions = {name: attrs.evolve(function, variants=variants)}
    return settle_legacy_templates(attrs.evolve(config, functions=functions))


def _raise_problems(findings: Findings, path: KeyPath) -> None:
    """Raises Malformed for what is wrong within the table; the rest passed at the start."""
    problems = tuple(
        Problem(
            show_path(problem.path[len(path) :]),
            f"{problem.found}; {problem.wanted}" if problem.wanted else problem.found,
        )
        for problem in in_order(findings.problems)
        if problem.path[: len(path)] == path
    )
    if problems:
        raise Malformed(problems)


def _nested(path: KeyPath, value: Mapping[str, Any]) -> dict[str, Any]:
    """A document that holds `value` at `path` and nothing else."""
    tree: dict[str, Any] = dict(value)
    for part in reversed(path):
        tree = {str(part): tree}
    return tree


def _without_nulls(value: Any) -> Any:
    """JSON says absence with null, the tables with absence."""
    match value:
        case Mapping():
            return {key: _without_nulls(each) for key, each in value.items() if each is not None}
        case list():
            return [_without_nulls(each) for each in value]
        case _:
            return value

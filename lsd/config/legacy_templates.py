"""Templates under the older keys, which mean two things: with a schema, and without."""

from typing import Any

import attrs

from lsd.config.tables.config import Config
from lsd.config.tables.functions import Function


def settle_legacy_templates(config: Config) -> Config:
    """The configuration in which a template is `legacy` only where its role has no schema."""
    functions = {name: _settled(function) for name, function in config.functions.items()}
    return attrs.evolve(config, functions=functions)


def _settled(function: Function) -> Function:
    if not function.schemas:
        return function
    variants = {
        name: _with_schemas(variant, function) for name, variant in function.variants.items()
    }
    return attrs.evolve(function, variants=variants)


def _with_schemas(table: Any, function: Function) -> Any:
    """A variant, or the evaluator or fuser within it."""
    changed: dict[str, Any] = {}
    for key in ("evaluator", "fuser"):
        if hasattr(table, key):
            changed[key] = _with_schemas(getattr(table, key), function)
    if hasattr(table, "templates"):
        changed["templates"] = {
            name: attrs.evolve(template, legacy=template.legacy and name not in function.schemas)
            for name, template in table.templates.items()
        }
    return attrs.evolve(table, **changed)

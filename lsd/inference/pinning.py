"""Variants that the caller fixes: by name, or by bringing one along."""

from collections.abc import Mapping
from typing import Any

from lsd.config import DYNAMIC_VARIANT, read_dynamic_variant
from lsd.conversation import Malformed
from lsd.inference.prepared import (
    Prepared,
    PreparedFunction,
    PreparedVariant,
    prepare_variant,
)
from lsd.inference.refusals import BadRequest, UnknownName
from lsd.inference.request import InferenceRequest

DYNAMIC_FIELD = "internal_dynamic_variant_config"


def dynamic_variant(
    table: Mapping[str, Any], function: PreparedFunction, prepared: Prepared
) -> PreparedVariant:
    """The variant that a request has brought along. Raises BadRequest."""
    try:
        variant = read_dynamic_variant(table, function.name, prepared.config)
    except Malformed as malformed:
        raise BadRequest(DYNAMIC_FIELD, str(malformed)) from None
    return prepare_variant(DYNAMIC_VARIANT, variant, prepared.config.template_files)


def check_dynamic_request(request: InferenceRequest) -> None:
    """Raises BadRequest if it brings a variant without a function, or would be recorded."""
    if request.function_name is None:
        raise BadRequest(DYNAMIC_FIELD, "found it without `function_name`; wanted both")
    if not request.dryrun:
        raise BadRequest(DYNAMIC_FIELD, "found it without `dryrun`; wanted `dryrun` to be true")


def pinned_variant(
    request: InferenceRequest,
    function: PreparedFunction,
    dynamic: PreparedVariant | None,
    prepared: Prepared,
) -> PreparedVariant:
    """The only variant that may run: the one that the request names, or has brought along.

    Raises UnknownName and BadRequest.
    """
    if request.variant_name is None:
        assert dynamic is not None, "a request that pins a variant has one of the two"
        variant = dynamic
    elif request.variant_name not in function.variants:
        raise UnknownName("variant_name", "variant", request.variant_name)
    elif dynamic is not None:
        raise BadRequest("variant_name", f"found it with `{DYNAMIC_FIELD}`; wanted one of them")
    else:
        variant = function.variants[request.variant_name]
    _check_namespaces(variant, request, function, prepared)
    return variant


def _check_namespaces(
    variant: PreparedVariant,
    request: InferenceRequest,
    function: PreparedFunction,
    prepared: Prepared,
) -> None:
    """A variant belongs where its models and the variants that it runs belong."""
    check_namespace("variant_name", variant.name, variant.config.namespace, request.namespace)
    generation = variant.generation.config
    for name in (generation.model, *generation.fallback):
        model = prepared.model(name)
        if model is not None:
            check_namespace("variant_name", name, model.config.namespace, request.namespace)
    for name in dict.fromkeys(variant.candidates):
        _check_namespaces(function.variants[name], request, function, prepared)


def check_namespace(where: str, name: str, bound: str | None, namespace: str | None) -> None:
    """Raises BadRequest if what is `bound` to a namespace is called from outside of it."""
    if bound is not None and bound != namespace:
        asked = "none" if namespace is None else repr(namespace)
        reason = f"{name!r} belongs to the namespace {bound!r}; the request's namespace is {asked}"
        raise BadRequest(where, reason)

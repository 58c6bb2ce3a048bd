"""Variants that the caller fixes: by name, or by bringing one along."""

from typing import Any

import pytest

from lsd.inference import BadRequest, UnknownName
from lsd.inference.accept import Accepted
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.gateway import Gateway

CONFIG = """
[models.m]
routing = ["one"]
providers.one = { type = "openai", model_name = "gpt-1" }

[models.secret]
routing = ["one"]
namespace = "lab"
providers.one = { type = "openai", model_name = "gpt-1" }

[functions.chat]
type = "chat"
variants.v.model = "m"
variants.w.model = "m"
variants.lab = { model = "m", namespace = "lab" }
variants.hidden = { model = "m", fallback = ["secret"] }

[functions.chat.experimentation]
type = "static"
candidate_variants = { v = 1.0 }

[functions.empty]
type = "chat"
variants = {}
"""

DYNAMIC: dict[str, Any] = {"dryrun": True, "internal_dynamic_variant_config": {"model": "m"}}


@pytest.fixture
async def gateway(start: StartGateway) -> Gateway:
    """A gateway with a function of several variants, one of which is drawn."""
    return start(CONFIG)


def refused(gateway: Gateway, **fields: Any) -> str:
    """Why a request is refused."""
    with pytest.raises((BadRequest, UnknownName)) as refusal:
        gateway.accept(**fields)
    return str(refusal.value)


def pinned(accepted: Accepted) -> str | None:
    """The name of the variant that the caller has fixed."""
    return accepted.pinned and accepted.pinned.name


async def test_without_a_word_of_the_caller_the_draw_decides(gateway: Gateway) -> None:
    """Nothing is pinned."""
    assert pinned(gateway.accept()) is None


@pytest.mark.parametrize("name", ["v", "w"])
async def test_any_variant_can_be_asked_for_by_name(gateway: Gateway, name: str) -> None:
    """Also one that is never drawn."""
    assert pinned(gateway.accept(variant_name=name)) == name


async def test_an_unknown_variant_is_told(gateway: Gateway) -> None:
    """Variants belong to their function."""
    told = "variant_name: found 'x'; wanted the name of a configured variant"

    assert refused(gateway, variant_name="x") == told


@pytest.mark.parametrize(
    ("variant", "namespace", "told"),
    [
        ("lab", "lab", None),
        ("lab", None, "'lab' belongs to the namespace 'lab'; the request's namespace is none"),
        ("lab", "shop", "'lab' belongs to the namespace 'lab'; the request's namespace is 'shop'"),
        ("hidden", "lab", None),
        (
            "hidden",
            None,
            "'secret' belongs to the namespace 'lab'; the request's namespace is none",
        ),
        ("v", "shop", None),
    ],
    ids=["inside", "none", "another", "model inside", "model, none", "bound to none"],
)
async def test_a_variant_is_not_called_from_another_namespace(
    gateway: Gateway, variant: str, namespace: str | None, told: str | None
) -> None:
    """Neither the variant itself, nor one that asks a model of that namespace."""
    fields = {"variant_name": variant, "namespace": namespace}

    if told is None:
        assert pinned(gateway.accept(**fields)) == variant
    else:
        assert refused(gateway, **fields) == f"variant_name: {told}"


async def test_a_variant_may_come_with_the_request(gateway: Gateway) -> None:
    """It runs under a name of its own, and is not told as pinned by the caller."""
    accepted = gateway.accept(**DYNAMIC)

    assert pinned(accepted) == "lsd::dynamic_variant"
    assert accepted.tags == {}
    assert "lsd::dynamic_variant" not in gateway.prepared.functions["chat"].variants


async def test_a_function_without_variants_can_try_one(gateway: Gateway) -> None:
    """The one that comes along is enough."""
    assert pinned(gateway.accept(function_name="empty", **DYNAMIC)) == "lsd::dynamic_variant"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"model_name": "m"}, "found it without `function_name`; wanted both"),
        ({"dryrun": False}, "found it without `dryrun`; wanted `dryrun` to be true"),
        ({"dryrun": None}, "found it without `dryrun`; wanted `dryrun` to be true"),
        ({"internal_dynamic_variant_config": {}}, "model: "),
        ({"internal_dynamic_variant_config": {"model": "absent"}}, "model: "),
        ({"internal_dynamic_variant_config": {"model": "m", "modle": 1}}, "modle: unknown key"),
        ({"internal_dynamic_variant_config": {"model": "m", "temperature": "x"}}, "temperature: "),
    ],
    ids=["with a model", "recorded", "null", "no model", "unknown model", "unknown key", "type"],
)
async def test_a_variant_that_comes_along_is_checked_like_any_other(
    gateway: Gateway, fields: dict[str, Any], told: str
) -> None:
    """The message begins with the field; paths lead into the table."""
    text = refused(gateway, **{**DYNAMIC, **fields})

    assert text.startswith(f"internal_dynamic_variant_config: {told}")


async def test_a_variant_that_comes_along_excludes_one_by_name(gateway: Gateway) -> None:
    """Only one of them could run."""
    told = "variant_name: found it with `internal_dynamic_variant_config`; wanted one of them"

    assert refused(gateway, variant_name="v", **DYNAMIC) == told


async def test_a_variant_that_comes_along_keeps_to_namespaces(gateway: Gateway) -> None:
    """A model of a namespace cannot be reached by bringing a variant."""
    table = {"internal_dynamic_variant_config": {"model": "secret"}}

    told = "variant_name: 'secret' belongs to the namespace 'lab'; the request's namespace is none"
    assert refused(gateway, **{**DYNAMIC, **table}) == told
    assert pinned(gateway.accept(namespace="lab", **{**DYNAMIC, **table})) == "lsd::dynamic_variant"


async def test_a_variant_that_comes_along_brings_its_templates(gateway: Gateway) -> None:
    """Their text stands in the table, and the input may call them."""
    table = {"model": "m", "templates": {"greet": "Hello {{ name }}"}}
    block = {"type": "template", "name": "greet", "arguments": {"name": "Ann"}}
    message = {"role": "user", "content": [block]}

    accepted = gateway.accept(
        dryrun=True, internal_dynamic_variant_config=table, input={"messages": [message]}
    )

    assert accepted.pinned is not None
    _, (sent,) = accepted.pinned.generation.prompts.render(accepted.request.input)
    assert [block.text for block in sent.content] == ["Hello Ann"]  # type: ignore[union-attr]

"""From a function's `experimentation` to the draws among its variants."""

import attrs

from lsd.experiments import AdaptiveDraw, UniformDraw, WeightedDraw
from tests.unit.inference.conftest import StartGateway

CONFIG = """
[models.m]
routing = ["one"]
providers.one = { type = "openai", model_name = "gpt-1" }

[metrics.length]
type = "float"
level = "episode"
optimize = "min"

[functions.plain]
type = "chat"
variants.v.model = "m"
variants.w.model = "m"

[functions.weighted]
type = "chat"
variants.v.model = "m"
variants.w.model = "m"
variants.x.model = "m"
experimentation.type = "static"
experimentation.candidate_variants = { v = 3.0, w = 1.0 }
experimentation.fallback_variants = ["x"]
experimentation.namespaces.lab.type = "default"

[functions.tried]
type = "chat"
variants.a.model = "m"
variants.b.model = "m"
variants.spare.model = "m"
[functions.tried.experimentation.namespaces.lab]
type = "adaptive"
metric = "length"
candidate_variants = ["b", "a"]
fallback_variants = ["spare"]
min_samples_per_variant = 7
"""


async def test_a_function_without_an_experiment_draws_among_all(start: StartGateway) -> None:
    """All variants are equally likely, in any namespace."""
    function = start(CONFIG).prepared.functions["plain"]

    assert function.draw == UniformDraw(variants=("v", "w"))
    assert function.namespaced_draws == {}


async def test_a_static_experiment_has_weights(start: StartGateway) -> None:
    """And fallbacks without one; a namespace may have an experiment of its own."""
    function = start(CONFIG).prepared.functions["weighted"]

    weights = {"v": 3.0, "w": 1.0}
    assert function.draw == WeightedDraw(variants=("v", "w", "x"), weights=weights, fallback=("x",))
    assert function.namespaced_draws == {"lab": UniformDraw(variants=("v", "w", "x"))}


async def test_an_adaptive_experiment_knows_its_place_and_its_metric(start: StartGateway) -> None:
    """What is about the metric stands in the metric's own table."""
    function = start(CONFIG).prepared.functions["tried"]

    draw = function.namespaced_draws["lab"]
    assert isinstance(draw, AdaptiveDraw)
    assert (
        attrs.asdict(draw).items()
        >= {
            "function_name": "tried",
            "namespace": "lab",
            "variants": ("a", "b", "spare"),
            "candidates": ("b", "a"),
            "fallback": ("spare",),
            "metric_name": "length",
            "level": "episode",
            "minimises": True,
            "min_samples_per_variant": 7,
        }.items()
    )

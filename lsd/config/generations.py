"""The model calls that the variants of a configuration can make."""

from collections.abc import Iterator

from lsd.config.key_path import KeyPath
from lsd.config.tables.config import Config
from lsd.config.tables.evaluators import (
    Evaluator,
    JudgeBestOfNVariant,
    JudgeMixtureOfNVariant,
    JudgeVariant,
    LlmJudgeEvaluator,
)
from lsd.config.tables.functions import Function
from lsd.config.tables.variants import (
    BestOfNVariant,
    Generation,
    MixtureOfNVariant,
    PromptedGeneration,
    Variant,
)


def generations_of(
    variant: Variant | JudgeVariant, path: KeyPath
) -> Iterator[tuple[KeyPath, Generation]]:
    """The calls that a variant makes itself, those of its candidates not counted."""
    match variant:
        case Generation():
            yield path, variant
        case BestOfNVariant() | JudgeBestOfNVariant():
            yield (*path, "evaluator"), variant.evaluator
        case MixtureOfNVariant() | JudgeMixtureOfNVariant():
            yield (*path, "fuser"), variant.fuser


def variants_of(config: Config) -> Iterator[tuple[KeyPath, Function, str, Variant]]:
    """Every variant of every function, with its name."""
    for name, function in config.functions.items():
        for each, variant in function.variants.items():
            yield ("functions", name, "variants", each), function, each, variant


def prompts_of(config: Config) -> Iterator[tuple[KeyPath, Function, PromptedGeneration]]:
    """Every call with templates of its own."""
    for path, function, _, variant in variants_of(config):
        for place, generation in generations_of(variant, path):
            if isinstance(generation, PromptedGeneration):
                yield place, function, generation


def evaluators_of(config: Config) -> Iterator[tuple[KeyPath, Evaluator]]:
    """Every evaluator, of functions and of evaluations."""
    for name, function in config.functions.items():
        for each, evaluator in function.evaluators.items():
            yield ("functions", name, "evaluators", each), evaluator
    for name, evaluation in config.evaluations.items():
        for each, evaluator in evaluation.evaluators.items():
            yield ("evaluations", name, "evaluators", each), evaluator


def judges_of(config: Config) -> Iterator[tuple[KeyPath, LlmJudgeEvaluator, str, JudgeVariant]]:
    """Every variant of every judge, with its name."""
    for path, evaluator in evaluators_of(config):
        if isinstance(evaluator, LlmJudgeEvaluator):
            for name, variant in evaluator.variants.items():
                yield (*path, "variants", name), evaluator, name, variant

"""The model calls that variants can make."""

from lsd.config import (
    BestOfNVariant,
    ChatCompletionVariant,
    ChatFunction,
    Config,
    DiclVariant,
    Evaluation,
    MixtureOfNVariant,
    PromptedGeneration,
)
from lsd.config.generations import (
    evaluators_of,
    generations_of,
    judges_of,
    prompts_of,
    variants_of,
)
from lsd.config.tables.evaluators import (
    ExactMatchEvaluator,
    JudgeBestOfNVariant,
    JudgeGeneration,
    LlmJudgeEvaluator,
)
from lsd.config.tables.variants import TextFile

CALL = PromptedGeneration(model="m")
VARIANTS = {
    "plain": ChatCompletionVariant(model="a"),
    "best": BestOfNVariant(candidates=("plain",), evaluator=CALL),
    "mix": MixtureOfNVariant(candidates=("plain",), fuser=CALL),
    "near": DiclVariant(model="d", embedding_model="e", k=1),
}
JUDGE_CALL = JudgeGeneration(model="m", system_instructions=TextFile(path="", text=""))
JUDGE = LlmJudgeEvaluator(
    output_type="float",
    optimize="max",
    variants={"j": JudgeBestOfNVariant(candidates=(), evaluator=JUDGE_CALL)},
)
CONFIG = Config(
    functions={"f": ChatFunction(variants=VARIANTS, evaluators={"x": ExactMatchEvaluator()})},
    evaluations={"e": Evaluation(type="inference", function_name="f", evaluators={"judge": JUDGE})},
)


def test_a_variant_calls_what_it_names_itself() -> None:
    """Its candidates answer for their own calls."""
    calls = {name: dict(generations_of(each, ())) for name, each in VARIANTS.items()}

    assert calls["plain"] == {(): VARIANTS["plain"]}
    assert calls["best"] == {("evaluator",): CALL}
    assert calls["mix"] == {("fuser",): CALL}
    assert list(calls["near"]) == [()]


def test_all_variants_are_found_with_their_paths() -> None:
    """Those with prompts, and those of judges."""
    place = ("functions", "f", "variants")

    assert [path for path, *_ in variants_of(CONFIG)] == [(*place, name) for name in VARIANTS]
    assert [path for path, *_ in prompts_of(CONFIG)] == [
        (*place, "plain"),
        (*place, "best", "evaluator"),
        (*place, "mix", "fuser"),
    ]


def test_evaluators_belong_to_functions_or_evaluations() -> None:
    """Both are found."""
    judge = ("evaluations", "e", "evaluators", "judge")

    assert dict(evaluators_of(CONFIG)) == {
        ("functions", "f", "evaluators", "x"): ExactMatchEvaluator(),
        judge: JUDGE,
    }
    ((path, _, name, variant),) = judges_of(CONFIG)
    assert (path, name) == ((*judge, "variants", "j"), "j")
    assert dict(generations_of(variant, path)) == {(*path, "evaluator"): JUDGE_CALL}

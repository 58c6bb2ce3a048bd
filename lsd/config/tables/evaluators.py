"""`[functions.F.evaluators.N]` and `[evaluations.E]`: how outputs are scored."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import attrs

from lsd.config.kinds import Deprecated, TextFileKey
from lsd.config.tables.timeouts import NO_TIMEOUTS, Timeouts
from lsd.config.tables.variants import DiclVariant, Generation, TextFile
from lsd.conversation import ServiceTier

Optimize = Literal["min", "max"]
OutputType = Literal["float", "boolean"]


@attrs.frozen(kw_only=True)
class JudgeGeneration(Generation):
    """A call of a judge: fixed instructions in place of templates."""

    system_instructions: Annotated[TextFile, TextFileKey()]
    service_tier: ServiceTier | None = None


@attrs.frozen(kw_only=True)
class JudgeChatCompletionVariant(JudgeGeneration):
    """A judge that asks its model."""

    type: Literal["chat_completion"] = "chat_completion"
    is_default_type: ClassVar[bool] = True
    timeouts: Timeouts = NO_TIMEOUTS
    namespace: str | None = None
    active: bool | None = None


@attrs.frozen(kw_only=True)
class JudgeChainOfThoughtVariant(JudgeGeneration):
    """A judge that thinks aloud."""

    type: Literal["chain_of_thought"] = "chain_of_thought"
    old_types: ClassVar[tuple[str, ...]] = ("experimental_chain_of_thought",)
    deprecated_type: ClassVar[str] = "use chat_completion with reasoning_effort"
    timeouts: Timeouts = NO_TIMEOUTS
    namespace: str | None = None
    active: bool | None = None


@attrs.frozen(kw_only=True)
class JudgeDiclVariant(DiclVariant):
    """A judge that learns from stored examples."""

    active: bool | None = None


@attrs.frozen(kw_only=True)
class JudgeBestOfNVariant:
    """A judge that chooses among several judgements."""

    type: Literal["best_of_n_sampling"] = "best_of_n_sampling"
    old_types: ClassVar[tuple[str, ...]] = (
        "experimental_best_of_n_sampling",
        "experimental_best_of_n",
    )
    candidates: tuple[str, ...]
    evaluator: JudgeGeneration
    timeouts: Timeouts = NO_TIMEOUTS
    namespace: str | None = None
    active: bool | None = None


@attrs.frozen(kw_only=True)
class JudgeMixtureOfNVariant:
    """A judge that makes one judgement out of several."""

    type: Literal["mixture_of_n"] = "mixture_of_n"
    old_types: ClassVar[tuple[str, ...]] = ("experimental_mixture_of_n",)
    candidates: tuple[str, ...]
    fuser: JudgeGeneration
    timeouts: Timeouts = NO_TIMEOUTS
    namespace: str | None = None
    active: bool | None = None


JudgeVariant = (
    JudgeChatCompletionVariant
    | JudgeBestOfNVariant
    | JudgeMixtureOfNVariant
    | JudgeDiclVariant
    | JudgeChainOfThoughtVariant
)

Cutoff = Annotated[float, Deprecated("give the cutoff to the run, with --cutoffs")]


@attrs.frozen(kw_only=True)
class AnyEvaluator:
    """What every evaluator may carry."""

    description: str | None = None
    cutoff: Cutoff | None = None


@attrs.frozen(kw_only=True)
class ExactMatchEvaluator(AnyEvaluator):
    """Whether the output equals the reference."""

    type: Literal["exact_match"] = "exact_match"


@attrs.frozen(kw_only=True)
class RegexEvaluator(AnyEvaluator):
    """Whether one pattern is found and another is not."""

    type: Literal["regex"] = "regex"
    must_match: str | None = None
    must_not_match: str | None = None


@attrs.frozen(kw_only=True)
class ToolUseEvaluator(AnyEvaluator):
    """Whether the right tools were called."""

    type: Literal["tool_use"] = "tool_use"
    behavior: Literal["none", "any", "none_of", "any_of", "all_of"]
    tools: tuple[str, ...] | None = None


@attrs.frozen(kw_only=True)
class JudgeInclude:
    """What a judge gets to see beside the output."""

    reference_output: bool = False


@attrs.frozen(kw_only=True)
class LlmJudgeEvaluator(AnyEvaluator):
    """What a model thinks of the output."""

    type: Literal["llm_judge"] = "llm_judge"
    output_type: OutputType
    optimize: Optimize
    variants: Mapping[str, JudgeVariant]
    input_format: Literal["serialized", "messages"] = "serialized"
    include: JudgeInclude = JudgeInclude()


@attrs.frozen(kw_only=True)
class ScriptEvaluator(AnyEvaluator):
    """What a program says of the output."""

    type: Literal["script"] = "script"
    command: tuple[str, ...]
    output_type: OutputType
    optimize: Optimize


Evaluator = (
    ExactMatchEvaluator | RegexEvaluator | ToolUseEvaluator | LlmJudgeEvaluator | ScriptEvaluator
)


@attrs.frozen(kw_only=True)
class Evaluation:
    """Evaluators for one function, under a name of their own."""

    type: Literal["inference"]
    old_types: ClassVar[tuple[str, ...]] = ("static",)
    function_name: str
    description: str | None = None
    evaluators: Mapping[str, Evaluator] = attrs.field(factory=dict)

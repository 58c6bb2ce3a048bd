"""`[functions.F.variants.V]`: the ways in which a function can run."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, ClassVar, Literal

import attrs

from lsd.config.kinds import (
    Bounds,
    Int32,
    Natural,
    TemplateKeys,
    TextFileKey,
    UInt32,
)
from lsd.config.tables.extra import ExtraBodyEntry, ExtraHeaderEntry
from lsd.config.tables.timeouts import NO_TIMEOUTS, Timeouts
from lsd.conversation import (
    PARAM_NAMES,
    UNSET_PARAMS,
    ChatCompletionParams,
    JsonMode,
    ServiceTier,
)


@attrs.frozen(kw_only=True)
class TextFile:
    """A text and the path from which it came, as it was written."""

    path: str
    text: str


@attrs.frozen(kw_only=True)
class Template:
    """A prompt template.

    A `legacy` one stands for a role without a schema and sees the role's text as its only
    variable: `system_text`, `user_text` or `assistant_text`.
    """

    path: str
    text: str
    legacy: bool = False


@attrs.frozen(kw_only=True)
class Retries:
    """How often the whole routing is tried again after errors that may pass."""

    num_retries: Natural = 0
    max_delay_s: Annotated[float, Bounds(above=0)] = 10.0


NO_RETRIES = Retries()


@attrs.frozen(kw_only=True)
class Generation:
    """A call of a model: which one, what follows its failure, how it is steered."""

    model: str
    fallback: tuple[str, ...] = ()
    retries: Retries = NO_RETRIES
    temperature: float | None = None
    top_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    max_tokens: UInt32 | None = None
    seed: UInt32 | None = None
    stop_sequences: tuple[str, ...] | None = None
    reasoning_effort: str | None = None
    verbosity: str | None = None
    thinking_budget_tokens: Int32 | None = None
    json_mode: JsonMode | None = None
    extra_body: tuple[ExtraBodyEntry, ...] = ()
    extra_headers: tuple[ExtraHeaderEntry, ...] = ()

    @cached_property
    def params(self) -> ChatCompletionParams:
        """What steers the model, as requests say it."""
        params = ChatCompletionParams(**{name: getattr(self, name, None) for name in PARAM_NAMES})
        return UNSET_PARAMS if params == UNSET_PARAMS else params


@attrs.frozen(kw_only=True)
class PromptedGeneration(Generation):
    """A call with templates of its own; `evaluator` and `fuser` are such tables."""

    templates: Annotated[Mapping[str, Template], TemplateKeys()] = attrs.field(factory=dict)
    service_tier: ServiceTier | None = None


@attrs.frozen(kw_only=True)
class ChatCompletionVariant(PromptedGeneration):
    """Renders its templates and asks its model."""

    type: Literal["chat_completion"] = "chat_completion"
    is_default_type: ClassVar[bool] = True
    timeouts: Timeouts = NO_TIMEOUTS
    namespace: str | None = None


@attrs.frozen(kw_only=True)
class ChainOfThoughtVariant(PromptedGeneration):
    """A chat completion that thinks aloud before it answers."""

    type: Literal["chain_of_thought"] = "chain_of_thought"
    old_types: ClassVar[tuple[str, ...]] = ("experimental_chain_of_thought",)
    deprecated_type: ClassVar[str] = "use chat_completion with reasoning_effort"
    timeouts: Timeouts = NO_TIMEOUTS
    namespace: str | None = None


@attrs.frozen(kw_only=True)
class DiclVariant(Generation):
    """Shows the model stored examples that are near to the input."""

    type: Literal["dicl"] = "dicl"
    old_types: ClassVar[tuple[str, ...]] = ("experimental_dynamic_in_context_learning",)
    embedding_model: str
    k: Natural
    max_distance: Annotated[float, Bounds(minimum=0)] | None = None
    system_instructions: Annotated[TextFile, TextFileKey()] | None = None
    timeouts: Timeouts = NO_TIMEOUTS
    namespace: str | None = None


@attrs.frozen(kw_only=True)
class BestOfNVariant:
    """Runs several variants and lets a model choose among their answers."""

    type: Literal["best_of_n_sampling"] = "best_of_n_sampling"
    old_types: ClassVar[tuple[str, ...]] = (
        "experimental_best_of_n_sampling",
        "experimental_best_of_n",
    )
    candidates: tuple[str, ...]
    evaluator: PromptedGeneration
    timeouts: Timeouts = NO_TIMEOUTS
    namespace: str | None = None


@attrs.frozen(kw_only=True)
class MixtureOfNVariant:
    """Runs several variants and lets a model write one answer out of theirs."""

    type: Literal["mixture_of_n"] = "mixture_of_n"
    old_types: ClassVar[tuple[str, ...]] = ("experimental_mixture_of_n",)
    candidates: tuple[str, ...]
    fuser: PromptedGeneration
    timeouts: Timeouts = NO_TIMEOUTS
    namespace: str | None = None


Variant = (
    ChatCompletionVariant | BestOfNVariant | MixtureOfNVariant | DiclVariant | ChainOfThoughtVariant
)

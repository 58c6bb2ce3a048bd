"""One variant runs: in the way of its type, within its time."""

from collections.abc import Awaitable

import trio

from lsd.config import (
    BestOfNVariant,
    ChainOfThoughtVariant,
    ChatCompletionVariant,
    DiclVariant,
    MixtureOfNVariant,
)
from lsd.inference.accept import Accepted
from lsd.inference.answer_replay import replay
from lsd.inference.answers import Answer
from lsd.inference.best_of_n import best_of_n
from lsd.inference.chain_of_thought import think_and_answer
from lsd.inference.chat_completion import complete, start_completion
from lsd.inference.dicl import answer_by_examples, start_by_examples
from lsd.inference.limits import Limit, TimeLimitReached, bounded_by
from lsd.inference.mixture_of_n import mixture_of_n, start_mixture_of_n
from lsd.inference.prepared import PreparedVariant
from lsd.inference.refusals import VariantFailed
from lsd.inference.run import Run
from lsd.inference.started_answer import StartedAnswer


def run_variant(run: Run, accepted: Accepted, variant: PreparedVariant) -> Awaitable[Answer]:
    """The whole answer of one variant. Raises VariantFailed."""
    limit = variant.limits.plain
    if limit is None:
        return _run(run, accepted, variant)
    return _run_within(limit, run, accepted, variant)


async def start_variant(run: Run, accepted: Accepted, variant: PreparedVariant) -> StartedAnswer:
    """The streamed answer of one variant, once its stream has started. Raises VariantFailed."""
    started_at = trio.current_time()
    try:
        with bounded_by(variant.limits.opening):
            started = await _start(run, accepted, variant)
    except TimeLimitReached as reached:
        raise _timed_out(run, reached) from None
    started.stream.bound(variant.limits, started_at)
    return started


async def _run_within(
    limit: Limit, run: Run, accepted: Accepted, variant: PreparedVariant
) -> Answer:
    try:
        with bounded_by(limit):
            return await _run(run, accepted, variant)
    except TimeLimitReached as reached:
        raise _timed_out(run, reached) from None


def _run(run: Run, accepted: Accepted, variant: PreparedVariant) -> Awaitable[Answer]:
    match variant.config:
        case ChatCompletionVariant():
            return complete(run, accepted, variant.generation)
        case ChainOfThoughtVariant():
            return think_and_answer(run, accepted, variant)
        case BestOfNVariant():
            return best_of_n(run, accepted, variant, run_variant)
        case MixtureOfNVariant():
            return mixture_of_n(run, accepted, variant, run_variant)
        case DiclVariant():
            return answer_by_examples(run, accepted, variant)


async def _start(run: Run, accepted: Accepted, variant: PreparedVariant) -> StartedAnswer:
    match variant.config:
        case ChatCompletionVariant():
            return await start_completion(run, accepted, variant.generation)
        case ChainOfThoughtVariant():
            reason = "a variant of type chain_of_thought cannot stream; wanted `stream` false"
            raise VariantFailed("unfit", reason)
        case BestOfNVariant():
            answer = await best_of_n(run, accepted, variant, run_variant)
            return replay(answer, run.shared.clock.monotonic())
        case MixtureOfNVariant():
            return await start_mixture_of_n(run, accepted, variant, run_variant)
        case DiclVariant():
            return await start_by_examples(run, accepted, variant)


def _timed_out(run: Run, reached: TimeLimitReached) -> VariantFailed:
    """What the time of the variant has cut off is settled."""
    run.end_open_calls("error", str(reached))
    return VariantFailed("timeout", reached.limit.within_scope)

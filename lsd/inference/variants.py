"""The outermost layer of failure: variants in the order of their draw until one answers."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from lsd.experiments import draw_number
from lsd.inference.accept import Accepted
from lsd.inference.answers import Answer
from lsd.inference.chat_completion import complete, start_completion
from lsd.inference.journal import raw_responses
from lsd.inference.limits import TimeLimitReached, bounded_by
from lsd.inference.prepared import PreparedVariant
from lsd.inference.refusals import InferenceFailed, VariantFailed
from lsd.inference.run import Run
from lsd.inference.started_answer import StartedAnswer

Given = TypeVar("Given", Answer, StartedAnswer)

RunVariant = Callable[[Run, Accepted, PreparedVariant], Awaitable[Given]]


async def first_answer(run: Run, accepted: Accepted) -> Answer:
    """What the first variant that succeeds gives; a pinned one has no other behind it.

    Raises InferenceFailed, which tells the failures of all variants in order.
    """
    return await _first(run, accepted, run_variant)


async def first_started_answer(run: Run, accepted: Accepted) -> StartedAnswer:
    """What the first variant starts to give whose stream starts. Raises as `first_answer`."""
    return await _first(run, accepted, start_variant)


async def run_variant(run: Run, accepted: Accepted, variant: PreparedVariant) -> Answer:
    """The whole answer of one variant, within its time. Raises VariantFailed."""
    try:
        with bounded_by(variant.limits.plain):
            return await complete(run, accepted, variant.generation)
    except TimeLimitReached as reached:
        raise _too_late(run, reached) from None


async def start_variant(run: Run, accepted: Accepted, variant: PreparedVariant) -> StartedAnswer:
    """The streamed answer of one variant, which starts within its time. Raises VariantFailed."""
    started_at = trio.current_time()
    try:
        with bounded_by(variant.limits.opening):
            started = await start_completion(run, accepted, variant.generation)
    except TimeLimitReached as reached:
        raise _too_late(run, reached) from None
    started.stream.bound(variant.limits, started_at)
    return started


def _too_late(run: Run, reached: TimeLimitReached) -> VariantFailed:
    run.end_open_calls("error", str(reached))
    return VariantFailed("timeout", reached.limit.within_scope)


async def _first(run: Run, accepted: Accepted, run_one: RunVariant[Given]) -> Given:
    failures: dict[str, VariantFailed] = {}
    while (variant := _next_variant(run, accepted, failures)) is not None:
        try:
            return await run_one(run, accepted, variant)
        except VariantFailed as failure:
            failures[variant.name] = failure
    raise _all_failed(run, accepted, failures)


def _next_variant(
    run: Run, accepted: Accepted, failures: dict[str, VariantFailed]
) -> PreparedVariant | None:
    if accepted.pinned is not None:
        return None if failures else accepted.pinned
    function = accepted.function
    draw = function.draw_for(accepted.request.namespace)
    name = draw.choose(draw_number(function.name, run.episode_id), failures)
    return None if name is None else function.variants[name]


def _all_failed(
    run: Run, accepted: Accepted, failures: dict[str, VariantFailed]
) -> InferenceFailed:
    told = "; ".join(f'variant "{name}": {failure}' for name, failure in failures.items())
    last = next(reversed(failures.values()), None)
    wants_raw = accepted.request.include_raw_response
    return InferenceFailed(
        cause=last.cause if last is not None else "nothing_to_try",
        text=told or f"function {accepted.function.name!r} has no variant to draw",
        pinned=accepted.pinned is not None,
        inference_id=run.inference_id,
        episode_id=run.episode_id,
        raw_response=raw_responses(run.journal.calls) if wants_raw else [],
        tree=[
            {"variant": name, "error": str(failure), "models": failure.models}
            for name, failure in failures.items()
        ],
        failures=tuple(each for failure in failures.values() for each in failure.failures),
    )

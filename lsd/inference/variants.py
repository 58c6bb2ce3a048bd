"""The outermost layer of failure: variants in the order of their draw until one answers."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from lsd.conversation import ModelRequest
from lsd.experiments import draw_number
from lsd.inference.accept import Accepted
from lsd.inference.journal import ModelCall
from lsd.inference.limits import TimeLimitReached, bounded_by
from lsd.inference.model_request import Asked, model_request
from lsd.inference.open_stream import StartedStream
from lsd.inference.prepared import PreparedVariant
from lsd.inference.refusals import InferenceFailed, VariantFailed
from lsd.inference.routing import bind
from lsd.inference.run import Run

Answered = TypeVar("Answered", ModelCall, StartedStream)

AskModel = Callable[[Run, PreparedVariant, ModelRequest], Awaitable[Answered]]


async def first_answer(
    run: Run, accepted: Accepted, ask: AskModel[Answered]
) -> tuple[Asked, Answered]:
    """What the first variant that succeeds gives; a pinned one has no other behind it.

    Raises InferenceFailed, which tells the failures of all variants in order.
    """
    failures: dict[str, VariantFailed] = {}
    while (variant := _next_variant(run, accepted, failures)) is not None:
        try:
            return await _run_variant(run, accepted, variant, ask)
        except VariantFailed as failure:
            failures[variant.name] = failure
    raise _all_failed(run, accepted, failures)


async def _run_variant(
    run: Run, accepted: Accepted, variant: PreparedVariant, ask: AskModel[Answered]
) -> tuple[Asked, Answered]:
    asked = model_request(accepted, variant)
    started_at = trio.current_time()
    try:
        with bounded_by(variant.limits.opening_of(streaming=run.streaming)):
            answer = await ask(run, variant, asked.request)
    except TimeLimitReached as reached:
        run.end_open_calls("error", str(reached))
        raise VariantFailed("timeout", reached.limit.within_scope) from None
    bind(answer, variant.limits, started_at)
    return asked, answer


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
        raw_response=run.journal.raw_responses() if wants_raw else [],
        tree=[
            {"variant": name, "error": str(failure), "models": failure.models}
            for name, failure in failures.items()
        ],
        failures=tuple(each for failure in failures.values() for each in failure.failures),
    )

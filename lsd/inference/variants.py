"""The outermost layer of failure: variants in the order of their draw until one answers."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeVar

from lsd.experiments import AdaptiveDraw, draw_number
from lsd.inference.accept import Accepted
from lsd.inference.adaptive_experiments import AdaptiveExperiments
from lsd.inference.answers import Answer
from lsd.inference.inference_trace import trace_variant_without_calls
from lsd.inference.journal import raw_responses
from lsd.inference.prepared import PreparedVariant
from lsd.inference.refusals import FailureCause, InferenceFailed, VariantFailed
from lsd.inference.run import Run
from lsd.inference.started_answer import StartedAnswer
from lsd.inference.variant_run import run_variant, start_variant
from lsd.store import Write

Given = TypeVar("Given", Answer, StartedAnswer)

RunVariant = Callable[[Run, Accepted, PreparedVariant], Awaitable[Given]]


def first_answer(run: Run, accepted: Accepted) -> Awaitable[Answer]:
    """What the first variant that succeeds gives; a pinned one has no other behind it.

    Raises InferenceFailed, which tells the failures of all variants in order.
    """
    return _first(run, accepted, run_variant)


def first_started_answer(run: Run, accepted: Accepted) -> Awaitable[StartedAnswer]:
    """What the first variant starts to give whose stream starts. Raises as `first_answer`."""
    return _first(run, accepted, start_variant)


async def drawn_variant(
    accepted: Accepted,
    episode_id: str,
    experiments: AdaptiveExperiments,
    tried: Collection[str] = (),
) -> PreparedVariant | None:
    """The variant that is next in line for an episode after those that have failed.

    None: there is none left to draw. Of an adaptive experiment the first one is kept.
    """
    function = accepted.function
    draw = function.draw_for(accepted.request.namespace)
    if isinstance(draw, AdaptiveDraw):
        is_dryrun = bool(accepted.request.dryrun)
        name = await experiments.choose(draw, episode_id, tried, is_dryrun=is_dryrun)
    else:
        # Most functions have one variant, which needs no number.
        number = draw_number(function.name, episode_id) if len(draw.variants) > 1 else 0.0
        name = draw.choose(number, tried)
    return None if name is None else function.variants[name]


def assignment_of(
    accepted: Accepted, episode_id: str, variant_name: str, experiments: AdaptiveExperiments
) -> Write | None:
    """What keeps a variant for an episode that was drawn for several; None: nothing does."""
    draw = accepted.function.draw_for(accepted.request.namespace)
    if not isinstance(draw, AdaptiveDraw):
        return None
    return experiments.assignment(draw, episode_id, variant_name)


def drawing_of(
    accepted: Accepted, episode_id: str, experiments: AdaptiveExperiments
) -> Write | None:
    """What draws the variant of an episode in a commit that is made anyway; None: nothing does."""
    draw = accepted.function.draw_for(accepted.request.namespace)
    return experiments.drawing(draw, episode_id) if isinstance(draw, AdaptiveDraw) else None


async def _first(run: Run, accepted: Accepted, run_one: RunVariant[Given]) -> Given:
    failures: dict[str, VariantFailed] = {}
    only = accepted.pinned or accepted.drawn
    variant = only or run.first_variant or await _drawn(run, accepted, failures)
    while variant is not None:
        try:
            return await run_one(run, accepted, variant)
        except VariantFailed as failure:
            run.write_off(variant.name, failure)
            # Without its way here, which knows these failures: the request could not be freed.
            failures[variant.name] = failure.with_traceback(None)
            run.first_provider = 0
            trace_variant_without_calls(run, accepted, variant.name, failure)
        variant = None if only else await _drawn(run, accepted, failures)
    raise _all_failed(run, accepted, failures)


def _drawn(
    run: Run, accepted: Accepted, failures: Collection[str]
) -> Awaitable[PreparedVariant | None]:
    return drawn_variant(accepted, run.episode_id, run.shared.experiments, failures)


def _all_failed(
    run: Run, accepted: Accepted, failures: dict[str, VariantFailed]
) -> InferenceFailed:
    told = "; ".join(f'variant "{name}": {failure}' for name, failure in failures.items())
    wants_raw = accepted.request.include_raw_response
    return InferenceFailed(
        cause=_cause([failure.cause for failure in failures.values()]),
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


def _cause(causes: Sequence[FailureCause]) -> FailureCause:
    """The last one counts; the request is to blame only if it fits no variant."""
    if not causes:
        return "nothing_to_try"
    return next((each for each in reversed(causes) if each != "unfit"), "unfit")

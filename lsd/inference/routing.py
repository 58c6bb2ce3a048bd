"""From a variant's model to an answer: providers in order, retries, fallback models.

The three inner layers of failure: each goes on after any error of the one within it. Only the
retries look at what kind of error it was.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, TypeVar

import attrs
import trio

from lsd.config import Retries
from lsd.conversation import AttemptFailed, ModelRequest
from lsd.inference.journal import ModelCall
from lsd.inference.limits import Limit, ScopeLimits, TimeLimitReached, bounded_by
from lsd.inference.open_stream import StartedStream, open_stream
from lsd.inference.prepared import PreparedGeneration, PreparedModel, PreparedProvider
from lsd.inference.provider_call import call_provider
from lsd.inference.refusals import CAUSES_BY_LIMITS, FailureCause, ProviderFailure, VariantFailed
from lsd.inference.retries import wait_before_retry
from lsd.inference.run import Run

Answered = TypeVar("Answered", ModelCall, StartedStream)

Ask = Callable[
    [Run, PreparedGeneration, PreparedModel, PreparedProvider, ModelRequest], Awaitable[Answered]
]
"""How one provider is asked: for a whole answer or for a stream."""


_Failures = list[tuple[str, AttemptFailed]]
"""Of providers, by their names, in order."""


@attrs.frozen
class _FailedPass:
    """One run through a routing list without success."""

    failures: tuple[tuple[str, AttemptFailed], ...]
    limit: TimeLimitReached | None = None

    def __str__(self) -> str:
        told = [_told_of(name, failure) for name, failure in self.failures]
        if self.limit is not None:
            # Behind the providers, the model is named once more: it is not their time that is over.
            told.append(str(self.limit) if told else self.limit.limit.within_scope)
        return "; ".join(told)

    def tree(self) -> dict[str, Any]:
        """The same as nested objects."""
        providers = [
            {
                "provider": name,
                "kind": failure.kind,
                "status": failure.status,
                "code": failure.code,
                "error": str(failure),
            }
            for name, failure in self.failures
        ]
        return {"providers": providers, "timeout": None if self.limit is None else str(self.limit)}

    @property
    def cause(self) -> FailureCause:
        """What has ended the pass."""
        if self.limit is not None:
            return "timeout"
        _, last = self.failures[-1]
        return CAUSES_BY_LIMITS.get(last.kind, "providers")

    @property
    def causes(self) -> Sequence[AttemptFailed]:
        """What decides about a retry; a model's timeout may heal like any other."""
        failures = [failure for _, failure in self.failures]
        if self.limit is not None:
            failures.append(AttemptFailed(kind="timeout", text=str(self.limit)))
        return failures


@attrs.frozen
class _ModelFailed:
    """All passes of one model."""

    model: str
    passes: list[_FailedPass]

    def __str__(self) -> str:
        if len(self.passes) == 1:
            return f'model "{self.model}": {self.passes[0]}'
        return "; ".join(
            f'model "{self.model}", try {number}: {each}'
            for number, each in enumerate(self.passes, start=1)
        )

    def tree(self) -> dict[str, Any]:
        """The same as nested objects."""
        return {"model": self.model, "tries": [each.tree() for each in self.passes]}

    def of_providers(self) -> Iterator[ProviderFailure]:
        """The failures of all passes, in order."""
        for each in self.passes:
            for provider, failure in each.failures:
                yield ProviderFailure(self.model, provider, failure)


def whole_answer(
    run: Run, generation: PreparedGeneration, request: ModelRequest
) -> Awaitable[ModelCall]:
    """The answer of the first provider that gives one. Raises VariantFailed."""
    return _ask_models(run, generation, request, call_provider)


def started_stream(
    run: Run, generation: PreparedGeneration, request: ModelRequest
) -> Awaitable[StartedStream]:
    """The first stream that starts. Raises VariantFailed."""
    return _ask_models(run, generation, request, open_stream)


async def _ask_models(
    run: Run, generation: PreparedGeneration, request: ModelRequest, ask: Ask[Answered]
) -> Answered:
    """The variant's model, then its fallbacks; each has all of its retries."""
    failures: list[_ModelFailed] = []
    for name in generation.models:
        model = run.shared.prepared.model(name)
        assert model is not None, "the configuration's checks have found every model"
        limit = model.limits.opening if run.streaming else model.limits.plain
        passes: list[_FailedPass] = []
        while True:
            if limit is None:
                outcome = await _ask_routing(run, generation, model, request, ask, [])
            else:
                outcome = await _ask_within(limit, run, generation, model, request, ask)
            if not isinstance(outcome, _FailedPass):
                return outcome
            passes.append(outcome)
            wait_s = _wait_before_retry(run, generation, passes)
            if wait_s is None:
                break
            await trio.sleep(wait_s)
        failures.append(_ModelFailed(name, passes))
    raise VariantFailed(
        failures[-1].passes[-1].cause,
        "; ".join(map(str, failures)),
        models=[failure.tree() for failure in failures],
        failures=tuple(each for failure in failures for each in failure.of_providers()),
    )


def _wait_before_retry(
    run: Run, generation: PreparedGeneration, passes: list[_FailedPass]
) -> float | None:
    """Seconds until the model is asked once more; None if it is not."""
    retries: Retries = generation.config.retries
    return wait_before_retry(
        passes[-1].causes,
        passes_made=len(passes),
        num_retries=retries.num_retries,
        max_delay_s=retries.max_delay_s,
        uniform=run.shared.random.random,
    )


async def _ask_within(
    limit: Limit,
    run: Run,
    generation: PreparedGeneration,
    model: PreparedModel,
    request: ModelRequest,
    ask: Ask[Answered],
) -> Answered | _FailedPass:
    """One pass within the model's time."""
    failures: _Failures = []
    try:
        with bounded_by(limit):
            return await _ask_routing(run, generation, model, request, ask, failures)
    except TimeLimitReached as reached:
        run.end_open_calls("error", str(reached))
        return _FailedPass(tuple(failures), reached)


async def _ask_routing(
    run: Run,
    generation: PreparedGeneration,
    model: PreparedModel,
    request: ModelRequest,
    ask: Ask[Answered],
    failures: _Failures,
) -> Answered | _FailedPass:
    """One pass: the providers in their order; `failures` grows with what they say."""
    started_at = trio.current_time() if run.streaming else 0.0  # of streams alone it is asked
    providers = model.providers
    if run.first_provider and model.name == generation.config.model:
        # A run may begin further back in the routing of its variant's own model.
        providers = providers[run.first_provider :] or providers
    for provider in providers:
        try:
            answer = await ask(run, generation, model, provider, request)
        except AttemptFailed as failure:
            # Without its way here, which knows this list: the request could not be freed.
            failures.append((provider.name, failure.with_traceback(None)))
        else:
            if run.streaming:
                bind(answer, model.limits, started_at)
            return answer
    return _FailedPass(tuple(failures))


def _told_of(provider: str, failure: AttemptFailed) -> str:
    """The failure with the provider's name, which a timeout of its own tells by itself."""
    prefix, text = f'provider "{provider}": ', str(failure)
    return text if text.startswith(prefix) else prefix + text


def bind(answer: ModelCall | StartedStream, limits: ScopeLimits, started_at: float) -> None:
    """A stream goes on under the limits of the scope that it leaves."""
    if not isinstance(answer, ModelCall):
        answer.bound(limits, started_at)

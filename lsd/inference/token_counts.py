"""Tokens of a request, counted by whoever would read them."""

import attrs

from lsd.conversation import AttemptFailed
from lsd.inference.accept import Accepted
from lsd.inference.journal import ModelCall
from lsd.inference.prepared import PreparedModel, PreparedProvider
from lsd.inference.provider_call import ANSWER_BYTES_MAX, ProviderCall
from lsd.inference.run import Run


async def counted_tokens(run: Run, accepted: Accepted, model: PreparedModel) -> int | None:
    """The count of the first provider that gives one; None if there is none.

    `run` is for this alone: it is no inference, and what is entered in its journal stays there.
    """
    run.shared = attrs.evolve(run.shared, on_call_ended=_ignored)
    for provider in model.providers:
        try:
            count = await _count(run, accepted, model, provider)
        except AttemptFailed:  # which the log tells
            continue
        if count is not None:
            return count
    return None


def _ignored(_: ModelCall) -> None:
    """No call of an inference has ended."""


async def _count(
    run: Run, accepted: Accepted, model: PreparedModel, provider: PreparedProvider
) -> int | None:
    if provider.counting is None:
        return None
    assert accepted.direct is not None, "only direct calls are counted"
    variant = accepted.function.variants[model.name]
    call = ProviderCall(
        run, variant.generation, model, provider, accepted.direct, provider.whole_limit
    )
    try:
        credentials = await call.credentials()
        wire = provider.counting.count_request(accepted.direct, credentials, call.edits)
        if wire is None:
            return None
        response = await provider.transport.send(wire, call.deadline)
        try:
            body = await response.read(ANSWER_BYTES_MAX)
        finally:
            await response.aclose()
        return provider.counting.read_count(response.status, response.headers, body)
    except Exception as error:
        call.fail(error)
        raise

"""One call of one provider: encode, send, read, decode; every way to fail is one error type."""

from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from lsd.config import CredentialMissing
from lsd.conversation import AttemptFailed, ModelRequest, WireRequest
from lsd.inference.costs import CostUnknown
from lsd.inference.foreign_blocks import request_for
from lsd.inference.journal import ModelCall
from lsd.inference.limits import TimeLimitReached, bounded_by, earlier
from lsd.inference.masking import masked
from lsd.inference.prepared import PreparedModel, PreparedProvider, PreparedVariant
from lsd.inference.run import Run
from lsd.network import BodyTooLarge, TransportFailed
from lsd.telemetry import logger

log = logger(__name__)

ANSWER_BYTES_MAX = 256 * 1024 * 1024
"""Of one provider's whole answer: more than any model writes, even with images in base64."""


@attrs.define(eq=False, kw_only=True)
class ProviderCall:
    """One attempt in progress: the journal's entry, and what it needs to be made."""

    run: Run
    provider: PreparedProvider
    entry: ModelCall
    wire: WireRequest
    secrets: set[str]


def begin(
    run: Run,
    variant: PreparedVariant,
    model: PreparedModel,
    provider: PreparedProvider,
    request: ModelRequest,
) -> ProviderCall:
    """Enters the call in the journal and encodes it. Raises AttemptFailed."""
    own = request_for(
        request,
        provider_type=provider.dialect.provider_type,
        model_name=model.name,
        provider_name=provider.name,
    )
    entry = run.begin_call(variant, model, provider, own)
    with failing(run, entry, provider, set(run.request.credentials.values())):
        credentials = _credentials(run, provider)
        edits = run.edits_for(variant, model, provider)
        wire = provider.dialect.encode(own, credentials, edits)
    secrets = run.secrets(credentials, edits.headers)
    entry.raw_request = masked(wire.body.decode(), secrets)
    return ProviderCall(run=run, provider=provider, entry=entry, wire=wire, secrets=secrets)


async def call_provider(
    run: Run,
    variant: PreparedVariant,
    model: PreparedModel,
    provider: PreparedProvider,
    request: ModelRequest,
) -> ModelCall:
    """A whole answer. Raises AttemptFailed; the journal has the call in any case."""
    call = begin(run, variant, model, provider, request)
    entry = call.entry
    limit = earlier(provider.limits.plain, run.outbound_limit)
    with failing(run, entry, provider, call.secrets):
        with bounded_by(limit):
            response = await provider.transport.send(call.wire)
            try:
                body = await response.read(ANSWER_BYTES_MAX)
            finally:
                await response.aclose()
        answer = provider.dialect.decode(response.status, response.headers, body)
    entry.raw_response = masked(body.decode(errors="replace"), call.secrets)
    entry.output = answer.output
    entry.usage = answer.usage
    entry.finish_reason = answer.finish_reason
    if answer.raw_usage is not None:
        entry.raw_usage.append(answer.raw_usage)
    if provider.cost is not None:
        try:
            entry.cost = provider.cost.cost(answer.document)
        except CostUnknown as unknown:
            warn_of_unknown_cost(entry, unknown)
    run.end_call(entry, "ok")
    return entry


@contextmanager
def failing(
    run: Run, entry: ModelCall, provider: PreparedProvider, secrets: set[str]
) -> Iterator[None]:
    """Whatever goes wrong inside becomes an AttemptFailed, and is entered in the journal."""
    try:
        yield
    except AttemptFailed as failure:
        told = failure
    except TransportFailed as failure:
        told = AttemptFailed(
            kind="transport", text=f"{provider.dialect.provider_type}: {failure.reason}"
        )
    except BodyTooLarge as failure:
        told = AttemptFailed(kind="malformed", text=f"{provider.dialect.provider_type}: {failure}")
    except TimeLimitReached as failure:
        told = AttemptFailed(kind="timeout", text=str(failure))
    except CredentialMissing as missing:
        text = f'provider "{provider.name}": {missing}'
        told = AttemptFailed(kind="config", text=text)
    else:
        return
    told.text = masked(told.text, secrets)
    if told.raw_response is not None:
        told.raw_response = masked(told.raw_response, secrets)
    entry.fail(told, run.clock.monotonic())
    run.hear_end(entry)
    raise told


def warn_of_unknown_cost(entry: ModelCall, unknown: CostUnknown) -> None:
    """A cost that cannot be told leaves a trace in the log, and null everywhere else."""
    log.warning(
        "cost not computable",
        model=entry.model_name,
        provider=entry.provider_name,
        reason=unknown.reason,
    )


def _credentials(run: Run, provider: PreparedProvider) -> dict[str, str | None]:
    resolve = run.prepared.loaded.secrets.resolve
    dynamic = run.request.credentials
    return {name: resolve(location, dynamic) for name, location in provider.locations.items()}

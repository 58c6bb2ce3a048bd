"""From an embedding model to vectors: its providers are asked in order until one answers."""

from collections.abc import Callable, Collection, Mapping

import attrs
import trio

from lsd.access import CallLimits, Used, estimated_embedding_tokens
from lsd.config import Secrets
from lsd.conversation import (
    AttemptFailed,
    Embedding,
    EmbeddingRequest,
    IdGenerator,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    Text,
    encode_json,
)
from lsd.inference.answer_dates import dated_headers
from lsd.inference.call_failures import AttemptFailures
from lsd.inference.call_log import log_failed_call
from lsd.inference.costs import CostUnknown
from lsd.inference.embedding_cache import EmbeddingCache
from lsd.inference.embedding_models import PreparedEmbeddingModel, PreparedEmbeddingProvider
from lsd.inference.journal import CallStatus, EmbeddingCall, Journal, ModelCall
from lsd.inference.limited_sending import GivenTicket, send_within
from lsd.inference.limits import Limit, TimeLimitReached, bounded_by, earlier
from lsd.inference.masking import masked, secrets_in, spellings_of
from lsd.inference.refusals import (
    CAUSES_BY_LIMITS,
    FailureCause,
    InferenceFailed,
    ProviderFailure,
)
from lsd.inference.run import Run
from lsd.telemetry import Clock, logger

log = logger(__name__)

ANSWER_BYTES_MAX = 256 * 1024 * 1024
"""Of one provider's whole answer: a thousand texts of the longest vectors, written out, are 100."""


@attrs.define(eq=False, kw_only=True)
class EmbeddingRun:
    """What the calls of one request for embeddings share.

    `variant_name` is empty where no variant of a function asks; `cache` is None where none is to
    be used, `limits` where no rate limit applies; `on_call_ended` hears of each call that is over.
    """

    secrets: Secrets
    credentials: Mapping[str, str] = attrs.field(repr=False)
    outbound_limit: Limit
    ids: IdGenerator
    clock: Clock
    variant_name: str = ""
    journal: Journal = attrs.field(factory=Journal)
    cache: EmbeddingCache | None = None
    limits: CallLimits | None = None
    on_call_ended: Callable[[ModelCall], None] | None = None

    @classmethod
    def within(cls, run: Run, variant_name: str) -> "EmbeddingRun":
        """For a variant that needs vectors: the calls stand in the journal of its inference."""
        return cls(
            secrets=run.shared.prepared.loaded.secrets,
            credentials=run.request.credentials,
            outbound_limit=run.outbound_limit,
            ids=run.shared.ids,
            clock=run.shared.clock,
            variant_name=run.on_behalf_of or variant_name,
            journal=run.journal,
            cache=None if run.cache is None else run.cache.of_embeddings(),
            limits=run.limits,
            on_call_ended=run.shared.on_call_ended,
        )

    def begin_call(
        self,
        model: PreparedEmbeddingModel,
        provider: PreparedEmbeddingProvider,
        request: EmbeddingRequest,
    ) -> ModelCall:
        """A new entry of the journal, which tells the inputs as one message."""
        texts = tuple(
            Text(text=each if isinstance(each, str) else encode_json(each).decode())
            for each in request.inputs
        )
        call = EmbeddingCall(
            id=self.ids.new(),
            variant_name=self.variant_name,
            model_name=model.name,
            provider_name=provider.name,
            provider_type=provider.dialect.provider_type,
            api_type=provider.dialect.api_type,
            request=ModelRequest(messages=(ModelMessage(role="user", content=texts),)),
            started_at=self.clock.monotonic(),
        )
        self.journal.enter(call)
        return call

    def end_call(self, call: ModelCall, status: CallStatus, error: str | None = None) -> None:
        """Settles an entry of the journal."""
        call.settle(status, self.clock.monotonic(), error)
        if self.on_call_ended is not None:
            self.on_call_ended(call)

    def end_open_calls(self, status: CallStatus, error: str) -> None:
        """Settles what a timeout or the caller's leaving has cut off."""
        for call in self.journal.open_calls():
            self.end_call(call, status, error)
            if status == "error":
                log_failed_call(call, "timeout")


@attrs.frozen(kw_only=True)
class Embedded:
    """Vectors in the order of the inputs, in the form in which they came; `call` gave them."""

    call: ModelCall
    embeddings: tuple[Embedding, ...]


async def embed(
    run: EmbeddingRun, model: PreparedEmbeddingModel, request: EmbeddingRequest
) -> Embedded:
    """The vectors of the first provider that answers.

    Raises InferenceFailed with the failures of all of them, in order.
    """
    failures: list[ProviderFailure] = []
    try:
        with bounded_by(model.limit):
            for provider in model.providers:
                try:
                    return await _ask(run, model, provider, request)
                except AttemptFailed as failure:
                    failures.append(ProviderFailure(model.name, provider.name, failure))
    except TimeLimitReached as reached:
        run.end_open_calls("error", str(reached))
        raise _failed(model, failures, reached) from None
    raise _failed(model, failures, None)


async def _ask(
    run: EmbeddingRun,
    model: PreparedEmbeddingModel,
    provider: PreparedEmbeddingProvider,
    request: EmbeddingRequest,
) -> Embedded:
    call = run.begin_call(model, provider, request)
    secrets = secrets_in(provider.edits.headers) | spellings_of(run.credentials.values())
    limit = earlier(provider.limit, run.outbound_limit) or run.outbound_limit
    deadline = trio.current_time() + limit.seconds
    with _failing(run, call, secrets, limit):
        found = run.cache.find(call, request) if run.cache is not None else None
        ticket = None
        if found is None:
            found, ticket = await _answer(run, call, provider, request, secrets, deadline)
    run.end_call(call, "ok")
    if ticket is not None:
        usage = attrs.evolve(call.answer.usage, output_tokens=0)
        await ticket.settle(Used.of(usage, call.cost, is_whole=True))
    if run.cache is not None and not call.cached:
        await run.cache.keep(call, request, found)
    return Embedded(call=call, embeddings=found)


def _failing(
    run: EmbeddingRun, call: ModelCall, secrets: Collection[str], limit: Limit
) -> AttemptFailures:
    """Whatever goes wrong inside becomes an AttemptFailed, and is entered in the journal."""

    def note(failure: AttemptFailed) -> None:
        call.raw_response = failure.raw_response
        run.end_call(call, "error", str(failure))
        log_failed_call(call, failure.kind)

    return AttemptFailures(
        provider_type=call.provider_type,
        provider_name=call.provider_name,
        limit=limit,
        secrets=secrets,
        note=note,
    )


async def _answer(
    run: EmbeddingRun,
    call: ModelCall,
    provider: PreparedEmbeddingProvider,
    request: EmbeddingRequest,
    secrets: set[str],
    deadline: float,
) -> tuple[tuple[Embedding, ...], GivenTicket | None]:
    credentials = provider.written.find(run.secrets, run.credentials)
    secrets |= credentials.secrets
    wire = provider.dialect.encode(request, credentials.values, provider.edits)
    call.raw_request = masked(wire.body.decode(), secrets)
    response, ticket = await send_within(
        run.limits,
        call.id,
        lambda: estimated_embedding_tokens(request),
        provider.transport,
        wire,
        deadline,
    )
    try:
        body = await response.read(ANSWER_BYTES_MAX)
    finally:
        await response.aclose()
    count = len(request.inputs)
    headers = dated_headers(response.headers, run.clock)
    answer = provider.dialect.decode(response.status, headers, body, count=count)
    call.take_raw_response(body.decode(errors="replace"), secrets)
    call.answer = ModelResponse((), answer.usage, answer.raw_usage)
    if provider.cost is not None:
        try:
            call.cost = provider.cost.cost(answer.document)
        except CostUnknown as unknown:
            log.warning(
                "cost not computable",
                model=call.model_name,
                provider=call.provider_name,
                reason=unknown.reason,
            )
    return answer.embeddings, ticket


def _failed(
    model: PreparedEmbeddingModel,
    failures: list[ProviderFailure],
    reached: TimeLimitReached | None,
) -> InferenceFailed:
    told = [f'provider "{each.provider}": {each.failure}' for each in failures]
    if reached is not None:
        told.append(reached.limit.within_scope)
        cause: FailureCause = "timeout"
    else:
        cause = CAUSES_BY_LIMITS.get(failures[-1].failure.kind, "providers")
    return InferenceFailed(
        cause=cause,
        text=f'embedding model "{model.name}": {"; ".join(told)}',
        pinned=True,
        failures=tuple(failures),
    )

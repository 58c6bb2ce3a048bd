"""One call of one provider: encode, send, read, decode; every way to fail is one error type."""

from collections.abc import Awaitable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal

import attrs
import trio

from lsd.access import Used, estimated_prompt_tokens
from lsd.conversation import (
    NO_EDITS,
    UNSUPPORTED_CODE,
    AttemptFailed,
    ClientRequest,
    Edits,
    ModelRequest,
    WireRequest,
)
from lsd.inference.answer_dates import dated_headers
from lsd.inference.cache_entries import answer_from_cache, answer_to_cache
from lsd.inference.call_failures import AttemptFailures
from lsd.inference.call_log import log_failed_call
from lsd.inference.costs import CostUnknown
from lsd.inference.derived_parameters import blamed_for, without
from lsd.inference.files import without_files
from lsd.inference.foreign_blocks import request_for, says_only_text, translatable
from lsd.inference.journal import ModelCall
from lsd.inference.limited_sending import GivenTicket, send_within
from lsd.inference.limits import Limit
from lsd.inference.masking import NO_SECRETS, masked, secrets_in, spellings_of
from lsd.inference.prepared import PreparedGeneration, PreparedModel, PreparedProvider
from lsd.inference.run import Run
from lsd.inference.written_credentials import Credentials
from lsd.network import ScriptedResponse, WireResponse, until
from lsd.providers import ToolNames, completed_answer
from lsd.telemetry import logger

log = logger(__name__)

REFUSAL_BYTES_MAX = 8 * 1024 * 1024
"""Of an answer that may refuse the credentials; errors have some hundred bytes."""

ANSWER_BYTES_MAX = 256 * 1024 * 1024
"""Of one provider's whole answer: more than any model writes, even with images in base64."""

_NOTHING_SENT = WireRequest("", "", {})


@attrs.define(eq=False, init=False)
class ProviderCall:
    """One attempt in progress: the journal's entry, and what it needs to be made.

    `limit` is what is reached at `deadline`, by trio's clock. `own_edits` are those beside the
    provider's. `secrets` are values that no text which leaves this call may show. `is_text`:
    nothing in the request could be changed for this provider. `wire` is what was sent last; `names`
    are those of tools that had to be changed for it, if any had. `ticket` is what rate limits have
    given for the call; None if none applies, or as long as nothing is answered.
    """

    run: Run
    provider: PreparedProvider
    entry: ModelCall
    edits: Edits
    own_edits: Edits
    secrets: AbstractSet[str]
    limit: Limit
    deadline: float
    is_text: bool
    wire: WireRequest
    names: ToolNames | None
    ticket: GivenTicket | None

    def __init__(
        self,
        run: Run,
        generation: PreparedGeneration,
        model: PreparedModel,
        provider: PreparedProvider,
        request: ModelRequest,
        limit: Limit,
    ) -> None:
        """Enters the call in the journal; from now on its time runs."""
        self.run, self.provider, self.limit = run, provider, limit
        self.wire, self.names, self.ticket = _NOTHING_SENT, None, None
        self.is_text = request.is_text or says_only_text(request)
        if not self.is_text:
            request = request_for(
                request,
                provider_type=provider.thought_type,
                model_name=model.name,
                provider_name=provider.name,
            )
        self.own_edits = own_edits = run.edits_beside(provider, generation, model)
        self.edits = edits = (
            provider.edits
            if own_edits is NO_EDITS
            else run.edits_with(own_edits, generation, provider)
        )
        self.secrets = secrets_in(edits.headers) if edits.headers else NO_SECRETS
        if run.request.credentials:
            self.secrets |= spellings_of(run.request.credentials.values())
        self.entry = run.begin_call(generation, model, provider, request)
        if request.client is not None and provider.relaying is not None:
            self.entry.is_relayed = provider.relaying.lane == request.client.lane
        self.deadline = trio.current_time() + limit.seconds

    def fail(self, error: Exception) -> None:
        """Enters in the journal why there is no answer. Raises the AttemptFailed that `error` is.

        If it is none of a call's failures, it is not entered, and the caller raises it on.
        """
        failures = AttemptFailures(
            provider_type=self.provider.provider_type,
            provider_name=self.provider.name,
            limit=self.limit,
            secrets=self.secrets,
            note=self._note_failure,
        )
        failures.take(error)

    def send(self) -> Awaitable[WireResponse]:
        """The head of the answer to `wire`; whoever gets it closes it.

        Raises AttemptFailed, CredentialMissing, TransportFailed or DeadlineReached, at once or when
        it is waited for.
        """
        run, provider, entry = self.run, self.provider, self.entry
        is_fitting = entry.is_relayed or (entry.request.client is None and run.files is None)
        if is_fitting and run.limits is None and provider.sign_in is None:
            # Nothing to wait for before it; and each coroutine around a wait costs at its end.
            wire = self._encode(entry.request, self._written(), ())
            return provider.transport.send(wire, self.deadline)
        return self._send_when_ready(is_fitting)

    async def _send_when_ready(self, is_fitting: bool) -> WireResponse:
        """The same, when all is there that it needs: files, credentials, room within the limits.

        `is_fitting`: the provider can read the request as it is.
        A request whose credentials have lapsed too early is sent once more, with fresh ones.
        """
        run, provider, request = self.run, self.provider, self.entry.request
        sign_in = provider.sign_in
        credentials = await self.credentials()
        forgone: Sequence[str] = ()
        if not is_fitting:
            request, forgone = await self._adapted(request)
        wire = self._encode(request, credentials, forgone)
        if run.limits is None or self.ticket is not None:
            # A ticket is for the attempt, however often that has to be sent.
            response = await provider.transport.send(wire, self.deadline)
        else:
            response, self.ticket = await send_within(
                run.limits,
                self.entry.id,
                self._estimated_tokens,
                provider.transport,
                wire,
                self.deadline,
            )
        if sign_in is None or response.status not in sign_in.refusal_statuses:
            return response
        try:
            body = await response.read(REFUSAL_BYTES_MAX)
        finally:
            await response.aclose()
        if not sign_in.forget(credentials, response.headers, body):
            return ScriptedResponse(response.status, response.headers, [(0, body)])
        wire = self._encode(request, await self.credentials(), forgone)
        return await provider.transport.send(wire, self.deadline)

    async def settle(self) -> None:
        """The call is over; the rate limits learn what it has used."""
        if self.ticket is not None:
            entry = self.entry
            is_whole = entry.status == "ok"
            await self.ticket.settle(Used.of(entry.answer.usage, entry.cost, is_whole=is_whole))

    def settle_cut_off(self, cost: Decimal | None) -> None:
        """Nobody goes on with the call: what it has used so far counts, unless it is settled."""
        if self.ticket is not None:
            self.ticket.settle_nowait(Used.of(self.entry.answer.usage, cost, is_whole=False))

    def _estimated_tokens(self) -> int | None:
        request = self.entry.request
        answer = request.params.max_tokens
        return None if answer is None else estimated_prompt_tokens(request) + answer

    async def credentials(self) -> Mapping[str, str | None]:
        """What the request shows, and no text of this call from now on.

        Raises CredentialMissing, and DeadlineReached for those that have to be fetched.
        """
        credentials, sign_in = self._written(), self.provider.sign_in
        if sign_in is None:
            return credentials
        with until(self.deadline):
            fetched = await sign_in.credentials(self.run.request.credentials)
        whole = Credentials({**credentials, **fetched})
        self.secrets |= whole.secrets
        return whole.values

    def _written(self) -> Mapping[str, str | None]:
        """The credentials that do not have to be fetched. Raises CredentialMissing."""
        written, run = self.provider.written, self.run
        found = written.kept or written.find(
            run.shared.prepared.loaded.secrets, run.request.credentials
        )
        if found.secrets:
            self.secrets |= found.secrets
        return found.values

    async def _adapted(self, request: ModelRequest) -> tuple[ModelRequest, Sequence[str]]:
        """The request as its provider can read it, once all files are there; and what it forgoes.

        Raises AttemptFailed and DeadlineReached.
        """
        provider, files = self.provider, self.run.files
        dialect = provider.dialect
        forgone: Sequence[str] = ()
        if request.client is not None:
            _check_translatable(request.client)
            request = translatable(request, provider_type=dialect.provider_type)
            request, forgone = without(request, provider.forgone)
        if files is not None:
            with until(self.deadline):
                request = await files.for_provider(request, dialect.forwards)
        return request, forgone

    def _encode(
        self,
        request: ModelRequest,
        credentials: Mapping[str, str | None],
        forgone: Sequence[str],
    ) -> WireRequest:
        """What is sent. Raises AttemptFailed."""
        provider, entry = self.provider, self.entry
        if entry.is_relayed:
            assert provider.relaying is not None, "or it would not be relayed"
            wire = provider.relaying.relay(request, credentials, self.edits)
        elif self.is_text:
            wire = provider.dialect.encode(request, credentials, self.edits)
        else:
            names = self.names = ToolNames.of(request, provider.provider_type)
            fitted = request if names is None else names.fitted(request)
            wire = provider.dialect.encode(fitted, credentials, self.edits)
        self.wire = wire
        if wire.left_out or forgone:
            entry.left_out = (*wire.left_out, *forgone)
        text = wire.body.decode()
        if self.run.files is not None:
            text = without_files(text, request)
        entry.raw_request = masked(text, self.secrets)
        return wire

    def may_do_without(self, failure: AttemptFailed) -> bool:
        """Whether it is worth to try once more: what was refused, nobody had asked for."""
        blamed = blamed_for(failure, self.wire.derived)
        self.provider.forgone.update(blamed)
        return bool(blamed)

    def _note_failure(self, failure: AttemptFailed) -> None:
        self.entry.fail(failure, self.run.shared.clock.monotonic())
        self.run.shared.on_call_ended(self.entry)
        log_failed_call(self.entry, failure.kind)

    def warn_of_unknown_cost(self, unknown: CostUnknown) -> None:
        """A cost that cannot be told leaves a trace in the log, and null everywhere else."""
        log.warning(
            "cost not computable",
            model=self.entry.model_name,
            provider=self.entry.provider_name,
            reason=unknown.reason,
        )


def _check_translatable(client: ClientRequest) -> None:
    """Raises AttemptFailed for a request that only a provider of the client's lane can read."""
    if client.refusal is not None:
        raise AttemptFailed(
            kind="config",
            text=client.refusal,
            code=UNSUPPORTED_CODE,
            refused_field=client.refused_field,
        )


async def call_provider(
    run: Run,
    generation: PreparedGeneration,
    model: PreparedModel,
    provider: PreparedProvider,
    request: ModelRequest,
) -> ModelCall:
    """A whole answer. Raises AttemptFailed; the journal has the call in any case."""
    call = ProviderCall(run, generation, model, provider, request, provider.whole_limit)
    entry, cache = call.entry, run.cache
    try:
        if cache is None or (found := cache.find(entry, call.own_edits)) is None:
            try:
                await _ask(call)
            except AttemptFailed as failure:
                if not call.may_do_without(failure):
                    raise
                await _ask(call)
        else:
            answer_from_cache(entry, found)
    except Exception as error:
        call.fail(error)
        raise
    run.end_call(entry, "ok")
    if call.ticket is not None:
        await call.settle()
    if cache is not None and not entry.cached and cache.takes(entry):
        await cache.keep(entry, call.own_edits, answer_to_cache(entry))
    return entry


async def _ask(call: ProviderCall) -> None:
    provider, entry = call.provider, call.entry
    response = await call.send()
    try:
        body = await response.read(ANSWER_BYTES_MAX)
    except BaseException:
        await response.aclose()
        raise
    headers = dated_headers(response.headers, call.run.shared.clock)
    answer = provider.dialect.decode(response.status, headers, body)
    if call.wire.prefill:
        answer = completed_answer(answer, call.wire.prefill)
    if call.names is not None:
        answer = call.names.restored(answer)
    entry.take_raw_response(body.decode(errors="replace"), call.secrets)
    entry.answer = answer
    if provider.cost is not None:
        try:
            entry.cost = provider.cost.cost(answer.document)
        except CostUnknown as unknown:
            call.warn_of_unknown_cost(unknown)

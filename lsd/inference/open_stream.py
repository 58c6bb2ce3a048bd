"""A streamed answer: opened until it proves to be one, then read to its end.

A stream counts as started with its first content or its regular end. Before that every fault is
the failure of the attempt, so that another provider can answer; after that there is no way back.
"""

from decimal import Decimal

import attrs
import trio

from lsd.conversation import (
    AttemptFailed,
    FinishReason,
    JsonValue,
    ModelChunk,
    ModelRequest,
    ModelResponse,
    StreamEvent,
    StreamFault,
    decode_json,
)
from lsd.inference.answer_dates import dated_headers
from lsd.inference.cache_entries import stream_from_cache, stream_to_cache
from lsd.inference.call_failures import mask_failure
from lsd.inference.call_log import log_failed_call
from lsd.inference.collector import ContentCollector
from lsd.inference.costs import CostUnknown, StreamCost
from lsd.inference.journal import CallStatus, ModelCall
from lsd.inference.limits import Deadline, Limit, ScopeLimits, earlier
from lsd.inference.masking import masked
from lsd.inference.prepared import PreparedGeneration, PreparedModel, PreparedProvider
from lsd.inference.provider_call import ProviderCall
from lsd.inference.replayed_stream import ReplayedStream
from lsd.inference.run import Run
from lsd.inference.stream_reader import StreamReader
from lsd.network import DeadlineReached
from lsd.providers import completed_stream
from lsd.telemetry import logger

log = logger(__name__)


@attrs.define(eq=False, kw_only=True)
class OpenStream:
    """A started stream. Whoever holds it reads it to its end or closes it.

    The journal's entry grows with what is read, so that at any moment it tells what had arrived.
    """

    _call: ProviderCall
    _reader: StreamReader
    _events: list[StreamEvent]
    _total: Deadline
    _idle: Limit | None
    _collector: ContentCollector = attrs.Factory(ContentCollector)
    _cost: StreamCost | None = None
    _raw: list[str] = attrs.Factory(list)
    _kept: list[ModelChunk] | None = None
    _fatal: str | None = None
    _reported: str | None = None
    """The fault that may be the reason why nothing more comes."""
    _last_fault: AttemptFailed | None = None
    _earlier_raw_usage: list[JsonValue] = attrs.Factory(list)

    def __attrs_post_init__(self) -> None:
        # A key may be cut in two by the events, so that no raw text shows it whole.
        self.entry.echoed = frozenset(self._call.secrets)
        self.entry.answer = ModelResponse(output=())
        self.entry.earlier_raw_usage = self._earlier_raw_usage
        self._take_in(self._events)

    @property
    def entry(self) -> ModelCall:
        """The call that this is the answer of."""
        return self._call.entry

    @property
    def has_content(self) -> bool:
        """Whether anything of the answer had arrived when `note` was called."""
        return bool(self.entry.answer.output)

    @property
    def is_ready(self) -> bool:
        """Whether there are events that came with the start."""
        return bool(self._events)

    def bound(self, limits: ScopeLimits, started_at: float) -> None:
        """From now on the limits of this scope count, too; `started_at` is by trio's clock."""
        if limits.total is not None:
            at = started_at + limits.total.seconds
            if at < self._total.at:
                self._total = Deadline(at, limits.total)
        self._idle = earlier(self._idle, limits.idle)

    async def receive(self) -> list[StreamEvent]:
        """What comes next, all that arrived together; empty when the stream is over.

        Silence is measured from here: a slow reader is no silent provider.
        """
        events, self._events = self._events, []
        reader = self._reader
        if events or reader.is_over or self._fatal is not None:
            return events
        limit, deadline = self._next_limit()
        reader.keep(deadline)
        try:
            while not events and not reader.is_over:
                events = await reader.receive()
        except DeadlineReached:
            failure = AttemptFailed(kind="timeout", text=str(limit))
            events = [StreamFault(failure=failure, fatal=True)]
        self._take_in(events)
        return events

    async def aclose(self) -> None:
        """Lets go of the connection; what had arrived is in the journal's entry."""
        self.note()
        self._call.settle_cut_off(self._cost_so_far())
        await self._reader.aclose()

    def _next_limit(self) -> tuple[Limit, float]:
        """The limit that is reached first, and when."""
        idle, total = self._idle, self._total
        if idle is not None:
            at = trio.current_time() + idle.seconds
            if at < total.at:
                return idle, at
        return total.limit, total.at

    def _take_in(self, events: list[StreamEvent]) -> None:
        for event in events:
            if isinstance(event, StreamFault):
                self._take_fault(event)
                continue
            content = event.content
            if content:
                self._reported = None
                self._collector.add(content)
            if self._kept is not None:
                self._kept.append(event)
            if event.raw:
                self._raw.append(event.raw)
            if event.usage is not None or event.raw_usage is not None:
                self._take_usage(event)
            if event.finish_reason is not None:
                self._take_finish_reason(event, event.finish_reason)
            if self._cost is not None:
                self._count_cost(event)

    def _take_usage(self, chunk: ModelChunk) -> None:
        answer = self.entry.answer
        if chunk.usage is not None:
            answer.usage = answer.usage.maximum(chunk.usage)
        if chunk.raw_usage is not None:
            if answer.raw_usage is not None:
                self._earlier_raw_usage.append(answer.raw_usage)
            answer.raw_usage = chunk.raw_usage

    def _take_finish_reason(self, chunk: ModelChunk, reason: FinishReason) -> None:
        entry, answer = self.entry, self.entry.answer
        if answer.finish_reason is not None:
            log.warning(
                "several finish reasons",
                model=entry.model_name,
                provider=entry.provider_name,
                first=answer.finish_reason,
                then=reason,
            )
        answer.finish_reason, answer.stop_sequence = reason, chunk.stop_sequence

    def _take_fault(self, fault: StreamFault) -> None:
        mask_failure(fault.failure, self._call.secrets)
        self._kept = None  # a stream with a fault is not to be repeated
        if fault.raw is not None:
            fault.raw = masked(fault.raw, self._call.secrets)
            self._raw.append(fault.raw)
        self._last_fault = fault.failure
        self._reported = str(fault.failure)
        if fault.fatal:
            self._fatal = self._reported

    def _count_cost(self, chunk: ModelChunk) -> None:
        assert self._cost is not None
        document = chunk.document
        if document is None and chunk.raw:
            document = decode_json(chunk.raw)
        try:
            self._cost.add(document)
        except CostUnknown as unknown:
            self._call.warn_of_unknown_cost(unknown)
            self._cost = None

    def _cost_so_far(self) -> Decimal | None:
        try:
            return None if self._cost is None else self._cost.cost()
        except CostUnknown:
            return None

    def give_up(self) -> None:
        """Nobody reads on after the last fault, whatever came with it: it ends the call."""
        if self._fatal is None and self._last_fault is not None:
            self._fatal = str(self._last_fault)

    async def settle(self) -> None:
        """The stream was read to its end: the call was whole, or broke off."""
        self.note()
        has_good_end = self.entry.answer.finish_reason is not None or self._reader.has_end_mark
        if self._fatal is None and not has_good_end:
            # It broke off after an error of the provider, which is the reason, and told already.
            self._fatal = self._reported
        if self._cost is not None:
            try:
                self.entry.cost = self._cost.cost()
            except CostUnknown as unknown:
                self._call.warn_of_unknown_cost(unknown)
        status: CallStatus = "ok" if self._fatal is None else "interrupted"
        run = self._call.run
        run.end_call(self.entry, status, self._fatal)
        if self._fatal is not None:
            assert self._last_fault is not None, "every stream that breaks off has a fault"
            log_failed_call(self.entry, self._last_fault.kind)
        await self._call.settle()
        if run.cache is not None and self._kept is not None:
            entry = stream_to_cache(self.entry, self._kept)
            await run.cache.keep(self.entry, self._call.own_edits, entry)

    def note(self) -> None:
        """Brings the journal's entry up to date with what had arrived."""
        self.entry.answer.output = self._collector.blocks()
        self.entry.take_raw_response("\n".join(self._raw), self._call.secrets)


StartedStream = OpenStream | ReplayedStream


async def open_stream(
    run: Run,
    generation: PreparedGeneration,
    model: PreparedModel,
    provider: PreparedProvider,
    request: ModelRequest,
) -> StartedStream:
    """A stream that has started. Raises AttemptFailed; the journal has the call in any case."""
    started_at = trio.current_time()
    call = ProviderCall(run, generation, model, provider, request, provider.opening_limit)
    entry = call.entry
    try:
        found = run.cache.find(entry, call.own_edits) if run.cache is not None else None
        stream = None if found is not None else await _start_with_what_is_taken(call, started_at)
    except Exception as error:
        call.fail(error)
        raise
    entry.first_chunk_at = run.shared.clock.monotonic()
    if stream is None:
        return ReplayedStream(entry, run, stream_from_cache(entry, found))
    stream.bound(provider.limits, started_at)
    return stream


async def _start_with_what_is_taken(call: ProviderCall, started_at: float) -> OpenStream:
    try:
        return await _start(call, started_at)
    except AttemptFailed as failure:
        if not call.may_do_without(failure):
            raise
    return await _start(call, started_at)


async def _start(call: ProviderCall, started_at: float) -> OpenStream:
    provider, cache = call.provider, call.run.cache
    response = await call.send()
    headers = dated_headers(response.headers, call.run.shared.clock)
    decoder = provider.dialect.stream_decoder(response.status, headers)
    decoder = completed_stream(decoder, call.wire.prefill)
    if call.names is not None:
        decoder = call.names.restored_stream(decoder)
    reader = StreamReader(response, decoder)
    try:
        events = await reader.receive_first(call.run.patience_s)
    except BaseException:
        await reader.aclose()
        raise
    outbound_limit = call.run.outbound_limit
    return OpenStream(
        call=call,
        total=Deadline(started_at + outbound_limit.seconds, outbound_limit),
        idle=None,
        reader=reader,
        events=events,
        cost=provider.cost.stream() if provider.cost is not None else None,
        kept=[] if cache is not None and cache.writes else None,
    )

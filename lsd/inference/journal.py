"""The calls that one inference makes of providers, kept as they go for answers and records."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Literal

import attrs

from lsd.conversation import (
    ApiType,
    AttemptFailed,
    JsonValue,
    ModelRequest,
    ModelResponse,
)
from lsd.inference.masking import masked

CallStatus = Literal["open", "ok", "interrupted", "error"]

CUT_OFF = "the request ended before the provider's answer was complete"
"""What is on record of a call that was open when its request was over."""

NO_ANSWER = ModelResponse(output=())
"""Of all calls that have not been answered: nobody changes it."""


@attrs.define(eq=False)
class ModelCall:
    """One call of one provider: what was asked, what came back, how long it took.

    `open` until it is settled in one of three ways; a call still open when its request is over
    was cut off by it. Times are seconds of the monotonic clock. `echoed` are credentials that the
    output may hold, which records must not. `is_relayed`: the provider was sent the client's own
    body; `left_out` are fields or parameters that it was not sent. `answer` grows with a stream,
    which may tell its usage several times: what it told before is `earlier_raw_usage`.
    """

    id: str
    variant_name: str
    model_name: str
    provider_name: str
    provider_type: str
    api_type: ApiType
    request: ModelRequest
    started_at: float
    status: CallStatus = "open"
    ended_at: float | None = None
    first_chunk_at: float | None = None
    error: str | None = None
    raw_request: str | None = None
    raw_response: str | None = None
    answer: ModelResponse = NO_ANSWER
    earlier_raw_usage: Sequence[JsonValue] = ()
    cost: Decimal | None = None
    cached: bool = False
    echoed: frozenset[str] = frozenset()
    is_relayed: bool = False
    left_out: tuple[str, ...] = ()

    def take_raw_response(self, text: str, secrets: Collection[str]) -> None:
        """Keeps the text of the answer, without the `secrets` that the provider may repeat."""
        self.raw_response = masked(text, secrets)
        if self.raw_response != text:
            self.echoed = frozenset(secrets)

    def settle(self, status: CallStatus, now: float, error: str | None = None) -> None:
        """The call is over."""
        self.status = status
        self.ended_at = now
        self.error = error

    def write_off(self, error: str) -> None:
        """The call went well, but what it was made for has failed: it has cost all the same."""
        self.status = "error"
        self.error = error

    def fail(self, failure: AttemptFailed, now: float) -> None:
        """The call gave no usable answer."""
        self.settle("error", now, str(failure))
        if failure.raw_response is not None:
            self.raw_response = failure.raw_response

    @property
    def response_time_ms(self) -> int:
        """Whole milliseconds from the start to the end, 0 for what came from the cache."""
        if self.ended_at is None or self.cached:
            return 0
        return round((self.ended_at - self.started_at) * 1000)

    @property
    def ttft_ms(self) -> int | None:
        """Whole milliseconds to the first chunk with content; None if nothing was streamed."""
        if self.first_chunk_at is None:
            return None
        return 0 if self.cached else round((self.first_chunk_at - self.started_at) * 1000)

    def raw_response_entry(self) -> dict[str, Any] | None:
        """The call's body as answers show it; None if there is none to show."""
        if self.raw_response is None or self.cached:
            return None
        entry = {
            "provider_type": self.provider_type,
            "api_type": self.api_type,
            "data": self.raw_response,
        }
        return entry if self.status == "error" else {"model_inference_id": self.id, **entry}

    def raw_usage_entries(self) -> list[dict[str, Any]]:
        """The usage objects of the provider, as answers show them."""
        if self.cached or self.status == "error":
            return []
        return [self.raw_usage_entry(data) for data in self.raw_usage]

    @property
    def raw_usage(self) -> list[JsonValue]:
        """The usage objects as they came, in order."""
        last = self.answer.raw_usage
        return [] if last is None else [*self.earlier_raw_usage, last]

    def raw_usage_entry(self, data: JsonValue) -> dict[str, Any]:
        """One usage object of the provider."""
        return {
            "model_inference_id": self.id,
            "provider_type": self.provider_type,
            "api_type": self.api_type,
            "data": data,
        }


@attrs.define(eq=False)
class EmbeddingCall(ModelCall):
    """A call that asks for vectors: `request` tells the inputs as one message."""


@attrs.define(eq=False)
class Journal:
    """Calls in the order in which they began: those of one inference, or of a part of it.

    `candidates` are parts that were for a variant run by another, with its name.
    """

    calls: list[ModelCall] = attrs.Factory(list)
    candidates: tuple[tuple[str, "Journal"], ...] = ()

    def part(self, candidate: str | None = None) -> "Journal":
        """A new part, whose calls are in this journal, too; `candidate` is whom it is for."""
        part = _Part(within=self)
        if candidate is not None:
            self.candidates += ((candidate, part),)
        return part

    def enter(self, call: ModelCall) -> None:
        """A call begins."""
        self.calls.append(call)

    def open_calls(self) -> Iterator[ModelCall]:
        """Those that nobody has settled."""
        return (call for call in self.calls if call.status == "open")

    def write_off(self, error: str) -> None:
        """What the calls were made for has failed: none of them is part of an answer."""
        for call in self.calls:
            if call.status == "ok":
                call.write_off(error)

    def of_variant(self, variant_name: str) -> tuple[ModelCall, ...]:
        """The calls that were made for a variant."""
        return tuple([call for call in self.calls if call.variant_name == variant_name])

    def seconds_at_providers(self, now: float) -> float:
        """How long at least one call was open."""
        if len(self.calls) == 1:
            only = self.calls[0]
            return (only.ended_at or now) - only.started_at
        seconds = 0.0
        reached = float("-inf")
        for call in self.calls:
            end = call.ended_at or now
            if end > reached:
                seconds += end - max(call.started_at, reached)
                reached = end
        return seconds


@attrs.define(eq=False)
class _Part(Journal):
    _within: Journal = attrs.field(kw_only=True)

    def enter(self, call: ModelCall) -> None:
        self.calls.append(call)
        self._within.enter(call)


def succeeded(calls: Iterable[ModelCall]) -> list[ModelCall]:
    """Those that gave something, be it cut off."""
    return [call for call in calls if call.status in ("ok", "interrupted")]


def raw_responses(calls: Iterable[ModelCall]) -> list[dict[str, Any]]:
    """The bodies received, failed calls included, in order."""
    entries = (call.raw_response_entry() for call in calls)
    return [entry for entry in entries if entry is not None]


def raw_usages(calls: Iterable[ModelCall]) -> list[dict[str, Any]]:
    """The usage objects of the providers, in order."""
    return [entry for call in calls for entry in call.raw_usage_entries()]

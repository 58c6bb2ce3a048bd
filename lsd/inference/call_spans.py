"""The spans of models and of the calls of their providers, made from a journal afterwards."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import attrs

from lsd.inference.call_attributes import Attributes, gen_ai, openinference
from lsd.inference.journal import EmbeddingCall, ModelCall
from lsd.inference.prepared import Prepared
from lsd.telemetry import Clock, Span, Trace, Tracer, span_id_of

_NAMES_AT_PROVIDERS = ("model_name", "model_id", "deployment_id", "endpoint_id")
"""Keys of a provider that tell what it calls a model; each type has one of them."""


@attrs.define(eq=False)
class CallSpans:
    """Adds spans of calls to a trace. `function` is the one that they are made for, if it is one.

    `ids` stand on what was found in the cache.
    """

    trace: Trace
    _tracer: Tracer
    _prepared: Prepared
    _function: str | None
    _ids: Attributes
    _now_s: float
    _offset_ns: int

    @classmethod
    def at(
        cls,
        clock: Clock,
        trace: Trace,
        tracer: Tracer,
        prepared: Prepared,
        *,
        function: str | None,
        ids: Attributes,
    ) -> "CallSpans":
        """For calls that are over by now."""
        # Journals go by the clock that never steps back; spans by that of the calendar.
        now_s = clock.monotonic()
        offset_ns = clock.now_ns() - round(now_s * 1e9)
        return cls(trace, tracer, prepared, function, ids, now_s, offset_ns)

    def add_models(self, calls: Iterable[ModelCall], parent_id: bytes) -> None:
        """A span for each model in turn, with its calls below."""
        for (name, _), of_model in groupby(calls, key=_model_of):
            those = list(of_model)
            last = those[-1]
            attributes: Attributes = {
                "model_name": name,
                "stream": last.request.stream,
                "cached": True if last.cached else None,
            }
            span = self.over(those, "model_inference", attributes, parent_id=parent_id)
            self.add_calls(those, span.span_id)

    def add_calls(self, calls: Iterable[ModelCall], parent_id: bytes) -> None:
        """A span for each call; of what was found in the cache only for streams."""
        for call in calls:
            if not call.cached:
                self._add_call(call, parent_id)
            elif call.request.stream:
                attributes: Attributes = {"model_inference_id": call.id, **self._ids}
                self.over([call], "stream_from_cache", attributes, parent_id=parent_id)

    def over(
        self, calls: Sequence[ModelCall], name: str, attributes: Attributes, **more: Any
    ) -> Span:
        """A span from the beginning of the first call to the end of the last."""
        ends = [call.ended_at or self._now_s for call in calls]
        failures = [call.error for call in calls if call.error is not None]
        return self.trace.add(
            name,
            self.ns(calls[0].started_at),
            attributes,
            end_ns=self.ns(max(ends)),
            error=failures[-1] if len(failures) == len(calls) else None,
            **more,
        )

    def ns(self, seconds: float) -> int:
        """A time of the journal as spans have it."""
        return round(seconds * 1e9) + self._offset_ns

    def _add_call(self, call: ModelCall, parent_id: bytes) -> None:
        attributes: Attributes = {
            "provider_name": call.provider_name,
            "stream": call.request.stream,
            "lsd.cost_usd": None if call.cost is None else float(call.cost),
        }
        if call.first_chunk_at is not None:
            attributes["time_to_first_token"] = call.first_chunk_at - call.started_at
        model = self._name_at_provider(call)
        if self._tracer.format == "openinference":
            attributes |= openinference(call, model=model)
        else:
            has_content = self._tracer.include_content
            attributes |= gen_ai(
                call, model=model, function=self._function, include_content=has_content
            )
        span_id = span_id_of(call.id)
        self.over(
            [call],
            "model_provider_inference",
            attributes,
            parent_id=parent_id,
            span_id=span_id,
            kind="client",
        )

    def _name_at_provider(self, call: ModelCall) -> str:
        prepared, is_embedding = self._prepared, isinstance(call, EmbeddingCall)
        models: Any = prepared.embeddings if is_embedding else prepared
        model = models.model(call.model_name)
        for provider in () if model is None else model.providers:
            if provider.name == call.provider_name:
                for key in _NAMES_AT_PROVIDERS:
                    if name := getattr(provider.config, key, None):
                        return str(name)
        return call.model_name


def _model_of(call: ModelCall) -> tuple[str, bool]:
    """Models for embeddings may be called like others."""
    return call.model_name, isinstance(call, EmbeddingCall)

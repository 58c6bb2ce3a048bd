"""The spans of one inference, made from its journal when it is over."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby

import attrs

from lsd.inference.accept import Accepted
from lsd.inference.call_attributes import Attributes
from lsd.inference.call_spans import CallSpans
from lsd.inference.journal import CUT_OFF, Journal, ModelCall
from lsd.inference.prepared import DEFAULT_FUNCTION
from lsd.inference.refusals import VariantFailed
from lsd.inference.run import Run
from lsd.telemetry import CURRENT_TRACE, Tracer, current_trace, span_id_of, tag_attributes


def trace_inference(
    tracer: Tracer, run: Run, accepted: Accepted, error: BaseException | None
) -> None:
    """Adds the inference, its variants, models and calls to the current trace, if there is one."""
    trace = current_trace()
    if trace is None:
        return
    request = accepted.request
    ids: Attributes = {"inference_id": run.inference_id, "episode_id": run.episode_id}
    spans = CallSpans.at(
        run.shared.clock,
        trace,
        tracer,
        run.shared.prepared,
        function=request.function_name,
        ids=ids,
    )
    whole = trace.add(
        "function_inference",
        spans.ns(run.started_at),
        {
            "function_name": request.function_name,
            "model_name": request.model_name,
            "variant_name": request.variant_name,
            **ids,
            **tag_attributes(accepted.tags),
        },
        span_id=span_id_of(run.inference_id),
        error=_told(error, run.journal),
    )
    if whole.error is not None and trace.root is not None:
        # An answer that breaks off has said that all is well.
        trace.root.error = whole.error
    variants = _Variants(spans, request.function_name or DEFAULT_FUNCTION, run.streaming)
    variants.add(run.journal, run.journal.calls, whole.span_id)


def trace_variant_without_calls(
    run: Run, accepted: Accepted, name: str, failure: VariantFailed
) -> None:
    """Adds a variant that has just failed; one that has made calls is found in the journal."""
    trace = current_trace()
    if trace is None or run.journal.of_variant(name):
        return
    attributes: Attributes = {
        "function_name": accepted.function.name,
        "variant_name": name,
        "stream": run.streaming,
    }
    trace.add(
        "variant_inference",
        trace.clock.now_ns(),
        attributes,
        parent_id=span_id_of(run.inference_id),
        error=str(failure),
    )


@contextmanager
def traced_apart(tracer: Tracer | None, run: Run, accepted: Accepted) -> Iterator[None]:
    """Traces an inference that no request waits for."""
    if tracer is None:
        yield
        return
    trace, error = tracer.begin_apart(), None
    token = CURRENT_TRACE.set(trace)
    try:
        yield
    except BaseException as failure:
        error = failure
        raise
    finally:
        trace_inference(tracer, run, accepted, error)
        CURRENT_TRACE.reset(token)
        tracer.end(trace)


@contextmanager
def traced_write(
    inference_id: str, episode_id: str | None, tags: Mapping[str, str]
) -> Iterator[None]:
    """Traces the writing of an inference's record, below that inference."""
    trace = current_trace()
    started_ns = 0 if trace is None else trace.clock.now_ns()
    yield
    if trace is not None:
        attributes: Attributes = {"inference_id": inference_id, "episode_id": episode_id}
        attributes |= tag_attributes(tags)
        parent_id = span_id_of(inference_id)
        trace.add("write_inference", started_ns, attributes, parent_id=parent_id)


@attrs.frozen
class _Variants:
    _spans: CallSpans
    _function: str
    _is_streamed: bool

    def add(self, journal: Journal, calls: Sequence[ModelCall], parent_id: bytes) -> None:
        """The variants that have made calls, in order."""
        for name, of_variant in groupby(calls, key=lambda call: call.variant_name):
            self._add_one(name, journal, list(of_variant), parent_id, stream=self._is_streamed)

    def _add_one(
        self,
        name: str,
        journal: Journal,
        calls: Sequence[ModelCall],
        parent_id: bytes,
        *,
        stream: bool,
    ) -> None:
        """A variant; those that it has run as its candidates lie below it."""
        attributes: Attributes = {
            "function_name": self._function,
            "variant_name": name,
            "stream": stream,
        }
        span = self._spans.over(calls, "variant_inference", attributes, parent_id=parent_id)
        ids = {call.id for call in calls}
        parts = [
            (candidate, part)
            for candidate, part in journal.candidates
            if part.calls and part.calls[0].id in ids
        ]
        for candidate, part in parts:
            self._add_one(candidate, part, part.calls, span.span_id, stream=False)
        of_parts = {call.id for _, part in parts for call in part.calls}
        own = [call for call in calls if call.id not in of_parts]
        self._spans.add_models(own, span.span_id)


def _told(error: BaseException | None, journal: Journal) -> str | None:
    """What went wrong with the whole; a stream that breaks off has raised nothing."""
    if isinstance(error, Exception):
        return str(error) or type(error).__name__
    if error is not None:
        return CUT_OFF
    last = journal.calls[-1] if journal.calls else None
    return last.error if last is not None and last.status == "interrupted" else None

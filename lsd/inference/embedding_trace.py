"""The spans of one request for embeddings, made from its journal when it is over."""

from collections.abc import Mapping

from lsd.inference.call_attributes import Attributes
from lsd.inference.call_spans import CallSpans
from lsd.inference.embedding_call import EmbeddingRun
from lsd.inference.prepared import Prepared
from lsd.telemetry import Trace, Tracer, span_id_of, tag_attributes


def trace_embeddings(
    trace: Trace,
    tracer: Tracer,
    prepared: Prepared,
    run: EmbeddingRun,
    inference_id: str,
    tags: Mapping[str, str],
) -> None:
    """Adds the model and its calls to the trace: no function has asked for them."""
    calls = run.journal.calls
    if not calls:
        return
    ids: Attributes = {"inference_id": inference_id}
    spans = CallSpans.at(run.clock, trace, tracer, prepared, function=None, ids=ids)
    attributes: Attributes = {
        "model_name": calls[0].model_name,
        "stream": False,
        "cached": True if calls[-1].cached else None,
        **ids,
        **tag_attributes(tags),
    }
    span = spans.over(calls, "model_inference", attributes, span_id=span_id_of(inference_id))
    spans.add_calls(calls, span.span_id)

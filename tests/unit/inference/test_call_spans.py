"""The spans of models and calls: from when to when, below what, and by which names."""

import attrs
import pytest

from lsd.conversation import ModelRequest
from lsd.inference.call_spans import CallSpans
from lsd.inference.journal import EmbeddingCall, ModelCall
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.gateway import EMBEDDING, PLAIN
from tests.unit.inference.traced import Traced, one, tree

IDS = {"inference_id": "0199e3a2-7c11-7d30-9a51-2f6d0c1b7e44"}


def call(
    number: int, model: str = "m", provider: str = "one", kind: type[ModelCall] = ModelCall
) -> ModelCall:
    """A call of one second, the first from second 1 on."""
    return kind(
        id=f"0199e3a2-7c11-7d30-9a51-{number:012x}",
        variant_name="v",
        model_name=model,
        provider_name=provider,
        provider_type="openai",
        api_type="chat_completions",
        request=ModelRequest(messages=()),
        started_at=float(number),
        ended_at=number + 1.0,
    )


@pytest.fixture
async def traced(start: StartGateway) -> Traced:
    """A gateway with a chat model and one for embeddings."""
    return Traced(start(PLAIN + EMBEDDING))


def spans_in(traced: Traced) -> CallSpans:
    """For a new trace apart."""
    trace = traced.tracer.begin_apart()
    return CallSpans.at(
        traced.gateway.clock,
        trace,
        traced.tracer,
        traced.gateway.prepared,
        function="chat",
        ids=IDS,
    )


async def test_each_model_has_its_calls_below(traced: Traced) -> None:
    """One after the other; a model for embeddings of the same name is another one."""
    spans = spans_in(traced)
    calls = [call(1), call(2), call(3, kind=EmbeddingCall), call(4, "n")]

    spans.add_models(calls, b"12345678")

    assert tree(spans.trace, b"12345678") == {
        "model_inference 1": {
            "model_provider_inference 1": {},
            "model_provider_inference 2": {},
        },
        "model_inference 2": {"model_provider_inference": {}},
        "model_inference 3": {"model_provider_inference": {}},
    }


async def test_a_model_lasts_from_its_first_call_to_its_last(traced: Traced) -> None:
    """And has failed only if all of them have."""
    spans = spans_in(traced)
    failed = attrs.evolve(call(1), error="HTTP 500")

    spans.add_models([failed, call(2)], b"12345678")

    model = one(spans.trace, "model_inference")
    assert (model.end_ns - model.start_ns, model.error) == (2_000_000_000, None)


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (call(1), "gpt-1"),
        (call(1, "emb", "two", EmbeddingCall), "small-2"),
        (call(1, "gone"), "gone"),
    ],
)
async def test_a_model_is_called_as_its_provider_calls_it(
    traced: Traced, made: ModelCall, name: str
) -> None:
    """By the name that the caller has used if nothing else is known."""
    spans = spans_in(traced)

    spans.add_calls([made], b"12345678")

    (span,) = spans.trace.spans
    assert span.attributes["gen_ai.request.model"] == name
    assert span.kind == "client"


@pytest.mark.parametrize(("stream", "below"), [(False, {}), (True, {"stream_from_cache": {}})])
async def test_what_was_found_in_the_cache_is_no_call(
    traced: Traced, below: dict[str, object], *, stream: bool
) -> None:
    """No provider was asked; a stream from there is a step of its own."""
    spans = spans_in(traced)
    request = ModelRequest(messages=(), stream=stream)

    spans.add_models([attrs.evolve(call(1), cached=True, request=request)], b"12345678")

    model = one(spans.trace, "model_inference")
    assert (model.attributes["cached"], model.attributes["stream"]) == (True, stream)
    assert tree(spans.trace, model.span_id) == below
    if stream:
        assert one(spans.trace, "stream_from_cache").attributes == {
            "model_inference_id": call(1).id,
            **IDS,
        }

"""The spans of one inference: what was tried lies below whatever has tried it."""

import pytest
import trio

from lsd.inference import InferenceFailed
from lsd.inference.journal import CUT_OFF
from lsd.telemetry import span_id_of
from tests.unit.inference.composites import CONFIG, chooses
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import breaks_after, embeds, fails, hangs, says, streams
from tests.unit.inference.gateway import EMBEDDING, PLAIN, Shelf
from tests.unit.inference.traced import Traced, named, one, tree

ONE_CALL = {"model_inference": {"model_provider_inference": {}}}


async def test_an_inference_is_a_tree(start: StartGateway, shelf: Shelf) -> None:
    """Down to the calls of providers; its record is written below it, too."""
    traced = Traced(start(PLAIN, shelf=shelf))
    traced.gateway["one"].will(says("Hi"))

    with traced.request() as trace:
        answer = await traced.gateway.infer(tags={"k": "v"})

    assert trace.root is not None
    assert tree(trace, trace.root.span_id) == {
        "function_inference": {"variant_inference": ONE_CALL, "write_inference": {}}
    }
    whole, write = one(trace, "function_inference"), one(trace, "write_inference")
    ids = {"inference_id": answer["inference_id"], "episode_id": answer["episode_id"]}
    assert whole.attributes == {"function_name": "chat", **ids, "tags.k": "v"}
    assert write.attributes == {**ids, "tags.k": "v"}
    assert whole.span_id == span_id_of(answer["inference_id"])


async def test_candidates_lie_below_the_variant_that_runs_them(start: StartGateway) -> None:
    """What chooses among them is a model of the variant itself."""
    traced = Traced(start(CONFIG))
    for name in "abc":
        traced.gateway[name].will(says(name.upper()))
    traced.gateway["judge"].will(chooses(1))

    with traced.request() as trace:
        await traced.gateway.infer(variant_name="pick")

    outer = named(trace, "variant_inference")[0]
    below = tree(trace, outer.span_id)
    assert below.pop("model_inference") == {"model_provider_inference": {}}
    assert list(below.values()) == [ONE_CALL] * 3
    names = [each.attributes["variant_name"] for each in named(trace, "variant_inference")]
    assert (names[0], sorted(map(str, names[1:]))) == ("pick", ["A", "B", "C"])


async def test_a_failed_inference_tells_why(start: StartGateway) -> None:
    """On each level that has failed."""
    traced = Traced(start(PLAIN))
    traced.gateway["one"].will(fails(500))

    with traced.request() as trace, pytest.raises(InferenceFailed) as caught:
        await traced.gateway.infer()

    assert one(trace, "function_inference").error == str(caught.value)
    for name in ("variant_inference", "model_inference", "model_provider_inference"):
        assert "500" in str(one(trace, name).error)


async def test_a_variant_that_makes_no_call_is_told(start: StartGateway) -> None:
    """Why it could make none, too."""
    table = '[functions.chat.variants.t]\nmodel = "m"\ntemplates.x.path = "t.minijinja"\n'
    traced = Traced(start(PLAIN + table, files={"t.minijinja": "{{ absent }}"}))
    content = [{"type": "template", "name": "x", "arguments": {}}]
    said = {"messages": [{"role": "user", "content": content}]}

    with traced.request() as trace, pytest.raises(InferenceFailed):
        await traced.gateway.infer(variant_name="t", input=said)

    variant = one(trace, "variant_inference")
    assert variant.parent_id == one(trace, "function_inference").span_id
    assert variant.attributes["variant_name"] == "t"
    assert "absent" in str(variant.error)


async def test_a_stream_that_breaks_off_has_failed(start: StartGateway) -> None:
    """Although its answer began with status 200."""
    traced = Traced(start(PLAIN))
    traced.gateway["one"].will(breaks_after("a"))

    with traced.request() as trace:
        await traced.gateway.stream()

    call, whole = one(trace, "model_provider_inference"), one(trace, "function_inference")
    assert trace.root is not None
    assert call.error is not None
    assert call.error == whole.error == trace.root.error


async def test_a_good_stream_has_not_failed(start: StartGateway) -> None:
    """Its call tells when the first chunk came."""
    traced = Traced(start(PLAIN))
    traced.gateway["one"].will(streams("a"))

    with traced.request() as trace:
        await traced.gateway.stream()

    assert [each.error for each in trace.spans] == [None] * len(trace.spans)
    assert "time_to_first_token" in one(trace, "model_provider_inference").attributes


async def test_an_inference_whose_caller_leaves_is_cut_off(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """What it had done is told all the same."""
    traced = Traced(start(PLAIN))
    traced.gateway["one"].will(hangs())

    with traced.request() as trace, trio.move_on_after(1):
        await traced.gateway.infer()

    assert one(trace, "function_inference").error == CUT_OFF
    assert one(trace, "model_provider_inference").error == CUT_OFF


async def test_what_no_request_waits_for_has_a_trace_of_its_own(
    start: StartGateway, shelf: Shelf
) -> None:
    """Its inference is the root; one that fails is exported, too."""
    traced = Traced(start(PLAIN, shelf=shelf))
    gateway = traced.gateway
    gateway["one"].will(says("Hi"), fails(500))
    accepted = gateway.accept()

    for _ in range(2):
        await gateway.service.run_under(gateway.service.ids.new(), accepted)

    good, bad = traced.traces
    assert tree(good, None) == {"function_inference": {"variant_inference": ONE_CALL}}
    assert one(good, "function_inference").error is None
    assert "500" in str(one(bad, "function_inference").error)
    assert good.trace_id != bad.trace_id


async def test_nothing_is_traced_outside_of_requests(start: StartGateway) -> None:
    """A caller that wants no trace is such a one."""
    traced = Traced(start(PLAIN))
    traced.gateway["one"].will(says("Hi"))

    await traced.gateway.infer()

    assert traced.traces == []


async def test_examples_are_looked_for_with_a_model_for_embeddings(
    start: StartGateway, shelf: Shelf
) -> None:
    """Below the variant that shows them."""
    config = PLAIN + EMBEDDING + '[functions.chat.variants.d]\ntype = "dicl"\nmodel = "m"\n'
    traced = Traced(start(config + 'embedding_model = "emb"\nk = 1\n', shelf=shelf))
    traced.gateway["one"].will(embeds([1.0]), says("Hi"))

    with traced.request() as trace:
        await traced.gateway.infer(variant_name="d")

    vectors, chat = named(trace, "model_provider_inference")
    assert vectors.attributes["gen_ai.operation.name"] == "embeddings"
    assert vectors.attributes["gen_ai.request.model"] == "small-1"
    assert chat.attributes["gen_ai.operation.name"] == "chat"

"""One request for embeddings, from the model's name to vectors and the record."""

import pytest
import trio
import trio.testing

from lsd.conversation import decode_json
from lsd.inference import InferenceFailed, UnknownName
from lsd.store import EmbeddingRecord
from lsd.store.layout import EMBEDDINGS, id_text
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import EMBEDDING_USAGE, embeds, fails, hangs
from tests.unit.inference.gateway import EMBEDDING, Gateway, Shelf


async def recorded(gateway: Gateway, inference_id: str) -> EmbeddingRecord | None:
    """What is stored of a request."""
    assert gateway.store is not None
    assert gateway.writer is not None
    await gateway.writer.settle()
    return gateway.store.inferences.embedding(inference_id)


async def test_a_request_is_answered_and_recorded(start: StartGateway, shelf: Shelf) -> None:
    """One record holds all inputs, and one each of the calls that were made."""
    gateway = start(EMBEDDING, shelf=shelf)
    gateway["one"].will(fails(503))
    gateway["two"].will(embeds([0.5, 1.0, 2.0], [1.0, 1.0, 1.0]))

    answer = await gateway.embed("a", "b", tags={"user": "u"})

    assert answer.embeddings == ([0.5, 1.0, 2.0], [1.0, 1.0, 1.0])
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (7, 0)
    assert (answer.provider_name, answer.cached, answer.cost) == ("two", False, None)
    record = await recorded(gateway, answer.inference_id)
    assert record == EmbeddingRecord(
        id=answer.inference_id,
        model_name="emb",
        input_count=2,
        dimensions=3,
        tags={"user": "u"},
        processing_time_ms=record.processing_time_ms if record else None,
        snapshot_hash=gateway.loaded.hash,
    )
    failed, good = await gateway.stored_calls(answer.inference_id)
    assert (failed.status, good.status) == ("error", "ok")
    assert (good.function_name, good.variant_name) == (None, None)
    assert (good.model_name, good.model_provider_name) == ("emb", "two")
    assert (good.input_tokens, good.output_tokens) == (7, None)
    assert good.body is not None
    texts = [{"type": "text", "text": text} for text in "ab"]
    assert good.body.input_messages == [{"role": "user", "content": texts}]
    assert good.body.output == []
    assert '"embedding":[0.5,1.0,2.0]' in (good.body.raw_response or "")


async def test_embeddings_are_no_inference_of_a_function(start: StartGateway, shelf: Shelf) -> None:
    """No list shows them, and no feedback can be given on them."""
    gateway = start(EMBEDDING, shelf=shelf)
    gateway["one"].will(embeds([1.0]))

    answer = await gateway.embed("a")

    assert await gateway.stored(answer.inference_id) is None
    assert await gateway.all_stored() == []


async def test_very_many_vectors_are_not_kept(start: StartGateway, shelf: Shelf) -> None:
    """The record has everything but the text of the answer."""
    gateway = start(EMBEDDING, shelf=shelf)
    gateway["one"].will(embeds([0.5] * 100_000))

    answer = await gateway.embed("a")

    (call,) = await gateway.stored_calls(answer.inference_id)
    assert call.body is not None
    assert call.body.raw_response is None
    assert call.body.raw_request is not None


async def test_an_unknown_model_is_refused(start: StartGateway, shelf: Shelf) -> None:
    """Before anything is counted or recorded."""
    gateway = start(EMBEDDING, shelf=shelf)

    with pytest.raises(UnknownName, match="model: found 'embb'; wanted the name of a configured"):
        await gateway.embed("a", model="embb")

    assert b"lsd_requests_total{" not in gateway.service.metrics.text()


async def test_a_shorthand_needs_no_configuration(start: StartGateway) -> None:
    """The offline provider answers by itself."""
    answer = await start("").embed("An old pond", "a pond, OLD", "an old pond", model="echo::x")

    first, near, same = answer.embeddings
    assert first == same != near
    assert len(first) == 64
    assert answer.cost is None


async def test_a_failure_is_recorded_with_its_calls(start: StartGateway, shelf: Shelf) -> None:
    """The caller is told under which id, and the bodies if it wants them."""
    gateway = start(EMBEDDING, shelf=shelf)
    gateway["one"].will(fails(500, "ill"))
    gateway["two"].will(fails(400, "bad"))

    with pytest.raises(InferenceFailed) as failed:
        await gateway.embed("a", include_raw_response=True)

    inference_id = failed.value.inference_id
    assert inference_id is not None
    record = await recorded(gateway, inference_id)
    assert record is not None
    assert (record.status, record.dimensions) == ("error", None)
    calls = await gateway.stored_calls(inference_id)
    assert [call.status for call in calls] == ["error", "error"]
    told = [decode_json(each["data"])["error"]["message"] for each in failed.value.raw_response]
    assert told == ["ill", "bad"]


async def test_bodies_are_told_only_to_those_who_asked(start: StartGateway) -> None:
    """They are long."""
    gateway = start(EMBEDDING)
    gateway["one"].will(embeds([1.0]))

    shown = (await gateway.embed("a", include_raw_response=True)).raw_response
    assert [each["api_type"] for each in shown] == ["embeddings"]
    assert decode_json(shown[0]["data"])["usage"] == EMBEDDING_USAGE
    assert (await gateway.embed("a")).raw_response == []


async def test_a_dry_run_leaves_no_trace(start: StartGateway, shelf: Shelf) -> None:
    """Neither a record nor a count of requests."""
    gateway = start(EMBEDDING, shelf=shelf)
    gateway["one"].will(embeds([1.0]), fails(500))
    gateway["two"].will(fails(500))

    answer = await gateway.embed("a", dryrun=True)
    with pytest.raises(InferenceFailed):
        await gateway.embed("a", dryrun=True)

    assert await recorded(gateway, answer.inference_id) is None
    assert gateway.store is not None
    assert gateway.store.greatest_id() is None
    assert b"lsd_requests_total{" not in gateway.service.metrics.text()


async def test_requests_inputs_and_tokens_are_counted(start: StartGateway) -> None:
    """Each input as an inference; a request that fails afterwards as well."""
    gateway = start(EMBEDDING)
    gateway["one"].will(embeds([1.0], [2.0]), fails(500))
    gateway["two"].will(fails(500))

    await gateway.embed("a", "b")
    with pytest.raises(InferenceFailed):
        await gateway.embed("a")

    text = gateway.service.metrics.text().decode()
    assert 'lsd_requests_total{endpoint="embeddings",model_name="emb"} 2.0' in text
    assert 'lsd_inferences_total{endpoint="embeddings",model_name="emb"} 3.0' in text
    assert "lsd_input_tokens_total 7.0" in text
    assert "lsd_cost_dollars_total 1.4e-05" in text


async def test_a_caller_that_leaves_cuts_the_call_off(start: StartGateway, shelf: Shelf) -> None:
    """What had been asked is recorded as interrupted."""
    gateway = start(EMBEDDING, shelf=shelf)
    gateway["one"].will(hangs())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(gateway.embed, "a")
        while not gateway["one"].requests:
            await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()

    assert gateway.store is not None
    assert gateway.writer is not None
    await gateway.writer.settle()
    with gateway.store.data.read() as transaction:
        ((key, _),) = transaction.range(EMBEDDINGS)
    record = await recorded(gateway, id_text(key))
    assert record is not None
    assert record.status == "interrupted"
    (call,) = await gateway.stored_calls(record.id)
    assert call.status == "interrupted"

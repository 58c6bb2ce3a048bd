"""An embedding model's providers are asked in order until one has all the vectors."""

from collections.abc import MutableMapping
from decimal import Decimal
from typing import Any

import pytest
import trio
import trio.testing

from lsd.conversation import EmbeddingRequest, Text
from lsd.inference import InferenceFailed
from lsd.inference.embedding_call import Embedded, EmbeddingRun, embed
from lsd.inference.run import Run
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import answers, drops, embeds, fails, hangs
from tests.unit.inference.gateway import EMBEDDING, OPERATORS_KEY, PLAIN, Gateway, Shelf, journal

TIMED = EMBEDDING.replace(
    'routing = ["one", "two"]', 'routing = ["one", "two"]\ntimeout_ms = 5000'
).replace('model_name = "small-1"', 'model_name = "small-1"\ntimeout_ms = 2000')


def begun(gateway: Gateway, **fields: Any) -> Run:
    """An inference in progress that needs vectors."""
    _, run = gateway.begin(**fields)
    return run


async def embedded(gateway: Gateway, run: Run, *inputs: Any) -> Embedded:
    """The vectors of these inputs, for the variant `v` of the run."""
    model = gateway.prepared.embeddings.model("emb")
    assert model is not None
    return await embed(EmbeddingRun.within(run, "v"), model, EmbeddingRequest(inputs=inputs))


async def failure(gateway: Gateway, run: Run, *inputs: Any) -> InferenceFailed:
    """Why there are none."""
    with pytest.raises(InferenceFailed) as failed:
        await embedded(gateway, run, *(inputs or ("a",)))
    return failed.value


async def test_a_good_answer_is_entered_in_the_journal_of_the_inference(
    start: StartGateway,
) -> None:
    """With what was asked, what was used and what it cost."""
    gateway = start(PLAIN + EMBEDDING)
    run = begun(gateway)
    gateway["one"].will(embeds([0.5, 1.0], [2.0, 3.0]))

    found = await embedded(gateway, run, "a", (1, 2))

    assert found.embeddings == ([0.5, 1.0], [2.0, 3.0])
    assert journal(run) == [("emb", "one", "ok")]
    (call,) = run.journal.calls
    assert call is found.call
    assert (call.variant_name, call.provider_type, call.api_type) == ("v", "openai", "embeddings")
    assert call.request.messages[0].content == (Text(text="a"), Text(text="[1,2]"))
    assert (call.answer.usage.input_tokens, call.answer.usage.output_tokens) == (7, 0)
    assert call.cost == Decimal("0.000014")
    assert call.raw_request is not None
    assert '"input":["a",[1,2]]' in call.raw_request
    assert call.raw_usage_entries()[0]["api_type"] == "embeddings"


async def test_an_inference_that_uses_the_cache_uses_it_for_embeddings(
    start: StartGateway, shelf: Shelf
) -> None:
    """In the way in which it asked."""
    gateway = start(PLAIN + EMBEDDING, shelf=shelf)
    gateway["one"].will(embeds([1.0]))
    options = {"cache_options": {"enabled": "on"}}

    first = await embedded(gateway, begun(gateway, **options), "a")
    second = await embedded(gateway, begun(gateway, **options), "a")
    third = await embedded(gateway, begun(gateway), "a")

    assert [each.call.cached for each in (first, second, third)] == [False, True, False]


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (fails(500, "ill"), "openai returned HTTP 500: ill [code: x_error]"),
        (fails(400, "bad"), "openai returned HTTP 400: bad [code: x_error]"),
        (drops(), "openai: the connection was reset"),
        (embeds(), "openai sent an answer that cannot be read: found 0 embeddings; wanted 1,"),
        (embeds([1.0], [2.0]), "openai sent an answer that cannot be read: found 2 embeddings"),
        (answers(b"<html>"), "openai sent an answer that cannot be read: found application/json"),
    ],
    ids=["server error", "wrong request", "dropped", "none", "too many", "not JSON"],
)
async def test_the_next_provider_is_asked_after_any_failure(
    start: StartGateway, script: Any, told: str
) -> None:
    """Also after an answer that is good and has no vectors."""
    gateway = start(PLAIN + EMBEDDING)
    run = begun(gateway)
    gateway["one"].will(script)
    gateway["two"].will(embeds([1.0]))

    found = await embedded(gateway, run, "a")

    assert found.call.provider_name == "two"
    assert journal(run) == [("emb", "one", "error"), ("emb", "two", "ok")]
    assert (run.journal.calls[0].error or "").startswith(told)


async def test_a_failure_names_all_providers(start: StartGateway) -> None:
    """Each has been asked once; nothing is tried again."""
    gateway = start(PLAIN + EMBEDDING)
    run = begun(gateway)
    gateway["one"].will(fails(429, "slow", headers={"retry-after": "3"}))
    gateway["two"].will(fails(401, "who are you"))

    failed = await failure(gateway, run)

    assert failed.cause == "providers"
    assert str(failed) == (
        'embedding model "emb": provider "one": openai returned HTTP 429: slow [code: x_error]; '
        'provider "two": vllm returned HTTP 401: who are you [code: x_error]'
    )
    assert [(each.provider, each.failure.kind) for each in failed.failures] == [
        ("one", "rate_limited"),
        ("two", "auth"),
    ]
    assert failed.retry_after_s == 3


async def test_a_provider_has_its_time(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """A slow one costs its time, and the next is asked."""
    gateway = start(PLAIN + TIMED)
    run = begun(gateway)
    gateway["one"].will(hangs())
    gateway["two"].will(embeds([1.0]))

    await embedded(gateway, run, "a")

    assert trio.current_time() == pytest.approx(2)
    assert run.journal.calls[0].error == 'provider "one": timeout_ms = 2000 reached'


async def test_the_model_has_its_time_for_all_providers(
    start: StartGateway, autojump_clock: trio.testing.MockClock
) -> None:
    """What is still open then is an error, and the failure a timeout."""
    gateway = start(PLAIN + TIMED)
    run = begun(gateway)
    gateway["one"].will(hangs())
    gateway["two"].will(hangs())

    failed = await failure(gateway, run)

    assert trio.current_time() == pytest.approx(5)
    assert failed.cause == "timeout"
    assert str(failed).endswith("; timeout_ms = 5000 reached")
    assert journal(run) == [("emb", "one", "error"), ("emb", "two", "error")]
    assert run.journal.calls[1].error == 'model "emb": timeout_ms = 5000 reached'


async def test_the_key_is_sent_and_never_shown(start: StartGateway) -> None:
    """Where a provider repeats it, it is masked."""
    gateway = start(PLAIN + EMBEDDING)
    run = begun(gateway)
    gateway["one"].will(fails(401, f"Incorrect API key: {OPERATORS_KEY}"))
    gateway["two"].will(fails(401))

    failed = await failure(gateway, run)

    assert gateway["one"].requests[0].headers["Authorization"] == f"Bearer {OPERATORS_KEY}"
    for shown in (str(failed), failed.failures[0].failure.message, run.journal.calls[0].error):
        assert shown is not None
        assert OPERATORS_KEY not in shown
        assert "***" in shown


async def test_a_key_of_the_caller_is_taken_from_the_request(start: StartGateway) -> None:
    """A missing one fails the attempt, and names what is missing."""
    config = EMBEDDING.replace(
        'model_name = "small-1"', 'model_name = "small-1"\napi_key_location = "dynamic::mine"'
    )
    gateway = start(PLAIN + config)
    gateway["one"].will(embeds([1.0]))
    gateway["two"].will(fails(500))

    with_key = begun(gateway, credentials={"mine": "sk-callers"})
    await embedded(gateway, with_key, "a")
    failed = await failure(gateway, begun(gateway))

    assert gateway["one"].requests[0].headers["Authorization"] == "Bearer sk-callers"
    assert failed.failures[0].failure.kind == "config"
    assert "'mine'" in str(failed)


async def test_a_cost_that_cannot_be_told_is_unknown(
    start: StartGateway, log: list[MutableMapping[str, Any]]
) -> None:
    """It leaves a line in the log, and the vectors are delivered."""
    config = EMBEDDING.replace("cost_per_million = 2", "cost_per_million = 2, required = true")
    gateway = start(PLAIN + config)
    run = begun(gateway)
    gateway["one"].will(embeds([1.0], usage=None))

    found = await embedded(gateway, run, "a")

    assert found.call.cost is None
    assert [entry["event"] for entry in log] == ["cost not computable"]

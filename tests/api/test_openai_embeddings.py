"""Embeddings at a running daemon, asked for by OpenAI's own library."""

from collections.abc import Iterator

import openai
import pytest
from openai import OpenAI

from tests.api.conftest import StartGateway
from tests.api.gateway import Gateway
from tests.fakes.openai_scripts import answers, embeds
from tests.fakes.provider_thread import FakeProviderThread

VECTORS = [[0.5, -0.25], [1.0, 2.0]]


@pytest.fixture(scope="module")
def gateway(start_shared: StartGateway, shared_provider: FakeProviderThread) -> Gateway:
    """A model with two providers behind each other, and one that takes texts only."""
    return start_shared(
        f"""
        [embedding_models.emb]
        routing = ["one", "two"]
        [embedding_models.emb.providers.one]
        type = "openai"
        model_name = "small"
        api_base = "{shared_provider.url("one")}"
        api_key_location = "none"
        [embedding_models.emb.providers.two]
        type = "vllm"
        model_name = "small"
        api_base = "{shared_provider.url("two")}"
        api_key_location = "none"

        [embedding_models.texts]
        routing = ["one"]
        [embedding_models.texts.providers.one]
        type = "sglang"
        model_name = "small"
        api_base = "{shared_provider.url("one")}"
        api_key_location = "none"

        [gateway.observability]
        async_writes = false
        """
    )


@pytest.fixture
def upstream(shared_provider: FakeProviderThread) -> FakeProviderThread:
    """The providers, with nothing asked of them yet."""
    shared_provider.forget()
    for name in ("one", "two"):
        shared_provider.will(name, embeds(VECTORS))
    return shared_provider


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Iterator[OpenAI]:
    """The library as anybody would set it up, but for its retries."""
    with OpenAI(base_url=f"{gateway.url}/openai/v1", api_key="any", max_retries=0) as made:
        yield made


def test_the_library_gets_numbers(client: OpenAI, upstream: FakeProviderThread) -> None:
    """Trap 18: it asks for base64, and decodes it; the provider has sent numbers."""
    answer = client.embeddings.create(model="emb", input=["a", "b"])

    assert [each.embedding for each in answer.data] == VECTORS
    assert [each.index for each in answer.data] == [0, 1]
    assert answer.model == "emb"
    assert answer.usage.prompt_tokens == 10
    body = upstream.requests[0].json()
    assert body["encoding_format"] == "base64"
    assert (body["model"], body["input"]) == ("small", ["a", "b"])


def test_numbers_may_be_asked_for(client: OpenAI, upstream: FakeProviderThread) -> None:
    """And fields that only the provider knows are passed on."""
    answer = client.embeddings.create(
        model="emb",
        input=["a", "b"],
        encoding_format="float",
        dimensions=2,
        user="u",
        extra_body={"foo": 1},
    )

    assert [each.embedding for each in answer.data] == VECTORS
    body = upstream.requests[0].json()
    assert (body["encoding_format"], body["dimensions"], body["user"], body["foo"]) == (
        "float",
        2,
        "u",
        1,
    )


def test_the_order_is_that_of_the_inputs(client: OpenAI, upstream: FakeProviderThread) -> None:
    """Case 46: whatever order the provider has used."""
    data = [
        {"object": "embedding", "index": index, "embedding": VECTORS[index]} for index in (1, 0)
    ]
    upstream.will("one", answers({"object": "list", "data": data, "model": "x"}))

    answer = client.embeddings.create(model="emb", input=["a", "b"])

    assert [each.embedding for each in answer.data] == VECTORS
    assert answer.usage.total_tokens == 0


def test_an_answer_with_nothing_in_it_is_a_failure(
    client: OpenAI, upstream: FakeProviderThread
) -> None:
    """Case 46: the next provider is asked."""
    upstream.will("one", answers({"object": "list", "data": [], "model": "x"}))

    raw = client.embeddings.with_raw_response.create(model="emb", input=["a", "b"])

    assert raw.headers["x-lsd-provider"] == "two"


@pytest.mark.parametrize(
    ("given", "asked"), [([1, 2, 3], [1, 2, 3]), ([[1], [2, 3]], [[1], [2, 3]]), ("a", "a")]
)
def test_inputs_reach_the_provider_in_their_form(
    client: OpenAI, upstream: FakeProviderThread, given: list[int], asked: list[int]
) -> None:
    """Trap 19: one library sends tokens."""
    upstream.will("one", embeds(VECTORS if isinstance(given[0], list) else VECTORS[:1]))

    client.embeddings.create(model="emb", input=given)

    assert upstream.requests[0].json()["input"] == asked


def test_tokens_are_not_for_every_provider(client: OpenAI, upstream: FakeProviderThread) -> None:
    """Case 46: where only texts are taken, that is what should be sent."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.embeddings.create(model="texts", input=[1, 2, 3])

    assert "text" in caught.value.message
    assert upstream.requests == []


def test_embeddings_are_recorded(
    gateway: Gateway, client: OpenAI, upstream: FakeProviderThread
) -> None:
    """Their calls are found under the id of the answer."""
    raw = client.embeddings.with_raw_response.create(model="emb", input=["a", "b"])

    calls = gateway.calls(raw.headers["x-lsd-inference-id"])

    assert [(call["model_provider_name"], call["status"]) for call in calls] == [("one", "ok")]


def test_a_failure_is_told(client: OpenAI, upstream: FakeProviderThread) -> None:
    """In the same words as for chats."""
    for name in ("one", "two"):
        upstream.will(name, answers({"error": {"message": "slow"}}, status=429))

    with pytest.raises(openai.RateLimitError) as caught:
        client.embeddings.create(model="emb", input="a")

    assert "[provider two; also failed: one (429)]" in caught.value.message

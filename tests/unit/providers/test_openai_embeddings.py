"""Embeddings as OpenAI's family asks for them, and what comes back."""

from collections.abc import MutableMapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from lsd.config import (
    AzureEmbeddingProvider,
    DynamicLocation,
    LiteralLocation,
    OpenAIEmbeddingProvider,
    OpenRouterEmbeddingProvider,
    SglangEmbeddingProvider,
    VllmEmbeddingProvider,
)
from lsd.conversation import (
    NO_EDITS,
    AttemptFailed,
    BodyEdit,
    Edits,
    EmbeddingRequest,
    HeaderEdit,
    Usage,
    decode_json,
    embedding_base64,
    embedding_numbers,
    encode_json,
)
from lsd.providers import EmbeddingDialect, embedding_dialect_for
from lsd.providers._sealing import USER_AGENT

PROVIDERS: dict[str, Any] = {
    "azure": AzureEmbeddingProvider(
        deployment_id="d 1", endpoint=LiteralLocation("https://res.example"), api_version="v1"
    ),
    "openai": OpenAIEmbeddingProvider(model_name="m-1", api_base="http://h:1/v1"),
    "openrouter": OpenRouterEmbeddingProvider(model_name="m-1", api_base="http://h:1/v1?a=b"),
    "sglang": SglangEmbeddingProvider(model_name="m-1", api_base="http://h:1/v1/"),
    "vllm": VllmEmbeddingProvider(model_name="m-1", api_base="http://h:1/v1/"),
}
TYPES = tuple(PROVIDERS)

TWO = EmbeddingRequest(inputs=("one", "two"))
NUMBERS = ([0.5, -0.25], [1.0, 0.0])


def dialect(kind: str = "openai") -> EmbeddingDialect:
    """How a provider of this type is asked."""
    return embedding_dialect_for(PROVIDERS[kind])


def body(kind: str, request: EmbeddingRequest, edits: Edits = NO_EDITS) -> dict[str, Any]:
    """What it is sent."""
    sent: dict[str, Any] = decode_json(dialect(kind).encode(request, {"api_key": "k"}, edits).body)
    return sent


def answer(*embeddings: Any, **fields: Any) -> bytes:
    """A body with these embeddings in their order."""
    data = [
        {"object": "embedding", "index": index, "embedding": each}
        for index, each in enumerate(embeddings)
    ]
    return encode_json({"object": "list", "data": data, "model": "m-1", **fields})


def decoded(text: bytes, *, count: int = 2, kind: str = "openai", status: int = 200) -> Any:
    """The answer to a request with `count` inputs."""
    headers = {"content-type": "application/json", "x-request-id": "r-1"}
    return dialect(kind).decode(status, headers, text, count=count)


def refusal(text: bytes, **options: Any) -> AttemptFailed:
    """The failure that an answer is."""
    with pytest.raises(AttemptFailed) as failed:
        decoded(text, **options)
    return failed.value


@pytest.mark.parametrize(
    ("request_", "sent"),
    [
        (EmbeddingRequest(inputs=("a",), is_single=True), "a"),
        (EmbeddingRequest(inputs=("a",)), ["a"]),
        (EmbeddingRequest(inputs=("a", "b")), ["a", "b"]),
        (EmbeddingRequest(inputs=((1, 2, 3),), is_single=True), [1, 2, 3]),
        (EmbeddingRequest(inputs=((1,), (2, 3))), [[1], [2, 3]]),
    ],
    ids=["text", "one text", "texts", "tokens", "tokens of several"],
)
def test_inputs_are_sent_as_they_were_given(request_: EmbeddingRequest, sent: Any) -> None:
    """Whether an input came alone or in an array is not changed on the way."""
    assert body("openai", request_) == {
        "model": "m-1",
        "input": sent,
        "encoding_format": "float",
    }


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("azure", {"encoding_format": "base64", "dimensions": 8, "user": "u"}),
        ("openai", {"model": "m-1", "encoding_format": "base64", "dimensions": 8, "user": "u"}),
        ("openrouter", {"model": "m-1", "encoding_format": "base64"}),
        ("sglang", {"model": "m-1", "encoding_format": "float", "dimensions": 8}),
        ("vllm", {"model": "m-1", "encoding_format": "float", "dimensions": 8}),
    ],
)
def test_each_type_is_sent_what_it_takes(kind: str, sent: dict[str, Any]) -> None:
    """The caller's form, dimensions and user go where they are understood."""
    request = EmbeddingRequest(
        inputs=("a", "b"), encoding_format="base64", dimensions=8, user="u", further={"x": [1]}
    )

    assert body(kind, request) == {**sent, "input": ["a", "b"], "x": [1]}


def test_dimensions_that_are_left_out_are_told() -> None:
    """OpenRouter refuses the field."""
    with capture_logs() as log:
        body("openrouter", EmbeddingRequest(inputs=("a",), dimensions=8))

    (entry,) = log
    assert (entry["provider_type"], entry["parameter"]) == ("openrouter", "dimensions")


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("azure", "https://res.example/openai/deployments/d%201/embeddings?api-version=v1"),
        ("openai", "http://h:1/v1/embeddings"),
        ("openrouter", "http://h:1/v1/embeddings?a=b"),
        ("sglang", "http://h:1/v1/embeddings"),
        ("vllm", "http://h:1/v1/embeddings"),
    ],
)
def test_each_type_has_its_address(kind: str, url: str) -> None:
    """One slash between base and path, and the query behind it."""
    assert dialect(kind).encode(TWO, {"api_key": "k"}, NO_EDITS).url == url


@pytest.mark.parametrize("kind", TYPES)
def test_the_key_goes_into_the_header_of_the_type(kind: str) -> None:
    """And nowhere at all without a key."""
    named = {"azure": {"api-key": "k"}}.get(kind, {"Authorization": "Bearer k"})
    title = {"X-Title": "LSD"} if kind == "openrouter" else {}
    shared = {"Content-Type": "application/json", "User-Agent": USER_AGENT, **title}

    with_key = dialect(kind).encode(TWO, {"api_key": "k"}, NO_EDITS)
    without = dialect(kind).encode(TWO, {"api_key": None}, NO_EDITS)

    assert with_key.method == "POST"
    assert dict(with_key.headers) == {**named, **shared}
    assert dict(without.headers) == shared


def test_an_endpoint_of_the_caller_is_used() -> None:
    """Azure's endpoint may come with the request, like a credential."""
    provider = AzureEmbeddingProvider(deployment_id="d", endpoint=DynamicLocation("e"))
    azure = embedding_dialect_for(provider)

    wire = azure.encode(TWO, {"endpoint": "https://mine.example/x"}, NO_EDITS)

    assert wire.url.startswith("https://mine.example/x/openai/deployments/d/embeddings?")
    with pytest.raises(AttemptFailed, match="found nothing at dynamic::e; wanted an absolute"):
        azure.encode(TWO, {}, NO_EDITS)


def test_edits_come_last() -> None:
    """Operators change whatever LSD has written."""
    edits = Edits(
        body=(BodyEdit(pointer="/encoding_format", delete=True),),
        headers=(HeaderEdit(name="authorization", delete=True),),
    )

    wire = dialect().encode(TWO, {"api_key": "k"}, edits)

    assert "encoding_format" not in decode_json(wire.body)
    assert "Authorization" not in wire.headers


def test_tokens_are_refused_where_only_texts_are_taken() -> None:
    """The caller is told to send text."""
    tokens = EmbeddingRequest(inputs=((1, 2),))

    with pytest.raises(AttemptFailed, match="token ids as input; wanted texts") as failed:
        body("sglang", tokens)

    assert failed.value.kind == "config"
    assert all(body(kind, tokens)["input"] == [[1, 2]] for kind in TYPES if kind != "sglang")


@pytest.mark.parametrize("kind", TYPES)
def test_numbers_are_read(kind: str) -> None:
    """With the tokens of the input; the output of such a model is none."""
    usage = {"prompt_tokens": 5, "total_tokens": 5}

    found = decoded(answer(*NUMBERS, usage=usage), kind=kind)

    assert found.embeddings == NUMBERS
    assert found.usage == Usage(input_tokens=5, output_tokens=0)
    assert found.raw_usage == usage


def test_base64_is_read() -> None:
    """Case 48: in the form in which it came, for whoever asked for it."""
    texts = tuple(map(embedding_base64, NUMBERS))

    assert decoded(answer(*texts)).embeddings == texts


@pytest.mark.parametrize("usage", [{}, {"usage": None}, {"usage": {}}, {"usage": "many"}])
def test_usage_that_is_not_reported_is_unknown(usage: dict[str, Any]) -> None:
    """Unknown is not nothing."""
    found = decoded(answer(*NUMBERS, **usage))

    assert found.usage == Usage()
    assert found.raw_usage is None


def test_vectors_stand_in_the_order_of_the_inputs() -> None:
    """Whatever order the provider chose; without an index, the place counts."""
    second, first = ({"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]})
    bare = [{"embedding": [1.0]}, {"embedding": [2.0]}]

    for data in ([second, first], bare):
        assert decoded(encode_json({"data": data})).embeddings == ([1.0], [2.0])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "that is not JSON"),
        (b"<html>", "that is not JSON"),
        (b"[]", "no JSON object"),
        (b"{}", "no array of embeddings"),
        (b'{"data":[]}', "found 0 embeddings; wanted 2, one for each input"),
        (answer([1.0]), "found 1 embeddings; wanted 2"),
        (answer([1.0], [1.0], [1.0]), "found 3 embeddings; wanted 2"),
        (encode_json({"data": [1, 2]}), "no object"),
        (answer([1.0], []), "index 1"),
        (answer([1.0], None), "index 1"),
        (answer([1.0], ["x"]), "index 1"),
        (answer([1.0], [None]), "index 1"),
        (answer([1.0], "AAA="), "index 1"),
        (answer([1.0], ""), "index 1"),
        (encode_json({"data": [{"index": 0, "embedding": [1.0]}] * 2}), "two embeddings"),
        (encode_json({"data": [{"index": 5, "embedding": [1.0]}] * 2}), "the index 5"),
        (encode_json({"data": [{"index": True, "embedding": [1.0]}] * 2}), "the index True"),
        (encode_json({"data": [{"index": "0", "embedding": [1.0]}] * 2}), "the index '0'"),
    ],
)
def test_an_answer_without_its_vectors_is_a_failure(text: bytes, told: str) -> None:
    """Some servers answer 200 with nothing: the next provider is to be asked."""
    failure = refusal(text)

    assert failure.kind == "malformed"
    assert failure.transient
    assert told in failure.text
    assert failure.request_id == "r-1"


def test_an_error_is_told_as_in_chats() -> None:
    """With an error status, and inside a good one."""
    error = encode_json({"error": {"message": "too long", "code": "x"}})

    for failure in (refusal(error, status=400), refusal(error)):
        assert failure.message == "too long"
        assert failure.code == "x"
    assert refusal(error, status=429).kind == "rate_limited"
    assert refusal(b"<html>", status=502).kind == "server"


def test_nothing_is_warned_of_without_reason() -> None:
    """What every caller sends is not worth a line in the log."""
    log: list[MutableMapping[str, Any]]
    with capture_logs() as log:
        for kind in TYPES:
            body(kind, EmbeddingRequest(inputs=("a",), encoding_format="base64", user="u"))

    assert log == []


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "AACAPw==", "x"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["data", "index", "embedding", "usage", "prompt_tokens", "error"]), inner
    ),
    max_leaves=15,
)  # fmt: skip


@given(value=st.fixed_dictionaries({"data": st.lists(VALUES, min_size=2, max_size=2)}) | VALUES)
def test_no_answer_is_too_strange(value: Any) -> None:
    """Whatever JSON a server answers, it is two vectors or a failed attempt."""
    try:
        text = encode_json(value)
    except TypeError:
        return  # a number that no JSON text holds
    try:
        found = decoded(text)
    except AttemptFailed as failure:
        assert failure.kind != "config"  # noqa: PT017 (either outcome is right)
    else:
        assert all(map(embedding_numbers, found.embeddings))

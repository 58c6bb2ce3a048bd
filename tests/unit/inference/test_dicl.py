"""`dicl`: the model is shown stored examples that are near to the input."""

from array import array
from collections.abc import MutableMapping
from typing import Any

import pytest

from lsd.conversation import decode_json
from lsd.inference import InferenceFailed
from lsd.inference.dicl import INSTRUCTIONS
from lsd.store import Example
from tests.unit.inference.composites import MODELS, sent
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import embeds, fails, says, streams
from tests.unit.inference.gateway import Gateway, Shelf

CONFIG = (
    MODELS
    + """
[embedding_models.emb]
routing = ["emb"]
[embedding_models.emb.providers.emb]
type = "openai"
model_name = "small"
cost = [{ pointer = "/usage/prompt_tokens", cost_per_million = 2 }]

[functions.chat]
type = "chat"
[functions.chat.variants.near]
type = "dicl"
embedding_model = "emb"
model = "a"
k = 3
temperature = 0.25

[functions.chat.variants.strict]
type = "dicl"
embedding_model = "emb"
model = "a"
k = 3
max_distance = 0
system_instructions = "instructions.txt"

[functions.chat.variants.none]
type = "dicl"
embedding_model = "emb"
model = "a"
k = 0

[functions.chat.variants.other]
model = "b"

[functions.chat.variants.pick]
type = "best_of_n_sampling"
candidates = ["near", "other"]
evaluator.model = "judge"

[functions.chat.experimentation]
type = "static"
candidate_variants = ["near"]
fallback_variants = ["other"]

[functions.verdict]
type = "json"
output_schema = "verdict.json"
[functions.verdict.variants.near]
type = "dicl"
embedding_model = "emb"
model = "a"
k = 3
"""
)

FILES = {"instructions.txt": "Answer like {{ this }}."}
NEAR: dict[str, Any] = {"variant_name": "near"}


@pytest.fixture
async def gateway(start: StartGateway, shelf: Shelf) -> Gateway:
    """A gateway with an embedding model that puts everything at (1, 0, 0)."""
    made = start(CONFIG, files=FILES, shelf=shelf)
    made["emb"].will(embeds([1, 0, 0]))
    made["a"].will(says("answered"))
    made["b"].will(says("other"))
    return made


def said(text: str) -> dict[str, Any]:
    """The input of an example, or of a request."""
    return {"messages": [{"role": "user", "content": text}]}


def canonical(text: str) -> str:
    """The text of such an input."""
    return f'{{"messages":[{{"role":"user","content":[{{"type":"text","text":"{text}"}}]}}]}}'


async def store_three(gateway: Gateway, variant: str = "near") -> list[str]:
    """Stores examples, nearest last."""
    gateway["emb"].will(embeds([0, 3, 0], [1, 1, 0], [2, 0, 0]))
    outputs = [[{"type": "text", "text": f"out {name}"}] for name in ("far", "mid", "near")]
    ids = await gateway.add_examples(
        variant,
        *(
            {"input": said(name), "output": output}
            for name, output in zip(("far", "mid", "near"), outputs, strict=True)
        ),
    )
    gateway["emb"].will(embeds([1, 0, 0]))
    gateway["emb"].requests.clear()
    return list(ids)


def content(message: Any) -> str:
    """The text of a message as the provider was sent it."""
    found = message["content"]
    return found if isinstance(found, str) else "".join(each["text"] for each in found)


async def test_examples_become_turns_before_the_input(gateway: Gateway) -> None:
    """Case 11: three examples, nearest first, and one input: seven messages behind the system."""
    await store_three(gateway)

    answer = await gateway.infer(**NEAR, input={"system": "Be brief.", **said("ü")})

    system, *messages = sent(gateway["a"])["messages"]
    assert content(system) == INSTRUCTIONS
    assert [each["role"] for each in messages] == ["user", "assistant"] * 3 + ["user"]
    texts = [content(each) for each in messages]
    assert texts[0:6:2] == [canonical("near"), canonical("mid"), canonical("far")]
    assert texts[1:6:2] == ["out near", "out mid", "out far"]
    assert texts[6] == '{"system":"Be brief.",' + canonical("ü")[1:]
    assert sent(gateway["emb"])["input"] in (texts[6], [texts[6]])
    assert answer["content"] == [{"type": "text", "text": "answered"}]


async def test_an_empty_store_makes_it_a_plain_chat(
    gateway: Gateway, log: list[MutableMapping[str, Any]]
) -> None:
    """Case 11: two rows, embedding first, and the messages of the input as they are."""
    talk = {
        "system": {"place": "ponds"},
        "messages": [
            {"role": "user", "content": [{"type": "raw_text", "value": "Hi"}]},
            {"role": "assistant", "content": "Yes?"},
        ],
    }
    with pytest.raises(Exception, match=r"input\.system"):  # nobody has such a template
        await gateway.infer(**NEAR, input=talk)

    answer = await gateway.infer(**NEAR, input={**talk, "system": "Be brief."})

    system, *messages = sent(gateway["a"])["messages"]
    assert content(system) == f"{INSTRUCTIONS}\n\nBe brief."
    assert [content(each) for each in messages] == ["Hi", "Yes?"]
    kept = await gateway.stored_calls(answer["inference_id"])
    assert [(call.model_name, call.status) for call in kept] == [("emb", "ok"), ("a", "ok")]
    assert kept[0].output_tokens is None
    assert kept[0].input_tokens
    assert [each for each in log if each["event"] == "fewer examples than k"]


async def test_usage_and_raw_bodies_count_the_embedding(gateway: Gateway) -> None:
    """Its row comes first; it has input tokens and no output tokens."""
    gateway["emb"].will(embeds([1, 0, 0], usage={"prompt_tokens": 4, "total_tokens": 4}))

    answer = await gateway.infer(
        **NEAR, include_raw_response=True, include_raw_usage=True, include_original_response=True
    )

    assert answer["usage"]["input_tokens"] == 14
    assert answer["usage"]["output_tokens"] == 5
    assert [each["api_type"] for each in answer["raw_response"]] == [
        "embeddings",
        "chat_completions",
    ]
    assert len(answer["raw_usage"]) == 2
    assert "answered" in answer["original_response"]


async def test_examples_beyond_the_greatest_distance_are_left_out(gateway: Gateway) -> None:
    """Case 12: with 0, only the same direction is shown; the instructions are plain text."""
    await store_three(gateway, "strict")

    await gateway.infer(variant_name="strict", input=said("x"))

    system, *messages = sent(gateway["a"])["messages"]
    assert content(system) == "Answer like {{ this }}."
    assert [content(each) for each in messages] == [canonical("near"), "out near", canonical("x")]


async def test_none_are_wanted(gateway: Gateway) -> None:
    """With k = 0 the input is embedded all the same, and asked plainly."""
    answer = await gateway.infer(variant_name="none", input=said("x"))

    assert [content(each) for each in sent(gateway["a"])["messages"]] == [INSTRUCTIONS, "x"]
    assert len(gateway["emb"].requests) == 1
    assert answer["usage"]["output_tokens"] == 5


async def test_json_examples_show_their_raw_text(gateway: Gateway) -> None:
    """An empty text where the model had said nothing."""
    gateway["emb"].will(embeds([1, 0, 0], [1, 1, 0]))
    outputs: list[Any] = [{"parsed": {"urgent": True}}, {"raw": None}]
    await gateway.add_examples(
        "near",
        *({"input": said(str(at)), "output": each} for at, each in enumerate(outputs)),
        function="verdict",
    )
    gateway["emb"].will(embeds([1, 0, 0]))
    gateway["a"].will(says('{"urgent":false}'))

    answer = await gateway.infer(function_name="verdict", **NEAR, input=said("x"))

    texts = [content(each) for each in sent(gateway["a"])["messages"][1:]]
    assert texts == [canonical("0"), '{"urgent":true}', canonical("1"), "", canonical("x")]
    assert answer["output"]["parsed"] == {"urgent": False}


@pytest.mark.parametrize(
    "block",
    [
        {
            "type": "file",
            "file_type": "url",
            "url": "http://x.test/a.png",
            "mime_type": "image/png",
        },
        {"type": "unknown", "data": 1},
        {
            "type": "tool_result",
            "id": "c",
            "name": "n",
            "result": [{"type": "file", "url": "http://x.test/a.png", "mime_type": "image/png"}],
        },
    ],
    ids=["file", "unknown", "file in a result"],
)
async def test_what_is_no_text_is_refused(gateway: Gateway, block: Any) -> None:
    """Case 12: 400, naming block and type of variant; sampled, another variant may take it."""
    talk = {"messages": [{"role": "user", "content": [block]}]}

    with pytest.raises(InferenceFailed) as failed:
        await gateway.infer(**NEAR, input=talk)
    sampled = await gateway.infer(input=talk)

    assert failed.value.cause == "unfit"
    assert "dicl" in str(failed.value)
    assert f"{'unknown' if block['type'] == 'unknown' else 'file'!r}" in str(failed.value)
    assert sampled["variant_name"] == "other"
    assert gateway["emb"].requests == []


async def test_an_embedding_that_fails_fails_the_variant(gateway: Gateway) -> None:
    """Pinned as its providers' failure; sampled, the next variant has its turn."""
    gateway["emb"].will(fails(503, "embeddings are ill"))

    with pytest.raises(InferenceFailed) as failed:
        await gateway.infer(**NEAR)
    sampled = await gateway.infer()

    assert failed.value.cause == "providers"
    assert "embeddings are ill" in str(failed.value)
    assert [each.model for each in failed.value.failures] == ["emb"]
    assert sampled["variant_name"] == "other"


async def test_what_the_embedding_cost_is_kept_when_the_answer_fails(gateway: Gateway) -> None:
    """As with any call whose variant fails afterwards."""
    gateway["a"].will(fails(500))

    with pytest.raises(InferenceFailed) as failed:
        await gateway.infer(**NEAR)

    kept = await gateway.stored_calls(failed.value.inference_id or "")
    assert [(call.model_name, call.status) for call in kept] == [("emb", "error"), ("a", "error")]
    assert kept[0].cost is not None
    assert (kept[0].error or "").startswith('variant "near": ')


async def test_vectors_of_another_model_are_a_failure(gateway: Gateway) -> None:
    """Both lengths are told, and what may have happened."""
    await store_three(gateway)
    gateway["emb"].will(embeds([1, 0]))

    with pytest.raises(InferenceFailed, match="was the embedding model changed") as failed:
        await gateway.infer(**NEAR)

    assert failed.value.cause == "examples"


@pytest.mark.parametrize("output", ["[]", "no JSON", '{"a":1}', '[{"type":"text"}]'])
async def test_an_example_that_cannot_be_read_is_a_failure(
    gateway: Gateway, shelf: Shelf, output: str
) -> None:
    """Its id is told, so that somebody can look at it."""
    example_id = gateway.service.ids.new()
    vector = array("f", (1, 0, 0)).tobytes()
    example = Example(id=example_id, input="{}", output=output, vector=vector)
    await shelf.writer.commit(shelf.store.examples.add("chat", "near", [example]))

    with pytest.raises(InferenceFailed, match=example_id) as failed:
        await gateway.infer(**NEAR)

    assert failed.value.cause == "examples"


async def test_a_zero_vector_is_at_distance_one_from_all(gateway: Gateway) -> None:
    """It has no direction; the oldest examples are shown."""
    ids = await store_three(gateway)
    gateway["emb"].will(embeds([0, 0, 0]))

    await gateway.infer(**NEAR, input=said("x"))

    texts = [content(each) for each in sent(gateway["a"])["messages"][1:]]
    assert texts[0:6:2] == [canonical("far"), canonical("mid"), canonical("near")]
    assert len(ids) == 3


async def test_parameters_and_edits_of_the_request_reach_the_answer_only(
    gateway: Gateway,
) -> None:
    """Not the embedding call."""
    await gateway.infer(
        **NEAR,
        params={"chat_completion": {"temperature": 0.75}},
        extra_body=[{"pointer": "/x", "value": 1}],
    )

    assert (sent(gateway["a"])["temperature"], sent(gateway["a"])["x"]) == (0.75, 1)
    assert not {"temperature", "x"} & sent(gateway["emb"]).keys()


async def test_its_stream_is_the_models(gateway: Gateway) -> None:
    """What precedes it is the embedding."""
    gateway["a"].will(
        streams("An old", " pond", usage={"prompt_tokens": 7, "completion_tokens": 3})
    )
    gateway["emb"].will(embeds([1, 0, 0], usage={"prompt_tokens": 4, "total_tokens": 4}))

    first, *_, end = await gateway.stream(**NEAR, include_raw_usage=True)

    assert len(first["raw_usage"]) == 1
    assert (end["usage"]["input_tokens"], end["usage"]["output_tokens"]) == (11, 3)
    kept = await gateway.stored_calls(end["inference_id"])
    assert [call.ttft_ms is None for call in kept] == [True, False]


async def test_it_may_be_a_candidate(gateway: Gateway) -> None:
    """Without the request's parameters."""
    await store_three(gateway)
    gateway["judge"].will(says('{"answer_choice":0}'))

    answer = await gateway.infer(
        variant_name="pick", params={"chat_completion": {"temperature": 0.75}}
    )

    assert answer["content"] == [{"type": "text", "text": "answered"}]
    assert sent(gateway["a"])["temperature"] == 0.25
    kept = await gateway.stored_calls(answer["inference_id"])
    assert sorted(call.model_name for call in kept) == ["a", "b", "emb", "judge"]


async def test_without_a_store_there_are_no_examples(start: StartGateway) -> None:
    """It works as with an empty one."""
    gateway = start(CONFIG, files=FILES)
    gateway["emb"].will(embeds([1, 0, 0]))
    gateway["a"].will(says("answered"))

    answer = await gateway.infer(**NEAR)

    assert answer["content"] == [{"type": "text", "text": "answered"}]
    assert decode_json(gateway["a"].requests[0].body)["messages"][-1]["content"] == "Hi"

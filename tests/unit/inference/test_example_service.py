"""The examples of dicl variants: checked, embedded, stored, listed, deleted."""

from typing import Any

import pytest

from lsd.conversation import Malformed, decode_json, encode_json
from lsd.inference import BadRequest, ExamplesRequest, InferenceFailed, UnknownName
from lsd.inference import example_service as module
from lsd.store import DatapointBody
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import embeds, fails
from tests.unit.inference.gateway import Gateway, Shelf
from tests.unit.inference.test_dicl import CONFIG, FILES, said
from tests.unit.store.makers import Maker, put

TOOLED = (
    CONFIG
    + """
[tools.page]
description = "Calls somebody"
parameters = "verdict.json"

[functions.helper]
type = "chat"
tools = ["page"]
[functions.helper.variants.near]
type = "dicl"
embedding_model = "emb"
model = "a"
k = 3
"""
)

TEXT_BLOCK = {"type": "text", "text": "out"}
TEXT = [TEXT_BLOCK]


@pytest.fixture
async def gateway(start: StartGateway, shelf: Shelf) -> Gateway:
    """A gateway whose embedding model puts everything at (1, 0, 0)."""
    made = start(TOOLED, files=FILES, shelf=shelf)
    made["emb"].will(embeds([1, 0, 0]))
    return made


async def listed(gateway: Gateway, variant: str = "near", function: str = "chat") -> list[Any]:
    """The outputs of all examples, newest first."""
    assert gateway.examples is not None
    page = await gateway.examples.page(function, variant, before=None, limit=100)
    return [decode_json(each.output) for each in page]


async def test_examples_are_stored_when_they_are_answered(gateway: Gateway, shelf: Shelf) -> None:
    """With unit vectors, under ids in the order of the request."""
    gateway["emb"].will(embeds([2, 0, 0], [0, 0, -4]))

    ids = await gateway.add_examples(
        "near",
        {"input": said("a"), "output": TEXT},
        {"input": said("b"), "output": TEXT, "namespace": "lab"},
    )

    assert ids == sorted(ids)
    found = shelf.store.examples.get("chat", "near", ids)
    assert [memoryview(each.vector).cast("f").tolist() for each in found] == [
        [1, 0, 0],
        [0, 0, -1],
    ]
    assert [each.namespace for each in found] == [None, "lab"]


async def test_many_are_embedded_some_at_a_time(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them are stored together."""
    monkeypatch.setattr(module, "INPUTS_PER_CALL", 2)
    gateway["emb"].will(embeds([1, 0], [1, 0]), embeds([1, 0]))
    examples = [{"input": said(str(at)), "output": TEXT} for at in range(3)]

    ids = await gateway.add_examples("near", *examples)

    assert len(ids) == 3
    assert [len(body["input"]) for body in gateway["emb"].bodies] == [2, 1]


async def test_when_one_fails_none_is_stored(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An embedding that fails, or has no direction, or another length."""
    monkeypatch.setattr(module, "INPUTS_PER_CALL", 1)
    examples = [{"input": said(str(at)), "output": TEXT} for at in range(2)]

    gateway["emb"].will(embeds([1, 0]), fails(500))
    with pytest.raises(InferenceFailed):
        await gateway.add_examples("near", *examples)
    gateway["emb"].will(embeds([1, 0]), embeds([0, 0]))
    with pytest.raises(BadRequest, match=r"examples\[1\]\.input: its embedding has no direction"):
        await gateway.add_examples("near", *examples)
    gateway["emb"].will(embeds([1, 0]), embeds([1, 0, 0]))
    with pytest.raises(BadRequest, match=r"found embeddings of \[2, 3\] numbers"):
        await gateway.add_examples("near", *examples)

    assert await listed(gateway) == []


async def test_new_vectors_must_fit_the_stored_ones(gateway: Gateway) -> None:
    """Else no search would ever succeed again."""
    await gateway.add_examples("near", {"input": said("a"), "output": TEXT})
    gateway["emb"].will(embeds([1, 0]))

    with pytest.raises(BadRequest, match="was the embedding model changed"):
        await gateway.add_examples("near", {"input": said("b"), "output": TEXT})


@pytest.mark.parametrize(
    ("output", "stored"),
    [
        ({"raw": '{"urgent": true}'}, {"raw": '{"urgent": true}', "parsed": {"urgent": True}}),
        ({"raw": "no", "parsed": 1}, {"raw": "no", "parsed": None}),
        ({"raw": '{"urgent":1}'}, {"raw": '{"urgent":1}', "parsed": None}),
        ({"parsed": {"urgent": True}}, {"raw": '{"urgent":true}', "parsed": {"urgent": True}}),
        ({"raw": None}, {"raw": None, "parsed": None}),
        ({}, {"raw": None, "parsed": None}),
    ],
    ids=["fits", "no JSON", "does not fit", "parsed alone", "null", "empty"],
)
async def test_json_outputs_are_what_their_raw_text_says(
    gateway: Gateway, output: Any, stored: Any
) -> None:
    """Also bad ones, which may be there on purpose."""
    await gateway.add_examples("near", {"input": said("a"), "output": output}, function="verdict")

    assert await listed(gateway, function="verdict") == [stored]


async def test_calls_mean_what_the_functions_tools_say(gateway: Gateway) -> None:
    """The raw pair is the truth; what the client says of it is dropped."""
    calls = [
        {"type": "tool_call", "id": "1", "raw_name": "page", "raw_arguments": '{"urgent":true}'},
        {"type": "tool_call", "id": "2", "raw_name": "gone", "raw_arguments": "{}", "name": "page"},
        {"type": "thought", "text": "hm"},
        {"type": "unknown", "data": {"a": 1}},
    ]

    await gateway.add_examples("near", {"input": said("a"), "output": calls}, function="helper")

    ((first, second, thought, unknown),) = await listed(gateway, function="helper")
    assert (first["name"], first["arguments"]) == ("page", {"urgent": True})
    assert (second["name"], second["arguments"]) == (None, None)
    assert thought == {"type": "thought", "text": "hm"}
    assert unknown == {"type": "unknown", "data": {"a": 1}}


@pytest.mark.parametrize(
    ("example", "told"),
    [
        ({"input": said("a"), "output": []}, "examples[0].output: found no content"),
        ({"input": said("a"), "output": "text"}, "examples[0].output: "),
        ({"input": said("a"), "output": None}, "examples[0].output: "),
        (
            {
                "input": {
                    "messages": [{"role": "user", "content": [{"type": "unknown", "data": 1}]}]
                },
                "output": TEXT,
            },
            "examples[0].input: found a block of type 'unknown'",
        ),
        (
            {"input": {"system": {"a": 1}}, "output": TEXT},
            "examples[0].input.system: found an object",
        ),
    ],
)
async def test_bad_examples_are_refused(gateway: Gateway, example: Any, told: str) -> None:
    """Before anything is embedded."""
    with pytest.raises((BadRequest, Malformed)) as refused:
        await gateway.add_examples("near", example)

    assert str(refused.value).startswith(told)
    assert gateway["emb"].requests == []


@pytest.mark.parametrize(
    ("function", "variant", "refusal"),
    [
        ("absent", "near", UnknownName),
        ("chat", "absent", UnknownName),
        ("chat", "other", BadRequest),
    ],
)
async def test_only_dicl_variants_have_examples(
    gateway: Gateway, function: str, variant: str, refusal: type[Exception]
) -> None:
    """Others are refused, for reading, too."""
    assert gateway.examples is not None

    with pytest.raises(refusal):
        await gateway.add_examples(variant, function=function)
    with pytest.raises(refusal):
        await gateway.examples.page(function, variant, before=None, limit=1)
    with pytest.raises(refusal):
        await gateway.examples.delete(function, variant)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (ExamplesRequest(), "examples, dataset_name: found neither"),
        (ExamplesRequest(examples=(), dataset_name="d"), "examples, dataset_name: found both"),
        (ExamplesRequest(examples=()), "examples: found an empty array"),
        (ExamplesRequest(dataset_name="d"), "dataset_name: found no datapoint"),
    ],
    ids=["nothing", "both", "empty", "no dataset"],
)
async def test_a_request_must_bring_examples(
    gateway: Gateway, asked: ExamplesRequest, told: str
) -> None:
    """At least one."""
    assert gateway.examples is not None

    with pytest.raises(BadRequest) as refused:
        await gateway.examples.add("chat", "near", asked)

    assert str(refused.value).startswith(told)


async def test_examples_of_a_variant_that_is_gone_can_be_deleted(
    start: StartGateway, shelf: Shelf, gateway: Gateway
) -> None:
    """They outlive its configuration."""
    await gateway.add_examples("near", {"input": said("a"), "output": TEXT})
    later = start(
        CONFIG.replace("chat.variants.near", "chat.variants.renamed").replace(
            '"near"', '"renamed"'
        ),
        files=FILES,
        shelf=shelf,
    )
    assert later.examples is not None

    assert len(await later.examples.page("chat", "near", before=None, limit=9)) == 1
    assert await later.examples.delete("chat", "near") == 1
    assert await later.examples.page("chat", "near", before=None, limit=9) == []
    assert encode_json(await later.examples.delete("chat", "near")) == b"0"


async def test_examples_may_be_those_of_a_dataset(gateway: Gateway, shelf: Shelf) -> None:
    """Live datapoints of the function that have an output; the oldest comes first."""
    made = Maker()
    body = {"input": {"messages": [{"role": "user", "content": [TEXT_BLOCK]}]}, "output": TEXT}
    points = [
        made.datapoint(dataset_name="d", function_name=name, body=DatapointBody(**body | more))
        for name, more in (
            ("chat", {}),
            ("helper", {}),
            ("chat", {"output": None}),
            ("chat", {"output": [{"type": "text", "text": "later"}]}),
        )
    ]
    put(shelf.store, shelf.store.datapoints.add("d", points, now_us=1))
    gateway["emb"].will(embeds([1, 0], [0, 1]))
    assert gateway.examples is not None

    ids = await gateway.examples.add("chat", "near", ExamplesRequest(dataset_name="d"))

    assert len(ids) == 2
    assert await listed(gateway) == [[{"type": "text", "text": "later"}], TEXT]


async def test_a_datapoint_that_is_no_example_is_named(gateway: Gateway, shelf: Shelf) -> None:
    """By its id; nothing is stored then."""
    made = Maker()
    unknown = {"messages": [{"role": "user", "content": [{"type": "unknown", "data": 1}]}]}
    body = DatapointBody(input=unknown, output=TEXT)
    point = made.datapoint(dataset_name="d", function_name="chat", body=body)
    put(shelf.store, shelf.store.datapoints.add("d", [point], now_us=1))
    assert gateway.examples is not None

    with pytest.raises(BadRequest, match=f"datapoint {point.id}.input: "):
        await gateway.examples.add("chat", "near", ExamplesRequest(dataset_name="d"))

"""`chain_of_thought`: a json function thinks aloud before it answers."""

from typing import Any

import pytest

from lsd.conversation import SchemaCache, encode_json
from lsd.inference import InferenceFailed
from lsd.inference.chain_of_thought import thinking_schema
from tests.unit.inference.composites import MODELS, sent, usage_of
from tests.unit.inference.conftest import StartGateway
from tests.unit.inference.fake_providers import calls, completes, says, streams
from tests.unit.inference.gateway import VERDICT_SCHEMA, Gateway, Shelf

CONFIG = (
    MODELS
    + """
[functions.verdict]
type = "json"
output_schema = "verdict.json"
[functions.verdict.variants]
think = { type = "chain_of_thought", model = "a" }
tool = { type = "chain_of_thought", model = "a", json_mode = "tool" }
plain.model = "b"

[functions.verdict.variants.pick]
type = "best_of_n_sampling"
candidates = ["think", "plain"]
evaluator.model = "judge"

[functions.verdict.experimentation]
type = "static"
candidate_variants = ["think"]
fallback_variants = ["plain"]
"""
)

THINK: dict[str, Any] = {"function_name": "verdict", "variant_name": "think"}
THOUGHT_OUT = '{"thinking":"It burns.","response":{"urgent":true}}'

TREE = {
    "type": "object",
    "properties": {
        "value": {"$ref": "#/$defs/word"},
        "left": {"$ref": "#"},
        "same": {"$ref": "#/properties/value"},
        "$ref": {"type": "string"},
    },
    "required": ["value"],
    "$defs": {"word": {"type": "string", "enum": ["$ref", "x"]}, "all": {"$ref": "#"}},
}


@pytest.fixture
async def gateway(start: StartGateway, shelf: Shelf) -> Gateway:
    """A gateway whose model thinks before it answers."""
    made = start(CONFIG, shelf=shelf)
    made["a"].will(says(THOUGHT_OUT))
    return made


async def test_the_response_is_the_output_and_thoughts_stand_beside_it(gateway: Gateway) -> None:
    """The model is given the wider schema; what is stored is the function's own."""
    answer = await gateway.infer(**THINK)

    assert answer["output"] == {"raw": '{"urgent":true}', "parsed": {"urgent": True}}
    asked = sent(gateway["a"])["response_format"]["json_schema"]["schema"]
    assert asked["required"] == ["thinking", "response"]
    assert asked["properties"]["response"] == VERDICT_SCHEMA
    record = await gateway.stored(answer["inference_id"])
    assert record is not None
    assert record.body is not None
    assert record.body.output == answer["output"]
    assert record.body.output_schema == VERDICT_SCHEMA
    assert record.body.auxiliary_content == [{"type": "thought", "text": "It burns."}]


async def test_thoughts_take_the_place_of_the_json_among_the_blocks(gateway: Gateway) -> None:
    """What the model has thought by itself stays before them."""
    gateway["a"].will(
        completes({"role": "assistant", "content": THOUGHT_OUT, "reasoning_content": "hm"})
    )

    answer = await gateway.infer(**THINK)

    record = await gateway.stored(answer["inference_id"])
    assert record is not None
    assert record.body is not None
    kept: Any = record.body.auxiliary_content
    assert [each["text"] for each in kept] == ["hm", "It burns."]


@pytest.mark.parametrize(
    "said",
    ["no", '{"urgent":true}', '{"thinking":"x"}', '{"thinking":"x","response":{}}', "[]"],
    ids=["no JSON", "no thoughts", "no response", "a response that does not fit", "an array"],
)
async def test_what_does_not_fit_is_passed_on_as_it_is(gateway: Gateway, said: str) -> None:
    """That is an answer, as with any json function."""
    gateway["a"].will(says(said))

    answer = await gateway.infer(**THINK)

    assert answer["output"] == {"raw": said, "parsed": None}


async def test_thinking_works_by_a_forced_tool_too(gateway: Gateway) -> None:
    """The tool's parameters are the wider schema."""
    gateway["a"].will(calls("respond", THOUGHT_OUT))

    answer = await gateway.infer(function_name="verdict", variant_name="tool")

    assert answer["output"]["parsed"] == {"urgent": True}
    (tool,) = sent(gateway["a"])["tools"]
    assert tool["function"]["parameters"]["required"] == ["thinking", "response"]


async def test_a_requests_schema_is_widened_in_place_of_the_functions(gateway: Gateway) -> None:
    """The response is judged by it."""
    schema = {"type": "object", "required": ["reason"]}

    answer = await gateway.infer(**THINK, output_schema=schema)

    assert answer["output"] == {"raw": THOUGHT_OUT, "parsed": None}


async def test_it_cannot_stream(gateway: Gateway) -> None:
    """Pinned, that is the request's mistake; sampled, the next variant has its turn."""
    gateway["b"].will(streams('{"urgent":false}'))

    with pytest.raises(InferenceFailed) as failed:
        await gateway.stream(**THINK)
    events = await gateway.stream(function_name="verdict")

    assert failed.value.cause == "unfit"
    assert "chain_of_thought cannot stream" in str(failed.value)
    assert events[-1]["variant_name"] == "plain"
    assert gateway["a"].requests == []


async def test_it_may_be_a_candidate(gateway: Gateway) -> None:
    """Also of a stream: candidates do not stream. The evaluator sees the response alone."""
    gateway["b"].will(says('{"urgent":false}'))
    gateway["judge"].will(says('{"answer_choice":0}'))

    content, end = await gateway.stream(function_name="verdict", variant_name="pick")

    assert content["raw"] == '{"urgent":true}'
    assert end["usage"] == usage_of(3)
    assert '0: {"urgent":true}' in str(sent(gateway["judge"])["messages"][-1]["content"])


@pytest.mark.parametrize(
    ("response", "fits"),
    [
        ({"value": "x", "left": {"value": "x"}, "same": "x"}, True),
        ({"value": "y"}, False),
        ({"value": "x", "left": {}}, False),
        ({"value": "x", "same": "y"}, False),
    ],
    ids=["good", "bad by a definition", "bad by the root", "bad by a path"],
)
def test_references_within_a_schema_still_mean_what_they_meant(response: Any, fits: bool) -> None:
    """The root has moved; definitions move up with it, because some providers look only there."""
    cache = SchemaCache()

    wide = thinking_schema(cache.compile(TREE), cache)

    assert wide.accepts({"thinking": "x", "response": response}) is fits
    assert not wide.accepts({"response": response})
    assert not wide.accepts({"thinking": "x", "response": response, "more": 1})
    assert "$defs" in wide.value
    assert TREE["properties"]["left"] == {"$ref": "#"}, "the function's own is left alone"


def test_a_schema_with_an_id_is_a_document_of_its_own() -> None:
    """Its references go from its own root, wherever it stands."""
    cache = SchemaCache()
    named = {"$id": "https://schemas.test/word", "$schema": SCHEMA_2020, **TREE}

    wide = thinking_schema(cache.compile(named), cache)

    assert wide.accepts({"thinking": "", "response": {"value": "x", "left": {"value": "x"}}})
    assert not wide.accepts({"thinking": "", "response": {"value": "x", "left": {}}})
    assert encode_json(wide.value["$schema"]) == encode_json(SCHEMA_2020)


SCHEMA_2020 = "https://json-schema.org/draft/2020-12/schema"
